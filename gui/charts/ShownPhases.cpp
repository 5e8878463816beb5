#include "gui/charts/ShownPhases.h"

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

constexpr std::size_t kMostPhases = 10;
constexpr double kSameInstant = 0.03; ///< Of the time shown: so near, a change in the curve is what was told of.

const FoundPhase& foundAt(std::span<const FoundPhase> found, double atS)
{
    const auto after = std::ranges::upper_bound(found, atS, {}, &FoundPhase::fromS);
    return after == found.begin() ? found.front() : *std::prev(after);
}

std::vector<Phase> cutAt(const Phase& told, std::span<const FoundPhase> found, double grainS)
{
    std::vector<Phase> parts{told};
    for (const FoundPhase& phase : found) {
        if (phase.fromS < parts.back().fromS + grainS || phase.fromS > told.toS - grainS)
            continue;
        parts.back().toS = phase.fromS;
        parts.push_back({told.name, phase.fromS, told.toS, 0});
    }
    for (Phase& part : parts)
        part.rateBytesPerS = foundAt(found, (part.fromS + part.toS) / 2).rateBytesPerS;
    return parts;
}

} // namespace

CalmCurve calmCurve(const PhaseFinder& curve)
{
    std::vector<FoundPhase> phases = curve.phases();
    if (phases.size() <= kMostPhases)
        return {curve, std::move(phases)};
    const std::vector<Point> means = curve.means();
    const std::size_t together = std::max<std::size_t>(1, means.size() / (2 * phases.size()));
    CalmCurve calm;
    for (std::size_t from = 0; from + together <= means.size(); from += together) {
        Point mean{0, 0};
        for (std::size_t i = from; i < from + together; ++i) {
            mean.x += means[i].x / static_cast<double>(together);
            mean.y += means[i].y / static_cast<double>(together);
        }
        calm.curve.add(mean);
    }
    calm.curve.add(curve.last());
    calm.phases = calm.curve.phases();
    return calm;
}

std::vector<Phase> shownPhases(
    const std::vector<Phase>& told, std::span<const FoundPhase> found, std::optional<double> swapBeganS)
{
    if (found.empty())
        return told;
    const double endS = std::max(found.back().toS, told.empty() ? 0 : told.back().toS);
    const double grainS = kSameInstant * (endS - found.front().fromS);
    const bool named
        = told.size() > 1 || (told.size() == 1 && told.front().name != "running" && told.front().name != "starting");
    std::vector<Phase> shown;
    for (const Phase& phase : told)
        if (named)
            for (Phase& part : cutAt(phase, found, grainS))
                shown.push_back(std::move(part));
    for (const FoundPhase& phase : found)
        if (!named) {
            const bool swaps = swapBeganS && phase.fromS >= *swapBeganS - grainS && phase.rateBytesPerS > 0
                && phase.kind != PhaseKind::Level;
            shown.push_back(
                {swaps ? "swapping" : std::string(toWord(phase.kind)), phase.fromS, phase.toS, phase.rateBytesPerS});
        }
    return shown;
}

} // namespace loadlab
