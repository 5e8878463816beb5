#include "core/Text.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace loadlab {
namespace {

struct Sequence {
    std::size_t length; ///< Bytes of a well-formed sequence, or of the ill-formed part to replace.
    bool wellFormed;
};

/// Unicode 15, table 3-7: the allowed second byte depends on the first, all others are 80..BF.
Sequence sequenceAt(std::string_view s, std::size_t at)
{
    const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<std::uint8_t>(s[i]) : std::uint8_t{0}; };
    const std::uint8_t first = byte(at);
    if (first < 0x80)
        return {1, true};
    if (first < 0xC2 || first > 0xF4)
        return {1, false};
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xBF;
    if (first == 0xE0)
        low = 0xA0;
    else if (first == 0xED)
        high = 0x9F;
    else if (first == 0xF0)
        low = 0x90;
    else if (first == 0xF4)
        high = 0x8F;
    for (std::size_t i = 1; i < length; ++i) {
        const std::uint8_t next = byte(at + i);
        if (at + i >= s.size() || next < low || next > high)
            return {i, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true};
}

} // namespace

bool isUtf8(std::string_view bytes)
{
    for (std::size_t i = 0; i < bytes.size();) {
        const Sequence sequence = sequenceAt(bytes, i);
        if (!sequence.wellFormed)
            return false;
        i += sequence.length;
    }
    return true;
}

std::string toUtf8(std::string_view bytes)
{
    std::string out;
    out.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size();) {
        const Sequence sequence = sequenceAt(bytes, i);
        if (sequence.wellFormed)
            out.append(bytes.substr(i, sequence.length));
        else
            out.append("\xEF\xBF\xBD");
        i += sequence.length;
    }
    return out;
}

std::string toHex(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 0xF]);
    }
    return out;
}

std::string fromHex(std::string_view hex)
{
    const auto nibble = [](char c) -> int {
        if (c >= '0' && c <= '9')
            return c - '0';
        if (c >= 'a' && c <= 'f')
            return c - 'a' + 10;
        return -1;
    };
    if (hex.size() % 2 != 0)
        return {};
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = nibble(hex[i]);
        const int low = nibble(hex[i + 1]);
        if (high < 0 || low < 0)
            return {};
        out.push_back(static_cast<char>(high * 16 + low));
    }
    return out;
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    return text;
}

std::string nearestWord(std::string_view word, const std::vector<std::string>& candidates)
{
    const auto distance = [word](std::string_view other) {
        std::vector<std::size_t> row(other.size() + 1);
        std::iota(row.begin(), row.end(), std::size_t{0});
        for (std::size_t i = 1; i <= word.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= other.size(); ++j) {
                const std::size_t substitution = diagonal + (word[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
            }
        }
        return row.back();
    };
    std::string best;
    std::size_t bestDistance = 2 + word.size() / 3;
    for (const std::string& candidate : candidates) {
        const std::size_t d = distance(candidate);
        if (d < bestDistance) {
            best = candidate;
            bestDistance = d;
        }
    }
    return best;
}

std::string didYouMean(std::string_view word, const std::vector<std::string>& candidates)
{
    if (const std::string near = nearestWord(word, candidates); !near.empty())
        return " Did you mean '" + near + "'?";
    // What was cut short is no slip of the fingers, but just as clear.
    const auto longer = std::ranges::find_if(
        candidates, [word](const std::string& candidate) { return !word.empty() && candidate.starts_with(word); });
    return longer == candidates.end() ? std::string() : " Did you mean '" + *longer + "'?";
}

std::string nearestHint(std::string_view word, const std::vector<std::string>& candidates)
{
    if (std::string near = didYouMean(word, candidates); !near.empty() || candidates.empty())
        return near;
    std::string all;
    for (const std::string& candidate : candidates)
        all += (all.empty() ? "" : ", ") + candidate;
    return " It is one of: " + all + ".";
}

} // namespace loadlab
