#pragma once

#include "core/Result.h"
#include "core/worker/WorkerProcess.h"

#include <chrono>
#include <stop_token>
#include <string>

namespace loadlab {

/// What a program that was run to its end said, at most 1 MiB of each.
struct ProgramOutput {
    WaitStatus status;
    std::string standardOutput;
    std::string standardError;
};

/// Runs a program to its end on the calling thread, stdin closed from the start. Errors: NotFound and Worker as
/// WorkerProcess::start, Timeout when it was still there after `limit`, Cancelled at the token (its process group was
/// killed then).
Result<ProgramOutput> runToEnd(
    WorkerCommand command, std::chrono::milliseconds limit, const std::stop_token& stop = {});

} // namespace loadlab
