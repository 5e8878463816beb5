#pragma once

#include "core/Result.h"
#include "core/trial/RunEvent.h"
#include "core/trial/RunResult.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {
namespace sqlite {
class Connection;
}

/// Text of one stream as it came.
struct LogPiece {
    LogStream stream = LogStream::Stderr;
    std::int64_t tMs = 0; ///< Since the run's origin.
    std::string bytes;
    bool operator==(const LogPiece&) const = default;
};

/// Pieces as one blob of log_blocks (docs/SCHEMA.md, "Log blocks"), compressed where that makes it smaller.
std::string encodeLogBlock(const std::vector<LogPiece>& pieces);
/// Invalid when cut, damaged, of a newer format or claiming more than 16 MiB.
Result<std::vector<LogPiece>> decodeLogBlock(std::string_view blob);

/// Log text on its way into log_blocks. Offsets count every byte that the run ever said; of those the first half of the
/// limit (the head) and the newest bytes up to the limit (the tail) are kept, and what lies between shows as a gap in
/// the offsets. New text is in small blocks first and merged into blocks of 64 KiB, so that a commit rewrites little.
/// Memory: two blocks per open run. Inside db/ only.
class LogWriter {
public:
    void setLimit(std::uint64_t bytes);

    Result<void> add(
        const sqlite::Connection& database, RunId run, LogStream stream, std::int64_t tMs, std::string_view bytes);
    /// So many bytes were said and are not there to be kept.
    Result<void> skip(const sqlite::Connection& database, RunId run, std::uint64_t bytes);
    Result<void> flush(const sqlite::Connection& database);
    Result<void> close(const sqlite::Connection& database, RunId run);
    /// What was taken since the last commit is void; the database tells where to go on.
    void forget() { m_tails.clear(); }

private:
    struct Tail {
        std::uint64_t end = 0; ///< Offset behind the newest byte.
        std::uint64_t mergedEnd = 0; ///< Offset behind the last full block.
        std::uint64_t liveStart = 0; ///< Offset of the block that the next flush rewrites.
        std::uint64_t kept = 0; ///< Bytes in the database or in `pieces`.
        std::vector<LogPiece> pieces; ///< From mergedEnd to end.
        bool changed = false;
    };
    Result<Tail*> tailOf(const sqlite::Connection& database, RunId run);
    Result<void> append(const sqlite::Connection& database, RunId run, Tail& tail, LogStream stream, std::int64_t tMs,
        std::string_view bytes);
    Result<void> writeLive(const sqlite::Connection& database, RunId run, Tail& tail) const;
    Result<void> merge(const sqlite::Connection& database, RunId run, Tail& tail) const;
    Result<void> trim(const sqlite::Connection& database, RunId run, Tail& tail) const;

    std::uint64_t m_limit = std::uint64_t{16} << 20;
    std::uint64_t m_blockBytes = std::uint64_t{64} << 10;
    std::map<RunId, Tail> m_tails;
};

/// Log text as lines. A line ends at \n, \r\n or a lone \r (each state of a progress bar is a line; empty states are
/// left out). Streams are put together apart from each other and ordered by where their lines end. Valid UTF-8.
class LogLines {
public:
    using Take = std::function<void(std::string)>;
    explicit LogLines(Take take)
        : m_take(std::move(take))
    {
    }

    void feed(const LogPiece& piece);
    /// Unfinished lines end here, and a line says how many bytes are not there.
    void gap(std::uint64_t bytes);
    void finish();

private:
    struct Stream {
        std::string line;
        enum class After { Text, ReturnBehindText, ReturnBehindNothing } after = After::Text;
    };
    void feedByte(Stream& stream, char byte);
    void end(Stream& stream);

    Take m_take;
    std::map<LogStream, Stream> m_streams;
};

/// The stored log of a run through a LogLines.
Result<void> forEachLogLine(const sqlite::Connection& database, RunId run, const LogLines::Take& take);

} // namespace loadlab
