#pragma once

#include "core/FailureMode.h"
#include "core/Result.h"
#include "core/Variant.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What single words of the command line mean. Every error is wrong usage: Invalid, quotes the word as typed, names
/// what is right. Nothing is opened.
namespace loadlab::cli {

/// `--mode`: wire names, comma between, or "failed": everything that ended neither ok nor cancelled.
struct ModeChoice {
    std::vector<FailureMode> modes;
    bool onlyFailed = false;
};
Result<ModeChoice> parseModes(std::string_view text);

/// `--since`: a date ("2026-01-31", "2026-01-31T12:00:00Z", UTC) or how long ago ("2h", "7d").
Result<std::chrono::system_clock::time_point> parseSince(
    std::string_view text, std::chrono::system_clock::time_point now);

/// 1 … 1000, decimals allowed.
Result<double> parseSampleHz(std::string_view text);
/// A whole number from `least` to `most`.
Result<std::uint64_t> parseCount(std::string_view text, std::uint64_t least, std::uint64_t most);
/// "key=value" with a key.
Result<std::pair<std::string, std::string>> parseKeyValue(std::string_view text);

enum class ExportFormat { Csv, Json, Svg, Png };
std::string_view toWord(ExportFormat format);
/// From the ending of the file's name; case does not matter.
Result<ExportFormat> parseExportFile(std::string_view text);

/// RUN: a number, "last", "last:failed", or a uuid (its first 8 characters or more). Whether there is such a run, the
/// database says.
Result<void> checkRunWord(std::string_view text);

// For the table of options: the same, answering only whether the word is right.
Result<void> checkModes(std::string_view text);
Result<void> checkSince(std::string_view text);
Result<void> checkSearch(std::string_view text);
Result<void> checkTimeLimit(std::string_view text);
Result<void> checkCap(std::string_view text);
Result<void> checkSwapCap(std::string_view text);
Result<void> checkGuard(std::string_view text);
Result<void> checkSampleHz(std::string_view text);
Result<void> checkRepeat(std::string_view text);
Result<void> checkLimit(std::string_view text);
Result<void> checkKeyValue(std::string_view text);
Result<void> checkVariable(std::string_view text);
Result<void> checkMaxMemory(std::string_view text);
Result<void> checkCurveLimit(std::string_view text);
Result<void> checkCurveTime(std::string_view text);
Result<void> checkDemoSize(std::string_view text);
Result<void> checkExercise(std::string_view text);
Result<void> checkVerify(std::string_view text);
Result<void> checkExportFile(std::string_view text);

} // namespace loadlab::cli
