#pragma once

#include "core/Variant.h"
#include "core/containment/WorkerGroup.h"
#include "core/curve/Forecast.h"
#include "core/curve/Sample.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace loadlab {

/// Stops a load before it takes the machine with it: kills the worker's process group at once, with no grace period,
/// when what is left has fallen below the operator's margin, will fall below it within the next two seconds
/// (FallWatch, at every sample for at least a quarter of the time that is left: a burst that ends, or a wave, is no
/// load), or when the machine is drowning: all of it waited for memory for more than 60 % of the last five
/// seconds, and less than a tenth of it is left. (A healthy copy under a cap reaches 40 to 60 % in windows of 100 ms;
/// it does not for seconds, and it leaves the machine's memory alone.)
///
/// What is left is the smallest of the machine's MemAvailable and what remains under the run's cap, any enclosing
/// group, or those that processes of the run moved to, page cache counted as free. A percentage is of that pool's size.
class Guard {
public:
    static constexpr double kAheadS = 2;
    static constexpr double kForetoldShare = 0.25;
    static constexpr double kDrowningShare = 0.6;
    static constexpr double kDrowningOverS = 5;
    static constexpr double kLeastHz = 50; ///< It sees nothing between two samples.

    struct Pool {
        enum class Of { Machine, Cap, Group }; ///< Group: a limit on a group around the run's.
        std::uint64_t leftBytes = 0;
        std::uint64_t totalBytes = 0;
        Of of = Of::Machine;
    };
    /// What it last saw.
    struct Look {
        std::int64_t monotonicNs = 0; ///< Of the sample.
        Pool pool; ///< The smallest.
        /// All of the machine waited for memory, of the last kDrowningOverS; nothing: not told, or not so long yet.
        std::optional<double> stalledShare;
    };
    /// What the caps and groups above the run leave at this moment, whoever keeps them; nothing: there is no limit. On
    /// the sampler's thread.
    using GroupPool = std::function<std::optional<Pool>()>;

    struct Stop {
        enum class Why { Below, WillFall, Drowning };
        Why why = Why::Below;
        std::uint64_t leftBytes = 0;
        std::uint64_t marginBytes = 0;
        Pool::Of of = Pool::Of::Machine;
        double inS = 0; ///< WillFall: until the margin.
        double bytesPerS = 0; ///< WillFall: how fast what is left shrinks.
        double overS = 0; ///< WillFall: seen for so long; Drowning: the window.
        double stalledShare = 0; ///< Drowning.
        std::int64_t monotonicNs = 0;
    };

    Guard(std::optional<GuardMargin> margin, std::uint64_t machineBytes, GroupPool group = {});

    /// As WorkerGroup; any thread.
    void arm(pid_t group);
    void disarm();
    /// Another margin from the next sample on, or none: then it stops nothing. Any thread.
    void setMargin(std::optional<GuardMargin> margin);
    /// On the sampler's thread, with every sample; looks at most kLeastHz times a second, without a margin twice. Where
    /// only system_free_bytes is in it (above 50 Hz), what is available is taken to lie as far above it as last read.
    void check(const Sample& sample);
    /// Also of a guard without a margin. Any thread.
    [[nodiscard]] std::optional<Look> lastLook() const;
    /// Why it stopped the load, the first time. Any thread.
    [[nodiscard]] std::optional<Stop> stopped() const;

private:
    [[nodiscard]] Look lookAt(const Sample& sample, std::uint64_t availableBytes);
    [[nodiscard]] std::optional<Stop> judge(const Look& look, std::uint64_t availableBytes, const GuardMargin& margin);
    [[nodiscard]] std::optional<std::uint64_t> availableAt(const Sample& sample);
    [[nodiscard]] std::optional<FallWatch::Crossing> provenCrossing(std::int64_t nowNs);
    [[nodiscard]] std::optional<double> stalledShare(const Sample& sample);

    struct Stall {
        std::int64_t monotonicNs = 0;
        std::int64_t fullUs = 0;
    };

    std::uint64_t m_machineBytes;
    GroupPool m_groupPool;

    // The sampler's thread's own.
    std::optional<std::int64_t> m_lookedNs;
    std::optional<std::int64_t> m_besideFreeBytes; ///< MemAvailable − MemFree, as last read together.
    FallWatch m_watch; ///< Of what is left above the margin.
    std::optional<std::int64_t> m_foretoldSinceNs; ///< Without a break.
    std::deque<Stall> m_stalls;

    // Under the lock.
    mutable std::mutex m_mutex;
    std::optional<GuardMargin> m_margin;
    bool m_marginIsNew = false; ///< What was seen says nothing of it.
    WorkerGroup m_group;
    std::optional<Look> m_look;
    std::optional<Stop> m_stop;
};

/// "on the machine", "under the cap", "under the limit of a group around it"
std::string_view toWords(Guard::Pool::Of of);
/// "1.20 GiB left, below the margin of 2.00 GiB", "… left, shrinking by 2.0 GiB/s: below the margin of … in 0.4 s".
std::string toWords(const Guard::Stop& stop);

} // namespace loadlab
