#pragma once

#include "core/Result.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

enum class EntryKind : std::uint8_t {
    File, ///< A regular file that may be opened: here, behind a link that stays here, or a blob of a hub cache.
    Folder,
    Absent,
    Dangling, ///< A link whose target is absent.
    Outside, ///< A link or name that leaves the checkpoint. Never followed.
    Special, ///< FIFO, socket or device. Never opened.
    Unreachable ///< The system refuses to look at it.
};

struct FolderEntry {
    std::string name; ///< Relative to the folder; bytes as on disk.
    EntryKind kind = EntryKind::Absent;
    std::uint64_t sizeBytes = 0;
    std::string
        detail; ///< Words for any kind but File and Folder: "is a FIFO", "is a link to '../x', which is absent".
};

/// What stands under a name that a checkpoint's own files gave: an index may hold any text.
FolderEntry lookUp(const std::filesystem::path& folder, std::string_view name);

/// All entries, sorted by name. Errors: Io (no permission …). Folders of more than 100,000 entries are cut there.
Result<std::vector<FolderEntry>> listFolder(const std::filesystem::path& folder);

/// What a file is for: "weights", "index", "config", "generation_config", "tokenizer", "code" or "other".
std::string_view roleOf(std::string_view name);

} // namespace loadlab
