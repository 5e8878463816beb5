#include "cli/Values.h"

#include "cli/Options.h"
#include "core/LimitWords.h"
#include "core/ProgramVariables.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/Variant.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace loadlab::cli {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

Error notRight(std::string_view text, const std::string& what)
{
    return {ErrorKind::Invalid, inQuotes(text) + " is no " + what + "."};
}

template <typename T> Result<void> onlyChecked(const Result<T>& parsed)
{
    return parsed ? Result<void>() : Result<void>(parsed.error());
}

std::string lowerCase(std::string_view text)
{
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

std::vector<std::string> modeWords()
{
    std::vector<std::string> words{"failed"};
    for (std::size_t i = 0; i < kFailureModeCount; ++i)
        words.emplace_back(toWireName(static_cast<FailureMode>(i)));
    return words;
}

} // namespace

Result<ModeChoice> parseModes(std::string_view text)
{
    ModeChoice choice;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::string_view word = text.substr(at, comma - at);
        if (const std::optional<FailureMode> mode = findFailureMode(word))
            choice.modes.push_back(*mode);
        else if (word == "failed")
            choice.onlyFailed = true;
        else
            return Error{ErrorKind::Invalid, inQuotes(word) + " is no failure mode." + nearestHint(word, modeWords())};
        at = comma + 1;
    }
    return choice;
}

Result<SystemTime> parseSince(std::string_view text, SystemTime now)
{
    // The clock's nanoseconds reach to the year 2262.
    const bool looksLikeDate = text.size() >= 10 && text.find_first_not_of("0123456789-T:.Z") == std::string_view::npos
        && text.substr(0, 4) < "2262" && text[4] == '-';
    if (looksLikeDate)
        if (Result<SystemTime> date = parseIsoUtc(text))
            return date;
    // "2026-13-01" must not be read as a number of seconds.
    const bool hasUnit = !text.empty() && std::isalpha(static_cast<unsigned char>(text.back()));
    if (const Result<std::chrono::nanoseconds> ago = parseDuration(text); ago && hasUnit)
        return now - std::chrono::duration_cast<std::chrono::system_clock::duration>(*ago);
    return notRight(text, "date and no time span (examples: 2026-01-31, 2026-01-31T12:00:00Z, 2h, 7d)");
}

Result<double> parseSampleHz(std::string_view text)
{
    double hz = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hz, std::chars_format::fixed);
    if (error != std::errc() || end != text.data() + text.size() || !(hz >= 1.0 && hz <= 1000.0))
        return notRight(text, "number of samples a second: 1 to 1000");
    return hz;
}

Result<std::uint64_t> parseCount(std::string_view text, std::uint64_t least, std::uint64_t most)
{
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < least || count > most)
        return notRight(text, "whole number from " + std::to_string(least) + " to " + formatCount(most));
    return count;
}

Result<std::pair<std::string, std::string>> parseKeyValue(std::string_view text)
{
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos || text.front() == '-')
        return notRight(text, "KEY=VALUE (example: allow_torchscript=true)");
    return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

std::string_view toWord(ExportFormat format)
{
    static constexpr std::array<std::string_view, 4> words{"csv", "json", "svg", "png"};
    return words[static_cast<std::size_t>(format)];
}

Result<ExportFormat> parseExportFile(std::string_view text)
{
    const std::size_t slash = text.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? text : text.substr(slash + 1);
    const std::size_t dot = name.rfind('.');
    const std::string_view ending
        = dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot + 1);
    const std::string word = lowerCase(ending);
    const std::vector<std::string> known{"csv", "json", "svg", "png"};
    const auto found = std::ranges::find(known, word);
    if (found == known.end())
        return Error{
            ErrorKind::Invalid, inQuotes(text) + " ends in none of .csv, .json, .svg, .png." + didYouMean(word, known)};
    return static_cast<ExportFormat>(found - known.begin());
}

Result<void> checkRunWord(std::string_view text)
{
    constexpr std::size_t leastOfUuid = 8;
    const bool number = parseCount(text, 1, std::uint64_t{1} << 62).has_value();
    const bool uuid
        = text.size() >= leastOfUuid && text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
    if (number || uuid || text == "last" || text == "last:failed")
        return {};
    return Error{ErrorKind::Invalid,
        inQuotes(text)
            + " is no RUN: a run's number (see 'loadlab runs'), its uuid (8 characters or more), last, or last:failed."
            + didYouMean(text, {"last", "last:failed"})};
}

Result<void> checkModes(std::string_view text)
{
    return onlyChecked(parseModes(text));
}

Result<void> checkSince(std::string_view text)
{
    return onlyChecked(parseSince(text, SystemTime()));
}

Result<void> checkSearch(std::string_view text)
{
    const bool words = std::ranges::any_of(text, [](unsigned char c) { return std::isalnum(c) || c >= 0x80; });
    return words ? Result<void>() : notRight(text, "word: only letters and digits are searched (example: bad_alloc)");
}

Result<void> checkTimeLimit(std::string_view text)
{
    return onlyChecked(parseTimeLimit(text));
}

Result<void> checkCap(std::string_view text)
{
    return onlyChecked(parseCap(text));
}

Result<void> checkSwapCap(std::string_view text)
{
    return onlyChecked(parseSize(text));
}

Result<void> checkGuard(std::string_view text)
{
    return onlyChecked(parseGuardMargin(text));
}

Result<void> checkSampleHz(std::string_view text)
{
    return onlyChecked(parseSampleHz(text));
}

Result<void> checkRepeat(std::string_view text)
{
    return onlyChecked(parseCount(text, 1, 1000));
}

Result<void> checkLimit(std::string_view text)
{
    return onlyChecked(parseCount(text, 1, 1'000'000));
}

Result<void> checkKeyValue(std::string_view text)
{
    return onlyChecked(parseKeyValue(text));
}

Result<void> checkVariable(std::string_view text)
{
    return onlyChecked(parseVariables({std::string(text)}));
}

Result<void> checkMaxMemory(std::string_view text)
{
    return onlyChecked(parseMaxMemory(text));
}

Result<void> checkCurveLimit(std::string_view text)
{
    const Result<std::uint64_t> bytes = parseSize(text);
    if (bytes && *bytes == 0)
        return notRight(text, "limit: it must be above 0 (examples: 122GB, 64GiB)");
    return onlyChecked(bytes);
}

Result<void> checkCurveTime(std::string_view text)
{
    return onlyChecked(parseDuration(text));
}

Result<void> checkDemoSize(std::string_view text)
{
    constexpr std::uint64_t least = std::uint64_t{1} << 20;
    constexpr std::uint64_t most = std::uint64_t{1} << 30;
    const Result<std::uint64_t> bytes = parseSize(text);
    if (bytes && (*bytes < least || *bytes > most))
        return notRight(
            text, "size for the demo zoo: from 1MiB to 1GiB, the real shape of Qwen2.5-0.5B (example: 64MiB)");
    return onlyChecked(bytes);
}

Result<void> checkExercise(std::string_view text)
{
    if (text == "load")
        return {};
    return Error{ErrorKind::Invalid, inQuotes(text) + " is no exercise of this version." + nearestHint(text, {"load"})};
}

Result<void> checkVerify(std::string_view text)
{
    if (text == "quick" || text == "deep")
        return {};
    return Error{ErrorKind::Invalid, inQuotes(text) + " is no way to verify." + nearestHint(text, {"quick", "deep"})};
}

Result<void> checkExportFile(std::string_view text)
{
    return onlyChecked(parseExportFile(text));
}

} // namespace loadlab::cli
