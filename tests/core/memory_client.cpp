// A process that does to its memory what it is told, line by line on stdin, and answers "ok …" when it is done.
// Everything it starts dies with it.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Block {
    char* data;
    std::size_t size;
};
std::vector<Block> blocks;

void touch(const Block& block, char value)
{
    for (std::size_t at = 0; at < block.size; at += 4096)
        block.data[at] = value;
}

Block makeBlock(std::size_t mebibytes, int flags)
{
    const auto size = mebibytes * kMiB;
    auto* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        std::_Exit(3);
    ::madvise(data, size, MADV_NOHUGEPAGE);
    const Block block{static_cast<char*>(data), size};
    touch(block, 1);
    return block;
}

void freeLast()
{
    ::munmap(blocks.back().data, blocks.back().size);
    blocks.pop_back();
}

void mapFile(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts { };
    ::fstat(fd, &facts);
    const auto size = static_cast<std::size_t>(facts.st_size);
    auto* data = static_cast<char*>(::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0));
    volatile char sink = 0;
    for (std::size_t at = 0; at < size; at += 4096)
        sink = data[at];
    static_cast<void>(sink);
    blocks.push_back({data, size});
    ::close(fd);
}

/// Maps a file, writes to every page of it, and lets go of it.
void writeThroughMapping(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts { };
    ::fstat(fd, &facts);
    const auto size = static_cast<std::size_t>(facts.st_size);
    auto* data = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    touch({data, size}, 2);
    ::munmap(data, size);
    ::close(fd);
}

void readFile(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::vector<char> buffer(kMiB);
    while (::read(fd, buffer.data(), buffer.size()) > 0) { }
    ::close(fd);
}

/// Reads the first MiB and keeps it open.
void beginFile(const std::string& path)
{
    std::vector<char> buffer(kMiB);
    static_cast<void>(!::read(::open(path.c_str(), O_RDONLY | O_CLOEXEC), buffer.data(), buffer.size()));
}

void burn(long milliseconds)
{
    timespec used{};
    do
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    while (used.tv_sec * 1000 + used.tv_nsec / 1'000'000 < milliseconds);
}

void pauseForMs(long milliseconds)
{
    const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
    ::nanosleep(&time, nullptr);
}

std::string obey(const std::string& line);

/// A child that obeys `command`, says so through a pipe and waits to be killed. Its pid.
pid_t forkChild(const std::string& command)
{
    std::array<int, 2> ready{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0)
        std::_Exit(3);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        obey(command);
        static_cast<void>(!::write(ready[1], "x", 1));
        for (;;)
            ::pause();
    }
    char byte = 0;
    static_cast<void>(!::read(ready[0], &byte, 1));
    ::close(ready[0]);
    ::close(ready[1]);
    return pid;
}

std::map<pid_t, int> sleepers; ///< Where each says that it has obeyed.

/// A child that waits for wake() before it obeys.
pid_t forkSleeper(const std::string& command)
{
    std::array<int, 2> told{};
    if (::pipe2(told.data(), O_CLOEXEC) != 0)
        std::_Exit(3);
    sigset_t wanted{};
    ::sigaddset(&wanted, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        int signal = 0;
        ::sigwait(&wanted, &signal);
        obey(command);
        static_cast<void>(!::write(told[1], "x", 1));
        for (;;)
            ::pause();
    }
    ::close(told[1]);
    sleepers[pid] = told[0];
    return pid;
}

void wake(pid_t pid)
{
    char byte = 0;
    ::kill(pid, SIGUSR1);
    static_cast<void>(!::read(sleepers.at(pid), &byte, 1));
}

/// A grandchild whose parent has ended; with `session`, in a session of its own.
pid_t forkDaemon(bool session, const std::string& command)
{
    std::array<int, 2> told{};
    if (::pipe2(told.data(), O_CLOEXEC) != 0)
        std::_Exit(3);
    const pid_t between = ::fork();
    if (between == 0) {
        if (session)
            ::setsid();
        const pid_t pid = forkChild("nothing");
        ::kill(pid, SIGKILL); // only its number of faults matters: a daemon is seldom an only child
        ::waitpid(pid, nullptr, 0);
        const pid_t daemon = ::fork();
        if (daemon == 0) {
            obey(command);
            const pid_t self = ::getpid();
            while (::getppid() == between)
                ::sched_yield();
            static_cast<void>(!::write(told[1], &self, sizeof self));
            for (;;)
                ::pause();
        }
        std::_Exit(0);
    }
    ::waitpid(between, nullptr, 0);
    pid_t daemon = 0;
    static_cast<void>(!::read(told[0], &daemon, sizeof daemon));
    ::close(told[0]);
    ::close(told[1]);
    return daemon;
}

/// Forks from a thread that goes on living.
pid_t forkFromThread(const std::string& command)
{
    std::array<int, 2> told{};
    if (::pipe2(told.data(), O_CLOEXEC) != 0)
        std::_Exit(3);
    std::thread([told, command] {
        const pid_t pid = forkChild(command);
        static_cast<void>(!::write(told[1], &pid, sizeof pid));
        for (;;)
            ::pause();
    }).detach();
    pid_t pid = 0;
    static_cast<void>(!::read(told[0], &pid, sizeof pid));
    return pid;
}

void endChild(pid_t pid, bool reap)
{
    ::kill(pid, SIGKILL);
    if (reap)
        ::waitpid(pid, nullptr, 0);
    else {
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    }
}

void runShort(const std::string& command)
{
    const pid_t pid = ::fork();
    if (pid == 0) {
        obey(command);
        std::_Exit(0);
    }
    ::waitpid(pid, nullptr, 0);
}

void serve();

bool hasEnded(pid_t thread)
{
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    return !std::getline(file, line) || line.find(") Z ") != std::string::npos;
}

/// Ends the thread that obeys, be it the first one; another obeys from then on, and answers.
[[noreturn]] void leaveThread()
{
    std::thread([before = ::gettid()] {
        while (!hasEnded(before))
            ::sched_yield();
        std::cout << "ok" << std::endl;
        serve();
    }).detach();
    ::syscall(SYS_exit, 0);
    std::abort();
}

std::string restOf(std::istream& words)
{
    std::string rest;
    std::getline(words >> std::ws, rest);
    return rest;
}

std::string obey(const std::string& line)
{
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    long number = 0;
    if (verb == "alloc" && words >> number)
        blocks.push_back(makeBlock(static_cast<std::size_t>(number), MAP_PRIVATE));
    else if (verb == "shm" && words >> number)
        blocks.push_back(makeBlock(static_cast<std::size_t>(number), MAP_SHARED));
    else if (verb == "touch")
        touch(blocks.back(), 2);
    else if (verb == "free")
        freeLast();
    else if (verb == "spike" && words >> number) {
        blocks.push_back(makeBlock(static_cast<std::size_t>(number), MAP_PRIVATE));
        pauseForMs(2);
        freeLast();
    } else if (verb == "map")
        mapFile(restOf(words));
    else if (verb == "write-map")
        writeThroughMapping(restOf(words));
    else if (verb == "read")
        readFile(restOf(words));
    else if (verb == "begin")
        beginFile(restOf(words));
    else if (verb == "leave-thread")
        leaveThread();
    else if (verb == "exec") // By this thread: the first one may have ended.
        ::execl("/proc/thread-self/exe", "memory_client", "again", nullptr);
    else if (verb == "burn" && words >> number)
        burn(number);
    else if (verb == "ignore-children")
        ::signal(SIGCHLD, SIG_IGN);
    else if (verb == "short")
        runShort(restOf(words));
    else if (verb == "fork")
        return std::to_string(forkChild(restOf(words)));
    else if (verb == "fork-sleeper")
        return std::to_string(forkSleeper(restOf(words)));
    else if (verb == "wake" && words >> number)
        wake(static_cast<pid_t>(number));
    else if (verb == "thread-fork")
        return std::to_string(forkFromThread(restOf(words)));
    else if (verb == "daemon")
        return std::to_string(forkDaemon(false, restOf(words)));
    else if (verb == "session-daemon")
        return std::to_string(forkDaemon(true, restOf(words)));
    else if (verb == "end" && words >> number)
        endChild(static_cast<pid_t>(number), true);
    else if (verb == "leave-zombie" && words >> number)
        endChild(static_cast<pid_t>(number), false);
    return {};
}

void serve()
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // Each thread's own.
    for (std::string line; std::getline(std::cin, line) && line != "exit";)
        std::cout << "ok " << obey(line) << std::endl;
    std::_Exit(0);
}

} // namespace

int main(int count, char**)
{
    if (count > 1) // Was told to exec.
        std::cout << "ok" << std::endl;
    serve();
}
