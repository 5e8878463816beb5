#include "core/curve/Decimate.h"

#include "core/curve/PixelGrid.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace loadlab {

// Four independent lanes hide the latency of the comparisons; where the extremes stand is looked up afterwards, in
// cache.
Extremes extremesOf(const Point* begin, const Point* end)
{
    constexpr std::size_t kLanes = 4;
    std::array<double, kLanes> low{};
    std::array<double, kLanes> high{};
    low.fill(begin->y);
    high.fill(begin->y);
    const Point* p = begin;
    for (; end - p >= static_cast<std::ptrdiff_t>(kLanes); p += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            low[lane] = p[lane].y < low[lane] ? p[lane].y : low[lane];
            high[lane] = p[lane].y > high[lane] ? p[lane].y : high[lane];
        }
    double lowest = *std::min_element(low.begin(), low.end());
    double highest = *std::max_element(high.begin(), high.end());
    for (; p != end; ++p) {
        lowest = std::min(lowest, p->y);
        highest = std::max(highest, p->y);
    }
    const auto find = [&](double y) {
        const auto* found = std::find_if(begin, end, [y](const Point& point) { return point.y == y; });
        return found == end ? begin : found;
    };
    return {find(lowest), find(highest)};
}

const Point* endOfColumn(const Point* begin, const Point* end, std::ptrdiff_t guess, const PixelGrid& grid)
{
    const auto column = grid.columnOf(begin->x);
    const auto inside = [&](const Point* point) { return grid.columnOf(point->x) == column; };
    const Point* low = begin; // Lies inside.
    const Point* high = end; // Does not.
    if (guess < end - begin && !inside(begin + guess)) {
        high = begin + guess;
        std::ptrdiff_t step = 1;
        for (; step < high - begin && !inside(high - step); step *= 2)
            high -= step;
        low = std::max(begin, high - std::min(step, high - begin));
    } else {
        low = guess < end - begin ? begin + guess : begin;
        std::ptrdiff_t step = 1;
        for (; step < end - low && inside(low + step); step *= 2)
            low += step;
        high = low + std::min(step, end - low);
    }
    return std::partition_point(low, high, [&](const Point& point) { return inside(&point); });
}

std::vector<Point> pointsOf(const Curve& curve, Column column)
{
    std::vector<Point> points;
    points.reserve(curve.samples.size());
    for (const auto& sample : curve.samples)
        if (sample.has(column))
            points.push_back(
                {static_cast<double>(sample.monotonicNs - curve.originNs) / 1e9, static_cast<double>(sample[column])});
    return points;
}

std::vector<Point> decimateM4(std::span<const Point> points, double fromX, double toX, std::size_t columns)
{
    return decimateColumns(points, fromX, toX, columns, extremesOf);
}

} // namespace loadlab
