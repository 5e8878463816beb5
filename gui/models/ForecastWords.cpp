#include "gui/models/ForecastWords.h"

#include "gui/Words.h"
#include "gui/widgets/Figures.h"

#include <QLocale>

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

using Why = Forecast::Why;

constexpr double kMiB = 1024.0 * 1024;
constexpr double kGiB = 1024 * kMiB;

QString size(double bytes)
{
    return figures::size(static_cast<std::uint64_t>(std::llround(std::max(0.0, bytes))));
}

QString inSeconds(double atS, double nowS)
{
    return figures::seconds(std::max(0.0, atS - nowS));
}

/// "17.1–19.8 s", "from 17.1 s on".
QString betweenWords(const Forecast& forecast, double nowS)
{
    const double low = std::max(0.0, *forecast.lowS - nowS);
    if (!forecast.highS)
        return QStringLiteral("from %1 on").arg(figures::seconds(low));
    const double high = std::max(0.0, *forecast.highS - nowS);
    // One unit for both, where a figure alone says it.
    return high < 99.95 ? figures::threeDigits(low) + QChar(0x2013) + figures::seconds(high)
                        : figures::seconds(low) + QStringLiteral(" – ") + figures::seconds(high);
}

QString poolWords(MemoryPool::Kind kind)
{
    switch (kind) {
    case MemoryPool::Kind::Machine:
        return QStringLiteral("on the machine");
    case MemoryPool::Kind::Cap:
        return QStringLiteral("under the cap");
    case MemoryPool::Kind::Group:
        return QStringLiteral("under its group’s limit");
    case MemoryPool::Kind::WithSwap:
        return QStringLiteral("with swap");
    }
    return {};
}

/// What meeting the limit is.
QString endWords(const LiveOutlook& look)
{
    if (look.limit && look.limit->kind == MemoryPool::Kind::Cap)
        return QStringLiteral("over its cap");
    return look.limit && look.limit->kind == MemoryPool::Kind::Group ? QStringLiteral("over its group’s limit")
                                                                     : QStringLiteral("out of memory");
}

QString notForetold(Why why)
{
    return QStringLiteral("not foretold: ") + toQString(toWords(why));
}

/// Whole seconds from ten on: a sentence is read, and shall not flicker.
QString calmSeconds(double seconds)
{
    return seconds >= 10 ? QStringLiteral("%1 s").arg(QLocale().toString(std::round(seconds), 'f', 0))
                         : figures::seconds(std::max(0.0, seconds));
}

} // namespace

QString marginWords(const GuardMargin& margin)
{
    return margin.bytes ? figures::size(*margin.bytes) : QStringLiteral("%1 %").arg(QLocale().toString(margin.percent));
}

Readout usedReadout(const LiveOutlook& look)
{
    const QString swap
        = look.swapBytes > 0 ? QStringLiteral(", %1 of it in swap").arg(figures::size(look.swapBytes)) : QString();
    if (!look.limit)
        return {size(look.loadBytes), QStringLiteral("without page cache") + swap};
    return {size(look.loadBytes),
        QStringLiteral("%1 left %2%3").arg(figures::size(look.limit->leftBytes), poolWords(look.limit->kind), swap)};
}

Readout growthReadout(const LiveOutlook& look)
{
    if (look.found.empty())
        return {figures::kNone, toQString(toWords(Why::TooFewPoints))};
    const Forecast& now = look.toLimit;
    const double open = (now.rateHighBytesPerS - now.rateLowBytesPerS) / 2;
    const QString rate = figures::rate(now.rateBytesPerS);
    const QString over = QStringLiteral("for %1").arg(figures::seconds(look.growsForS()));
    if (!std::isfinite(open))
        return {rate, over};
    const double unit = rate.endsWith(QLatin1String("GiB/s")) ? kGiB : kMiB; // The rate's own.
    return {rate, QStringLiteral("± %1, %2").arg(figures::threeDigits(open / unit), over)};
}

Readout limitReadout(const LiveOutlook& look, double nowS)
{
    if (!look.limit)
        return {figures::kNone, QStringLiteral("what is free is not known")};
    const Forecast& limit = look.toLimit;
    if (limit.why == Why::Reached)
        return {QStringLiteral("now"), limitWords(look)};
    if (limit.why != Why::Foretold)
        return {figures::kNone, notForetold(limit.why)};
    return {inSeconds(*limit.limitReachedS, nowS),
        QStringLiteral("%1 · at %2").arg(betweenWords(limit, nowS), figures::seconds(*limit.limitReachedS))};
}

Readout guardReadout(const LiveOutlook& look, double nowS)
{
    if (!look.margin)
        return {figures::kNone, QStringLiteral("not armed")};
    if (!look.toGuard)
        return {figures::kNone, QStringLiteral("what is free is not known")};
    const QString at
        = QStringLiteral("at %1, %2 left").arg(size(*look.guardBytes), size(look.limitBytes - *look.guardBytes));
    if (look.toGuard->why == Why::Reached)
        return {QStringLiteral("now"), at};
    if (look.toGuard->why != Why::Foretold)
        return {figures::kNone, QStringLiteral("armed, ") + at};
    return {inSeconds(*look.toGuard->limitReachedS, nowS), at};
}

QString needWords(const LiveOutlook& look)
{
    return look.need ? QStringLiteral("of projected ") + size(look.need->bytes) : QString();
}

QString limitWords(const LiveOutlook& look)
{
    if (!look.limit)
        return {};
    switch (look.limit->kind) {
    case MemoryPool::Kind::Cap:
        return QStringLiteral("Cap %1").arg(figures::size(look.limit->totalBytes));
    case MemoryPool::Kind::Group:
        return QStringLiteral("Limit %1, of a group around it").arg(size(look.limitBytes));
    case MemoryPool::Kind::Machine:
        return QStringLiteral("Limit %1, all that is free").arg(size(look.limitBytes));
    case MemoryPool::Kind::WithSwap:
        return QStringLiteral("Limit %1, memory and swap").arg(size(look.limitBytes));
    }
    return {};
}

QString whatComes(const LiveOutlook& look, double nowS)
{
    const Forecast& limit = look.toLimit;
    // It does not get so far where the load is over before.
    const bool ends = look.need && look.need->highBytes < look.guardBytes.value_or(look.limitBytes);
    if (ends)
        return QStringLiteral("loaded with about %1, below the limit").arg(size(look.need->bytes));
    if (look.toGuard && look.toGuard->why == Why::Foretold)
        return QStringLiteral("stopped by guard in %1").arg(calmSeconds(*look.toGuard->limitReachedS - nowS));
    if (limit.why == Why::Foretold)
        return QStringLiteral("%1 in %2").arg(endWords(look), calmSeconds(*limit.limitReachedS - nowS));
    if (limit.why == Why::LevelsOff && limit.levelsOffBytes)
        return QStringLiteral("level at about %1, below the limit").arg(size(*limit.levelsOffBytes));
    return {};
}

QString noVerdictYet(const LiveOutlook& look, double nowS)
{
    const QString comes = whatComes(look, nowS);
    if (comes.isEmpty())
        return QStringLiteral("No verdict yet: it comes when the load ends.");
    QString words = QStringLiteral("No verdict yet. If it went on like this: %1").arg(comes);
    if (look.need && look.need->lowBytes > look.limitBytes)
        words += QStringLiteral("; it would need %1, %2 more than there is")
                     .arg(size(look.need->bytes), size(look.need->bytes - look.limitBytes));
    return words + QLatin1Char('.');
}

QString silenceWords(const LiveOutlook& look, double nowS)
{
    const double silentS = std::max(0.0, nowS - look.lastWordS);
    const QString word
        = silentS < 1 ? QStringLiteral("Speaking now") : QStringLiteral("Last word %1 ago").arg(calmSeconds(silentS));
    return look.pace.kind == Pace::Kind::Unknown ? word : word + QStringLiteral("; ") + toQString(toWords(look.pace));
}

} // namespace loadlab
