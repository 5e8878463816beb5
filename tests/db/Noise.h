#pragma once

#include <cstdint>
#include <string>

namespace loadlab::test {

/// Text that no compressor makes small.
inline std::string noise(std::size_t bytes)
{
    std::string text(bytes, '\0');
    std::uint32_t state = 1;
    for (char& byte : text)
        byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return text;
}

} // namespace loadlab::test
