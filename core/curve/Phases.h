#pragma once

#include "core/curve/CurveSummary.h"
#include "core/curve/Decimate.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// What a stretch of a curve does, in one word for people and code.
enum class PhaseKind {
    /// "level": rises or falls by less than 1 % of the curve's range (below the floor: half of it), or by less than
    /// half of it and twice its standard error (of two means: the noise's).
    Level,
    /// "slow start": slow growth before anything grew faster; a first phase needs only one standard error for it.
    SlowStart,
    SlowGrowth, ///< "slow growth": less than a quarter of the fastest growth that lasted.
    Growth, ///< "growth"
    Step, ///< "step": up within a fiftieth of the curve's time, or by a jump between two of its means.
    Release, ///< "release": memory is given back, however fast, also by a jump.
};
std::string_view toWord(PhaseKind kind);

/// A stretch of a curve that one straight line describes, or a jump: from its last mean before to the first one after.
struct FoundPhase {
    PhaseKind kind = PhaseKind::Level;
    double fromS = 0;
    double toS = 0; ///< Phases follow each other without a gap: this is the next one's fromS.
    double rateBytesPerS = 0; ///< Slope of the line.
    /// Standard error of the rate: scatter about the line widened for its autocorrelation, never below what the data's
    /// quantum (whole GB in a table) leaves open. Infinite when two points are all there is.
    double rateErrorBytesPerS = 0;
    double fromBytes = 0; ///< The line at fromS and toS, not single samples; within what the curve ever was.
    double toBytes = 0;
    std::size_t points = 0; ///< Means (see PhaseFinder) that it rests on.
};

/// Finds phases in a curve that grows, at a cost that does not grow with it.
///
/// Criterion. The curve is reduced to at most 400 means over equal times (as they are, while they are fewer). A jump
/// (core/curve/Jumps.h says what is one) is a phase of its own; the lines on either side of it end there. In between
/// the partition into straight lines is sought, each over at least 3 means (or all that are there) and free to jump at
/// its ends, that minimises
///     Σ (squared distances from the lines) / σ² + 4·ln(n) per further line,   n = number of means,
/// found exactly by dynamic programming. σ, the noise that needs no explanation, is the largest of: 1.4826 · the median
/// absolute distance of a mean from the line through its neighbours (as an independent scatter would cause it), jumps
/// left out; the quantum of the data / √12; 0.5 % of the curve's range. Then neighbours are joined, the least
/// difference first, as long as two meet (their lines are no more than 2 % of the range, or 3 σ, apart where they
/// touch) and either both are level or their rates differ by less than 25 % of the larger. A boundary is where the two
/// lines cross, if that is no further than one mean away, else half way between the means that it separates. Range:
/// highest − lowest, but at least 5 % of its highest value, and 16 MiB: some MiB of jitter on 12 GB are no phases.
/// Floor. A curve whose highest − lowest is below 16 MiB is one phase: so much the start of an interpreter takes, and
/// the kernel's own counters, which it gathers per CPU before it adds them up, are off by parts of it.
///
/// Cost: add() is constant on average and allocates nothing; phases() is quadratic in the means, never more than 400²/2
/// steps of some 15 operations, however long the run (tests/bench/bench_curve: phasesOfHours). A passive object; one
/// thread.
class PhaseFinder {
public:
    static constexpr std::size_t kMostMeans = 400;

    PhaseFinder();
    /// In order of time; what is earlier than the last one, or no finite number, is left out.
    void add(Point point);
    /// In order of time. Nothing with fewer than two different times.
    [[nodiscard]] std::vector<FoundPhase> phases() const;
    void clear();

    [[nodiscard]] bool isEmpty() const { return m_means.empty(); }
    [[nodiscard]] Point last() const { return m_last; } ///< Only when not empty.
    /// The unit that the values are rounded to: the largest power of ten or of two that all of them are multiples of.
    /// That can be chance, so it counts only where the highest value has 20 of it (two figures at least), or where it
    /// was seen at work: neighbours twice moved by one of it, and the whole curve by two, somewhere after fewer than 5
    /// rows (what rests for longer each time is a staircase). 0: none is known. Two levels of 20 and 60 GB are not
    /// rounded to 10 GB.
    [[nodiscard]] double quantum() const;
    /// The means, for who looks closer (core/curve/Forecast.h).
    [[nodiscard]] std::vector<Point> means() const;

private:
    struct Mean {
        double x = 0, y = 0; ///< Sums are kept as running means: no cancellation after hours.
        double firstX = 0;
        std::uint64_t count = 0;
        [[nodiscard]] bool operator==(const Mean&) const = default;
    };
    void makeRoom();
    void measure(Point point);

    std::vector<Mean> m_means;
    double m_width = 0; ///< Seconds per mean; 0: a mean per point.
    Point m_first;
    Point m_last;
    double m_lowest = 0;
    double m_highest = 0;
    std::int64_t m_divisor = 0; ///< Greatest common one of all values.
    std::int64_t m_leastMove = 0; ///< Between neighbours that differ; 0: none do.
    std::size_t m_leastMoves = 0; ///< So many of them.
    std::size_t m_rows = 0; ///< Since the last move.
    std::size_t m_leastRows = std::numeric_limits<std::size_t>::max(); ///< Between two moves.
    bool m_moved = false;
};

/// The same over points at hand, in any order; not finite ones are left out.
std::vector<FoundPhase> findPhases(std::span<const Point> points);
/// As a run keeps them.
std::vector<Phase> toPhases(std::span<const FoundPhase> found);
/// A run's phases: the worker's own, rated; of one that named none, or where nothing is found, `named` likewise, what
/// the curve itself shows up to the end of the load.
std::vector<Phase> phasesOf(const Curve& curve, std::vector<Phase> named, bool workerNamesThem);

} // namespace loadlab
