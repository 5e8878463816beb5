#pragma once

#include "core/Result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

/// What an operator types for a limit, on the command line and in a form. Errors are Invalid, quote the word as typed
/// and say what would be right.
namespace loadlab {

/// A duration above 0.
Result<std::chrono::nanoseconds> parseTimeLimit(std::string_view text);
/// A size above 0.
Result<std::uint64_t> parseCap(std::string_view text);
/// "90s", "1.5s": without loss; parseTimeLimit() reads it back.
std::string exactDuration(std::chrono::nanoseconds duration);

} // namespace loadlab
