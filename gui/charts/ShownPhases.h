#pragma once

#include "core/curve/Phases.h"

#include <optional>
#include <span>
#include <vector>

namespace loadlab {

/// A curve and its phases as a person would cut it. A loader that takes memory in stairs gives a phase for every stair:
/// where there are more than ten, the curve is looked at through two means for each of them, so that the stairs are one
/// growth.
struct CalmCurve {
    PhaseFinder curve;
    std::vector<FoundPhase> phases;
};
CalmCurve calmCurve(const PhaseFinder& curve);

/// The phases that a chart shows: what the worker told, cut where the curve itself changes, each with the rate found
/// there. Where the worker told none (one only, or the "running" of a watched program), the curve's own with their
/// words; what grows once the load is in swap is "swapping". Nothing found: what was told, as it is.
std::vector<Phase> shownPhases(
    const std::vector<Phase>& told, std::span<const FoundPhase> found, std::optional<double> swapBeganS);

} // namespace loadlab
