#include "core/worker/Spawn.h"

#include "core/ShellWords.h"
#include "core/Text.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

/// How much more the kernel should like to kill the worker than the lab.
constexpr int kOomScoreRaise = 500;
constexpr int kMostOomScore = 1000;

enum class Stage : int { Folder = 1, Hook, Exec };

/// What the child says before it gives up.
struct Failure {
    Stage stage = Stage::Exec;
    int error = 0;
};

struct Pipe {
    Descriptor read;
    Descriptor write;
};

/// Moved above 2, so that a lab started with closed standard streams does not mix them up with its own.
Descriptor aboveStandard(Descriptor fd)
{
    if (!fd || fd.get() > STDERR_FILENO)
        return fd;
    return Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

Result<Pipe> makePipe()
{
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return Error{ErrorKind::Io, std::string("no pipe for the worker: ") + std::strerror(errno)};
    Pipe pipe{aboveStandard(Descriptor(ends[0])), aboveStandard(Descriptor(ends[1]))};
    if (!pipe.read || !pipe.write)
        return Error{ErrorKind::Io, std::string("no descriptor for the worker: ") + std::strerror(errno)};
    return pipe;
}

void makeNonBlocking(const Descriptor& fd)
{
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

/// Everything the child needs, laid out before the fork: after it only async-signal-safe calls are allowed.
struct ChildPlan {
    std::string program;
    std::vector<std::string> words;
    std::vector<char*> argv;
    std::vector<char*> envp;
    std::string folder;
    std::string oomScore;
    const std::function<int()>* hook = nullptr;
    pid_t parent = 0;
    int in = -1;
    int out = -1;
    int err = -1;
    int failure = -1;
};

std::string raisedOomScore()
{
    int own = 0;
    std::ifstream("/proc/self/oom_score_adj") >> own;
    return std::to_string(std::min(kMostOomScore, own + kOomScoreRaise));
}

[[noreturn]] void giveUp(const ChildPlan& plan, Stage stage, int error)
{
    constexpr int notStarted = 127;
    const Failure failure{stage, error};
    [[maybe_unused]] const auto written = ::write(plan.failure, &failure, sizeof failure);
    ::_exit(notStarted);
}

void restoreSignals()
{
    struct sigaction standard { };
    standard.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal)
        ::sigaction(signal, &standard, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void closeAllBut(int kept)
{
    const auto first = static_cast<unsigned>(STDERR_FILENO + 1);
    const auto keep = static_cast<unsigned>(kept);
    const bool below = keep == first || ::syscall(SYS_close_range, first, keep - 1, 0) == 0;
    if (below && ::syscall(SYS_close_range, keep + 1, ~0U, 0) == 0)
        return;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned fd = first; fd < limit.rlim_cur; ++fd)
        if (fd != keep)
            ::close(static_cast<int>(fd));
}

[[noreturn]] void becomeWorker(const ChildPlan& plan)
{
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) // The lab died before it could take us along.
        ::_exit(1);
    ::dup2(plan.in, STDIN_FILENO);
    ::dup2(plan.out, STDOUT_FILENO);
    ::dup2(plan.err, STDERR_FILENO);
    if (const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); score >= 0) {
        [[maybe_unused]] const auto written = ::write(score, plan.oomScore.data(), plan.oomScore.size());
        ::close(score);
    }
    if (!plan.folder.empty() && ::chdir(plan.folder.c_str()) != 0)
        giveUp(plan, Stage::Folder, errno);
    if (plan.hook)
        if (const int error = (*plan.hook)(); error != 0)
            giveUp(plan, Stage::Hook, error);
    closeAllBut(plan.failure);
    restoreSignals();
    ::execve(plan.program.c_str(), plan.argv.data(), plan.envp.data());
    giveUp(plan, Stage::Exec, errno);
}

bool mayBeRun(const fs::path& file)
{
    return ::access(file.c_str(), X_OK) == 0;
}

Result<fs::path> asProgram(const fs::path& path)
{
    std::error_code ignored;
    const std::string name = toUtf8(path.string());
    if (!fs::exists(path, ignored))
        return Error{ErrorKind::NotFound, "no such program: " + name};
    if (fs::is_directory(path, ignored))
        return Error{ErrorKind::Worker, name + " is a folder, not a program"};
    if (!mayBeRun(path))
        return Error{ErrorKind::Worker, name + " is there, but without the right to execute it"};
    return path;
}

Result<fs::path> findInPath(const std::string& name)
{
    const char* path = std::getenv("PATH");
    std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
    std::error_code ignored;
    while (!name.empty() && !rest.empty()) {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        const fs::path candidate = fs::path(rest.substr(0, colon)) / name;
        if (fs::is_regular_file(candidate, ignored) && mayBeRun(candidate))
            return candidate;
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    return Error{ErrorKind::NotFound, "no such program in PATH: '" + toUtf8(name) + "'"};
}

/// The first line of a script, as the kernel reads it; empty: no script.
std::string firstLineOf(const fs::path& script)
{
    constexpr std::streamsize mostBytes = 255;
    std::string line(mostBytes, '\0');
    std::ifstream stream(script, std::ios::binary);
    stream.read(line.data(), mostBytes);
    line.resize(static_cast<std::size_t>(stream.gcount()));
    line.resize(std::min(line.find('\n'), line.size()));
    return line.starts_with("#!") ? toUtf8(line) : std::string();
}

/// The lab's environment with the additions; they replace variables of the same name.
std::vector<std::string> environmentOf(const WorkerCommand& command)
{
    std::vector<std::string> variables;
    for (char** variable = ::environ; variable && *variable; ++variable) {
        const std::string_view text(*variable);
        if (!command.environment.contains(std::string(text.substr(0, text.find('=')))))
            variables.emplace_back(text);
    }
    for (const auto& [name, value] : command.environment)
        variables.push_back(name + "=" + value);
    return variables;
}

ChildPlan planFor(const WorkerCommand& command, const fs::path& program)
{
    ChildPlan plan;
    plan.program = program.string();
    plan.words.push_back(plan.program);
    plan.words.insert(plan.words.end(), command.arguments.begin(), command.arguments.end());
    const std::size_t count = plan.words.size();
    for (std::string& variable : environmentOf(command))
        plan.words.push_back(std::move(variable));
    for (std::size_t i = 0; i < plan.words.size(); ++i)
        (i < count ? plan.argv : plan.envp).push_back(plan.words[i].data());
    plan.argv.push_back(nullptr);
    plan.envp.push_back(nullptr);
    plan.folder = command.workingFolder.string();
    plan.oomScore = raisedOomScore();
    plan.hook = command.inChild ? &command.inChild : nullptr;
    plan.parent = ::getpid();
    return plan;
}

std::uint64_t ownPeakRssBytes()
{
    rusage use{};
    ::getrusage(RUSAGE_SELF, &use);
    return static_cast<std::uint64_t>(use.ru_maxrss) << 10;
}

/// Handlers of the lab must not run in the child, so nothing is delivered until the child has reset them.
pid_t forkQuietly(const ChildPlan& plan)
{
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0)
        becomeWorker(plan);
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return pid;
}

Error describe(const Failure& failure, const WorkerCommand& command, const std::string& program)
{
    const std::string reason = std::strerror(failure.error);
    switch (failure.stage) {
    case Stage::Folder:
        return {ErrorKind::Worker, "cannot enter " + toUtf8(command.workingFolder.string()) + ": " + reason};
    case Stage::Hook:
        return {ErrorKind::Worker, "cannot prepare the worker's process: " + reason};
    case Stage::Exec:
        break;
    }
    std::string message = toUtf8(program) + " does not start: " + reason;
    const std::string firstLine = firstLineOf(program);
    if (!firstLine.empty())
        message += " (its first line asks for \"" + firstLine + "\")";
    else if (failure.error == ENOENT)
        message += " (the program is there, so the loader that it asks for is what is missing)";
    else if (failure.error == ENOEXEC)
        message += " (built for another machine, or a script without \"#!\")";
    return {ErrorKind::Worker, std::move(message)};
}

/// The end of the pipe without a word means that exec took place.
Result<void> awaitExec(pid_t pid, const Descriptor& failures, const WorkerCommand& command, const std::string& program)
{
    Failure failure;
    ssize_t got = 0;
    do
        got = ::read(failures.get(), &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return {};
    ::waitpid(pid, nullptr, 0);
    return describe(failure, command, program);
}

} // namespace

Result<fs::path> findProgram(const fs::path& program, const fs::path& folder)
{
    const std::string name = program.string();
    if (name.find('/') == std::string::npos)
        return findInPath(name);
    return asProgram(folder.empty() ? program : fs::absolute(folder / program));
}

std::string commandLineOf(const WorkerCommand& command)
{
    std::vector<std::string> words{command.program.string()};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    return shellLine(words);
}

Result<Spawned> spawn(const WorkerCommand& command)
{
    Result<fs::path> program = findProgram(command.program, command.workingFolder);
    if (!program)
        return std::move(program).error();
    ChildPlan plan = planFor(command, *program);
    Result<Pipe> in = makePipe();
    Result<Pipe> out = makePipe();
    Result<Pipe> err = makePipe();
    Result<Pipe> failures = makePipe();
    for (const Result<Pipe>* pipe : {&in, &out, &err, &failures})
        if (!*pipe)
            return pipe->error();
    if (!command.talks)
        in->read = aboveStandard(Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
    plan.in = in->read.get();
    plan.out = out->write.get();
    plan.err = err->write.get();
    plan.failure = failures->write.get();

    const std::uint64_t ownRssBytes = ownPeakRssBytes();
    const pid_t pid = forkQuietly(plan);
    if (pid < 0)
        return Error{ErrorKind::Io, std::string("cannot start a process: ") + std::strerror(errno)};
    ::setpgid(pid, pid);
    failures->write.reset();
    if (Result<void> started = awaitExec(pid, failures->read, command, plan.program); !started)
        return std::move(started).error();

    Spawned spawned{pid, Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), {}, std::move(out->read),
        std::move(err->read), ownRssBytes};
    if (command.talks)
        spawned.stdinEnd = std::move(in->write);
    for (const Descriptor* end : {&spawned.stdinEnd, &spawned.stdoutEnd, &spawned.stderrEnd})
        if (*end)
            makeNonBlocking(*end);
    return spawned;
}

} // namespace loadlab
