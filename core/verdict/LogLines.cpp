#include "core/verdict/LogLines.h"

#include "core/Text.h"
#include "core/verdict/Pattern.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::size_t kMaxLineBytes = 2000;
constexpr std::size_t kMaxLines = 4000;

/// Without ESC [ … letter and other control characters; tabs and ends of lines become blanks.
std::string withoutControls(std::string_view text)
{
    std::string clean;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == 0x1B && i + 1 < text.size() && text[i + 1] == '[') {
            i += 2;
            while (i < text.size() && (static_cast<unsigned char>(text[i]) < 0x40 || text[i] == 0x7F))
                ++i;
        } else if (c == '\t' || c == '\n' || c == '\r') {
            clean.push_back(' ');
        } else if (c >= 0x20 && c != 0x7F) {
            clean.push_back(text[i]);
        }
    }
    return clean;
}

} // namespace

std::vector<LogLine> logLines(std::string_view log)
{
    std::vector<LogLine> lines;
    while (!log.empty()) {
        const auto raw = log.substr(0, log.find_first_of("\n\r"));
        log.remove_prefix(std::min(log.size(), raw.size() + 1));
        const auto clean = withoutControls(raw.substr(0, kMaxLineBytes));
        const auto text = trimmed(clean);
        if (!text.empty())
            lines.push_back({toUtf8(text), toLowerAscii(text), text.data() != clean.data()});
    }
    if (lines.size() > kMaxLines)
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMaxLines));
    return lines;
}

std::string excerpt(std::string_view text, std::size_t maxBytes)
{
    auto line = withoutControls(text.substr(0, maxBytes * 4));
    std::string_view words = trimmed(line);
    const bool cut = words.size() > maxBytes || text.size() > maxBytes * 4;
    words = words.substr(0, maxBytes);
    while (cut && !words.empty() && (static_cast<unsigned char>(words.back()) & 0xC0) == 0x80)
        words.remove_suffix(1);
    if (cut && !words.empty() && static_cast<unsigned char>(words.back()) >= 0xC0)
        words.remove_suffix(1);
    return toUtf8(words) + (cut ? "…" : "");
}

} // namespace loadlab
