#include "core/curve/Phases.h"

#include "core/curve/Jumps.h"
#include "core/curve/LineFit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>

namespace loadlab {
namespace {

constexpr std::size_t kFewest = 3; ///< Means of a phase.
constexpr double kPenalty = 4; ///< Times ln(n).
constexpr double kNoiseOfRange = 0.005;
constexpr double kRangeOfHighest = 0.05;
constexpr double kLeastRange = 16 << 20; ///< Bytes.
constexpr double kCoversRange = 0.5;
constexpr double kSameRate = 0.25;
constexpr double kMeeting = 0.02; ///< Of the range.
constexpr double kLevel = 0.01; ///< Of the range.
constexpr double kSlow = 0.25; ///< Of the fastest growth.
constexpr double kStepTime = 0.02; ///< Of the curve's time.
constexpr double kStepHeight = 0.05; ///< Of the range.
constexpr double kFewestUnits = 20; ///< Of the highest value.
constexpr std::size_t kAtWork = 2; ///< Moves by one unit, and units in all.
constexpr std::size_t kRestingRows = 5; ///< Of one value.
constexpr double kMost = 4e18; ///< Larger is no measurement, and its square no number.

struct Range {
    std::size_t from = 0;
    std::size_t to = 0; ///< One past the last mean.
    bool afterJump = false;
    [[nodiscard]] std::size_t count() const { return to - from; }
};

struct Height {
    double moved = 0; ///< Highest − lowest.
    double range = 0; ///< As the criterion counts it.
};

Height heightOf(std::span<const Point> means)
{
    const auto [lowest, highest] = std::ranges::minmax_element(means, {}, [](const Point& point) { return point.y; });
    const double moved = highest->y - lowest->y;
    return {moved, std::max({moved, kRangeOfHighest * std::fabs(highest->y), kLeastRange})};
}

/// Partition of means into lines, and what it takes to judge them.
class Segmentation {
public:
    Segmentation(std::vector<Point> means, double quantum)
        : m_means(std::move(means))
        , m_height(heightOf(m_means))
        , m_range(m_height.range)
        , m_quantum(quantum)
        , m_jumps(isSmall() ? std::vector<Jump>() : findJumps(m_means, kNoiseOfRange * m_range, quantum))
        , m_sums(m_means)
        , m_noise(std::max({scatterOf(m_means, m_jumps), quantum / std::sqrt(12.0), kNoiseOfRange * m_range}))
    {
        if (isSmall())
            m_ranges = {{0, m_means.size()}};
        else
            splitAtJumps();
        join();
    }
    [[nodiscard]] std::vector<FoundPhase> phases() const;

private:
    void splitAtJumps();
    void split(const Range& stretch);
    void join();
    [[nodiscard]] bool isSmall() const { return m_height.moved < kLeastRange; }
    [[nodiscard]] LineFit fit(const Range& range) const { return m_sums.fit(range.from, range.to); }
    [[nodiscard]] FoundPhase phaseOf(const Range& range) const;
    [[nodiscard]] bool isLevel(const FoundPhase& phase, double errors = 2) const;
    /// How far two neighbours are from being one; nothing when they are two.
    [[nodiscard]] std::optional<double> difference(const Range& left, const Range& right) const;
    [[nodiscard]] double boundary(const Range& left, const Range& right) const;
    [[nodiscard]] FoundPhase jumpBetween(const Range& left, const Range& right) const;
    [[nodiscard]] PhaseKind kindOf(const FoundPhase& phase) const;
    void tellSlowOnes(std::vector<FoundPhase>& phases) const;

    std::vector<Point> m_means;
    Height m_height;
    double m_range;
    double m_quantum;
    std::vector<Jump> m_jumps;
    LineSums m_sums;
    double m_noise;
    std::vector<Range> m_ranges;
};

void Segmentation::splitAtJumps()
{
    Range stretch;
    for (const Jump& jump : m_jumps) {
        stretch.to = jump.from + 1;
        split(stretch);
        stretch = {jump.to, 0, true};
    }
    stretch.to = m_means.size();
    split(stretch);
}

void Segmentation::split(const Range& stretch)
{
    const std::size_t n = stretch.count();
    constexpr double never = std::numeric_limits<double>::infinity();
    const double penalty = kPenalty * std::log(static_cast<double>(m_means.size()));
    const double perSquare = m_noise > 0 ? 1 / (m_noise * m_noise) : 0;
    std::vector<double> cost(n + 1, never);
    std::vector<std::size_t> cameFrom(n + 1, 0);
    cost[0] = -penalty;
    for (std::size_t to = std::min(n, kFewest); to <= n; ++to)
        for (std::size_t from = 0; from + std::min(n, kFewest) <= to; ++from) {
            if (cost[from] == never)
                continue;
            const double all
                = cost[from] + penalty + m_sums.squares(stretch.from + from, stretch.from + to) * perSquare;
            if (all < cost[to]) {
                cost[to] = all;
                cameFrom[to] = from;
            }
        }
    const auto first = static_cast<std::ptrdiff_t>(m_ranges.size());
    for (std::size_t to = n; to > 0; to = cameFrom[to])
        m_ranges.insert(m_ranges.begin() + first, {stretch.from + cameFrom[to], stretch.from + to, false});
    m_ranges[static_cast<std::size_t>(first)].afterJump = stretch.afterJump;
}

void Segmentation::join()
{
    for (;;) {
        std::optional<double> least;
        std::size_t at = 0;
        for (std::size_t i = 0; i + 1 < m_ranges.size(); ++i) {
            const auto apart = difference(m_ranges[i], m_ranges[i + 1]);
            if (apart && (!least || *apart < *least)) {
                least = apart;
                at = i;
            }
        }
        if (!least)
            return;
        m_ranges[at].to = m_ranges[at + 1].to;
        m_ranges.erase(m_ranges.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
}

std::optional<double> Segmentation::difference(const Range& left, const Range& right) const
{
    if (right.afterJump)
        return std::nullopt;
    const FoundPhase a = phaseOf(left);
    const FoundPhase b = phaseOf(right);
    const LineFit before = fit(left);
    const LineFit after = fit(right);
    const double touching = (m_means[left.to - 1].x + m_means[right.from].x) / 2;
    if (std::fabs(before.at(touching) - after.at(touching)) > std::max(kMeeting * m_range, 3 * m_noise))
        return std::nullopt;
    if (isLevel(a) && isLevel(b))
        return 0;
    const double larger = std::max(std::fabs(a.rateBytesPerS), std::fabs(b.rateBytesPerS));
    const double apart = larger > 0 ? std::fabs(a.rateBytesPerS - b.rateBytesPerS) / larger : 0;
    return apart < kSameRate ? std::optional(apart) : std::nullopt;
}

FoundPhase Segmentation::phaseOf(const Range& range) const
{
    const LineFit line = fit(range);
    FoundPhase phase;
    phase.fromS = m_means[range.from].x;
    phase.toS = m_means[range.to - 1].x;
    phase.rateBytesPerS = line.slope;
    phase.rateErrorBytesPerS = slopeError(line, std::span(m_means).subspan(range.from, range.count()), m_quantum);
    phase.points = range.count();
    return phase;
}

/// `errors`: how many standard errors a rate must exceed.
bool Segmentation::isLevel(const FoundPhase& phase, double errors) const
{
    const double level = isSmall() ? kCoversRange * m_height.moved : kLevel * m_range;
    const double time = phase.toS - phase.fromS;
    const double moved = std::fabs(phase.rateBytesPerS) * time;
    // The line through two means has no error of its own, but they have.
    const double error = phase.points > 2 ? phase.rateErrorBytesPerS * time : std::numbers::sqrt2 * m_noise;
    return moved < level || moved == 0 || (moved < kCoversRange * m_range && moved <= errors * error);
}

double Segmentation::boundary(const Range& left, const Range& right) const
{
    const LineFit before = fit(left);
    const LineFit after = fit(right);
    // The mean in which the kink lies belongs to one of the two: look one further on either side.
    const double low = m_means[left.to - (left.count() > 1 ? 2 : 1)].x;
    const double high = m_means[right.from + (right.count() > 1 ? 1 : 0)].x;
    const double crossing = (after.at(0) - before.at(0)) / (before.slope - after.slope);
    if (before.slope != after.slope && crossing >= low && crossing <= high)
        return crossing;
    return (m_means[left.to - 1].x + m_means[right.from].x) / 2;
}

FoundPhase Segmentation::jumpBetween(const Range& left, const Range& right) const
{
    const Point& before = m_means[left.to - 1];
    const Point& after = m_means[right.from];
    FoundPhase phase;
    phase.kind = after.y > before.y ? PhaseKind::Step : PhaseKind::Release;
    phase.fromS = before.x;
    phase.toS = after.x;
    phase.fromBytes = before.y;
    phase.toBytes = after.y;
    phase.rateBytesPerS = (after.y - before.y) / (after.x - before.x);
    phase.rateErrorBytesPerS = std::numeric_limits<double>::infinity();
    phase.points = 2;
    return phase;
}

PhaseKind Segmentation::kindOf(const FoundPhase& phase) const
{
    if (isLevel(phase))
        return PhaseKind::Level;
    if (phase.rateBytesPerS < 0)
        return PhaseKind::Release;
    const double time = phase.toS - phase.fromS;
    const double whole = m_means.back().x - m_means.front().x;
    return time < kStepTime * whole && phase.rateBytesPerS * time > kStepHeight * m_range ? PhaseKind::Step
                                                                                          : PhaseKind::Growth;
}

void Segmentation::tellSlowOnes(std::vector<FoundPhase>& phases) const
{
    double fastest = 0;
    for (const FoundPhase& phase : phases)
        if (phase.kind == PhaseKind::Growth)
            fastest = std::max(fastest, phase.rateBytesPerS);
    FoundPhase& first = phases.front();
    if (first.kind == PhaseKind::Level && first.rateBytesPerS > 0 && first.rateBytesPerS < kSlow * fastest
        && !isLevel(first, 1))
        first.kind = PhaseKind::SlowStart;
    bool grew = false;
    for (FoundPhase& phase : phases) {
        if (phase.kind == PhaseKind::Growth && phase.rateBytesPerS < kSlow * fastest)
            phase.kind = grew ? PhaseKind::SlowGrowth : PhaseKind::SlowStart;
        grew = grew || phase.kind == PhaseKind::Growth || phase.kind == PhaseKind::Step;
    }
}

std::vector<FoundPhase> Segmentation::phases() const
{
    std::vector<FoundPhase> lines;
    for (const Range& range : m_ranges)
        lines.push_back(phaseOf(range));
    for (std::size_t i = 0; i + 1 < lines.size(); ++i)
        if (!m_ranges[i + 1].afterJump)
            lines[i].toS = lines[i + 1].fromS = boundary(m_ranges[i], m_ranges[i + 1]);
    std::vector<FoundPhase> phases;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (m_ranges[i].afterJump)
            phases.push_back(jumpBetween(m_ranges[i - 1], m_ranges[i]));
        const LineFit line = fit(m_ranges[i]);
        FoundPhase& phase = phases.emplace_back(lines[i]);
        phase.fromBytes = line.at(phase.fromS);
        phase.toBytes = line.at(phase.toS);
        phase.kind = kindOf(phase);
    }
    tellSlowOnes(phases);
    return phases;
}

} // namespace

std::string_view toWord(PhaseKind kind)
{
    switch (kind) {
    case PhaseKind::Level:
        return "level";
    case PhaseKind::SlowStart:
        return "slow start";
    case PhaseKind::SlowGrowth:
        return "slow growth";
    case PhaseKind::Growth:
        return "growth";
    case PhaseKind::Step:
        return "step";
    case PhaseKind::Release:
        return "release";
    }
    return "level";
}

PhaseFinder::PhaseFinder()
{
    m_means.reserve(kMostMeans + 1);
}

void PhaseFinder::clear()
{
    m_means.clear();
    m_width = 0;
    m_divisor = 0;
    m_leastMove = 0;
    m_leastMoves = 0;
    m_rows = 0;
    m_leastRows = std::numeric_limits<std::size_t>::max();
    m_moved = false;
}

double PhaseFinder::quantum() const
{
    if (m_leastMove == 0)
        return 0;
    const auto powerOf = [this](std::int64_t base) {
        std::int64_t rest = m_divisor;
        while (rest % base == 0)
            rest /= base;
        return m_divisor / rest;
    };
    const std::int64_t unit = std::max(powerOf(10), powerOf(2));
    const auto value = static_cast<double>(unit);
    const bool atWork = m_leastRows < kRestingRows && m_leastMove == unit && m_leastMoves >= kAtWork
        && m_highest - m_lowest >= static_cast<double>(kAtWork) * value;
    return atWork || std::max(m_highest, -m_lowest) >= kFewestUnits * value ? value : 0;
}

/// What the values have in common.
void PhaseFinder::measure(Point point)
{
    if (m_means.empty()) {
        m_first = m_last = point;
        m_lowest = m_highest = point.y;
    }
    m_lowest = std::min(m_lowest, point.y);
    m_highest = std::max(m_highest, point.y);
    m_divisor = std::gcd(m_divisor, std::llround(point.y));
    const std::int64_t move = std::abs(std::llround(point.y) - std::llround(m_last.y));
    if (move > 0 && (m_leastMove == 0 || move <= m_leastMove)) {
        m_leastMoves = move == m_leastMove ? m_leastMoves + 1 : 1;
        m_leastMove = move;
    }
    ++m_rows;
    if (move > 0) {
        if (m_moved)
            m_leastRows = std::min(m_leastRows, m_rows);
        m_moved = true;
        m_rows = 0;
    }
}

void PhaseFinder::add(Point point)
{
    if (!std::isfinite(point.x) || !std::isfinite(point.y) || std::fabs(point.x) > kMost || std::fabs(point.y) > kMost)
        return;
    if (!m_means.empty() && point.x < m_last.x)
        return;
    measure(point);
    m_last = point;
    const auto gridOf = [this](double x) { return std::floor((x - m_first.x) / m_width); };
    const bool joins = !m_means.empty()
        && (m_width > 0 ? gridOf(m_means.back().firstX) == gridOf(point.x) : m_means.back().x == point.x);
    if (!joins) {
        m_means.push_back({point.x, point.y, point.x, 1});
        if (m_means.size() > kMostMeans)
            makeRoom();
        return;
    }
    Mean& mean = m_means.back();
    ++mean.count;
    mean.x += (point.x - mean.x) / static_cast<double>(mean.count);
    mean.y += (point.y - mean.y) / static_cast<double>(mean.count);
}

/// Twice as wide, or as wide as half the means need: a grid from the first point on, so that means stay comparable.
void PhaseFinder::makeRoom()
{
    m_width = std::max(2 * m_width, (m_last.x - m_first.x) / (kMostMeans / 2.0));
    std::size_t kept = 0;
    const auto gridOf = [this](const Mean& mean) { return std::floor((mean.firstX - m_first.x) / m_width); };
    for (std::size_t i = 1; i < m_means.size(); ++i) {
        const Mean& next = m_means[i];
        Mean& into = m_means[kept];
        if (gridOf(into) != gridOf(next)) {
            m_means[++kept] = next;
            continue;
        }
        const double share = static_cast<double>(next.count) / static_cast<double>(into.count + next.count);
        into.x += (next.x - into.x) * share;
        into.y += (next.y - into.y) * share;
        into.count += next.count;
    }
    m_means.resize(kept + 1);
}

std::vector<Point> PhaseFinder::means() const
{
    std::vector<Point> points;
    points.reserve(m_means.size());
    for (const Mean& mean : m_means)
        points.push_back({mean.x, mean.y});
    return points;
}

std::vector<FoundPhase> PhaseFinder::phases() const
{
    if (m_means.size() < 2)
        return {};
    std::vector<FoundPhase> found = Segmentation(means(), quantum()).phases();
    // From the first point to the last one, not from the middle of the first mean to that of the last.
    FoundPhase& first = found.front();
    first.fromBytes -= first.rateBytesPerS * (first.fromS - m_first.x);
    first.fromS = m_first.x;
    FoundPhase& last = found.back();
    last.toBytes += last.rateBytesPerS * (m_last.x - last.toS);
    last.toS = m_last.x;
    for (FoundPhase& phase : found)
        for (double* bytes : {&phase.fromBytes, &phase.toBytes})
            *bytes = std::clamp(*bytes, m_lowest, m_highest);
    // A single mean between jumps, or before the first: the jumps tell it.
    std::erase_if(found, [](const FoundPhase& phase) { return phase.points == 1 && phase.toS <= phase.fromS; });
    return found;
}

std::vector<FoundPhase> findPhases(std::span<const Point> points)
{
    PhaseFinder finder;
    const auto byTime = [](const Point& a, const Point& b) { return a.x < b.x; };
    if (std::is_sorted(points.begin(), points.end(), byTime)) {
        std::ranges::for_each(points, [&](const Point& point) { finder.add(point); });
        return finder.phases();
    }
    std::vector<Point> sorted(points.begin(), points.end());
    std::erase_if(sorted, [](const Point& point) { return !std::isfinite(point.x); });
    std::stable_sort(sorted.begin(), sorted.end(), byTime);
    std::ranges::for_each(sorted, [&](const Point& point) { finder.add(point); });
    return finder.phases();
}

std::vector<Phase> toPhases(std::span<const FoundPhase> found)
{
    std::vector<Phase> phases;
    for (const FoundPhase& phase : found)
        phases.push_back({std::string(toWord(phase.kind)), phase.fromS, phase.toS, phase.rateBytesPerS,
            knownError(phase.rateErrorBytesPerS)});
    return phases;
}

std::vector<Phase> phasesOf(const Curve& curve, std::vector<Phase> named, bool workerNamesThem)
{
    if (!workerNamesThem)
        if (auto found = toPhases(findPhases(upToEndOfLoad(pointsOf(curve, Column::TreeBytes)))); !found.empty())
            return found;
    rateThePhases(curve, named);
    return named;
}

} // namespace loadlab
