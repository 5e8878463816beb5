#include "gui/charts/Ticks.h"

#include "gui/widgets/Figures.h"

#include <QLocale>

#include <algorithm>
#include <array>
#include <cmath>

namespace loadlab {
namespace {

constexpr double kKi = 1024.0;

int decimalsOf(double step)
{
    return step > 0 && step < 1 ? static_cast<int>(std::ceil(-std::log10(step) - 1e-9)) : 0;
}

QString figure(double value, int decimals)
{
    QLocale locale;
    locale.setNumberOptions(QLocale::OmitGroupSeparator);
    const double shown = std::fabs(value) < 1e-12 ? 0.0 : value; // No "−0".
    return locale.toString(shown, 'f', decimals);
}

} // namespace

double niceStep(double span, int most)
{
    if (!(span > 0) || most < 1 || !std::isfinite(span))
        return 1;
    const double rough = span / most;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (rough <= factor * power * (1 + 1e-9))
            return factor * power;
    return 10 * power;
}

Ticks timeTicks(double fromS, double toS, int most)
{
    struct TimeUnit {
        double seconds;
        const char* name;
    };
    const double reach = std::max(std::fabs(fromS), std::fabs(toS));
    const TimeUnit unit = reach <= 600 || toS - fromS < 120 ? TimeUnit{1, "s"}
        : reach <= 36000                                    ? TimeUnit{60, "min"}
                                                            : TimeUnit{3600, "h"};
    const double step = niceStep((toS - fromS) / unit.seconds, most);
    const int decimals = decimalsOf(step);
    Ticks result{{}, QString::fromLatin1(unit.name), step * unit.seconds};
    const double first = std::ceil(fromS / unit.seconds / step - 1e-9);
    const double last = std::floor(toS / unit.seconds / step + 1e-9);
    for (double i = first; i <= last; ++i)
        result.ticks.append({i * step * unit.seconds, figure(i * step, decimals)});
    if (!result.ticks.isEmpty())
        result.ticks.last().words += u' ' + result.unit;
    return result;
}

SizeUnit sizeUnitFor(double topBytes)
{
    // As figures::size() does, so that the axis and the words beside it agree; 0.95: a scale may end at the unit.
    if (topBytes >= 0.095 * kKi * kKi * kKi)
        return {kKi * kKi * kKi, QStringLiteral("GiB")};
    if (topBytes >= 0.95 * kKi * kKi)
        return {kKi * kKi, QStringLiteral("MiB")};
    return topBytes >= 0.95 * kKi ? SizeUnit{kKi, QStringLiteral("KiB")} : SizeUnit{1, QStringLiteral("B")};
}

QString inUnit(double bytes, const SizeUnit& unit)
{
    return figures::threeDigits(bytes / unit.bytes);
}

Ticks sizeTicks(double topBytes, int most)
{
    const SizeUnit unit = sizeUnitFor(topBytes);
    const double step = niceStep(topBytes / unit.bytes, most);
    const int decimals = decimalsOf(step);
    Ticks result{{}, unit.name, step * unit.bytes};
    const double last = std::floor(topBytes / unit.bytes / step + 1e-9);
    for (double i = 0; i <= last; ++i)
        result.ticks.append({i * step * unit.bytes, figure(i * step, decimals)});
    return result;
}

Ticks logSizeTicks(double floorBytes, double topBytes)
{
    const SizeUnit unit = sizeUnitFor(topBytes);
    Ticks result{{}, unit.name, 0};
    double power = std::pow(10.0, std::ceil(std::log10(floorBytes / unit.bytes) - 1e-9));
    for (; power * unit.bytes <= topBytes * (1 + 1e-9); power *= 10)
        result.ticks.append({power * unit.bytes, figure(power, decimalsOf(power))});
    return result;
}

QString plainFigure(double value)
{
    return figure(value, value < 1 ? decimalsOf(value) : 0);
}

LaneScale laneScale(double peak, const QString& unit)
{
    constexpr double kHeadroom = 1.02;
    constexpr double kLeastMiB = 10;
    const double top = niceStep(peak * kHeadroom, 1);
    if (unit != QLatin1String(kByteRate) || top >= 0.1 * (1 - 1e-9))
        return {top, 1, unit};
    return {niceStep(std::max(peak * kHeadroom * kKi, kLeastMiB), 1) / kKi, kKi, QStringLiteral("MiB/s")};
}

QString LaneScale::topFigure() const
{
    return plainFigure(top * shownPerOwn);
}

QString LaneScale::words(double value) const
{
    const double shown = value * shownPerOwn;
    return (unit == QLatin1String(kByteRate) && shown > 0 ? figure(shown, 2) : figures::threeDigits(shown)) + u' '
        + unit;
}

} // namespace loadlab
