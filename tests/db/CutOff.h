#pragma once

#include "Folder.h"

#include <optional>

namespace loadlab::test {

/// The files as a lab leaves them that is killed now.
inline void copyWithLog(const std::filesystem::path& from, const std::filesystem::path& to)
{
    for (const char* suffix : {"", "-wal"})
        std::filesystem::copy_file(from.native() + suffix, to.native() + suffix);
}

/// What a checkpoint does first: the newest page 1 in the log goes into the main file, which then counts more pages
/// than it has.
inline void writeFirstPageOfLog(const std::filesystem::path& file)
{
    constexpr std::size_t kPage = 4096;
    const std::string log = bytesOf(file.native() + "-wal");
    std::string main = bytesOf(file);
    std::optional<std::string> first;
    for (std::size_t frame = 32; frame + 24 + kPage <= log.size(); frame += 24 + kPage)
        if (log.substr(frame, 4) == std::string("\0\0\0\1", 4))
            first = log.substr(frame + 24, kPage);
    if (!first || static_cast<unsigned char>((*first)[31]) * kPage <= main.size())
        qFatal("nothing to cut off in %s", file.c_str());
    writeFile(file, main.replace(0, kPage, *first));
}

} // namespace loadlab::test
