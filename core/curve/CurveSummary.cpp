#include "core/curve/CurveSummary.h"

#include "core/curve/LineFit.h"
#include "core/curve/Phases.h"

#include <algorithm>
#include <limits>

namespace loadlab {
namespace {

double secondsOf(const Curve& curve, const Sample& sample)
{
    return static_cast<double>(sample.monotonicNs - curve.originNs) / 1e9;
}

void raise(std::uint64_t& peak, const Sample& sample, Column column)
{
    if (sample.has(column) && sample[column] > 0)
        peak = std::max(peak, static_cast<std::uint64_t>(sample[column]));
}

double rateOf(const Curve& curve)
{
    if (curve.samples.size() < 2)
        return 0;
    const auto spanNs = curve.samples.back().monotonicNs - curve.samples.front().monotonicNs;
    return spanNs > 0 ? static_cast<double>(curve.samples.size() - 1) * 1e9 / static_cast<double>(spanNs) : 0;
}

/// (peak − first) / (time of the peak − time of the first) of tree_bytes.
double meanRate(const Curve& curve)
{
    const Sample* first = nullptr;
    const Sample* peak = nullptr;
    for (const auto& sample : curve.samples) {
        if (!sample.has(Column::TreeBytes))
            continue;
        if (!first)
            first = &sample;
        if (!peak || sample[Column::TreeBytes] > (*peak)[Column::TreeBytes])
            peak = &sample;
    }
    if (!peak || peak->monotonicNs <= first->monotonicNs)
        return 0;
    return static_cast<double>((*peak)[Column::TreeBytes] - (*first)[Column::TreeBytes]) * 1e9
        / static_cast<double>(peak->monotonicNs - first->monotonicNs);
}

void addAvailable(CurveSummary& summary, const Sample& sample, bool& seen)
{
    if (!sample.has(Column::SystemAvailableBytes))
        return;
    const auto available = static_cast<std::uint64_t>(std::max<std::int64_t>(0, sample[Column::SystemAvailableBytes]));
    if (!seen)
        summary.baselineAvailableBytes = summary.lowestAvailableBytes = available;
    summary.lowestAvailableBytes = std::min(summary.lowestAvailableBytes, available);
    seen = true;
}

/// Of means as a found phase rests on them: single samples follow each other so closely that each says little new.
std::optional<double> errorOfRate(std::span<const Point> points, double quantum)
{
    PhaseFinder finder;
    for (const Point& point : points)
        finder.add(point);
    const std::vector<Point> means = finder.means();
    return knownError(slopeError(LineSums(means).fit(0, means.size()), means, quantum));
}

} // namespace

CurveSummary summarise(const Curve& curve)
{
    CurveSummary summary;
    summary.sampleCount = curve.samples.size();
    summary.rateHz = rateOf(curve);
    summary.meanRateBytesPerS = meanRate(curve);
    bool availableSeen = false;
    for (const auto& sample : curve.samples) {
        raise(summary.peakTreeBytes, sample, Column::TreeBytes);
        raise(summary.peakRssBytes, sample, Column::RssBytes);
        raise(summary.peakSwapBytes, sample, Column::SwapBytes);
        raise(summary.peakGpuBytes, sample, Column::GpuBytes);
        addAvailable(summary, sample, availableSeen);
        if (!summary.swapBeganS && sample.has(Column::SwapBytes) && sample[Column::SwapBytes] > 0)
            summary.swapBeganS = secondsOf(curve, sample);
    }
    return summary;
}

double slope(const Curve& curve, Column column, double fromS, double toS)
{
    // Two passes over centred values: one pass over raw squares loses the slope of large, nearly flat curves.
    double count = 0;
    double meanT = 0;
    double meanV = 0;
    const auto inside = [&](const Sample& sample) {
        const auto t = secondsOf(curve, sample);
        return sample.has(column) && t >= fromS && t <= toS;
    };
    for (const auto& sample : curve.samples) {
        if (!inside(sample))
            continue;
        count += 1;
        meanT += (secondsOf(curve, sample) - meanT) / count;
        meanV += (static_cast<double>(sample[column]) - meanV) / count;
    }
    double covariance = 0;
    double variance = 0;
    for (const auto& sample : curve.samples) {
        if (!inside(sample))
            continue;
        const auto dt = secondsOf(curve, sample) - meanT;
        covariance += dt * (static_cast<double>(sample[column]) - meanV);
        variance += dt * dt;
    }
    return count >= 2 && variance > 0 ? covariance / variance : 0;
}

std::optional<std::uint64_t> ifSeen(std::uint64_t bytes)
{
    return bytes > 0 ? std::optional(bytes) : std::nullopt;
}

std::size_t endOfLoad(std::span<const Point> tree)
{
    constexpr double nothing = 0.1;
    constexpr double falling = 0.02;
    constexpr double restS = 0.5;
    std::size_t last = tree.size();
    while (last > 0 && tree[last - 1].y <= 0)
        --last;
    if (last-- == 0)
        return 0;
    const double highest = std::ranges::max_element(tree, {}, &Point::y)->y;
    if (tree.back().y > nothing * highest)
        return last;
    for (std::size_t i = last; i-- > 0 && (i + 1 == last || tree[last].x - tree[i].x <= restS);)
        if (tree[i].y > tree[last].y + falling * highest)
            last = i;
    return last;
}

std::span<const Point> upToEndOfLoad(std::span<const Point> tree)
{
    return tree.empty() ? tree : tree.first(endOfLoad(tree) + 1);
}

double endOfLoadS(const Curve& curve)
{
    const std::vector<Point> tree = pointsOf(curve, Column::TreeBytes);
    return tree.empty() ? std::numeric_limits<double>::infinity() : tree[endOfLoad(tree)].x;
}

std::uint64_t provenHighWater(const Curve& curve)
{
    std::int64_t highest = 0;
    for (const Sample& sample : curve.samples)
        if (sample.has(Column::RssBytes) && sample.has(Column::Processes) && sample[Column::Processes] == 1)
            highest = std::max(highest, sample[Column::RssBytes]);
    return static_cast<std::uint64_t>(highest);
}

void rateThePhases(const Curve& curve, std::vector<Phase>& phases)
{
    const std::vector<Point> tree = pointsOf(curve, Column::TreeBytes);
    const std::span<const Point> load = upToEndOfLoad(tree);
    PhaseFinder whole;
    for (const Point& point : load)
        whole.add(point);
    const double endS = load.empty() ? 0 : load.back().x;
    for (auto& phase : phases) {
        const auto from = std::ranges::lower_bound(load, phase.fromS, {}, &Point::x);
        const auto to = std::ranges::upper_bound(load, phase.toS, {}, &Point::x);
        phase.rateBytesPerS = slope(curve, Column::TreeBytes, phase.fromS, std::min(phase.toS, endS));
        phase.rateErrorBytesPerS = from < to ? errorOfRate({from, to}, whole.quantum()) : std::nullopt;
    }
}

} // namespace loadlab
