#pragma once

#include "core/Result.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace loadlab {

/// A regular file, open for reading. Nothing else is ever opened: the path is looked at through a descriptor that reads
/// nothing (O_PATH), and only when that is a regular file is the same inode opened. A FIFO cannot block us, a device
/// sees no open. Links are followed; whether a link may be followed is the caller's question (FolderListing).
class RegularFile {
public:
    /// Errors, whose message leaves out the path (the caller knows it as a relative one): NotFound, Invalid for
    /// anything but a regular file ("is a FIFO …"), Io with the system's words.
    static Result<RegularFile> open(const std::filesystem::path& file);

    RegularFile(RegularFile&& other) noexcept;
    RegularFile& operator=(RegularFile&& other) noexcept;
    ~RegularFile();

    [[nodiscard]] std::uint64_t sizeBytes() const { return m_sizeBytes; } ///< At opening.
    [[nodiscard]] int descriptor() const { return m_descriptor; }

    /// Reads until `into` is full or the file ends; the count read.
    [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<char> into) const;
    /// At most `limit` bytes from the beginning.
    [[nodiscard]] Result<std::string> readHead(std::size_t limit) const;

private:
    RegularFile(int descriptor, std::uint64_t sizeBytes)
        : m_descriptor(descriptor)
        , m_sizeBytes(sizeBytes)
    {
    }

    int m_descriptor = -1;
    std::uint64_t m_sizeBytes = 0;
};

/// "a FIFO", "a socket", "a folder" …: of a st_mode that is no regular file.
std::string_view wordsForKind(unsigned mode);

} // namespace loadlab
