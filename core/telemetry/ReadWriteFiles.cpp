#include "core/telemetry/ReadWriteFiles.h"

#include "core/telemetry/ProcFile.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace loadlab {
namespace {

namespace fs = std::filesystem;

bool isNamedAsRecord(const fs::path& file)
{
    constexpr std::array<std::string_view, 14> endings{".db", ".db3", ".sqlite", ".sqlite3", ".mdb", ".duckdb", "-wal",
        "-shm", "-journal", ".wal", ".journal", ".lock", ".log", ".out"};
    const std::string name = file.filename().native();
    return std::ranges::any_of(endings, [&name](std::string_view ending) { return name.ends_with(ending); })
        || name.find(".log.") != name.npos; // Turned over.
}

struct Mark {
    std::size_t at;
    std::string_view bytes;
};

bool beginsAsRecord(const fs::path& file)
{
    constexpr std::array<Mark, 7> marks{{
        {0, "SQLite format 3"}, //
        {8, "DUCK"}, //
        {16, "\xde\xc0\xef\xbe"}, // LMDB.
        {12, "\x61\x15\x06"}, // Berkeley DB, by hash,
        {12, "\x62\x31\x05"}, // by tree.
        {1, "\x9a\x57\x13"}, // GDBM, behind a byte of its kind,
        {0, "\x13\x57\x9a"}, // before it where a machine is big-endian.
    }};
    const std::string head = readSmallFile(file.string(), 32);
    return std::ranges::any_of(marks, [&head](const Mark& mark) {
        return head.compare(std::min(mark.at, head.size()), mark.bytes.size(), mark.bytes) == 0;
    });
}

bool isRecord(const fs::path& file)
{
    return file.native().starts_with("/dev/") || isNamedAsRecord(file) || beginsAsRecord(file);
}

} // namespace

ReadWriteFiles::ReadWriteFiles()
    : m_sinceNs(std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count())
{
}

bool ReadWriteFiles::isOnlyRead(const fs::path& file, const KnownFile& known)
{
    First& first = m_first[known];
    if (!first.known)
        first = {known, isRecord(file)};
    return !first.isRecord && known.modifiedNs < m_sinceNs && known.modifiedNs == first.known->modifiedNs
        && known.sizeBytes == first.known->sizeBytes;
}

} // namespace loadlab
