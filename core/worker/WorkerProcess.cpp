#include "core/worker/WorkerProcess.h"

#include "core/Units.h"
#include "core/worker/Spawn.h"

#include <array>
#include <csignal>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace loadlab {
using namespace std::chrono_literals;
namespace {

/// How long descendants may hold the output open after the worker itself ended.
constexpr std::chrono::nanoseconds kDrainLimit = 500ms;
/// Where the kernel has no pidfd, exits are looked for this often.
constexpr std::chrono::nanoseconds kExitPoll = 20ms;
constexpr std::size_t kReadBytes = 64 << 10;
/// At most so many reads per stream and pump, so that a flood on one does not starve the rest.
constexpr int kReadsPerPump = 16;

/// write() on a pipe without SIGPIPE, whatever the process does with that signal: a pending one is taken back.
ssize_t writeQuietly(int fd, std::string_view bytes)
{
    sigset_t pipeOnly;
    sigset_t before;
    sigset_t pending;
    ::sigemptyset(&pipeOnly);
    ::sigaddset(&pipeOnly, SIGPIPE);
    ::sigpending(&pending);
    const bool wasPending = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipeOnly, &before);
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    const int error = errno;
    if (written < 0 && error == EPIPE && !wasPending) {
        const timespec now{};
        ::sigtimedwait(&pipeOnly, nullptr, &now);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return written;
}

std::chrono::nanoseconds toNs(const timeval& time)
{
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

/// The status of a process that ended, which stays a zombie: its pid, and so its group, stays ours. The system call and
/// not the library's function, because only that tells the resources used as well.
std::optional<WaitStatus> peekStatus(pid_t pid, std::uint64_t forkedRssBytes)
{
    siginfo_t info{};
    rusage use{};
    if (::syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, &use) != 0 || info.si_pid != pid)
        return std::nullopt;
    WaitStatus status;
    if (info.si_code == CLD_EXITED)
        status.code = info.si_status;
    else
        status.signal = info.si_status;
    status.coreDumped = info.si_code == CLD_DUMPED;
    const std::uint64_t maxRssBytes = static_cast<std::uint64_t>(use.ru_maxrss) << 10;
    status.use = {maxRssBytes > forkedRssBytes ? maxRssBytes : 0, toNs(use.ru_utime), toNs(use.ru_stime)};
    return status;
}

} // namespace

struct WorkerProcess::Impl {
    WorkerCommand command;
    Callbacks callbacks;
    StopTimes times;
    State state = State::Idle;
    Spawned process;
    std::string toWrite;
    bool closeWhenWritten = false;
    std::optional<std::int64_t> termAtNs;
    std::optional<std::int64_t> killAtNs;
    std::optional<std::int64_t> termSentNs;
    std::optional<std::int64_t> drainUntilNs; ///< Set when the process itself has ended.
    std::optional<WaitStatus> status;
    int strongestSignal = 0;

    [[nodiscard]] bool lives() const { return state == State::Running || state == State::Stopping; }
    void signalGroup(int signal);
    void writeQueued();
    void readStream(Descriptor& stream, const std::function<void(std::string_view)>& sink) const;
    void escalate();
    void watchExit();
    void leave();
    void end();
    void killAndReap();
};

void WorkerProcess::Impl::signalGroup(int signal)
{
    if (drainUntilNs)
        return;
    ::kill(-process.pid, signal);
    if (signal == SIGKILL || strongestSignal == 0)
        strongestSignal = signal;
}

void WorkerProcess::Impl::writeQueued()
{
    while (process.stdinEnd && !toWrite.empty()) {
        const ssize_t written = writeQuietly(process.stdinEnd.get(), toWrite);
        if (written > 0)
            toWrite.erase(0, static_cast<std::size_t>(written));
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            process.stdinEnd.reset(); // The worker reads no more; that alone is no failure.
    }
    if (closeWhenWritten || !process.stdinEnd)
        toWrite.clear();
    if (closeWhenWritten)
        process.stdinEnd.reset();
}

void WorkerProcess::Impl::readStream(Descriptor& stream, const std::function<void(std::string_view)>& sink) const
{
    std::array<char, kReadBytes> buffer;
    for (int reads = 0; stream && reads < kReadsPerPump; ++reads) {
        const ssize_t got = ::read(stream.get(), buffer.data(), buffer.size());
        if (got > 0 && sink)
            sink({buffer.data(), static_cast<std::size_t>(got)});
        else if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            stream.reset();
        if (got < 0 && errno == EAGAIN)
            return;
    }
}

void WorkerProcess::Impl::escalate()
{
    const std::int64_t now = monotonicNs();
    if (termAtNs && now >= *termAtNs) {
        termAtNs.reset();
        signalGroup(SIGTERM);
        termSentNs = now;
        killAtNs = now + std::chrono::nanoseconds(times.toKill).count();
    }
    if (killAtNs && now >= *killAtNs) {
        killAtNs.reset();
        signalGroup(SIGKILL);
    }
}

void WorkerProcess::Impl::watchExit()
{
    if (drainUntilNs)
        return;
    status = peekStatus(process.pid, process.forkedRssBytes);
    if (!status)
        return;
    drainUntilNs = monotonicNs() + kDrainLimit.count();
    process.pidfd.reset();
    termAtNs.reset();
    killAtNs.reset();
}

void WorkerProcess::Impl::leave()
{
    state = State::Ended;
    process.stdinEnd.reset();
    process.stdoutEnd.reset();
    process.stderrEnd.reset();
}

void WorkerProcess::Impl::end()
{
    leave();
    if (callbacks.onEnded)
        callbacks.onEnded(*status);
    // Only now: as long as the leader is a zombie nobody else can have got this group's number.
    ::kill(-process.pid, SIGKILL);
    ::waitpid(process.pid, nullptr, 0);
}

void WorkerProcess::Impl::killAndReap()
{
    ::kill(-process.pid, SIGKILL);
    if (process.pidfd) {
        pollfd exited{process.pidfd.get(), POLLIN, 0};
        ::poll(&exited, 1, static_cast<int>(times.toGiveUp.count()));
        ::waitpid(process.pid, nullptr, WNOHANG);
    } else {
        ::waitpid(process.pid, nullptr, 0);
    }
    state = State::Ended;
}

WorkerProcess::WorkerProcess(WorkerCommand command, Callbacks callbacks, StopTimes times)
    : m_impl(std::make_unique<Impl>())
{
    m_impl->command = std::move(command);
    m_impl->callbacks = std::move(callbacks);
    m_impl->times = times;
}

WorkerProcess::~WorkerProcess()
{
    if (m_impl->lives())
        m_impl->killAndReap();
}

Result<void> WorkerProcess::start()
{
    Result<Spawned> spawned = spawn(m_impl->command);
    if (!spawned)
        return std::move(spawned).error();
    m_impl->process = *std::move(spawned);
    m_impl->state = State::Running;
    return {};
}

void WorkerProcess::write(std::string_view bytes)
{
    if (!m_impl->process.stdinEnd || m_impl->closeWhenWritten)
        return;
    m_impl->toWrite.append(bytes);
    m_impl->writeQueued();
}

void WorkerProcess::closeStdin()
{
    m_impl->closeWhenWritten = true;
    m_impl->writeQueued();
}

void WorkerProcess::stop()
{
    if (m_impl->state != State::Running)
        return;
    m_impl->state = State::Stopping;
    m_impl->toWrite.clear(); // What a worker has not taken so far must not keep it from seeing the end.
    closeStdin();
    m_impl->termAtNs = monotonicNs() + std::chrono::nanoseconds(m_impl->times.toTerm).count();
}

void WorkerProcess::kill()
{
    if (!m_impl->lives())
        return;
    stop();
    m_impl->termAtNs.reset();
    m_impl->killAtNs.reset();
    m_impl->signalGroup(SIGKILL);
}

void WorkerProcess::abandon()
{
    m_impl->leave();
}

bool WorkerProcess::isDying() const
{
    return m_impl->lives() && m_impl->strongestSignal == SIGKILL && !m_impl->drainUntilNs;
}

std::vector<WorkerProcess::Wanted> WorkerProcess::fds() const
{
    std::vector<Wanted> wanted;
    if (!m_impl->lives())
        return wanted;
    const Spawned& process = m_impl->process;
    if (process.stdinEnd && !m_impl->toWrite.empty())
        wanted.push_back({process.stdinEnd.get(), POLLOUT});
    for (const Descriptor* input : {&process.stdoutEnd, &process.stderrEnd, &process.pidfd})
        if (*input)
            wanted.push_back({input->get(), POLLIN});
    return wanted;
}

std::optional<std::chrono::nanoseconds> WorkerProcess::nextDue() const
{
    if (!m_impl->lives())
        return std::nullopt;
    std::optional<std::chrono::nanoseconds> next;
    const auto consider = [&next](std::chrono::nanoseconds due) { next = next ? std::min(*next, due) : due; };
    const std::int64_t now = monotonicNs();
    for (const std::optional<std::int64_t>& at : {m_impl->termAtNs, m_impl->killAtNs, m_impl->drainUntilNs})
        if (at)
            consider(std::chrono::nanoseconds(std::max<std::int64_t>(0, *at - now)));
    if (!m_impl->process.pidfd && !m_impl->drainUntilNs)
        consider(kExitPoll);
    return next;
}

void WorkerProcess::pump()
{
    Impl& impl = *m_impl;
    if (!impl.lives())
        return;
    impl.escalate();
    impl.writeQueued();
    // Before reading: what a process wrote before it ended is then read in this very call or the stream is at its end.
    impl.watchExit();
    impl.readStream(impl.process.stdoutEnd, impl.callbacks.onStdout);
    impl.readStream(impl.process.stderrEnd, impl.callbacks.onStderr);
    const bool silent = !impl.process.stdoutEnd && !impl.process.stderrEnd;
    if (impl.drainUntilNs && (silent || monotonicNs() >= *impl.drainUntilNs))
        impl.end();
}

WorkerProcess::State WorkerProcess::state() const
{
    return m_impl->state;
}

bool WorkerProcess::isMute() const
{
    return m_impl->state == State::Running && m_impl->command.talks && !m_impl->process.stdoutEnd;
}

pid_t WorkerProcess::pid() const
{
    return m_impl->process.pid;
}

const std::optional<WaitStatus>& WorkerProcess::waitStatus() const
{
    return m_impl->status;
}

std::optional<std::chrono::nanoseconds> WorkerProcess::livedAfterTerm() const
{
    if (!m_impl->termSentNs || !m_impl->drainUntilNs)
        return std::nullopt;
    return std::chrono::nanoseconds(*m_impl->drainUntilNs - *m_impl->termSentNs) - kDrainLimit;
}

int WorkerProcess::strongestSignalSent() const
{
    return m_impl->strongestSignal;
}

} // namespace loadlab
