#include "tests/fake_worker/FakeWorker.h"

#include <iostream>
#include <string_view>

int main(int argc, char** argv)
{
    std::map<std::string, std::string> options;
    bool probe = false;
    bool byHand = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const std::string next = i + 1 < argc ? argv[i + 1] : "";
        if (word == "--probe")
            probe = true;
        else if (word == "--mode")
            options["mode"] = next;
        else if (word == "--option")
            options[next.substr(0, next.find('='))] = next.substr(std::min(next.size(), next.find('=') + 1));
        byHand = byHand || word == "--mode";
    }
    fake::FakeWorker worker(options);
    if (probe) {
        worker.hello();
        return 0;
    }
    if (!byHand)
        worker.awaitJob();
    return fake::runMode(worker, worker.option("mode", "ok"));
}
