#pragma once

#include "core/Result.h"
#include "core/curve/ColumnRates.h"
#include "core/curve/Sample.h"
#include "core/telemetry/PageAccount.h"
#include "core/telemetry/ProcessTree.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// How the sampler's thread came to the CPU: real-time or raised where this process may ask for it (root, or a limit
/// that allows it), so that busy processes do not make it miss ticks.
enum class SamplerPriority { Normal, Raised, RealTime };
std::string_view toWords(SamplerPriority priority); ///< "normal priority", …

struct SamplerReport {
    double rateHz = 0; ///< Asked for; the highest of them.
    SamplerPriority priority = SamplerPriority::Normal;
    std::uint64_t ticks = 0; ///< Samples taken at ticks.
    std::uint64_t extraSamples = 0; ///< Taken for watch() and mark(), between ticks.
    std::uint64_t missedTicks = 0; ///< Passed while the sampler was kept from running.
    /// Passed while the lab was stopped or frozen (SIGSTOP): for 250 ms or more it neither ran nor waited for a
    /// processor or for its own memory.
    std::uint64_t pausedTicks = 0;
    std::uint64_t worstLatenessNs = 0; ///< From the first tick due to the moment a sample was taken for it; no pause.
    std::uint64_t tickedNs = 0; ///< Periods of all ticks, taken or missed.
    ColumnRates columns; ///< Of all samples.
    std::uint64_t highWaterBytes = 0; ///< Largest VmHWM of any one process.
    std::uint64_t provenAnonBytes = 0;
    FurtherUse furtherUse; ///< As of the last sample that the sink was given.

    /// Samples a second at ticks: marks come on top and say nothing of the pace. 0 before the first tick.
    [[nodiscard]] double achievedHz() const;
};

/// One thread that samples a process tree and the system at absolute ticks (timerfd, CLOCK_MONOTONIC). Times of samples
/// are whole microseconds. Up to 50 Hz every sample has every column; above, every n-th one so that those come 17 to 23
/// times a second, and the samples between have anon, rss, tree_bytes and the system's free memory alone (each column's
/// own rate is told by its values). PSS is read on a thread of its own, at marks and at most once a second while less
/// than 1 GiB is resident (above 50 Hz: 64 MiB); more often, for a twentieth of that thread's time, where it alone can
/// tell how much memory processes share. It stands in the first sample after the reading. In the steady state the
/// sampler's thread allocates nothing. It runs before all others where it may (SamplerPriority), and gives that up for
/// good when it needs more than half of its ticks' time: then it would take the CPU from the load.
///
/// Construct, start, stop: from one thread. The sink is called on the sampler's thread with one sample and must not
/// block.
class Sampler {
public:
    using Sink = std::function<void(const Sample&)>;
    /// Fills further columns of a sample that has all; gets the tree's pids. On the sampler's thread: must neither
    /// block nor allocate.
    using Source = std::function<void(Sample&, std::span<const pid_t>)>;
    static constexpr double kAllEveryTickHz = 50; ///< Up to here every sample has every column.

    Sampler(double rateHz, Sink sink);
    ~Sampler(); ///< Stops.

    /// Before start() only.
    void alsoRead(Source source);
    void countPagesBy(PageAccount::PageCount count); ///< Likewise; after those sources.
    /// Invalid: a rate outside 1 … 1000 Hz. Io: no timer to be had. The first sample follows at once.
    Result<void> start();
    /// Another rate from now on, with its first tick at once; of the same bounds, else nothing changes. Any thread.
    void setRate(double rateHz);
    /// From now on the tree below this process is measured too, at once and at every tick; before, only the system is.
    /// After the tree's end its memory columns are 0. Any thread.
    void watch(pid_t root, Orphans orphans = Orphans::Marked);
    /// Takes one sample as soon as possible, reads PSS, takes one that it corrects, and waits for all of it (22 ms per
    /// resident GiB). Returns at once when the sampler does not run. Any thread but the sink's.
    void mark();
    /// The tree's processes that still run, root first. Any thread, also after stop().
    std::vector<pid_t> living() const;
    /// The tree's processes as last sampled, zombies too: reads nothing. Any thread, also after stop().
    std::vector<ProcessId> known() const;
    /// How it goes so far. Any thread.
    SamplerReport report() const;
    /// Ends the thread and says how it went; again: says it again.
    SamplerReport stop();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
