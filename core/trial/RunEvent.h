#pragma once

#include "core/Result.h"
#include "core/Variant.h"
#include "core/checkpoint/Checkpoint.h"
#include "core/containment/Guard.h"
#include "core/curve/Sample.h"
#include "core/telemetry/FurtherUse.h"
#include "core/telemetry/Machine.h"
#include "core/trial/RunResult.h"
#include "core/worker/Protocol.h"
#include "core/worker/WorkerProcess.h"

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace loadlab {

enum class TrialState { Baseline, Starting, Loading, Loaded, Exercising, Stopping, Settled };
std::string_view toWireName(TrialState state);

enum class LogStream { Stderr, Stdout, Lab };
std::string_view toWireName(LogStream stream);

/// First event of every run: all that is known before anything starts.
struct RunStarted {
    TrialIdentity identity;
    std::chrono::system_clock::time_point startedUtc;
    std::int64_t originNs = 0; ///< CLOCK_MONOTONIC of t = 0.
    MachineInfo machine;
    std::int64_t labPid = 0;
    std::uint64_t labStartTicks = 0;
};
struct StateChanged {
    TrialState state = TrialState::Baseline;
};
/// What holds the run and how the machine was before it: told before the worker starts, and once more where the worker
/// could not enter its group. Words as in RunResult.
struct RunContained {
    std::string containment;
    std::string detail;
    std::string capKeptBy;
    std::string swapCapKeptBy;
    SystemMemory before;
};
void copyTo(RunResult& result, const RunContained& contained);

struct WorkerStarted {
    std::int64_t pid = 0;
    std::uint64_t startTicks = 0;
    std::string commandLine;
};
struct LogText {
    LogStream stream = LogStream::Stderr;
    std::string bytes; ///< As they came: any bytes, any line length; lines may be split over events.
};
/// Whatever was sampled since the last event of this kind, in order.
struct SamplesTaken {
    std::vector<Sample> samples;
    FurtherUse use = {}; ///< As of the last of them, or a little later; for those that look on, stored nowhere.
};
/// What guard and kernel saw of the run's memory: twice a second, and at every kill.
struct GuardLooked {
    Guard::Look look; ///< Also where the guard has no margin.
    std::optional<std::uint64_t> oomKills; ///< Of the run so far, by the kernel; nothing: no group tells.
};
/// The lab did something: "cancel", "kill", "timeout", "stall", "hello_timeout", "mute", "nonsense", "cap", "guard",
/// "guard_set", "leftovers", or noted something: "oom_kill", "outside_group", "suspend", "pause".
struct LabActed {
    std::string act;
    std::string why;
    std::string process = {}; ///< The one that left the run's group, as HostTraces::outsideGroup names it.
};
/// The largest high-water mark of any one process so far: when it has grown by more than a 32nd and a MiB since it was
/// told. What is left of it when the lab dies.
struct HighWaterRose {
    std::uint64_t bytes = 0;
};
struct WorkerEnded {
    WaitStatus status;
};
/// Last event of every run, whatever came of it.
struct RunFinished {
    RunResult result;
};

using RunEventBody = std::variant<RunStarted, StateChanged, RunContained, WorkerStarted, protocol::Message, LogText,
    SamplesTaken, GuardLooked, LabActed, HighWaterRose, WorkerEnded, RunFinished>;

/// One thing that happened in a run. Recorder, window, `--follow` and tests are listeners to these and to nothing else.
struct RunEvent {
    std::int64_t monotonicNs = 0;
    RunEventBody body;
};

/// Wire name: "run_started", "state", "contained", "worker_started", "log", "samples", "guard", "lab",
/// "high_water", "worker_ended", "run_finished", or the worker's own event name (protocol::typeOf).
std::string_view kindOf(const RunEvent& event);
/// The documented JSON form (docs/PROTOCOL.md, "Run events"): {"event": name, "t_s": …, …}.
nlohmann::json toJson(const RunEvent& event, std::int64_t originNs);
/// The inverse. A `run_started` brings its own origin. Invalid names the field.
Result<RunEvent> eventFromJson(const nlohmann::json& json, std::int64_t originNs);

} // namespace loadlab
