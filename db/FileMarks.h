#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace loadlab {

/// Whose database it is, and in which shape: PRAGMA application_id and user_version. Inside db/ only.
struct FileMarks {
    std::int64_t applicationId = 0;
    std::int64_t schema = 0;
    [[nodiscard]] bool areOurs() const;
};

/// As the first 100 bytes of a database tell them, whether or not the rest is whole. None: this is no header.
std::optional<FileMarks> marksInHeader(std::string_view bytes);

/// As the newest first page in the -wal beside `file` tells them. None: there is no such page.
std::optional<FileMarks> marksInLog(const std::filesystem::path& file);

} // namespace loadlab
