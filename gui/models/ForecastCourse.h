#pragma once

#include "gui/charts/ChartDocument.h"
#include "gui/models/LiveForecast.h"
#include "gui/models/ProfileModel.h"

#include <vector>

namespace loadlab {

/// A forecast as a curve that goes on from the last point, with the edges of its 95 % interval. Goes through the
/// instants that the forecast gives.
class ForecastCourse {
public:
    /// Nothing is drawn of what does not grow: then isEmpty().
    ForecastCourse(const Forecast& forecast, double limitBytes);

    [[nodiscard]] bool isEmpty() const { return m_empty; }
    [[nodiscard]] ChartForecast::Moment at(double seconds) const;

private:
    /// Bytes above the start after so many seconds.
    struct Way {
        double rate = 0;
        double gain = 0; ///< Bytes/s², until meetsS; then it goes straight on.
        double meetsS = 0;
        double rest = 0; ///< > 0: all that is still to come.
        [[nodiscard]] double after(double seconds) const;
    };
    static Way wayTo(double rate, double distance, std::optional<double> inS);

    bool m_empty = true;
    double m_atS = 0;
    double m_bytes = 0;
    Way m_way, m_low, m_high;
};

/// The lines that the load must not meet, with their words: the limit, and the guard while it is armed.
std::vector<ChartLimit> limitsOf(const LiveOutlook& look);
/// For the chart; nothing while nothing is foretold.
std::optional<ChartForecast> chartForecastOf(const LiveOutlook& look);
/// What the profile would go on with: up to the limit, or the guard where that alone is foretold, every `stepS` or a
/// multiple of it, six rows at most.
std::vector<ProfileRow> forecastRows(const LiveOutlook& look, double stepS);

} // namespace loadlab
