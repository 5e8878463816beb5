#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// A pattern whose only sign is '*': any characters, dots and none included. Matches whole names.
class Glob {
public:
    explicit Glob(std::string_view pattern);
    [[nodiscard]] bool matches(std::string_view name) const;

private:
    std::string m_first; ///< Before the first '*'.
    std::string m_last; ///< After the last '*'.
    std::vector<std::string> m_middle; ///< Between, none empty.
    bool m_isExact = false; ///< No '*': m_first is the name.
};

} // namespace loadlab
