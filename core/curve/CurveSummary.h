#pragma once

#include "core/curve/Decimate.h"
#include "core/curve/Sample.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace loadlab {

/// A stretch of a run with one behaviour. Until phases are found from the curve itself they come from the worker's
/// `phase` events.
struct Phase {
    std::string name;
    double fromS = 0;
    double toS = 0;
    double rateBytesPerS = 0; ///< Least-squares slope of tree_bytes over the phase, as far as endOfLoad().
    std::optional<double>
        rateErrorBytesPerS{}; ///< One standard error; nothing where two points or fewer are all there is.
};

/// The figures of a curve that become columns.
struct CurveSummary {
    std::uint64_t sampleCount = 0;
    double rateHz = 0; ///< (count − 1) / span; 0 below two samples. A run's own figure is the pace of its ticks alone.
    std::uint64_t peakTreeBytes
        = 0; ///< Largest tree_bytes of a sample; a run's own figure also knows what VmHWM and PSS prove.
    std::uint64_t peakRssBytes = 0; ///< Largest RSS sum in one sample.
    std::uint64_t peakSwapBytes = 0; ///< Largest swap of the tree.
    std::uint64_t peakGpuBytes = 0;
    std::uint64_t baselineAvailableBytes = 0; ///< Of the first sample.
    std::uint64_t lowestAvailableBytes = 0;
    std::optional<double> swapBeganS; ///< First sample in which the tree has swap.
    double meanRateBytesPerS = 0; ///< Of tree_bytes: (peak − first) / (time of the peak − time of the first).
};

/// Nothing for 0: what lives takes some, so no sample saw it alive (or the kernel had not added up its first pages).
std::optional<std::uint64_t> ifSeen(std::uint64_t bytes);
/// Where the load was still there: index of the last point of tree_bytes before the process was taken down. That is a
/// fall at the very end which ends at nothing, or at most at a tenth of the curve's highest, and rests nowhere for more
/// than half a second (or one point, where they are further apart): within that time it falls by 2 % of the highest or
/// more. Whatever else is given back is the load's own. Points in order of time; 0 for none.
std::size_t endOfLoad(std::span<const Point> tree);
/// The points up to there, so without the process's end; empty for none.
std::span<const Point> upToEndOfLoad(std::span<const Point> tree);
/// Its time in seconds since the curve's origin; infinite when no sample has tree_bytes.
double endOfLoadS(const Curve& curve);
/// A single process's resident size is its own high-water mark's lower bound: the highest that the samples prove.
std::uint64_t provenHighWater(const Curve& curve);
CurveSummary summarise(const Curve& curve);
/// Least-squares slope of a column in bytes (or units) per second over [fromS, toS]; 0 with fewer than 2 samples.
double slope(const Curve& curve, Column column, double fromS, double toS);
/// Gives every phase its rate and error. What the process gives back when it is taken down is in none of them.
void rateThePhases(const Curve& curve, std::vector<Phase>& phases);

} // namespace loadlab
