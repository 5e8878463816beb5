#pragma once

#include "core/curve/Decimate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

/// The parts that every way of decimating shares.
namespace loadlab {

/// Column of an x: monotone in x, so that the points of a column are found by bisection instead of one division each.
class PixelGrid {
public:
    PixelGrid(double fromX, double toX, std::size_t columns)
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

/// Lowest and highest y of a non-empty range, the first of equal ones, by looking at every point.
Extremes extremesOf(const Point* begin, const Point* end);

/// The end of the column that begins at `begin`: where `guess` says, else galloping from there, then bisection. Evenly
/// spaced points are met at the first or second try, so that a long curve is hardly touched.
const Point* endOfColumn(const Point* begin, const Point* end, std::ptrdiff_t guess, const PixelGrid& grid);

/// M4 as decimateM4() promises it; `extremes(begin, end)` finds the lowest and highest point of a column.
template <typename FindExtremes>
std::vector<Point> decimateColumns(
    std::span<const Point> points, double fromX, double toX, std::size_t columns, FindExtremes&& extremes)
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
    const PixelGrid grid(fromX, toX, columns);
    std::ptrdiff_t guess = 1;
    while (begin != end) {
        const auto* const next = endOfColumn(begin, end, guess, grid);
        guess = next - begin;
        const Extremes found = extremes(begin, next);
        const std::array<const Point*, 4> kept{
            begin, std::min(found.lowest, found.highest), std::max(found.lowest, found.highest), next - 1};
        const Point* before = nullptr;
        for (const auto* point : kept) {
            if (point != before)
                out.push_back(*point);
            before = point;
        }
        begin = next;
    }
    if (end != last)
        out.push_back(*end);
    return out;
}

} // namespace loadlab
