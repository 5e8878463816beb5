#include "core/checkpoint/ZipListing.h"

#include "core/Units.h"

#include <algorithm>
#include <cstring>

namespace loadlab {
namespace {

constexpr std::string_view kLocalMagic = "PK\x03\x04";
constexpr std::string_view kEntryMagic = "PK\x01\x02";
constexpr std::string_view kEndMagic = "PK\x05\x06";
constexpr std::string_view kEnd64Magic = "PK\x06\x06";
constexpr std::string_view kLocatorMagic = "PK\x06\x07";
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kEntryBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kMaxComment = 65535;

/// Little-endian numbers at places that may lie outside: 0 there.
class Bytes {
public:
    explicit Bytes(std::string_view bytes)
        : m_bytes(bytes)
    {
    }
    [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t width) const
    {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < width && at + i < m_bytes.size(); ++i)
            value |= std::uint64_t{static_cast<unsigned char>(m_bytes[at + i])} << (8 * i);
        return value;
    }
    [[nodiscard]] bool has(std::size_t at, std::string_view magic) const
    {
        return m_bytes.substr(std::min(at, m_bytes.size())).starts_with(magic);
    }

private:
    std::string_view m_bytes;
};

struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t sizeBytes = 0;
    std::uint64_t count = 0;
};

FileDefect wrong(std::string text)
{
    return {FailureMode::CorruptFile, "invalid zip archive: " + std::move(text), false};
}

Result<std::string> readAt(const RegularFile& file, std::uint64_t offset, std::size_t length)
{
    std::string bytes(length, '\0');
    const Result<std::size_t> got = file.read(offset, bytes);
    if (!got)
        return got.error();
    bytes.resize(*got);
    return bytes;
}

/// The directory by the record at the archive's end, the zip64 one where the plain one is full.
Result<std::optional<Directory>> findDirectory(const RegularFile& file)
{
    const std::uint64_t size = file.sizeBytes();
    const std::uint64_t from = size - std::min<std::uint64_t>(size, kEndBytes + kMaxComment + kLocatorBytes);
    const Result<std::string> tail = readAt(file, from, static_cast<std::size_t>(size - from));
    if (!tail)
        return tail.error();
    const std::size_t end = tail->rfind(kEndMagic);
    if (end == std::string::npos || tail->size() - end < kEndBytes)
        return std::optional<Directory>();
    const Bytes bytes(*tail);
    Directory directory{bytes.number(end + 16, 4), bytes.number(end + 12, 4), bytes.number(end + 10, 2)};
    if (end < kLocatorBytes || !bytes.has(end - kLocatorBytes, kLocatorMagic))
        return std::optional(directory);
    const Result<std::string> record = readAt(file, bytes.number(end - kLocatorBytes + 8, 8), kEnd64Bytes);
    if (!record)
        return record.error();
    const Bytes wide(*record);
    if (wide.has(0, kEnd64Magic) && record->size() == kEnd64Bytes)
        directory = {wide.number(48, 8), wide.number(40, 8), wide.number(32, 8)};
    return std::optional(directory);
}

/// Replaces the fields of an entry that are full by those of its zip64 extra field.
void widen(ZipEntry& entry, std::string_view extra)
{
    constexpr std::uint64_t full = 0xFFFFFFFF;
    const Bytes bytes(extra);
    for (std::size_t at = 0; at + 4 <= extra.size();) {
        const auto length = static_cast<std::size_t>(bytes.number(at + 2, 2));
        if (bytes.number(at, 2) == 1) {
            std::size_t field = at + 4;
            for (std::uint64_t* value : {&entry.sizeBytes, &entry.storedBytes, &entry.headerOffset})
                if (*value == full) {
                    *value = bytes.number(field, 8);
                    field += 8;
                }
            return;
        }
        at += 4 + length;
    }
}

std::optional<FileDefect> parseDirectory(std::string_view text, std::uint64_t count, ZipListing& listing)
{
    const Bytes bytes(text);
    for (std::size_t at = 0; listing.entries.size() < count;) {
        if (!bytes.has(at, kEntryMagic) || text.size() - at < kEntryBytes)
            return wrong("its directory ends after " + formatCount(listing.entries.size()) + " of " + formatCount(count)
                + " members");
        const auto nameBytes = static_cast<std::size_t>(bytes.number(at + 28, 2));
        const auto extraBytes = static_cast<std::size_t>(bytes.number(at + 30, 2));
        const auto commentBytes = static_cast<std::size_t>(bytes.number(at + 32, 2));
        if (text.size() - at - kEntryBytes < nameBytes + extraBytes + commentBytes)
            return wrong("a member's name runs over the end of the directory");
        ZipEntry entry{std::string(text.substr(at + kEntryBytes, nameBytes)), bytes.number(at + 20, 4),
            bytes.number(at + 24, 4), bytes.number(at + 42, 4), bytes.number(at + 10, 2) == 0};
        widen(entry, text.substr(at + kEntryBytes + nameBytes, extraBytes));
        listing.entries.push_back(std::move(entry));
        at += kEntryBytes + nameBytes + extraBytes + commentBytes;
    }
    return std::nullopt;
}

} // namespace

const ZipEntry* ZipListing::find(std::string_view name) const
{
    const auto found
        = std::find_if(entries.begin(), entries.end(), [name](const ZipEntry& entry) { return entry.name == name; });
    return found == entries.end() ? nullptr : &*found;
}

bool looksLikeZip(std::string_view head)
{
    return head.starts_with(kLocalMagic) || head.starts_with(kEndMagic);
}

Result<ZipListing> readZipListing(const RegularFile& file)
{
    ZipListing listing;
    const Result<std::optional<Directory>> found = findDirectory(file);
    if (!found)
        return found.error();
    if (!*found) {
        listing.defect = FileDefect{FailureMode::IncompleteDownload,
            "cut short: the zip archive's directory, which belongs at its end, is not among the "
                + formatCount(file.sizeBytes()) + " bytes",
            false};
        return listing;
    }
    const Directory& directory = **found;
    if (directory.sizeBytes > kMaxZipDirectoryBytes || directory.count > directory.sizeBytes / kEntryBytes) {
        listing.defect = wrong("a directory of " + formatCount(directory.sizeBytes) + " bytes for "
            + formatCount(directory.count) + " members");
        return listing;
    }
    const Result<std::string> text = readAt(file, directory.offset, static_cast<std::size_t>(directory.sizeBytes));
    if (!text)
        return text.error();
    listing.defect = parseDirectory(*text, directory.count, listing);
    if (listing.defect)
        listing.entries.clear();
    return listing;
}

Result<std::uint64_t> dataOffsetOf(const RegularFile& file, const ZipEntry& entry)
{
    const Result<std::string> header = readAt(file, entry.headerOffset, kLocalBytes);
    if (!header)
        return header.error();
    const Bytes bytes(*header);
    if (header->size() < kLocalBytes || !bytes.has(0, kLocalMagic))
        return Error{ErrorKind::Invalid,
            "no member's header at byte " + std::to_string(entry.headerOffset) + " of the zip archive"};
    const std::uint64_t begin = entry.headerOffset + kLocalBytes + bytes.number(26, 2) + bytes.number(28, 2);
    if (begin > file.sizeBytes() || file.sizeBytes() - begin < entry.storedBytes)
        return Error{ErrorKind::Invalid, "a member reaches over the end of the zip archive"};
    return begin;
}

} // namespace loadlab
