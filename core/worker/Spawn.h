#pragma once

#include "core/Result.h"
#include "core/Descriptor.h"
#include "core/worker/WorkerProcess.h"

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

/// Forks and executes. The child leads its own group, dies with the calling thread, has default signal handlers, no
/// descriptor but 0, 1, 2, and a raised oom_score_adj. Waits until exec succeeded or failed.
/// NotFound: no such program; Worker: found, but it does not start (errno's words); Io: no pipes or processes left.
Result<Spawned> spawn(const WorkerCommand& command);

} // namespace loadlab
