#pragma once

#include "core/curve/Sample.h"
#include "core/telemetry/ProcessTree.h"
#include "core/trial/BootLog.h"
#include "core/verdict/Verdict.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// What is left of a run whose lab, or machine, vanished.
struct LostRun {
    std::string uuid;
    std::string bootId; ///< In which it was recorded.
    ProcessId lab;
    std::int64_t workerPid = 0; ///< 0: not started, or not known.
    std::chrono::nanoseconds duration{}; ///< As far as something is stored.
    std::int64_t originNs = 0;
    std::optional<Sample> last;
    std::vector<KernelLine> kernel; ///< What the kernel said from the run's start on; empty for one of this boot.
};

/// Whether the machine was restarted since. An unknown boot id says nothing.
bool hostIsLost(const std::string& runsBootId, const std::string& bootId);

/// `host_lost` where the boot differs, else `lab_lost`. What the kernel said is evidence, never the mode: a kill for
/// lack of memory counts for this run where the kernel names its group or its worker's pid.
Verdict judgeLost(const LostRun& run, const std::string& bootId);

} // namespace loadlab
