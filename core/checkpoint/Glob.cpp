#include "core/checkpoint/Glob.h"

namespace loadlab {

Glob::Glob(std::string_view pattern)
{
    const std::size_t star = pattern.find('*');
    m_first = pattern.substr(0, star);
    m_isExact = star == std::string_view::npos;
    if (m_isExact)
        return;
    pattern.remove_prefix(star + 1);
    for (std::size_t at = pattern.find('*'); at != std::string_view::npos; at = pattern.find('*')) {
        if (at > 0)
            m_middle.emplace_back(pattern.substr(0, at));
        pattern.remove_prefix(at + 1);
    }
    m_last = pattern;
}

bool Glob::matches(std::string_view name) const
{
    if (m_isExact)
        return name == m_first;
    if (name.size() < m_first.size() + m_last.size() || !name.starts_with(m_first) || !name.ends_with(m_last))
        return false;
    std::string_view rest = name.substr(m_first.size(), name.size() - m_first.size() - m_last.size());
    for (const std::string& part : m_middle) {
        const std::size_t at = rest.find(part);
        if (at == std::string_view::npos)
            return false;
        rest.remove_prefix(at + part.size());
    }
    return true;
}

} // namespace loadlab
