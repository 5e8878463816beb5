#pragma once

#include <QFont>
#include <QString>

#include <chrono>
#include <cstdint>
#include <optional>

/// Figures as a person reads them in the window: core/Units' rules in the user's QLocale. Absent is an en dash, never
/// 0. (Exports and the clipboard keep the point: use core/Units there.)
namespace loadlab::figures {

inline const QString kNone = QStringLiteral("–");

QString size(std::uint64_t bytes); ///< "94.7 GiB"
QString size(std::optional<std::uint64_t> bytes);
QString gib(std::uint64_t bytes); ///< "94.7": for columns whose header holds the unit.
QString gib(std::optional<std::uint64_t> bytes);
QString rate(double bytesPerSecond); ///< "1.20 GiB/s"
QString duration(std::chrono::nanoseconds duration); ///< "55.0 s", "12 min 22 s"
QString seconds(double seconds); ///< The same from seconds.
QString count(std::uint64_t count); ///< "2,034"
QString count(std::uint64_t count, const QString& one, const QString& many); ///< "1 run", "2,034 runs"
QString parameters(std::uint64_t count); ///< "35.3 B"
QString percent(double share); ///< 0.73 → "73 %"
/// "131–146 GiB"
QString sizeRange(std::uint64_t lowBytes, std::uint64_t highBytes);
/// Three significant digits, true minus, locale's decimal sign: "8.52", "−0.020", "117".
QString threeDigits(double value);
/// A local time: "14 Dec 17:31"; with the year when it is not this one.
QString dateTime(std::chrono::system_clock::time_point time);

/// The font for number columns: the given one when its digits are equally wide, else the fixed font in its size.
QFont tabular(const QFont& font);

} // namespace loadlab::figures
