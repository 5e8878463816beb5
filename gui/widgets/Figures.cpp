#include "gui/widgets/Figures.h"

#include "core/Units.h"
#include "gui/widgets/Type.h"

#include <QDateTime>
#include <QFontDatabase>
#include <QFontMetrics>
#include <QLocale>

#include <cmath>

namespace loadlab {
namespace figures {
namespace {

/// Core writes a point and a hyphen; the window shows the locale's sign and a true minus.
QString localized(const std::string& text)
{
    QString words = QString::fromStdString(text);
    const QString point = QLocale().decimalPoint();
    if (point != QLatin1String("."))
        words.replace(u'.', point);
    if (words.startsWith(u'-'))
        words.replace(0, 1, QStringLiteral("−"));
    return words;
}

} // namespace

QString size(std::uint64_t bytes)
{
    return localized(formatSize(bytes));
}

QString size(std::optional<std::uint64_t> bytes)
{
    return bytes ? size(*bytes) : kNone;
}

QString gib(std::uint64_t bytes)
{
    return localized(formatGiB(bytes));
}

QString gib(std::optional<std::uint64_t> bytes)
{
    return bytes ? gib(*bytes) : kNone;
}

QString rate(double bytesPerSecond)
{
    return localized(formatRate(bytesPerSecond));
}

QString duration(std::chrono::nanoseconds duration)
{
    return localized(formatDuration(duration));
}

QString seconds(double seconds)
{
    if (!std::isfinite(seconds) || std::fabs(seconds) > 9e9)
        return kNone;
    return duration(std::chrono::nanoseconds(std::llround(seconds * 1e9)));
}

QString count(std::uint64_t count)
{
    const QLocale locale;
    return locale.language() == QLocale::C ? QString::fromStdString(formatCount(count))
                                           : locale.toString(qulonglong{count});
}

QString count(std::uint64_t count, const QString& one, const QString& many)
{
    return QStringLiteral("%1 %2").arg(figures::count(count), count == 1 ? one : many);
}

QString parameters(std::uint64_t count)
{
    return localized(formatParameters(count));
}

QString percent(double share)
{
    return QStringLiteral("%1 %").arg(std::lround(share * 100));
}

QString sizeRange(std::uint64_t lowBytes, std::uint64_t highBytes)
{
    const QString low = size(lowBytes);
    const QString high = size(highBytes);
    if (low == high)
        return high;
    const QString unit = high.section(u' ', 1);
    const bool sameUnit = low.section(u' ', 1) == unit;
    return (sameUnit ? low.section(u' ', 0, 0) : low) + QStringLiteral("–") + high;
}

QString threeDigits(double value)
{
    if (!std::isfinite(value))
        return kNone;
    const double magnitude = std::fabs(value);
    const int decimals = value == 0 ? 0 : magnitude < 0.9995 ? 3 : magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0;
    return localized(QString::number(value, 'f', decimals).toStdString());
}

QString dateTime(std::chrono::system_clock::time_point time)
{
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    const QDateTime local = QDateTime::fromMSecsSinceEpoch(ms);
    const bool thisYear = local.date().year() == QDate::currentDate().year();
    return QLocale().toString(local, thisYear ? QStringLiteral("d MMM HH:mm") : QStringLiteral("d MMM yyyy HH:mm"));
}

QFont tabular(const QFont& font)
{
    const QFontMetrics metrics(font);
    for (char16_t digit = u'1'; digit <= u'9'; ++digit)
        if (metrics.horizontalAdvance(QChar(digit)) != metrics.horizontalAdvance(u'0'))
            return type::fixed(font);
    return font;
}

} // namespace figures

namespace type {

QFont sized(const QFont& font, double scale, bool bold)
{
    QFont other = font;
    if (font.pixelSize() > 0)
        other.setPixelSize(qRound(font.pixelSize() * scale));
    else
        other.setPointSizeF(font.pointSizeF() * scale);
    if (bold)
        other.setBold(true);
    return other;
}

QFont fixed(const QFont& font)
{
    QFont other = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    if (font.pixelSize() > 0)
        other.setPixelSize(font.pixelSize());
    else
        other.setPointSizeF(font.pointSizeF());
    return other;
}

} // namespace type
} // namespace loadlab
