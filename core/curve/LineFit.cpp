#include "core/curve/LineFit.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace loadlab {

LineSums::LineSums(std::span<const Point> points)
    : m_sums(points.size() + 1)
{
    if (points.empty())
        return;
    m_origin = points.front();
    const auto [lowest, highest] = std::ranges::minmax_element(points, {}, [](const Point& point) { return point.y; });
    if (points.back().x > m_origin.x)
        m_scaleX = points.back().x - m_origin.x;
    if (highest->y > lowest->y)
        m_scaleY = highest->y - lowest->y;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double x = (points[i].x - m_origin.x) / m_scaleX;
        const double y = (points[i].y - m_origin.y) / m_scaleY;
        const Sums& all = m_sums[i];
        m_sums[i + 1] = {all.n + 1, all.x + x, all.y + y, all.xx + x * x, all.xy + x * y, all.yy + y * y};
    }
}

LineFit LineSums::fit(std::size_t from, std::size_t to) const
{
    const Sums sums = between(from, to);
    LineFit line;
    line.count = to - from;
    line.middle = m_origin.x + sums.x / sums.n * m_scaleX;
    line.level = m_origin.y + sums.y / sums.n * m_scaleY;
    const double xx = sums.xx - sums.x * sums.x / sums.n;
    // Below this all points stand at one time but for rounding.
    if (xx > 1e-15 * sums.n)
        line.slope = (sums.xy - sums.x * sums.y / sums.n) / xx * m_scaleY / m_scaleX;
    line.squaresX = std::max(0.0, xx) * m_scaleX * m_scaleX;
    line.squares = squares(from, to);
    return line;
}

double slopeError(const LineFit& line, std::span<const Point> points, double quantum)
{
    if (line.count < 3 || !(line.squaresX > 0))
        return std::numeric_limits<double>::infinity();
    constexpr std::size_t fewestForCommon = 8;
    double neighbours = 0;
    double own = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double here = points[i].y - line.at(points[i].x);
        own += here * here;
        if (i > 0)
            neighbours += here * (points[i - 1].y - line.at(points[i - 1].x));
    }
    const double common = points.size() >= fewestForCommon && own > 0 ? std::clamp(neighbours / own, 0.0, 0.9) : 0.0;
    const double scatter
        = std::max(own / static_cast<double>(line.count - 2) * (1 + common) / (1 - common), quantum * quantum / 12);
    return std::sqrt(scatter / line.squaresX);
}

std::optional<double> knownError(double error)
{
    return std::isfinite(error) ? std::optional(error) : std::nullopt;
}

double student95(double freedom)
{
    if (!(freedom >= 1))
        return std::numeric_limits<double>::infinity();
    if (freedom < 1.5)
        return 12.706;
    if (freedom < 2.5)
        return 4.303;
    // Cornish and Fisher's expansion: within 1 % from 3 on.
    constexpr double z = 1.959964;
    const double z3 = z * z * z;
    const double z5 = z3 * z * z;
    return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom)
        + (3 * z5 * z * z + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

} // namespace loadlab
