#pragma once

#include "core/curve/Forecast.h"
#include "core/telemetry/Pace.h"
#include "core/trial/LoadTrail.h"
#include "core/trial/RunEvent.h"

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// What a load may still take, out of what.
struct MemoryPool {
    enum class Kind {
        Machine, ///< Left: MemAvailable, page cache counted as free. Total: all memory.
        Cap, ///< Left: what remains under the run's own cap, its page cache counted as free. Total: the cap.
        Group, ///< The same of a limit on a group around the run's.
        WithSwap, ///< Either of them and the swap that may still be used, once the load is in swap.
    };
    Kind kind = Kind::Machine;
    std::uint64_t leftBytes = 0;
    std::uint64_t totalBytes = 0;
};

/// Where a load stands and where it is heading. Bytes of the load: tree_bytes, and GPU memory where that is part of the
/// machine's own. Times on the run's axis.
struct LiveOutlook {
    double atS = 0; ///< Of the last sample.
    double loadBytes = 0;
    std::optional<MemoryPool> memory; ///< What the guard judges by.
    std::optional<MemoryPool> limit; ///< What ends the load when it is full: memory, with swap once that is in use.
    double limitBytes = std::numeric_limits<double>::infinity(); ///< What the load holds when `limit` is full.
    std::optional<GuardMargin> margin; ///< Nothing: not armed.
    std::optional<double> guardBytes; ///< What the load holds when the guard's margin is all that is left.
    std::vector<FoundPhase> found;
    Forecast toLimit; ///< Also the growth; `why` where nothing is foretold.
    std::optional<Forecast> toGuard;
    std::optional<ProjectedNeed> need;
    std::optional<double> swapBeganS;
    std::uint64_t swapBytes = 0;
    Pace pace;
    double lastWordS = 0; ///< When the worker last said anything.
    std::optional<double> stalledShare; ///< Of the last seconds: all of the machine waited for memory (PSI full).
    std::optional<std::uint64_t> oomKills; ///< Of the load, by the kernel, so far; nothing: no group tells.

    /// How long the growth has been what it is.
    [[nodiscard]] double growsForS() const { return found.empty() ? 0 : atS - found.back().fromS; }
};

/// Works out a LiveOutlook from a run's events alone. Costs up to some milliseconds, at most twice a second of the
/// curve. A value; one thread.
class LiveForecast {
public:
    /// In order, from RunStarted on: that begins anew.
    void apply(const RunEvent& event);
    /// The guard's margin was changed.
    void setMargin(std::optional<GuardMargin> margin);
    /// Looks again where it is time to. True when outlook() is new.
    bool refresh();
    [[nodiscard]] const LiveOutlook& outlook() const { return m_outlook; }
    /// Sentences for the log about what is new since the last call: growth that became steady, a forecast that is known
    /// now or changed by more than its interval, swap that came into use. Never more than one of a kind in 5 s.
    [[nodiscard]] std::vector<std::string> takeNews();

private:
    void take(const Sample& sample);
    [[nodiscard]] double secondsOf(std::int64_t monotonicNs) const;
    [[nodiscard]] std::optional<MemoryPool> memoryPool() const;
    [[nodiscard]] MemoryPool withSwap(MemoryPool memory) const;
    void lookAtPools();
    [[nodiscard]] std::optional<std::string> newsOfGrowth();
    [[nodiscard]] std::optional<std::string> newsOfLimit();

    struct Load {
        std::int64_t monotonicNs = 0;
        double bytes = 0;
    };
    struct Told {
        double growthAtS = -1e9;
        double rateBytesPerS = 0;
        double limitAtS = -1e9;
        std::optional<std::pair<double, double>> limitBetweenS;
        bool swap = false;
    };

    RunStarted m_started;
    PhaseFinder m_curve;
    LoadTrail m_trail;
    PaceWatch m_pace;
    Sample m_last; ///< Of every column the newest value that came.
    std::optional<GuardLooked> m_seen;
    std::deque<Load> m_loads; ///< Of the last seconds.
    LiveOutlook m_outlook;
    double m_lookedAtS = -1e9;
    Told m_told;
};

} // namespace loadlab
