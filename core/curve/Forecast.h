#pragma once

#include "core/curve/Phases.h"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace loadlab {

/// What a curve's last phase says about a limit. All intervals are meant to hold 95 of 100 times while the phase goes
/// on as it is; that it does is what a forecast cannot know.
struct Forecast {
    enum class Why {
        Foretold,
        Reached, ///< limitReachedS is when, lowS and highS the samples before and after.
        TooFewPoints, ///< The curve, or what came after its last jump, is younger than a phase can be.
        NotGrowing, ///< The last phase is level or gives back.
        InSteps, ///< It grows in steps, of which too few are alike.
        NotSettled, ///< It grows, but the 95 % interval of its rate holds 0, or it is a single step.
        LevelsOff, ///< Growth slows down so that it ends below the limit.
        TooFar, ///< Further away than three times what the phase has lasted.
    };
    Why why = Why::TooFewPoints;
    double atS = 0; ///< Of the last point.
    double usedBytes = 0; ///< Its value.
    /// The rate now, 95 % interval; 0 when there are no phases. While growth slows down: the rate at its end.
    double rateBytesPerS = 0;
    double rateLowBytesPerS = 0;
    double rateHighBytesPerS = 0;
    /// On the curve's own time axis. highS is nothing where the slower end of the interval never gets there.
    std::optional<double> limitReachedS;
    std::optional<double> lowS;
    std::optional<double> highS;
    std::optional<double> stepBytes; ///< Where it grows in steps that are foretold: their height.
    std::optional<double> levelsOffBytes; ///< While growth slows down: where it would end.
};
/// "the growth slows down and would end below the limit": why nothing is foretold, or how.
std::string toWords(Forecast::Why why);
/// The same; "foretold from its steps" where it was.
std::string toWords(const Forecast& forecast);

/// Time to a limit, from the last phase alone, or from the last steps. The rules:
/// - Nothing is foretold of a phase that is level, gives back or is a single step, nor when the 95 % interval of its
///   rate holds 0. The error counts as at least 2 % of the rate: no load is steadier than that.
/// - Such an unsettled rate is told all the same where the phase follows a slower growth (of more than two standard
/// errors), and its last
///   two means are at least as far apart as its rate says: it grows ever faster, at least as fast as before.
/// - The phase is halved. Where the halves' rates r1, r2 differ by more than 10 % and by more than their errors allow
///   for, the later one counts: growing faster, the line goes on with the rate at its end (and lowS as if it went on
///   growing faster); slowing down, the rate is taken to fall on by
///   the same factor in the same time (τ = half / ln(r1 / r2)), so that r·τ is all that is still to come. A phase that
///   goes on slower from a faster one counts as slowing down, too, until its own halves prove it steady.
/// - At least three steps alike (core/curve/Stairs.h), the last of them no longer ago than they are apart, by their
///   scatter, go on as they came: the limit is reached by the step that gets there. The interval is at least as wide as
///   the steps are apart, and counts for their scatter and for heights that are off by theirs, at least by 2 %.
/// - Nothing is foretold when the limit lies further away than three times what the phase has lasted.
Forecast forecast(const PhaseFinder& curve, double limitBytes);
/// The same for who has curve.phases() already: they are what costs.
Forecast forecast(const PhaseFinder& curve, const std::vector<FoundPhase>& phases, double limitBytes);
/// The same over points at hand, in any order; a limit that they crossed is Reached at the first one that has it.
Forecast forecast(std::span<const Point> points, double limitBytes);

/// What a load that did not get to its end would have needed.
struct ProjectedNeed {
    double bytes = 0;
    double lowBytes = 0; ///< Never below what was used.
    double highBytes = 0; ///< Infinite when the trail is too short to tell.
};
struct ProgressPoint {
    double share = 0; ///< Done of total, 0 … 1.
    double treeBytes = 0; ///< What the tree held then.
};
/// The line of memory over progress, taken on to its end; never below `peakBytes`. Nothing when the load never moved by
/// at least 5 % of its total, or came to its end: what it did after that no progress tells.
std::optional<ProjectedNeed> projectedNeed(std::span<const ProgressPoint> trail, double peakBytes);

/// Whether what is left will fall below a margin within the next seconds: the guard's question, 20 (to 1000) times a
/// second. No allocation; add() costs nanoseconds, crossing() about 5 µs (tests/bench/bench_curve: watchTick). One
/// thread.
///
/// The rule. Lines are laid through the last 0.15, 0.3, 0.6, 1.2, 2.5, 5 and 10 s (at least 4 samples each). A stretch
/// speaks when its fall is certain (1.5 times the 95 % interval), counts with the slowest fall that it and every
/// shorter stretch allow for (so a burst that is over counts no more), takes no sample for more exact than the last 10
/// s scattered, reaches at most three times its own length ahead (so a single jump of memory is no trend), and is taken
/// on as slowing down when its later half fell clearly slower (as in forecast()). The first crossing that any stretch
/// foretells counts.
class FallWatch {
public:
    struct Crossing {
        double inS = 0; ///< From the last sample; 0: it is below already.
        double bytesPerS = 0; ///< The fall that it rests on.
        double overS = 0; ///< The stretch that it rests on; 0: the last sample alone.
    };
    /// In order of time; earlier ones and what is no finite number are left out.
    void add(double atS, double leftBytes) noexcept;
    [[nodiscard]] std::optional<Crossing> crossing(double marginBytes, double withinS) const noexcept;
    void clear() noexcept { m_count = 0; }

private:
    static constexpr std::size_t kSlots = 256; ///< A power of two.
    static constexpr double kSlotS = 0.04; ///< Denser samples share a slot: the last one stays.

    [[nodiscard]] double scatter() const noexcept;
    [[nodiscard]] const Point& back(std::size_t ago) const noexcept { return m_slots[(m_count - 1 - ago) % kSlots]; }

    std::array<Point, kSlots> m_slots{};
    std::size_t m_count = 0; ///< Ever begun.
    double m_slotFromS = 0;
};

} // namespace loadlab
