#pragma once

#include "core/Digest.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/swap.h>

namespace loadlab::test {

/// A swap file in use, gone with this object, also where a test fails.
class SwapFile {
public:
    SwapFile(const std::filesystem::path& folder, std::uint64_t bytes)
        : m_file((folder / ("swap-" + makeUuid())).string())
    {
        const std::string make = "head -c " + std::to_string(bytes) + " /dev/zero > " + m_file + " && chmod 600 "
            + m_file + " && mkswap " + m_file + " >/dev/null 2>&1";
        m_on = std::system(make.c_str()) == 0 && ::swapon(m_file.c_str(), 0) == 0;
    }
    ~SwapFile()
    {
        if (m_on)
            ::swapoff(m_file.c_str());
        std::error_code ignored;
        std::filesystem::remove(m_file, ignored);
    }
    SwapFile(const SwapFile&) = delete;
    SwapFile& operator=(const SwapFile&) = delete;
    [[nodiscard]] bool isOn() const { return m_on; }

private:
    std::string m_file;
    bool m_on = false;
};

} // namespace loadlab::test
