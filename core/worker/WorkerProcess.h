#pragma once

#include "core/Result.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace loadlab {

struct ResourceUse {
    /// ru_maxrss: of the process or of a reaped descendant, whichever is larger. 0 where it says nothing: the kernel
    /// starts it at what the forking lab itself had.
    std::uint64_t maxRssBytes = 0;
    std::chrono::nanoseconds userTime{};
    std::chrono::nanoseconds systemTime{};
};

/// How a process ended: exactly one of code and signal.
struct WaitStatus {
    std::optional<int> code;
    std::optional<int> signal;
    bool coreDumped = false;
    ResourceUse use;
};

struct WorkerCommand {
    std::filesystem::path program;
    std::vector<std::string> arguments; ///< Without argv[0].
    std::map<std::string, std::string> environment; ///< Added to the lab's own.
    std::filesystem::path workingFolder; ///< Empty: the lab's.
    bool talks = true; ///< False (any program): stdin is /dev/null, stdout is log text like stderr.
    /// Runs in the child between fork and exec; async-signal-safe only. For joining a cgroup. Returns errno or 0.
    std::function<int()> inChild;
};

/// How a stop escalates: after closing stdin, SIGTERM to the group, then SIGKILL. What hangs inside the kernel ends on
/// none of them.
struct StopTimes {
    std::chrono::milliseconds toTerm{2000};
    std::chrono::milliseconds toKill{3000}; ///< After the SIGTERM.
    std::chrono::milliseconds toGiveUp{5000}; ///< After the SIGKILL, for a process that uses no CPU time any more.
};

/// One worker and its process group, without a thread or event loop of its own: the owner polls `fds()` and calls
/// `pump()`. All calls from the thread that called start(), which must live as long as the worker (PR_SET_PDEATHSIG).
///
/// States: Idle → Running → (Stopping →) Ended. `onEnded` comes once, after both output streams reached their end or
/// 500 ms after the process ended (descendants may keep them open). What is left of the group is killed right after it.
/// Callbacks come from pump() and may call anything but the destructor.
class WorkerProcess {
public:
    enum class State { Idle, Running, Stopping, Ended };

    struct Callbacks {
        std::function<void(std::string_view bytes)> onStdout;
        std::function<void(std::string_view bytes)> onStderr;
        std::function<void(const WaitStatus&)> onEnded;
    };

    WorkerProcess(WorkerCommand command, Callbacks callbacks, StopTimes times = {});
    ~WorkerProcess(); ///< Kills the group if it still runs, and reaps.

    /// NotFound: no such program; Worker: found, but exec failed (the message holds errno's words).
    Result<void> start();
    /// Queues bytes for stdin; written as the pipe takes them. After the end or closeStdin() nothing happens.
    void write(std::string_view bytes);
    void closeStdin();
    /// Begins the escalation; again: nothing. kill() goes straight to SIGKILL.
    void stop();
    void kill();
    /// Leaves behind what SIGKILL did not end: Ended, without a status, and onEnded does not come.
    void abandon();

    /// Descriptors with the poll events they wait for, and the time until something is due.
    struct Wanted {
        int fd = -1;
        short events = 0;
    };
    [[nodiscard]] std::vector<Wanted> fds() const;
    [[nodiscard]] std::optional<std::chrono::nanoseconds> nextDue() const;
    /// Reads, writes, escalates, reaps: whatever can be done without waiting.
    void pump();

    [[nodiscard]] State state() const;
    /// It talks the protocol, has closed its stdout, and runs on.
    [[nodiscard]] bool isMute() const;
    [[nodiscard]] pid_t pid() const;
    [[nodiscard]] const std::optional<WaitStatus>& waitStatus() const;
    /// Which of the lab's signals were sent so far: 0, SIGTERM, or SIGKILL.
    [[nodiscard]] int strongestSignalSent() const;
    /// It was sent SIGKILL here, and is not known to have ended.
    [[nodiscard]] bool isDying() const;
    /// From the SIGTERM of a stop to the process's end; nothing: none was sent, or it lives.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> livedAfterTerm() const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// Makes the calling process adopt orphans of its descendants (PR_SET_CHILD_SUBREAPER). Once, at program start.
void becomeSubreaper();
/// Processes of this user whose environment holds LOADLAB_RUN=uuid, wherever they were reparented to (reads
/// /proc/*/environ: at cleaning up, never while sampling).
std::vector<pid_t> findProcessesOfRun(std::string_view runUuid);

} // namespace loadlab
