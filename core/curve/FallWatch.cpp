#include "core/curve/Forecast.h"
#include "core/curve/LineFit.h"
#include "core/curve/Slowing.h"

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

constexpr std::array kStretchesS{0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0};
constexpr std::size_t kFewest = 4;
constexpr double kFurthest = 3;
constexpr std::size_t kFewForMedian = 12;
constexpr double kCertain = 1.5; ///< Times the 95 % interval: asked 20 times a second, one in twenty is too often.
constexpr double kRounding = 1e-6; ///< Of a stretch: ticks are not exact.

/// Sums of a line, grown point by point from the newest backwards; times and values are counted from that one.
struct Sums {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;

    void add(double dx, double dy)
    {
        n += 1;
        x += dx;
        y += dy;
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    [[nodiscard]] Sums without(const Sums& later) const
    {
        return {n - later.n, x - later.x, y - later.y, xx - later.xx, xy - later.xy, yy - later.yy};
    }
    [[nodiscard]] double middle() const { return x / n; }
};

struct Fall {
    double rate = 0; ///< Bytes per second, falling.
    double error = std::numeric_limits<double>::infinity();
    double wide = std::numeric_limits<double>::infinity(); ///< What it may be off by.
};

/// `noise`: what a single sample scatters by at least; few samples that happen to lie on a line prove nothing.
Fall fallOf(const Sums& sums, double noise)
{
    Fall fall;
    const double xx = sums.xx - sums.x * sums.x / sums.n;
    if (sums.n < static_cast<double>(kFewest) || !(xx > 0))
        return fall;
    const double xy = sums.xy - sums.x * sums.y / sums.n;
    const double yy = sums.yy - sums.y * sums.y / sums.n;
    fall.rate = -xy / xx;
    const double scatter = std::max(noise * noise, (yy - xy * xy / xx) / (sums.n - 2));
    fall.error = std::sqrt(scatter / xx);
    fall.wide = kCertain * fall.error * student95(sums.n - 2);
    return fall;
}

/// As the stretch goes on: `slowest` is what the shorter ones allow for.
Growth goingOn(const Sums& all, const Sums& laterHalf, double slowest, double noise)
{
    const Fall whole = fallOf(all, noise);
    const double rate = std::min(whole.rate - whole.wide, slowest);
    const Sums earlierHalf = all.without(laterHalf);
    const Fall earlier = fallOf(earlierHalf, noise);
    const Fall later = fallOf(laterHalf, noise);
    if (!std::isfinite(earlier.error) || !std::isfinite(later.error))
        return {rate};
    const Growth growth = growthOf(earlier.rate, earlier.error, later.rate, later.error,
        laterHalf.middle() - earlierHalf.middle(), -laterHalf.middle());
    return growth.slows() ? Growth{std::min(rate, growth.rate), growth.tauS} : Growth{rate};
}

} // namespace

void FallWatch::add(double atS, double leftBytes) noexcept
{
    if (!std::isfinite(atS) || !std::isfinite(leftBytes) || (m_count > 0 && atS < back(0).x))
        return;
    if (m_count > 1 && atS - m_slotFromS < kSlotS) {
        m_slots[(m_count - 1) % kSlots] = {atS, leftBytes};
        return;
    }
    m_slots[m_count % kSlots] = {atS, leftBytes};
    ++m_count;
    m_slotFromS = atS;
}

/// Median distance from the line through the neighbours, as of independent scatter; the largest while there are few.
double FallWatch::scatter() const noexcept
{
    const std::size_t known = std::min(m_count, kSlots);
    std::array<double, kSlots> distances;
    std::size_t count = 0;
    for (std::size_t i = 1; i + 1 < known; ++i) {
        const Point& later = back(i - 1);
        const Point& here = back(i);
        const Point& earlier = back(i + 1);
        if (!(later.x > earlier.x))
            continue;
        const double share = (here.x - earlier.x) / (later.x - earlier.x);
        distances[count++] = std::fabs(here.y - earlier.y - share * (later.y - earlier.y))
            / std::sqrt(1 + share * share + (1 - share) * (1 - share));
    }
    if (count == 0)
        return 0;
    const auto end = distances.begin() + static_cast<std::ptrdiff_t>(count);
    if (count < kFewForMedian)
        return *std::max_element(distances.begin(), end);
    const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(count / 2);
    std::nth_element(distances.begin(), middle, end);
    return 1.4826 * *middle;
}

std::optional<FallWatch::Crossing> FallWatch::crossing(double marginBytes, double withinS) const noexcept
{
    if (m_count == 0)
        return std::nullopt;
    const Point now = back(0);
    const double distance = now.y - marginBytes;
    if (distance <= 0)
        return Crossing{};
    const std::size_t known = std::min(m_count, kSlots);
    const double noise = scatter();
    std::array<Sums, kSlots> upTo{}; // Of the newest i + 1 points.
    Sums sums;
    double slowest = std::numeric_limits<double>::infinity();
    std::optional<Crossing> first;
    std::size_t taken = 0;
    for (const double stretchS : kStretchesS) {
        while (taken < known && now.x - back(taken).x <= stretchS * (1 + kRounding)) {
            sums.add(back(taken).x - now.x, back(taken).y - now.y);
            upTo[taken++] = sums;
        }
        if (taken < kFewest)
            continue;
        const double overS = now.x - back(taken - 1).x;
        const Growth growth = goingOn(sums, upTo[taken / 2 - 1], slowest, noise);
        const auto inS = growth.timeFor(distance);
        if (inS && *inS <= std::min(withinS, kFurthest * overS) && (!first || *inS < first->inS))
            first = Crossing{*inS, growth.rate, overS};
        const Fall fall = fallOf(sums, noise);
        slowest = std::min(slowest, fall.rate + fall.wide);
    }
    return first;
}

} // namespace loadlab
