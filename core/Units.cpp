#include "core/Units.h"

#include "core/ClockNs.h"
#include "core/Text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <optional>

namespace loadlab {
namespace {

struct Unit {
    std::string_view name;
    double factor;
};

constexpr double kKi = 1024.0;
constexpr std::array kSizeUnits {
    Unit {"", 1.0}, Unit {"B", 1.0},
    Unit {"KiB", kKi}, Unit {"MiB", kKi * kKi}, Unit {"GiB", kKi * kKi * kKi}, Unit {"TiB", kKi * kKi * kKi * kKi},
    Unit {"kB", 1e3}, Unit {"KB", 1e3}, Unit {"MB", 1e6}, Unit {"GB", 1e9}, Unit {"TB", 1e12},
};
constexpr std::array kTimeUnits {
    Unit {"", 1.0}, Unit {"s", 1.0}, Unit {"ms", 1e-3}, Unit {"us", 1e-6}, Unit {"min", 60.0}, Unit {"m", 60.0},
    Unit {"h", 3600.0}, Unit {"d", 86400.0},
};

Error badValue(std::string_view text, std::string_view what, std::string_view example)
{
    return {ErrorKind::Invalid, "'" + std::string(text) + "' is no " + std::string(what) + " (" + std::string(example) + ")"};
}

bool sameUnit(std::string_view a, std::string_view b)
{
    if (a.size() != b.size())
        return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (std::tolower(static_cast<unsigned char>(a[i])) != std::tolower(static_cast<unsigned char>(b[i])))
            return false;
    return true;
}

/// Splits "1.5 GiB" into number and unit and multiplies; nothing when either is not understood.
template <std::size_t N> std::optional<double> scaled(std::string_view text, const std::array<Unit, N>& units)
{
    text = trimmed(text);
    if (text.empty() || text.front() == '-' || text.front() == '+')
        return std::nullopt;
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc {} || !std::isfinite(number) || number < 0)
        return std::nullopt;
    const std::string_view unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
    for (const Unit& known : units)
        if (sameUnit(unit, known.name))
            return number * known.factor;
    return std::nullopt;
}

std::string printed(const char* format, double value)
{
    std::array<char, 64> buffer {};
    std::snprintf(buffer.data(), buffer.size(), format, value);
    std::string_view text(buffer.data());
    // What rounds to zero has no sign.
    if (text.starts_with('-') && text.find_first_of("123456789") == text.npos)
        text.remove_prefix(1);
    return std::string(text);
}

/// Three significant digits without an exponent; large figures stay whole.
std::string threeDigits(double value)
{
    if (value == 0)
        return "0";
    const double magnitude = std::fabs(value);
    if (magnitude < 0.9995)
        return printed("%.3f", value);
    if (magnitude < 9.995)
        return printed("%.2f", value);
    if (magnitude < 99.95)
        return printed("%.1f", value);
    return printed("%.0f", value);
}

} // namespace

Result<std::uint64_t> parseSize(std::string_view text)
{
    const std::optional<double> bytes = scaled(text, kSizeUnits);
    if (!bytes || *bytes > 4.6e18)
        return badValue(text, "size", "examples: 2GiB, 122GB, 512MiB, 4096");
    return static_cast<std::uint64_t>(std::llround(*bytes));
}

Result<SizeOrPercent> parseSizeOrPercent(std::string_view text)
{
    const std::string_view bare = trimmed(text);
    if (!bare.empty() && bare.back() == '%') {
        const std::optional<double> percent = scaled(bare.substr(0, bare.size() - 1), std::array {Unit {"", 1.0}});
        if (!percent || *percent > 100)
            return badValue(text, "share", "0% to 100%");
        return SizeOrPercent {0, *percent};
    }
    const Result<std::uint64_t> bytes = parseSize(text);
    if (!bytes)
        return badValue(text, "size or share", "examples: 4GiB, 5%");
    return SizeOrPercent {*bytes, -1.0};
}

Result<std::chrono::nanoseconds> parseDuration(std::string_view text)
{
    const std::optional<double> seconds = scaled(text, kTimeUnits);
    if (!seconds || *seconds > 9e9)
        return badValue(text, "duration", "examples: 90s, 15min, 2h, 250ms");
    return std::chrono::nanoseconds(std::llround(*seconds * 1e9));
}

std::string formatGiB(std::uint64_t bytes)
{
    return threeDigits(static_cast<double>(bytes) / (kKi * kKi * kKi));
}

std::string exactSize(std::uint64_t bytes)
{
    std::string_view unit;
    for (const std::string_view larger : {"KiB", "MiB", "GiB", "TiB"}) {
        if (bytes == 0 || bytes % 1024 != 0)
            break;
        bytes /= 1024;
        unit = larger;
    }
    return std::to_string(bytes) + std::string(unit);
}

std::string formatSize(std::uint64_t bytes)
{
    const auto value = static_cast<double>(bytes);
    if (value >= 0.0995 * kKi * kKi * kKi)
        return formatGiB(bytes) + " GiB";
    if (value >= kKi * kKi)
        return threeDigits(value / (kKi * kKi)) + " MiB";
    if (value >= kKi)
        return threeDigits(value / kKi) + " KiB";
    return std::to_string(bytes) + " B";
}

std::string formatRate(double bytesPerSecond)
{
    constexpr double gib = kKi * kKi * kKi;
    if (std::fabs(bytesPerSecond) >= 0.00995 * gib)
        return printed("%.2f GiB/s", bytesPerSecond / gib);
    return printed("%.2f MiB/s", bytesPerSecond / (kKi * kKi));
}

std::string formatDuration(std::chrono::nanoseconds duration)
{
    const double seconds = std::chrono::duration<double>(duration).count();
    if (seconds < 99.95)
        return threeDigits(seconds) + " s";
    const auto whole = static_cast<long long>(std::llround(seconds));
    std::array<char, 64> buffer {};
    if (whole < 3600)
        std::snprintf(buffer.data(), buffer.size(), "%lld min %02lld s", whole / 60, whole % 60);
    else
        std::snprintf(buffer.data(), buffer.size(), "%lld h %02lld min", whole / 3600, whole / 60 % 60);
    return buffer.data();
}

std::string formatCount(std::uint64_t count)
{
    std::string digits = std::to_string(count);
    for (std::size_t i = digits.size(); i > 3;) {
        i -= 3;
        digits.insert(i, ",");
    }
    return digits;
}

std::string formatCount(std::uint64_t count, std::string_view noun)
{
    return formatCount(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string formatParameters(std::uint64_t count)
{
    const auto value = static_cast<double>(count);
    if (value >= 0.9995e9)
        return threeDigits(value / 1e9) + " B";
    if (value >= 0.9995e6)
        return threeDigits(value / 1e6) + " M";
    if (value >= 1e3)
        return threeDigits(value / 1e3) + " k";
    return std::to_string(count);
}

std::string toIsoUtc(std::chrono::system_clock::time_point time)
{
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
    const auto days = std::chrono::floor<std::chrono::days>(ms);
    const std::chrono::year_month_day date {days};
    const std::chrono::hh_mm_ss clock {ms - days};
    std::array<char, 64> buffer {};
    std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld.%03ldZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<long>(clock.hours().count()),
        static_cast<long>(clock.minutes().count()), static_cast<long>(clock.seconds().count()),
        static_cast<long>(clock.subseconds().count()));
    return buffer.data();
}

Result<std::chrono::system_clock::time_point> parseIsoUtc(std::string_view text)
{
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    int hour = 0;
    int minute = 0;
    double second = 0;
    const int fields = std::sscanf(std::string(text).c_str(), "%d-%u-%uT%d:%d:%lfZ", &year, &month, &day, &hour, &minute, &second);
    const std::chrono::year_month_day date {std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if ((fields != 6 && fields != 3) || !date.ok())
        return badValue(text, "date", "examples: 2026-01-31, 2026-01-31T12:34:56Z");
    const auto sinceMidnight = std::chrono::hours(hour) + std::chrono::minutes(minute)
        + std::chrono::milliseconds(std::llround(second * 1000));
    return std::chrono::system_clock::time_point(std::chrono::sys_days(date) + sinceMidnight);
}

std::int64_t monotonicNs()
{
    return clockNs(CLOCK_MONOTONIC).value_or(0); // Every kernel has it.
}

} // namespace loadlab
