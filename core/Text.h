#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// The bytes as valid UTF-8: every ill-formed sequence (by the WHATWG rule of maximal subparts) becomes one U+FFFD.
/// File names and program output are bytes; everything that leaves the lab goes through this.
std::string toUtf8(std::string_view bytes);
[[nodiscard]] bool isUtf8(std::string_view bytes);

/// Lower-case hexadecimal of the bytes and back (odd length or other characters: empty result).
std::string toHex(std::string_view bytes);
std::string fromHex(std::string_view hex);

/// Without the spaces at both ends.
std::string_view trimmed(std::string_view text);

/// The candidate with the smallest edit distance to the word, when it is near enough to be a slip of the fingers
/// (distance at most 1 + a third of the word's length); else empty.
std::string nearestWord(std::string_view word, const std::vector<std::string>& candidates);
/// " Did you mean 'x'?"; empty where nothing is near.
std::string didYouMean(std::string_view word, const std::vector<std::string>& candidates);
/// " Did you mean 'x'?" or, where nothing is near, " It is one of: a, b, c." Empty without candidates.
std::string nearestHint(std::string_view word, const std::vector<std::string>& candidates);

} // namespace loadlab
