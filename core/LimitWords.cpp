#include "core/LimitWords.h"

#include "core/Text.h"
#include "core/Units.h"

namespace loadlab {
namespace {

Error notRight(std::string_view text, const std::string& what)
{
    return {ErrorKind::Invalid, "'" + toUtf8(text) + "' is no " + what + "."};
}

} // namespace

Result<std::chrono::nanoseconds> parseTimeLimit(std::string_view text)
{
    Result<std::chrono::nanoseconds> limit = parseDuration(text);
    if (limit && limit->count() <= 0)
        return notRight(text, "time limit: it must be longer than nothing (examples: 90s, 15min)");
    return limit;
}

Result<std::uint64_t> parseCap(std::string_view text)
{
    Result<std::uint64_t> cap = parseSize(text);
    if (cap && *cap == 0)
        return notRight(text, "memory cap: nothing runs in no memory (examples: 300MiB, 16GiB)");
    return cap;
}

std::string exactDuration(std::chrono::nanoseconds duration)
{
    const std::int64_t count = duration.count();
    std::string word = std::to_string(count / 1'000'000'000);
    if (const std::int64_t rest = count % 1'000'000'000; rest != 0) {
        std::string digits = std::to_string(rest);
        digits.insert(0, 9 - digits.size(), '0');
        while (digits.back() == '0')
            digits.pop_back();
        word += "." + digits;
    }
    return word + "s";
}

} // namespace loadlab
