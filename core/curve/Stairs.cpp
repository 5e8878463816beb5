#include "core/curve/Stairs.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace loadlab {
namespace {

constexpr std::size_t kFewest = 3;
constexpr double kAlike = 0.25;

/// Of the last phases, the newest first.
std::vector<FoundPhase> lastSteps(std::span<const FoundPhase> phases)
{
    std::vector<FoundPhase> steps;
    for (auto phase = phases.rbegin(); phase != phases.rend(); ++phase) {
        if (phase->kind == PhaseKind::Step && phase->points == 2)
            steps.push_back(*phase);
        else if (phase->kind != PhaseKind::Level)
            break;
    }
    return steps;
}

Stairs measured(std::span<const FoundPhase> steps)
{
    Stairs stairs{steps.size(), steps.back().toS, steps.front().toS};
    const auto n = static_cast<double>(steps.size());
    stairs.everyS = (stairs.lastS - stairs.firstS) / (n - 1);
    for (const FoundPhase& step : steps) {
        stairs.heightBytes += (step.toBytes - step.fromBytes) / n;
        stairs.rowS = std::max(stairs.rowS, step.toS - step.fromS);
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const double height = steps[i].toBytes - steps[i].fromBytes;
        stairs.heightScatterBytes = std::max(stairs.heightScatterBytes, std::fabs(height - stairs.heightBytes));
        if (i > 0)
            stairs.everyScatterS
                = std::max(stairs.everyScatterS, std::fabs(steps[i - 1].toS - steps[i].toS - stairs.everyS));
    }
    return stairs;
}

bool areAlike(const Stairs& stairs)
{
    return stairs.everyS > 0 && stairs.everyScatterS <= kAlike * stairs.everyS
        && stairs.heightScatterBytes <= kAlike * stairs.heightBytes;
}

} // namespace

std::optional<Stairs> stairsOf(std::span<const FoundPhase> phases)
{
    const std::vector<FoundPhase> steps = lastSteps(phases);
    std::optional<Stairs> found;
    for (std::size_t count = kFewest; count <= steps.size(); ++count) {
        const Stairs stairs = measured(std::span(steps).first(count));
        if (!areAlike(stairs))
            break;
        found = stairs;
    }
    return found;
}

bool endsInSteps(std::span<const FoundPhase> phases, double atS)
{
    const std::vector<FoundPhase> steps = lastSteps(phases);
    double longest = 0;
    for (std::size_t i = 1; i < steps.size(); ++i)
        longest = std::max(longest, steps[i - 1].toS - steps[i].toS);
    return steps.size() > 1 && atS - steps.front().toS <= longest;
}

} // namespace loadlab
