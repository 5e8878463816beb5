#include "EventChannel.h"
#include "LibtorchWorker.h"

#include <cstdio>
#include <string_view>

int main(int argc, char** argv)
{
    loadlab::EventChannel events = loadlab::EventChannel::takeStdout();
    loadlab::LibtorchWorker worker(events);
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (argc == 2 && word == "--probe") {
        worker.probe();
        return 0;
    }
    if (argc != 1) {
        std::fprintf(stderr,
            "loadlab-worker-libtorch speaks the worker protocol on stdin and stdout (docs/PROTOCOL.md); "
            "the only argument is --probe, not '%s'\n",
            argv[1]);
        return 2;
    }
    return worker.run();
}
