#include "cli/Commands.h"
#include "cli/Lab.h"
#include "cli/Options.h"
#include "cli/Table.h"
#include "core/OrNull.h"
#include "core/Units.h"
#include "core/curve/CurveFile.h"
#include "core/curve/CurveSummary.h"
#include "core/curve/Forecast.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

// forecast: phases, rates and time to limit of a recorded curve.

namespace loadlab::cli {
using nlohmann::json;
namespace {

struct Request {
    double limitBytes = 0;
    std::optional<double> atS;
};

Request requestOf(const Words& words)
{
    Request request;
    request.limitBytes = static_cast<double>(*parseSize(*words.value("--limit")));
    if (const auto at = words.value("--at"))
        request.atS = std::chrono::duration<double>(*parseDuration(*at)).count();
    return request;
}

/// Infinite where two points are all there is: nothing that JSON could hold.
json finite(double value)
{
    return std::isfinite(value) ? json(value) : json(nullptr);
}

json toJson(const std::vector<FoundPhase>& phases)
{
    json list = json::array();
    for (const FoundPhase& phase : phases)
        list.push_back({{"name", std::string(toWord(phase.kind))}, {"from_s", phase.fromS}, {"to_s", phase.toS},
            {"rate_bytes_per_s", phase.rateBytesPerS}, {"rate_error_bytes_per_s", finite(phase.rateErrorBytesPerS)},
            {"from_bytes", std::llround(phase.fromBytes)}, {"to_bytes", std::llround(phase.toBytes)}});
    return list;
}

/// A part of what is used, by itself.
json partOf(const std::vector<Point>& points)
{
    if (points.empty())
        return nullptr;
    const auto highest = std::ranges::max_element(points, {}, &Point::y);
    const auto first = std::ranges::find_if(points, [](const Point& point) { return point.y > 0; });
    return {{"phases", toJson(findPhases(points))}, {"peak_bytes", std::llround(highest->y)},
        {"began_s", first == points.end() ? json(nullptr) : json(first->x)}};
}

json toJson(const CurveFile& curve, const Forecast& forecast, double limitBytes)
{
    return {{"phases", toJson(findPhases(curve.used))}, {"rate_bytes_per_s", forecast.rateBytesPerS},
        {"rate_low_bytes_per_s", finite(forecast.rateLowBytesPerS)},
        {"rate_high_bytes_per_s", finite(forecast.rateHighBytesPerS)},
        {"limit_reached_s", orNull(forecast.limitReachedS)}, {"low_s", orNull(forecast.lowS)},
        {"high_s", orNull(forecast.highS)}, {"why", toWords(forecast)},
        {"levels_off_bytes", forecast.levelsOffBytes ? json(std::llround(*forecast.levelsOffBytes)) : json(nullptr)},
        {"at_s", forecast.atS}, {"used_bytes", std::llround(forecast.usedBytes)},
        {"limit_bytes", std::llround(limitBytes)}, {"column", curve.usedColumn}, {"resident", partOf(curve.resident)},
        {"swap", partOf(curve.swap)}};
}

std::string seconds(double s)
{
    const std::string text = formatDuration(std::chrono::nanoseconds(std::llround(std::fabs(s) * 1e9)));
    return s < 0 ? "-" + text : text;
}

std::string size(double bytes)
{
    return formatSize(static_cast<std::uint64_t>(std::max(0.0, bytes)));
}

void printPhases(Output& out, std::string_view title, const std::vector<FoundPhase>& phases)
{
    Table table({{std::string(title)}, {"from", true}, {"to", true}, {"at the end", true}, {"rate", true},
        {"error", true, false, 1}});
    for (const FoundPhase& phase : phases)
        table.add({std::string(toWord(phase.kind)), seconds(phase.fromS), seconds(phase.toS), size(phase.toBytes),
            formatRate(phase.rateBytesPerS),
            std::isfinite(phase.rateErrorBytesPerS) ? formatRate(phase.rateErrorBytesPerS) : "-"});
    table.printTo(out);
}

/// `limitWord`: as typed.
std::string sentence(const Forecast& forecast, std::string_view limitWord)
{
    const std::string limit = "the limit of " + std::string(limitWord);
    const std::string now = "At " + seconds(forecast.atS) + ", with " + size(forecast.usedBytes) + " used: ";
    switch (forecast.why) {
    case Forecast::Why::Reached:
        return limit + " was reached at " + seconds(*forecast.limitReachedS) + ".";
    case Forecast::Why::Foretold:
        return now + formatRate(forecast.rateBytesPerS) + ", " + limit + " is reached at "
            + seconds(*forecast.limitReachedS) + " (" + seconds(*forecast.lowS) + " to "
            + (forecast.highS ? seconds(*forecast.highS) : "never") + ").";
    case Forecast::Why::LevelsOff:
        return now + "the growth slows down and would end at about " + size(forecast.levelsOffBytes.value_or(0))
            + ", below " + limit + ".";
    default:
        return now + limit + " is not foretold: " + toWords(forecast.why) + ".";
    }
}

void print(Output& out, const CurveFile& curve, const Forecast& forecast, std::string_view limitWord)
{
    printPhases(out, "phase", findPhases(curve.used));
    const bool swapped = std::ranges::any_of(curve.swap, [](const Point& point) { return point.y > 0; });
    if (swapped && !curve.resident.empty())
        printPhases(out, "resident alone", findPhases(curve.resident));
    if (swapped)
        printPhases(out, "swap alone", findPhases(curve.swap));
    std::string text = sentence(forecast, limitWord);
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    out.printLine(text);
}

void keepUpTo(double atS, CurveFile& curve)
{
    for (auto* points : {&curve.used, &curve.resident, &curve.swap})
        std::erase_if(*points, [atS](const Point& point) { return point.x > atS; });
}

} // namespace

int forecast(Lab& lab, const Words& words)
{
    const Request request = requestOf(words);
    Result<CurveFile> curve = readCurveFile(words.operands.front());
    if (!curve)
        return curve.error().kind == ErrorKind::NotFound ? lab.wrongUsage(curve.error().message)
                                                         : lab.failed(curve.error());
    const double firstS = curve->used.front().x;
    if (request.atS && *request.atS < firstS)
        return lab.wrongUsage("--at " + inQuotes(*words.value("--at"))
            + " lies before the first row: the file begins at " + seconds(firstS) + ".");
    // Taking the process down is no phase; how it stood at an instant, nobody knew it yet.
    keepUpTo(request.atS ? *request.atS : upToEndOfLoad(curve->used).back().x, *curve);
    const Forecast foretold = loadlab::forecast(std::span<const Point>(curve->used), request.limitBytes);
    if (lab.json)
        lab.out.printJson(toJson(*curve, foretold, request.limitBytes));
    else
        print(lab.out, *curve, foretold, *words.value("--limit"));
    return kDone;
}

} // namespace loadlab::cli
