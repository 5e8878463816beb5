#include "tests/fake_worker/FakeWorker.h"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <iostream>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace fake {
namespace {
using namespace loadlab;
using namespace std::chrono_literals;

int well(FakeWorker& worker)
{
    worker.load();
    worker.loaded();
    worker.holdUntilTold();
    return worker.leave();
}

/// Ends by this signal whatever handlers a sanitizer has put up, and without a core file.
void die(int signal)
{
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

int crash(FakeWorker& worker)
{
    const int half = worker.number("steps", 10) / 2;
    worker.load([&](int step) {
        if (step == half)
            die(worker.number("signal", SIGSEGV));
    });
    return 0;
}

int exitHalfWay(FakeWorker& worker)
{
    const int half = worker.number("steps", 10) / 2;
    worker.load([&](int step) {
        if (step == half)
            std::_Exit(worker.number("code", 1));
    });
    return 0;
}

int stubborn(FakeWorker& worker)
{
    std::signal(SIGTERM, SIG_IGN);
    worker.load();
    worker.loaded();
    for (;;)
        ::pause();
}

int children(FakeWorker& worker)
{
    worker.load();
    if (::fork() == 0) {
        std::signal(SIGTERM, SIG_IGN);
        for (;;)
            ::pause();
    }
    worker.loaded();
    worker.holdUntilTold();
    return worker.leave();
}

/// `live` in an orphan with a session of its own, whose descriptors below `descriptors` lead nowhere.
template <typename F> void startDaemon(int descriptors, F live)
{
    const pid_t between = ::fork();
    if (between == 0) {
        ::setsid();
        if (::fork() != 0)
            std::_Exit(0);
        const int nothing = ::open("/dev/null", O_RDWR);
        for (int fd = 0; fd < descriptors; ++fd)
            ::dup2(nothing, fd);
        live();
        std::_Exit(1);
    }
    ::waitpid(between, nullptr, 0);
}

int daemon(FakeWorker& worker)
{
    startDaemon(5, [] {
        std::signal(SIGTERM, SIG_IGN);
        for (;;)
            ::pause();
    });
    return well(worker);
}

int strippedDaemon(FakeWorker& worker)
{
    int gone[2]; // Closed by the exec.
    if (::pipe2(gone, O_CLOEXEC) != 0)
        return 1;
    startDaemon(3, [&gone] {
        ::syscall(SYS_close_range, 3, gone[1] - 1, 0);
        const char* const words[] = {"sleep", "600", nullptr};
        char* const noEnvironment[] = {nullptr};
        ::execve("/bin/sleep", const_cast<char* const*>(words), noEnvironment);
    });
    ::close(gone[1]);
    char byte = 0;
    [[maybe_unused]] const auto got = ::read(gone[0], &byte, 1);
    return well(worker);
}

int killedChild(FakeWorker& worker)
{
    const pid_t child = ::fork();
    if (child == 0)
        for (;;)
            ::pause();
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return well(worker);
}

int prints(FakeWorker& worker)
{
    worker.load([](int step) {
        std::printf("printed by a library: %d\n", step);
        std::fflush(stdout);
    });
    worker.loaded();
    worker.holdUntilTold();
    return worker.leave();
}

int burst(FakeWorker& worker)
{
    const auto total = static_cast<std::uint64_t>(worker.number("lines", 1000));
    worker.send(protocol::PhaseEntered{"reading"});
    for (std::uint64_t i = 1; i <= total; ++i)
        worker.send(protocol::Progress{"tensors", i, total, i, total, "tensor"});
    worker.loaded();
    worker.holdUntilTold();
    return worker.leave();
}

int error(FakeWorker& worker, bool stays)
{
    worker.load();
    worker.send(protocol::WorkerError{worker.option("text", "corrupt_file"),
        worker.option("message", "model.safetensors is broken"), "frame 1\nframe 2", "model.safetensors",
        "fetch it again"});
    if (stays)
        worker.holdUntilTold();
    return stays ? worker.leave(1) : 1;
}

int steps(FakeWorker& worker)
{
    worker.load({}, false);
    worker.loaded();
    worker.holdUntilTold();
    return worker.leave();
}

int slow(FakeWorker& worker)
{
    const auto total = static_cast<std::uint64_t>(worker.number("steps", 10));
    for (std::uint64_t i = 1; i <= total; ++i) {
        std::this_thread::sleep_for(worker.duration() / total);
        worker.send(protocol::Progress{"tensors", i, total, 0, 0, "tensor"});
    }
    worker.loaded();
    worker.holdUntilTold();
    return worker.leave();
}

/// Goes on until SIGTERM: the end of stdin is not watched.
template <typename F> int forever(F again)
{
    for (;;)
        again();
}

int reads(FakeWorker& worker)
{
    std::string buffer(1 << 16, '\0');
    return forever([&] {
        const int file = ::open(worker.option("text", "/etc/passwd").c_str(), O_RDONLY | O_CLOEXEC);
        while (::read(file, buffer.data(), buffer.size()) > 0) { }
        ::close(file);
        std::this_thread::sleep_for(50ms);
    });
}

int log(FakeWorker& worker)
{
    const int lines = worker.number("lines", 1000);
    const std::string text = worker.option("text", "a line of log");
    for (int i = 0; i < lines; ++i)
        std::cerr << text << ' ' << i << (i % 100 == 0 ? " \xff\xfe" : "") << '\n';
    std::cerr.flush();
    return well(worker);
}

int loaderError()
{
    std::cerr << "fake-worker: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file: "
                 "No such file or directory\n";
    return 127;
}

int silent(FakeWorker& worker)
{
    worker.holdUntilTold();
    return 0;
}

int beforeHello(FakeWorker& worker, const std::string& mode)
{
    if (mode == "silent")
        return silent(worker);
    if (mode == "exit-early")
        return worker.number("code", 1);
    if (mode == "loader-error")
        return loaderError();
    if (mode == "crash-early")
        die(worker.number("signal", SIGSEGV));
    if (mode == "garbage") {
        worker.sendRaw("Loading checkpoint shards:  50%|#####     | 1/2\n");
        return silent(worker);
    }
    if (mode == "huge-line") {
        worker.sendRaw("{\"event\": \"" + std::string(9 << 20, 'x') + "\"}\n");
        return silent(worker);
    }
    if (mode == "wrong-protocol") {
        worker.hello(99);
        return silent(worker);
    }
    if (mode == "late-hello")
        std::this_thread::sleep_for(worker.duration());
    return -1;
}

int afterHello(FakeWorker& worker, const std::string& mode)
{
    if (mode == "hello-only")
        return silent(worker);
    if (mode == "garbage-late") {
        worker.load();
        worker.sendRaw("Traceback (most recent call last):\n");
        return silent(worker);
    }
    if (mode == "partial-line") {
        worker.load();
        worker.sendRaw("{\"event\": \"prog");
        return 0;
    }
    if (mode == "close-stdout") {
        worker.load();
        worker.closeOutput();
        return silent(worker);
    }
    if (mode == "wakeups")
        return forever([] { std::this_thread::sleep_for(10ms); });
    if (mode == "spins")
        return forever([] {});
    if (mode == "chatters")
        return forever([] {
            std::cerr << '.' << std::flush;
            std::this_thread::sleep_for(50ms);
        });
    if (mode == "no-bye" || mode == "echo") {
        worker.load();
        worker.loaded();
        worker.holdUntilTold(mode == "echo");
        return mode == "echo" ? worker.leave() : 0;
    }
    return mode == "no-loaded" ? worker.leave() : well(worker);
}

} // namespace

int runMode(FakeWorker& worker, const std::string& mode)
{
    if (const int early = beforeHello(worker, mode); early >= 0)
        return early;
    worker.hello();
    const std::map<std::string, std::function<int()>> modes{
        {"burst", [&] { return burst(worker); }},
        {"children", [&] { return children(worker); }},
        {"crash", [&] { return crash(worker); }},
        {"daemon", [&] { return daemon(worker); }},
        {"error", [&] { return error(worker, false); }},
        {"error-stays", [&] { return error(worker, true); }},
        {"exit", [&] { return exitHalfWay(worker); }},
        {"killed-child", [&] { return killedChild(worker); }},
        {"log", [&] { return log(worker); }},
        {"prints", [&] { return prints(worker); }},
        {"reads", [&] { return reads(worker); }},
        {"slow", [&] { return slow(worker); }},
        {"steps", [&] { return steps(worker); }},
        {"stripped-daemon", [&] { return strippedDaemon(worker); }},
        {"stubborn", [&] { return stubborn(worker); }},
    };
    const auto found = modes.find(mode);
    return found == modes.end() ? afterHello(worker, mode) : found->second();
}

} // namespace fake
