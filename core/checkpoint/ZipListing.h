#pragma once

#include "core/Result.h"
#include "core/checkpoint/JsonFile.h"
#include "core/checkpoint/RegularFile.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// One member of a zip archive, from the central directory.
struct ZipEntry {
    std::string name; ///< Bytes as stored.
    std::uint64_t storedBytes = 0; ///< In the archive.
    std::uint64_t sizeBytes = 0; ///< Unpacked.
    std::uint64_t headerOffset = 0; ///< Of the local header.
    bool isStored = false; ///< Not compressed: the bytes can be mapped where they lie (torch.save and torch.jit.save).
};

/// The listing of a zip archive (zip64 too), read from its end. Nothing is unpacked.
struct ZipListing {
    std::vector<ZipEntry> entries;
    std::optional<FileDefect> defect; ///< Entries are then empty. Cut short: no directory at the end.

    [[nodiscard]] const ZipEntry* find(std::string_view name) const;
};

/// Directories larger than this are refused.
inline constexpr std::uint64_t kMaxZipDirectoryBytes = std::uint64_t{64} << 20;

/// Whether the file begins like a zip archive.
bool looksLikeZip(std::string_view head);
/// Errors: Io.
Result<ZipListing> readZipListing(const RegularFile& file);
/// Where the bytes of a member begin: behind its local header. Errors: Io; Invalid where there is no such header.
Result<std::uint64_t> dataOffsetOf(const RegularFile& file, const ZipEntry& entry);

} // namespace loadlab
