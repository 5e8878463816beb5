#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// What a rule looks for in a line: pieces of text that must follow each other, with anything between ("*"). A "^" in
/// front ties the first piece to the beginning of the line. ASCII case does not matter. Linear in the line's length
/// whatever the pattern: no regular expressions, so no line can make a verdict slow or deep.
class Pattern {
public:
    /// Invalid patterns (nothing but "*" and "^") match nothing.
    explicit Pattern(std::string_view text);

    /// `lowered` is a line after toLowerAscii().
    [[nodiscard]] bool matches(std::string_view lowered) const;
    [[nodiscard]] bool valid() const { return !m_pieces.empty(); }

private:
    bool m_anchored = false;
    std::vector<std::string> m_pieces;
};

std::string toLowerAscii(std::string_view text);

} // namespace loadlab
