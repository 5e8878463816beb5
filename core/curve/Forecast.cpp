#include "core/curve/Forecast.h"

#include "core/curve/LineFit.h"
#include "core/curve/Slowing.h"
#include "core/curve/Stairs.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace loadlab {
namespace {

constexpr double kFurthest = 3; ///< Times what the phase has lasted.
constexpr double kSteadiest = 0.02; ///< Least error, of the rate.
constexpr double kLeastShare = 0.05;

struct Half {
    LineFit line;
    double error = std::numeric_limits<double>::infinity();
};

Half halfOf(std::span<const Point> means, double quantum)
{
    Half half;
    half.line = LineSums(means).fit(0, means.size());
    half.error = slopeError(half.line, means, quantum);
    return half;
}

std::span<const Point> between(std::span<const Point> means, double fromS, double toS)
{
    const auto begin
        = std::partition_point(means.begin(), means.end(), [fromS](const Point& mean) { return mean.x < fromS; });
    const auto end = std::partition_point(begin, means.end(), [toS](const Point& mean) { return mean.x <= toS; });
    return {begin, end};
}

/// The last phase as it goes on from its end.
struct Going {
    Growth growth;
    double error = 0; ///< Of the rate.
    bool steady = false; ///< The halves prove a line.
    double gain = 0; ///< Bytes/s² while it grows ever faster, else 0.
    double atLeast = -std::numeric_limits<double>::infinity(); ///< Rate that the phase before had already.
};

bool grows(const FoundPhase& phase)
{
    return phase.kind == PhaseKind::Growth || phase.kind == PhaseKind::SlowGrowth || phase.kind == PhaseKind::SlowStart;
}

/// Seconds for a distance that is grown ever faster.
double timeFor(double distance, double rate, double gain)
{
    return gain > 0 ? (std::sqrt(rate * rate + 2 * gain * distance) - rate) / gain : distance / rate;
}

/// Halved, the later half being the one that counts where they differ.
Going goingOf(const FoundPhase& phase, std::span<const Point> means, double quantum)
{
    Going going{{phase.rateBytesPerS}, phase.rateErrorBytesPerS};
    const double middle = (phase.fromS + phase.toS) / 2;
    const Half earlier = halfOf(between(means, phase.fromS, middle), quantum);
    const Half later = halfOf(between(means, std::nextafter(middle, phase.toS), phase.toS), quantum);
    if (!std::isfinite(earlier.error) || !std::isfinite(later.error))
        return going;
    const double r1 = earlier.line.slope;
    const double r2 = later.line.slope;
    const bool differ = std::fabs(r1 - r2) > std::max(2 * std::hypot(earlier.error, later.error), 0.1 * std::fabs(r1));
    going.steady = !differ;
    if (!differ)
        return going;
    const double apartS = later.line.middle - earlier.line.middle;
    const double afterS = phase.toS - later.line.middle;
    going.growth = growthOf(r1, earlier.error, r2, later.error, apartS, afterS);
    going.error = later.error;
    if (r2 > r1 && r1 > 0) {
        going.gain = (r2 - r1) / apartS;
        going.growth.rate = r2 + going.gain * afterS;
    }
    return going;
}

/// A phase that follows a faster one at once: slowing down as from the one to the other, unless its own halves deny it.
Growth afterFaster(const FoundPhase& before, const FoundPhase& phase, const Going& going)
{
    const double apartS = (phase.toS - before.fromS) / 2;
    const Growth slowing = growthOf(before.rateBytesPerS, before.rateErrorBytesPerS, phase.rateBytesPerS,
        phase.rateErrorBytesPerS, apartS, (phase.toS - phase.fromS) / 2);
    if (!slowing.slows() || going.growth.slows())
        return going.growth;
    // So much the rate would have fallen between the middles of its halves. Twice the error of the phase's rate is what
    // the halves leave open, each being half as long.
    const double expected = 1 - std::exp(-(phase.toS - phase.fromS) / 2 / slowing.tauS);
    const double open = 2 * std::numbers::sqrt2 * 2 * phase.rateErrorBytesPerS / phase.rateBytesPerS;
    return going.steady && expected > std::max(open, 0.1) ? going.growth : slowing;
}

double openOf(double rate, double error, std::size_t points)
{
    const double least = std::max(error, kSteadiest * std::fabs(rate));
    return std::isfinite(least) ? least * student95(static_cast<double>(points) - 2) : least;
}

/// A phase that follows a slower one at once and is too short to tell its rate: growing ever faster, if its end does.
void speedUp(const FoundPhase& before, const FoundPhase& phase, std::span<const Point> means, Going& going)
{
    const bool settled = going.growth.rate > openOf(going.growth.rate, going.error, phase.points);
    if (settled || !grows(before) || !grows(phase) || before.rateBytesPerS >= phase.rateBytesPerS
        || !(before.rateBytesPerS > 2 * before.rateErrorBytesPerS))
        return;
    const Point& last = means.back();
    const Point& next = means[means.size() - 2];
    if (last.y - next.y < phase.rateBytesPerS * (last.x - next.x))
        return;
    going.gain = (phase.rateBytesPerS - before.rateBytesPerS) * 2 / (phase.toS - before.fromS);
    going.growth = {phase.rateBytesPerS + going.gain * (phase.toS - phase.fromS) / 2};
    going.atLeast = before.rateBytesPerS;
}

void foretell(Forecast& forecast, const Going& going, double lastedS, double distance, double open)
{
    const auto inS = going.growth.timeFor(distance);
    if (going.growth.slows())
        forecast.levelsOffBytes = forecast.usedBytes + going.growth.rest();
    if (!inS) {
        forecast.why = Forecast::Why::LevelsOff;
        return;
    }
    if (*inS > kFurthest * lastedS) {
        forecast.why = Forecast::Why::TooFar;
        return;
    }
    forecast.why = Forecast::Why::Foretold;
    forecast.limitReachedS = forecast.atS + *inS;
    forecast.lowS = forecast.atS + timeFor(std::max(0.0, distance - open), forecast.rateHighBytesPerS, going.gain);
    if (const auto slowest = Growth{forecast.rateLowBytesPerS, going.growth.tauS}.timeFor(distance + open))
        forecast.highS = forecast.atS + *slowest;
}

/// Each step comes as long after the one before as they did so far; one that is due already comes now.
void foretellSteps(Forecast& forecast, const Stairs& stairs, double distance)
{
    const double heightOpen = std::max(2 * stairs.heightScatterBytes, kSteadiest * stairs.heightBytes);
    const auto gaps = static_cast<double>(stairs.steps - 1);
    const double everyOpenS = (2 * stairs.everyScatterS + stairs.rowS) / gaps;
    forecast.stepBytes = stairs.heightBytes;
    forecast.rateBytesPerS = stairs.heightBytes / stairs.everyS;
    forecast.rateLowBytesPerS = (stairs.heightBytes - heightOpen) / (stairs.everyS + everyOpenS);
    forecast.rateHighBytesPerS = (stairs.heightBytes + heightOpen) / (stairs.everyS - everyOpenS);
    const double dueS = std::max(stairs.lastS + stairs.everyS, forecast.atS);
    const auto after = [&](double heightBytes) { return std::ceil(distance / heightBytes) - 1; };
    const auto open = [&](double steps) {
        const double scatterS = 2 * stairs.everyScatterS * std::sqrt(steps + 1) + stairs.rowS;
        return std::max(stairs.everyS / 2, scatterS + (steps + 1) * everyOpenS);
    };
    const double steps = after(stairs.heightBytes);
    const double reachedS = dueS + steps * stairs.everyS;
    if (reachedS - forecast.atS > kFurthest * (forecast.atS - stairs.firstS + stairs.everyS)) {
        forecast.why = Forecast::Why::TooFar;
        return;
    }
    forecast.why = Forecast::Why::Foretold;
    forecast.limitReachedS = reachedS;
    const double least = after(stairs.heightBytes + heightOpen);
    const double most = after(stairs.heightBytes - heightOpen);
    forecast.lowS = std::max(forecast.atS, dueS + least * stairs.everyS - open(least));
    forecast.highS = dueS + most * stairs.everyS + open(most);
}

std::optional<Forecast> reached(std::span<const Point> points, double limitBytes)
{
    const auto first = std::ranges::find_if(points, [&](const Point& point) { return point.y >= limitBytes; });
    if (first == points.end())
        return std::nullopt;
    Forecast forecast;
    forecast.why = Forecast::Why::Reached;
    forecast.limitReachedS = forecast.highS = first->x;
    forecast.lowS = first == points.begin() ? first->x : std::prev(first)->x;
    return forecast;
}

void describeRate(Forecast& forecast, const Going& going, std::size_t points)
{
    forecast.rateBytesPerS = going.growth.rate;
    const double open = openOf(going.growth.rate, going.error, points);
    forecast.rateLowBytesPerS = std::max(going.growth.rate - open, going.atLeast);
    forecast.rateHighBytesPerS = going.growth.rate + open;
}

} // namespace

std::string toWords(Forecast::Why why)
{
    switch (why) {
    case Forecast::Why::Foretold:
        return "foretold from the last phase";
    case Forecast::Why::Reached:
        return "the limit was reached";
    case Forecast::Why::TooFewPoints:
        return "too few samples to tell";
    case Forecast::Why::NotGrowing:
        return "it does not grow any more";
    case Forecast::Why::InSteps:
        return "it grows in steps, of which too few are alike to foretell the next ones";
    case Forecast::Why::NotSettled:
        return "it grows, but not steadily enough yet to tell its rate";
    case Forecast::Why::LevelsOff:
        return "the growth slows down and would end below the limit";
    case Forecast::Why::TooFar:
        return "the limit is further away than the growth so far lets one see";
    }
    return {};
}

std::string toWords(const Forecast& forecast)
{
    return forecast.why == Forecast::Why::Foretold && forecast.stepBytes ? "foretold from its steps"
                                                                         : toWords(forecast.why);
}

Forecast forecast(const PhaseFinder& curve, double limitBytes)
{
    return forecast(curve, curve.phases(), limitBytes);
}

Forecast forecast(const PhaseFinder& curve, const std::vector<FoundPhase>& phases, double limitBytes)
{
    Forecast result;
    if (curve.isEmpty())
        return result;
    result.atS = curve.last().x;
    result.usedBytes = curve.last().y;
    if (phases.empty())
        return result;
    const FoundPhase& phase = phases.back();
    const std::vector<Point> means = curve.means();
    Going going = goingOf(phase, means, curve.quantum());
    if (phases.size() > 1) {
        const FoundPhase& before = phases[phases.size() - 2];
        going.growth = afterFaster(before, phase, going);
        speedUp(before, phase, means, going);
    }
    describeRate(result, going, phase.points);
    if (result.usedBytes >= limitBytes) {
        result.why = Forecast::Why::Reached;
        result.limitReachedS = result.lowS = result.highS = result.atS;
        return result;
    }
    if (const auto stairs = stairsOf(phases); stairs && stairs->goOnAt(result.atS)) {
        foretellSteps(result, *stairs, limitBytes - result.usedBytes);
        return result;
    }
    if (endsInSteps(phases, result.atS)) {
        result.why = Forecast::Why::InSteps;
        return result;
    }
    if (phase.points < 3)
        return result;
    if (!grows(phase) || !(result.rateLowBytesPerS > 0)) {
        result.why
            = grows(phase) || phase.kind == PhaseKind::Step ? Forecast::Why::NotSettled : Forecast::Why::NotGrowing;
        return result;
    }
    const double open = std::max(std::fabs(phase.toBytes - result.usedBytes), curve.quantum() / 2);
    // The line may be above the limit where the last point is not yet.
    foretell(result, going, phase.toS - phase.fromS, std::max(0.0, limitBytes - phase.toBytes), open);
    return result;
}

Forecast forecast(std::span<const Point> points, double limitBytes)
{
    std::vector<Point> sorted;
    std::ranges::copy_if(points, std::back_inserter(sorted),
        [](const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); });
    std::ranges::stable_sort(sorted, {}, &Point::x);
    PhaseFinder curve;
    for (const Point& point : sorted)
        curve.add(point);
    Forecast result = forecast(curve, limitBytes);
    if (const auto fact = reached(sorted, limitBytes)) {
        result.why = fact->why;
        result.limitReachedS = fact->limitReachedS;
        result.lowS = fact->lowS;
        result.highS = fact->highS;
    }
    return result;
}

std::optional<ProjectedNeed> projectedNeed(std::span<const ProgressPoint> trail, double peakBytes)
{
    std::vector<Point> points;
    for (const ProgressPoint& point : trail)
        if (std::isfinite(point.share) && std::isfinite(point.treeBytes))
            points.push_back({point.share, point.treeBytes});
    std::ranges::stable_sort(points, {}, &Point::x);
    if (points.size() < 2 || points.back().x - points.front().x < kLeastShare || points.back().x >= 1)
        return std::nullopt;
    const LineFit line = LineSums(points).fit(0, points.size());
    const double freedom = static_cast<double>(points.size()) - 2;
    const double wide = student95(freedom) * slopeError(line, points, 0) * (1 - line.middle);
    ProjectedNeed need;
    need.bytes = std::max(peakBytes, line.at(1));
    need.lowBytes = std::isfinite(wide) ? std::max(peakBytes, line.at(1) - wide) : peakBytes;
    need.highBytes = std::max(need.bytes, line.at(1) + wide);
    return need;
}

} // namespace loadlab
