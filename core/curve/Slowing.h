#pragma once

#include <cmath>
#include <limits>
#include <optional>

namespace loadlab {

/// How a growth goes on: as a line, or slowing down for good.
struct Growth {
    double rate = 0;
    double tauS = std::numeric_limits<double>::infinity(); ///< The rate falls to 1/e in this time.

    [[nodiscard]] bool slows() const { return std::isfinite(tauS); }
    /// All that is still to come.
    [[nodiscard]] double rest() const { return slows() ? rate * tauS : std::numeric_limits<double>::infinity(); }
    /// Seconds until it has come as far; nothing when it never does.
    [[nodiscard]] std::optional<double> timeFor(double distance) const
    {
        if (distance <= 0)
            return 0.0;
        if (!(rate > 0) || distance >= rest())
            return std::nullopt;
        return slows() ? -tauS * std::log1p(-distance / rest()) : distance / rate;
    }
};

/// Two stretches of growth whose middles are `apartS` seconds apart, the later one ending `afterS` after its middle.
/// Line or slowing down, with the rate at the end. Errors are standard errors of the rates.
inline Growth growthOf(
    double earlier, double earlierError, double later, double laterError, double apartS, double afterS)
{
    const bool differ = std::fabs(earlier - later) > 2 * std::hypot(earlierError, laterError);
    if (!differ || !(later > 0) || !(earlier > 0) || later >= 0.9 * earlier)
        return {later};
    const double tauS = apartS / std::log(earlier / later);
    return {later * std::exp(-afterS / tauS), tauS};
}

} // namespace loadlab
