#pragma once

#include "core/curve/Decimate.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace loadlab {

/// A least-squares line y = level + slope · (x − middle).
struct LineFit {
    double slope = 0;
    double level = 0; ///< Mean of y.
    double middle = 0; ///< Mean of x.
    double squaresX = 0; ///< Σ (x − middle)²
    double squares = 0; ///< Σ of squared distances from the line.
    std::size_t count = 0;

    [[nodiscard]] double at(double x) const { return level + slope * (x - middle); }
};

/// The line through any stretch of points in constant time. Points are scaled to the unit square inside, so that bytes
/// after hours lose nothing.
class LineSums {
public:
    explicit LineSums(std::span<const Point> points);
    /// Through points [from, to); a single one, or several at one time, give a level line.
    [[nodiscard]] LineFit fit(std::size_t from, std::size_t to) const;
    /// fit().squares alone.
    [[nodiscard]] double squares(std::size_t from, std::size_t to) const
    {
        const Sums sums = between(from, to);
        const double xx = sums.xx - sums.x * sums.x / sums.n;
        const double xy = sums.xy - sums.x * sums.y / sums.n;
        const double yy = sums.yy - sums.y * sums.y / sums.n;
        const double rest = xx > 0 ? yy - xy * xy / xx : yy;
        return rest > 0 ? rest * m_scaleY * m_scaleY : 0;
    }

private:
    struct Sums {
        double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    };
    [[nodiscard]] Sums between(std::size_t from, std::size_t to) const
    {
        const Sums& a = m_sums[from];
        const Sums& b = m_sums[to];
        return {b.n - a.n, b.x - a.x, b.y - a.y, b.xx - a.xx, b.xy - a.xy, b.yy - a.yy};
    }

    Point m_origin;
    double m_scaleX = 1;
    double m_scaleY = 1;
    std::vector<Sums> m_sums;
};

/// Standard error of a line's slope. The scatter about the line counts as it is, but not less than `quantum` / √12;
/// from 8 points on it is widened by √((1 + ρ) / (1 − ρ)), ρ = what neighbouring distances have in common (0 … 0.9).
/// Infinite for two points.
double slopeError(const LineFit& line, std::span<const Point> points, double quantum);
/// Nothing for an infinite one.
std::optional<double> knownError(double error);
/// Two-sided 95 % of Student's t; infinite without freedom.
double student95(double freedom);

} // namespace loadlab
