#pragma once

#include "core/ProgramVariables.h"
#include "core/Result.h"
#include "core/Variant.h"
#include "core/curve/CurveSummary.h"
#include "core/trial/HostTraces.h"
#include "core/trial/RunCounters.h"
#include "core/verdict/Verdict.h"
#include "core/worker/Protocol.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// A run's number in its database.
struct RunId {
    std::int64_t value = 0;
    auto operator<=>(const RunId&) const = default;
};

/// What a run is about, known before it starts.
struct TrialIdentity {
    std::string uuid;
    std::string checkpointPath; ///< Bytes; empty: no checkpoint (a watched program).
    std::string checkpointName; ///< UTF-8.
    std::string family;
    std::string fingerprint;
    std::uint64_t checkpointBytes = 0;
    std::uint64_t checkpointParameters = 0;
    std::vector<std::string> program; ///< A watched program as it was named, with its arguments; bytes. Empty: none.
    std::string workingFolder; ///< Of a watched program; absolute, bytes. Empty: not known.
    ProgramVariables variables; ///< That it was given; of a stored run with the values of secrets masked.
    Variant variant;
    Limits limits;
    std::optional<std::string> parentUuid; ///< The run whose remedy this one tries.
    std::optional<std::string> remedyApplied;
    std::uint64_t predictedPeakBytes = 0; ///< 0: no prediction.
};

/// A finished run as CLI.md shows it ("JSON of a finished run"); also one in progress (no verdict) or lost.
struct RunResult {
    std::optional<RunId> run; ///< Nothing when it could not be stored.
    TrialIdentity identity;
    std::chrono::system_clock::time_point startedUtc;
    std::chrono::nanoseconds duration{};
    std::optional<Verdict> verdict; ///< Nothing: in progress.
    std::optional<int> exitCode;
    std::optional<int> exitSignal;
    CurveSummary curve;
    std::uint64_t hwmBytes = 0;
    bool hwmWasNotTold = false; ///< The kernel's own word at the end was the lab's (ResourceUse): samples alone tell.
    std::optional<std::uint64_t> projectedNeedBytes;
    std::string commandLine; ///< As a shell would take it; empty: nothing was started.
    std::string
        capKeptBy; ///< "cgroup", "watchdog", "none"; empty, here and below: the run was lost before it was told.
    std::string swapCapKeptBy; ///< The same words.
    std::string containment; ///< "cgroup1", "cgroup2", "none"
    std::string containmentDetail; ///< Where, or why there was none.
    HostTraces traces;
    std::vector<Phase> phases;
    std::optional<protocol::Progress> progress;
    std::optional<protocol::Loaded> loaded;
    std::map<std::string, std::string> environment; ///< kernel, cpu, torch, loadlab (version and revision) …
    std::optional<std::uint64_t> missedTicks; ///< Nothing, here and below: nobody was left to tell.
    std::optional<std::uint64_t> worstLatenessNs;
    std::vector<RunCounter> counters; ///< One per column; none: recorded before this was kept.
};

/// What the peak of the tree cannot have been above: memory and swap of the run's group at their highest, page cache
/// included. Nothing where no group tells it, or where the tree held more (charged to others, or counted twice).
std::optional<std::uint64_t> peakTreeAtMostBytes(const RunResult& result);

/// Whether the high-water mark is a lower bound: the run goes on, or its lab was lost, so nobody saw it to its end; or
/// the kernel's word at the end was not to be had.
bool highWaterIsAtLeast(const RunResult& result);

/// Exactly the names of docs/CLI.md, and a few more (docs/PROTOCOL.md, "Run events"). Always valid UTF-8.
nlohmann::json toJson(const RunResult& result);
/// The inverse; times keep milliseconds (start) and nanoseconds (duration). Invalid names the field.
Result<RunResult> resultFromJson(const nlohmann::json& json);

/// What no column holds: {"command_line", "containment_detail", "swap_cap_kept_by", "host"}.
nlohmann::json circumstancesToJson(const RunResult& result);
/// Takes what is there.
void circumstancesFromJson(const nlohmann::json& json, RunResult& into);

/// What a run is about, in one line: the checkpoint's name, else the program. UTF-8; empty: neither is known.
std::string subjectOf(const TrialIdentity& identity);

/// {"program", "working_folder", "env"}, null without one; "working_folder_hex" where it is not UTF-8. Program and
/// variables as a shell would take them, secrets masked.
nlohmann::json programToJson(const TrialIdentity& identity);
/// Takes what is there.
void programFromJson(const nlohmann::json& json, TrialIdentity& into);

/// The parts, for columns: uuid, checkpoint, variant, limits, parent, remedy_applied; one phase.
nlohmann::json toJson(const TrialIdentity& identity);
Result<TrialIdentity> identityFromJson(const nlohmann::json& json);
nlohmann::json toJson(const Phase& phase);
/// What a run stores of machine and backend: counts and bytes (by their names) are numbers, the rest is text. Reads
/// both as text.
nlohmann::json environmentToJson(const std::map<std::string, std::string>& environment);
std::map<std::string, std::string> environmentFromJson(const nlohmann::json& object);
Result<std::vector<Phase>> phasesFromJson(const nlohmann::json& json);

/// 0 ok · 1 failure verdict · 130 cancelled (docs/CLI.md).
int exitCodeOf(const RunResult& result);

} // namespace loadlab
