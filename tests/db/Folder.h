#pragma once

#include "core/Digest.h"

#include <QtGlobal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace loadlab::test {

inline std::string bytesOf(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void writeFile(const std::filesystem::path& file, const std::string& bytes)
{
    std::ofstream(file, std::ios::binary) << bytes;
}

/// A folder that is gone after the test.
class Folder {
public:
    Folder()
        : m_path(std::filesystem::temp_directory_path() / "loadlab-XXXXXX")
    {
        std::string name = m_path.native();
        if (!::mkdtemp(name.data()))
            qFatal("cannot make %s", name.c_str());
        m_path = name;
    }
    ~Folder() { std::filesystem::remove_all(m_path); } // names that are no UTF-8 too, which QTemporaryDir cannot
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] std::filesystem::path file(const std::string& name = "runs.sqlite") const { return path() / name; }

    /// Every name with the digest of its bytes: two equal pictures mean that nothing was changed, made or removed.
    [[nodiscard]] std::map<std::string, std::string> picture() const
    {
        std::map<std::string, std::string> all;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path()))
            all[entry.path().native()]
                = !entry.is_symlink() && entry.is_regular_file() ? sha256Hex(bytesOf(entry.path())) : "";
        return all;
    }

private:
    std::filesystem::path m_path;
};

} // namespace loadlab::test
