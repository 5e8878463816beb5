#include "core/curve/Decimate.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace loadlab {
namespace {

/// Column of an x: monotone in x, so that the points of a column are found by bisection instead of one division each.
class Grid {
public:
    Grid(double fromX, double toX, std::size_t columns)
        : m_from(fromX)
        , m_perColumn(toX > fromX ? static_cast<double>(columns) / (toX - fromX) : 0.0)
        , m_last(static_cast<double>(columns - 1))
    {
    }
    [[nodiscard]] std::size_t columnOf(double x) const
    {
        return static_cast<std::size_t>(std::clamp(std::floor((x - m_from) * m_perColumn), 0.0, m_last));
    }

private:
    double m_from;
    double m_perColumn;
    double m_last;
};

struct Extremes {
    const Point* lowest;
    const Point* highest;
};

/// Lowest and highest y of a non-empty range, the first of equal ones. Four independent lanes hide the latency of the
/// comparisons; where the extremes stand is looked up afterwards, in cache.
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

void appendColumn(std::vector<Point>& out, const Point* begin, const Point* end)
{
    const auto [lowest, highest] = extremesOf(begin, end);
    const std::array<const Point*, 4> kept{begin, std::min(lowest, highest), std::max(lowest, highest), end - 1};
    const Point* last = nullptr;
    for (const auto* point : kept) {
        if (point != last)
            out.push_back(*point);
        last = point;
    }
}

/// The end of the column that begins at `begin`: galloping, then bisection, so that sparse columns cost little too.
const Point* endOfColumn(const Point* begin, const Point* end, const Grid& grid)
{
    const auto column = grid.columnOf(begin->x);
    std::ptrdiff_t step = 1;
    while (step < end - begin && grid.columnOf(begin[step].x) == column)
        step *= 2;
    const auto* low = begin + step / 2;
    const auto* high = begin + std::min(step, end - begin);
    return std::partition_point(low, high, [&](const Point& point) { return grid.columnOf(point.x) == column; });
}

} // namespace

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
    std::vector<Point> out;
    if (points.empty() || columns == 0 || !(fromX <= toX))
        return out;
    const auto* const first = points.data();
    const auto* const last = first + points.size();
    const auto* begin = std::partition_point(first, last, [fromX](const Point& p) { return p.x < fromX; });
    const auto* const end = std::partition_point(begin, last, [toX](const Point& p) { return p.x <= toX; });
    out.reserve(std::min(static_cast<std::size_t>(end - begin), 4 * columns) + 2);
    if (begin != first)
        out.push_back(begin[-1]);
    const Grid grid(fromX, toX, columns);
    while (begin != end) {
        const auto* const next = endOfColumn(begin, end, grid);
        appendColumn(out, begin, next);
        begin = next;
    }
    if (end != last)
        out.push_back(*end);
    return out;
}

} // namespace loadlab
