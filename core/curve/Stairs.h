#pragma once

#include "core/curve/Phases.h"

#include <cstddef>
#include <optional>
#include <span>

namespace loadlab {

/// Jumps upwards of like height that follow each other in like time, with nothing but levels between: a curve's last
/// phases.
struct Stairs {
    std::size_t steps = 0; ///< At least 3.
    double firstS = 0;
    double lastS = 0; ///< The first point after the last of them; likewise firstS.
    double everyS = 0;
    double heightBytes = 0;
    double everyScatterS = 0; ///< The most that a time between two was off, and a height; each at most a quarter.
    double heightScatterBytes = 0;
    double rowS = 0; ///< Within so much a step is known: between two points.

    /// Whether at this time the next one is not overdue: by more than twice the scatter, and a row.
    [[nodiscard]] bool goOnAt(double atS) const { return atS - lastS <= everyS + 2 * everyScatterS + rowS; }
};
/// As many of the last steps as are alike.
std::optional<Stairs> stairsOf(std::span<const FoundPhase> phases);
/// Whether at least two steps end it, alike or not, and the last one is no longer ago than the longest time between
/// two.
bool endsInSteps(std::span<const FoundPhase> phases, double atS);

} // namespace loadlab
