#pragma once

#include "core/ProgramVariables.h"
#include "core/Result.h"
#include "core/containment/Containment.h"
#include "core/telemetry/HostClock.h"
#include "core/telemetry/ProcessTree.h"
#include "core/trial/RunEvent.h"
#include "core/verdict/Judge.h"
#include "core/worker/PluginManifest.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// A checkpoint and a variant to try on it.
struct TrialSpec {
    std::filesystem::path checkpoint; ///< Empty: none.
    Variant variant; ///< Normalised by the manifest.
    Limits limits;
    PluginManifest plugin;
    std::vector<std::string> program; ///< A program to watch, with its arguments, in place of the plugin's own; bytes.
    std::filesystem::path workingFolder; ///< Where that program starts; empty: the lab's own.
    ProgramVariables variables; ///< That program's, beside the lab's own.
    std::optional<std::string> parentUuid;
    std::optional<std::string> remedyApplied;
};

/// What a queue of runs remembers from one to the next.
struct QueueMemory {
    std::uint64_t availableBytes = 0; ///< Before the last run that started clean.
    std::uint64_t peakTreeBytes = 0; ///< Of the last run.

    /// How much is still missing; 0 where it is within what comes and goes anyway (128 MiB, or a tenth of the peak).
    [[nodiscard]] std::uint64_t missing(std::uint64_t availableNow) const;
    /// For the run after this one.
    static std::optional<QueueMemory> after(const RunResult& result, const std::optional<QueueMemory>& before);
};

/// What a runner borrows; outlives it.
struct TrialSurroundings {
    const FamilyCatalog* families = nullptr;
    const Rules* rules = nullptr;
    MachineInfo machine;
    std::filesystem::path resources;
    StopTimes stopTimes{};
    /// Without hello and without a sign of life for so long: `hang`; with its stdout closed: `unknown`.
    std::chrono::milliseconds helloTimeout{60'000};
    std::chrono::milliseconds settleTimeout{2'000};
    const Containment* containment = nullptr; ///< Nothing: no group; a cap is kept by the watchdog.
    /// Memory available before the run that came before in the same queue: what of it is not back by now makes a dirty
    /// start.
    std::optional<QueueMemory> before;
    HostClock clock{};
    Orphans orphans = Orphans::Marked; ///< All only where runs follow each other and nothing else is started.
};

/// One run: owns worker and sampler on a thread of its own. No singleton: several may hold loads side by side.
/// Every event goes to the listener on the runner's thread, in order; RunStarted first, RunFinished last, always both.
/// The listener must not block for long (hand over to your own thread).
class TrialRunner {
public:
    using Listener = std::function<void(const RunEvent&)>;

    TrialRunner(TrialSpec spec, TrialSurroundings surroundings, Listener listener);
    ~TrialRunner(); ///< Kills what still runs and joins.

    void start();
    /// Any thread. First: orderly (stdin closed → SIGTERM → SIGKILL). With `now`: SIGKILL at once.
    void cancel(bool now = false);
    /// Holds the loaded model instead of ending after the mark; release() ends it. Before start() only.
    void holdAfterLoad();
    void release();
    /// Arms, changes or disarms the guard of a run in progress; any thread. Heard while the worker is at work, and told
    /// as LabActed "guard_set": limits.guard stays what the run was started with.
    void setGuard(std::optional<GuardMargin> margin);
    /// Waits for the end of a run that was started; the result that RunFinished carried.
    const RunResult& wait();
    [[nodiscard]] bool finished() const;
    [[nodiscard]] const std::string& uuid() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
