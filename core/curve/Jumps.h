#pragma once

#include "core/curve/Decimate.h"

#include <cstddef>
#include <span>
#include <vector>

namespace loadlab {

/// A move that happened between two points: what lies on either side does not lead to it.
struct Jump {
    std::size_t from = 0; ///< The last point before it.
    std::size_t to = 0; ///< The first one after it; from + 1, or from + 2 over a point that lies on its way.
    [[nodiscard]] bool operator==(const Jump&) const = default;
};

/// In order of time, none overlapping another. A move between neighbours is a jump when it is more than
/// - 10 σ. σ, the noise, is the largest of: `noise`; the scatter of the n points that no such move touches, times
///   1 + 4 / n for what so few leave open (of fewer than 16 their root mean square counts, not their median; where none
///   is left, the largest move beside such a one); the unit that the values are rounded to / √12;
/// - 4 times what the line moves on either side of it in as much time, that unit added. The very first and last points
///   have one side only, and so has a point that stands alone: the way back from it is no side.
/// One that takes less than a fiftieth of all the time may have one point on its way. Two that lie as near, of which
/// the second undoes the first (by all but half of the smaller), are a spike and count as noise: the points between
/// them are put on the line from its first to its last one.
std::vector<Jump> findJumps(std::span<Point> points, double noise, double unit);

/// Scatter of points about the line through their neighbours, as a standard deviation: a kink moves few of them, so
/// that the median does not see it. What lies at or within a jump is left out. 0 where nothing is left.
double scatterOf(std::span<const Point> points, std::span<const Jump> jumps);

} // namespace loadlab
