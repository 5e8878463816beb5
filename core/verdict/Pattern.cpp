#include "core/verdict/Pattern.h"

#include <algorithm>

namespace loadlab {

Pattern::Pattern(std::string_view text)
{
    if (!text.empty() && text.front() == '^') {
        m_anchored = true;
        text.remove_prefix(1);
    }
    while (!text.empty()) {
        const auto piece = text.substr(0, text.find('*'));
        text.remove_prefix(std::min(text.size(), piece.size() + 1));
        if (!piece.empty())
            m_pieces.push_back(toLowerAscii(piece));
    }
}

bool Pattern::matches(std::string_view lowered) const
{
    if (m_pieces.empty() || (m_anchored && lowered.substr(0, m_pieces.front().size()) != m_pieces.front()))
        return false;
    for (const auto& piece : m_pieces) {
        const auto at = lowered.find(piece);
        if (at == lowered.npos)
            return false;
        lowered.remove_prefix(at + piece.size());
    }
    return true;
}

std::string toLowerAscii(std::string_view text)
{
    std::string lowered(text);
    for (auto& c : lowered)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return lowered;
}

} // namespace loadlab
