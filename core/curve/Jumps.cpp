#include "core/curve/Jumps.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace loadlab {
namespace {

constexpr double kAboveNoise = 10;
constexpr double kAboveSides = 4;
constexpr double kAside = 2; ///< σ that a point on the way is from either end.
constexpr double kShortTime = 0.02; ///< Of all.
constexpr double kBack = 0.5; ///< Of the smaller one's height.
constexpr double kOpen = 4;
constexpr std::size_t kFewForMedian = 16;

/// What looks like jumps at a given noise.
class JumpSearch {
public:
    JumpSearch(std::span<const Point> points, double noise, double unit)
        : m_points(points)
        , m_noise(std::max(noise, unit / std::sqrt(12.0)))
        , m_unit(unit)
    {
    }
    [[nodiscard]] std::vector<Jump> all() const;

private:
    [[nodiscard]] double moved(std::size_t from, std::size_t to) const { return m_points[to].y - m_points[from].y; }
    [[nodiscard]] double lasted(std::size_t from, std::size_t to) const { return m_points[to].x - m_points[from].x; }
    [[nodiscard]] double rate(std::size_t from, std::size_t to) const { return moved(from, to) / lasted(from, to); }
    [[nodiscard]] bool standsOut(const Jump& move) const;
    [[nodiscard]] bool hasOneOnItsWay(const Jump& move) const;
    [[nodiscard]] std::optional<Jump> at(std::size_t from) const;

    std::span<const Point> m_points;
    double m_noise;
    double m_unit;
};

bool JumpSearch::standsOut(const Jump& move) const
{
    const double height = std::fabs(moved(move.from, move.to));
    const double time = lasted(move.from, move.to);
    if (height <= kAboveNoise * m_noise || m_points.size() < 3)
        return false;
    const double before = move.from > 0 ? rate(move.from - 1, move.from) : 0;
    const double after = move.to + 1 < m_points.size() ? rate(move.to, move.to + 1) : 0;
    const double own = rate(move.from, move.to);
    // What comes back at once leads nowhere; on both sides it is a zigzag.
    const bool wasBack = before * own < 0;
    const bool isBack = after * own < 0;
    const double side
        = wasBack == isBack ? std::max(std::fabs(before), std::fabs(after)) : std::fabs(wasBack ? after : before);
    return height > kAboveSides * (side * time + m_unit);
}

bool JumpSearch::hasOneOnItsWay(const Jump& move) const
{
    const double first = moved(move.from, move.from + 1);
    const double second = moved(move.from + 1, move.to);
    return first * second > 0 && std::min(std::fabs(first), std::fabs(second)) > kAside * m_noise
        && lasted(move.from, move.to) < kShortTime * lasted(0, m_points.size() - 1);
}

std::optional<Jump> JumpSearch::at(std::size_t from) const
{
    const Jump over{from, from + 2};
    if (over.to < m_points.size() && hasOneOnItsWay(over) && standsOut(over))
        return over;
    const Jump next{from, from + 1};
    return standsOut(next) ? std::optional(next) : std::nullopt;
}

std::vector<Jump> JumpSearch::all() const
{
    std::vector<Jump> jumps;
    for (std::size_t from = 0; from + 1 < m_points.size();) {
        const auto jump = at(from);
        if (jump)
            jumps.push_back(*jump);
        from = jump ? jump->to : from + 1;
    }
    return jumps;
}

bool isSpike(std::span<const Point> points, const Jump& there, const Jump& back)
{
    const double up = points[there.to].y - points[there.from].y;
    const double down = points[back.to].y - points[back.from].y;
    return points[back.to].x - points[there.from].x < kShortTime * (points.back().x - points.front().x)
        && std::fabs(up + down) < kBack * std::min(std::fabs(up), std::fabs(down));
}

void level(std::span<Point> points, std::size_t from, std::size_t to)
{
    const double rate = (points[to].y - points[from].y) / (points[to].x - points[from].x);
    for (std::size_t i = from + 1; i < to; ++i)
        points[i].y = points[from].y + rate * (points[i].x - points[from].x);
}

void levelSpikes(std::span<Point> points, std::vector<Jump>& jumps)
{
    for (auto at = jumps.begin(); at != jumps.end() && std::next(at) != jumps.end();) {
        const bool spike = isSpike(points, *at, *std::next(at));
        if (spike)
            level(points, at->from, std::next(at)->to);
        at = spike ? jumps.erase(at, at + 2) : std::next(at);
    }
}

/// Of the points that no jump touches.
std::vector<double> distancesOf(std::span<const Point> points, std::span<const Jump> jumps)
{
    std::vector<double> distances;
    auto jump = jumps.begin();
    for (std::size_t i = 1; i + 1 < points.size(); ++i) {
        while (jump != jumps.end() && jump->to < i)
            ++jump;
        if (jump != jumps.end() && i >= jump->from)
            continue;
        const double whole = points[i + 1].x - points[i - 1].x;
        const double a = (points[i + 1].x - points[i].x) / whole;
        const double b = 1 - a;
        const double distance = points[i].y - a * points[i - 1].y - b * points[i + 1].y;
        distances.push_back(std::fabs(distance) / std::sqrt(1 + a * a + b * b));
    }
    return distances;
}

double scatterOf(std::vector<double> distances)
{
    if (distances.empty())
        return 0;
    const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
    std::nth_element(distances.begin(), middle, distances.end());
    return 1.4826 * *middle;
}

/// A median of few may miss what most of them do.
double largestScatterOf(const std::vector<double>& distances)
{
    const auto n = static_cast<double>(distances.size());
    if (distances.size() >= kFewForMedian)
        return (1 + kOpen / n) * scatterOf(distances);
    return (1 + kOpen / n)
        * std::sqrt(std::inner_product(distances.begin(), distances.end(), distances.begin(), 0.0) / n);
}

double largestMoveBeside(std::span<const Point> points, std::span<const Jump> jumps)
{
    double largest = 0;
    for (const Jump& jump : jumps) {
        if (jump.from > 0)
            largest = std::max(largest, std::fabs(points[jump.from].y - points[jump.from - 1].y));
        if (jump.to + 1 < points.size())
            largest = std::max(largest, std::fabs(points[jump.to + 1].y - points[jump.to].y));
    }
    return largest;
}

} // namespace

std::vector<Jump> findJumps(std::span<Point> points, double noise, double unit)
{
    std::vector<Jump> jumps = JumpSearch(points, noise, unit).all();
    const std::vector<double> distances = distancesOf(points, jumps);
    const double scatter = distances.empty() ? largestMoveBeside(points, jumps) : largestScatterOf(distances);
    jumps = JumpSearch(points, std::max(noise, scatter), unit).all();
    levelSpikes(points, jumps);
    return jumps;
}

double scatterOf(std::span<const Point> points, std::span<const Jump> jumps)
{
    return scatterOf(distancesOf(points, jumps));
}

} // namespace loadlab
