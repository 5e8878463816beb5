#include "gui/models/ForecastCourse.h"

#include "gui/models/ForecastWords.h"
#include "gui/widgets/Figures.h"

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

constexpr int kMoments = 64;
constexpr double kFurthest = 3; ///< Times what the phase has lasted: as far as forecast() itself looks.
constexpr double kMostRows = 6;

std::uint64_t wholeBytes(double bytes)
{
    return static_cast<std::uint64_t>(std::llround(std::max(0.0, bytes)));
}

} // namespace

double ForecastCourse::Way::after(double seconds) const
{
    if (rest > 0)
        return rest * (1 - std::exp(-rate / rest * seconds));
    const double bent = std::min(seconds, meetsS);
    return rate * bent + gain * bent * bent / 2 + (rate + gain * bent) * (seconds - bent);
}

ForecastCourse::Way ForecastCourse::wayTo(double rate, double distance, std::optional<double> inS)
{
    if (!inS || !(*inS > 0) || !std::isfinite(distance))
        return {rate, 0, 0, 0};
    return {rate, 2 * (distance - rate * *inS) / (*inS * *inS), *inS, 0};
}

ForecastCourse::ForecastCourse(const Forecast& forecast, double limitBytes)
    : m_atS(forecast.atS)
    , m_bytes(forecast.usedBytes)
{
    using Why = Forecast::Why;
    if (forecast.why != Why::Foretold && forecast.why != Why::LevelsOff && forecast.why != Why::TooFar)
        return;
    m_empty = false;
    if (const double rest = forecast.levelsOffBytes.value_or(0) - m_bytes; rest > 0) {
        // The same slowing down at either edge of the rate.
        const double share = rest / forecast.rateBytesPerS;
        for (const auto& [way, rate] : {std::pair{&m_way, forecast.rateBytesPerS}, {&m_low, forecast.rateLowBytesPerS},
                 {&m_high, forecast.rateHighBytesPerS}})
            *way = {rate, 0, 0, rate * share};
        return;
    }
    const bool foretold = forecast.why == Why::Foretold;
    const double distance = limitBytes - m_bytes;
    const auto in = [&](const std::optional<double>& atS) {
        return foretold && atS ? std::optional(*atS - m_atS) : std::nullopt;
    };
    m_way = wayTo(forecast.rateBytesPerS, distance, in(forecast.limitReachedS));
    m_low = wayTo(forecast.rateLowBytesPerS, distance, in(forecast.highS));
    m_high = wayTo(forecast.rateHighBytesPerS, distance, in(forecast.lowS));
}

ChartForecast::Moment ForecastCourse::at(double seconds) const
{
    const double after = std::max(0.0, seconds - m_atS);
    const double bytes = m_bytes + m_way.after(after);
    return {
        seconds, bytes, std::min(bytes, m_bytes + m_low.after(after)), std::max(bytes, m_bytes + m_high.after(after))};
}

std::vector<ChartLimit> limitsOf(const LiveOutlook& look)
{
    std::vector<ChartLimit> limits;
    if (look.limit)
        limits.push_back({look.limitBytes, limitWords(look), ChartLimit::Kind::Limit, true});
    if (look.guardBytes && *look.guardBytes > 0)
        limits.push_back({*look.guardBytes,
            QStringLiteral("Guard %1, stops the load here").arg(figures::size(wholeBytes(*look.guardBytes))),
            ChartLimit::Kind::Guard, true});
    return limits;
}

std::optional<ChartForecast> chartForecastOf(const LiveOutlook& look)
{
    const ForecastCourse course(look.toLimit, look.limitBytes);
    if (course.isEmpty())
        return std::nullopt;
    ChartForecast shown;
    const double furthest = std::max(look.atS + kFurthest * look.growsForS(), look.toLimit.limitReachedS.value_or(0));
    for (int i = 0; i <= kMoments; ++i)
        shown.course.push_back(course.at(look.atS + (furthest - look.atS) * i / kMoments));
    const auto add = [&](const Forecast& forecast, double bytes, const char* words, ChartLimit::Kind kind) {
        if (forecast.why == Forecast::Why::Foretold)
            shown.arrows.push_back({*forecast.limitReachedS, bytes,
                QLatin1String(words) + figures::seconds(*forecast.limitReachedS - look.atS), kind});
    };
    add(look.toLimit, look.limitBytes, "limit ", ChartLimit::Kind::Limit);
    if (look.toGuard)
        add(*look.toGuard, *look.guardBytes, "guard ", ChartLimit::Kind::Guard);
    shown.need = look.need;
    shown.words = whatComes(look, look.atS);
    return shown;
}

std::vector<ProfileRow> forecastRows(const LiveOutlook& look, double stepS)
{
    const bool limit = look.toLimit.why == Forecast::Why::Foretold;
    if (!(limit || (look.toGuard && look.toGuard->why == Forecast::Why::Foretold)) || !(stepS > 0))
        return {};
    const Forecast& last = limit ? look.toLimit : *look.toGuard;
    const ForecastCourse course(last, limit ? look.limitBytes : *look.guardBytes);
    const double endS = *last.limitReachedS;
    const double every = stepS * std::max(1.0, std::ceil((endS - look.atS) / stepS / (kMostRows - 1)));
    const auto guardS = look.toGuard ? look.toGuard->limitReachedS : std::nullopt;
    std::vector<ProfileRow> rows;
    ProfileRow before;
    before.tS = look.atS;
    before.usedBytes = wholeBytes(look.loadBytes);
    bool stopped = false;
    const auto add = [&](double tS, const QString& words) {
        ProfileRow row;
        row.tS = tS;
        row.usedBytes = wholeBytes(course.at(tS).bytes);
        row.deltaBytes = static_cast<std::int64_t>(row.usedBytes) - static_cast<std::int64_t>(before.usedBytes);
        row.rateBytesPerS = static_cast<double>(*row.deltaBytes) / (row.tS - before.tS);
        row.kind = ProfileRow::Kind::Forecast;
        row.phase = words;
        rows.push_back(row);
        before = row;
    };
    for (double tS = (std::floor(look.atS / every) + 1) * every; tS < endS; tS += every) {
        const bool stops = guardS && tS >= *guardS && !stopped;
        stopped = stopped || stops;
        add(tS, stops ? QStringLiteral("forecast: guard stops") : QStringLiteral("forecast"));
    }
    if (!limit)
        add(endS, QStringLiteral("forecast: guard stops"));
    else
        add(endS,
            stopped || !guardS ? QStringLiteral("forecast: limit") : QStringLiteral("forecast: guard, then limit"));
    rows.back().kind = ProfileRow::Kind::Limit;
    return rows;
}

} // namespace loadlab
