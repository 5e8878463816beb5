#pragma once

#include "core/Descriptor.h"
#include "core/Result.h"
#include "core/worker/WorkerProcess.h"

#include <filesystem>
#include <string>
#include <sys/types.h>

namespace loadlab {

/// A process that runs its program: its pid (also its group), and the lab's ends of its streams, all non-blocking.
struct Spawned {
    pid_t pid = -1;
    Descriptor pidfd; ///< Empty where the kernel has none (before 5.3).
    Descriptor stdinEnd; ///< Empty for a program that does not talk.
    Descriptor stdoutEnd;
    Descriptor stderrEnd;
    /// The lab's own largest RSS at the fork: the kernel counts it into the child's ru_maxrss, which below says
    /// nothing.
    std::uint64_t forkedRssBytes = 0;
};

/// What a command would start: a name with a slash is a path, seen from `folder` (empty: the lab's own), any other is
/// sought in PATH, as a shell does. NotFound: no such program; Worker: it is there, but a folder or not executable.
Result<std::filesystem::path> findProgram(
    const std::filesystem::path& program, const std::filesystem::path& folder = {});

/// The line that a shell would take for it.
std::string commandLineOf(const WorkerCommand& command);

/// Forks and executes. The child leads its own group, dies with the calling thread, has default signal handlers, no
/// descriptor but 0, 1, 2, and a raised oom_score_adj. Waits until exec succeeded or failed.
/// NotFound: no such program; Worker: found, but it does not start (errno's words); Io: no pipes or processes left.
Result<Spawned> spawn(const WorkerCommand& command);

} // namespace loadlab
