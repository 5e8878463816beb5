#pragma once

#include "core/Result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace loadlab {

/// "2GiB", "122GB" (10^9), "1.5 MiB", "4096": bytes. Without a unit: bytes. Decimals allowed; rounded to whole bytes.
/// Refused: negative, empty, not a number, unknown unit, more than 2^62.
Result<std::uint64_t> parseSize(std::string_view text);

/// A size or a share of a pool ("5%").
struct SizeOrPercent {
    std::uint64_t bytes = 0; ///< Meaningful when percent < 0.
    double percent = -1.0; ///< 0..100, or negative when a size was given.
};
Result<SizeOrPercent> parseSizeOrPercent(std::string_view text);

/// "90s", "15min", "2h", "1.5h", "250ms", "90" (seconds). Decimals allowed. Refused: negative, unknown unit.
Result<std::chrono::nanoseconds> parseDuration(std::string_view text);

/// Three significant digits in binary units: "0.842 GiB", "94.7 GiB", "12.0 MiB", "512 B".
std::string formatSize(std::uint64_t bytes);
/// "4GiB", "300MiB", "4097": the largest unit that loses nothing; parseSize() reads it back.
std::string exactSize(std::uint64_t bytes);
/// The figure alone in GiB with three significant digits, for columns whose header holds the unit.
std::string formatGiB(std::uint64_t bytes);
/// "1.20 GiB/s"; below 0.01 GiB/s in MiB/s.
std::string formatRate(double bytesPerSecond);
/// "8.20 s", "55.0 s", "12 min 22 s", "2 h 05 min".
std::string formatDuration(std::chrono::nanoseconds duration);
/// "2,034".
std::string formatCount(std::uint64_t count);
/// "1 tensor", "2,034 tensors": for nouns that take an s.
std::string formatCount(std::uint64_t count, std::string_view noun);
/// "494 M", "4.51 B", "35.3 B": parameters as people say them.
std::string formatParameters(std::uint64_t count);

/// "2026-01-31T12:34:56.789Z" of a system clock time, and back (nullopt-like Invalid error when malformed).
std::string toIsoUtc(std::chrono::system_clock::time_point time);
Result<std::chrono::system_clock::time_point> parseIsoUtc(std::string_view text);

/// CLOCK_MONOTONIC in nanoseconds: the one time axis of a run.
std::int64_t monotonicNs();

} // namespace loadlab
