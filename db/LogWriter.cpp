#include "db/LogText.h"
#include "db/Sqlite.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::uint64_t kSmallBlockBytes = 4096;
/// Text of one stream within this time becomes one piece.
constexpr std::int64_t kJoinMs = 100;

Result<void> insertBlock(const sqlite::Connection& database, RunId run, std::uint64_t at, std::uint64_t size,
    const std::vector<LogPiece>& pieces)
{
    const std::string data = encodeLogBlock(pieces);
    return database.prepare("INSERT OR REPLACE INTO log_blocks (run, at, size, data) VALUES (?, ?, ?, ?)")
        .bind(run.value)
        .bind(sqlite::integer(at))
        .bind(sqlite::integer(size))
        .bind(sqlite::Blob{data})
        .run();
}

/// The pieces without their first `bytes` bytes.
std::vector<LogPiece> behind(const std::vector<LogPiece>& pieces, std::uint64_t bytes)
{
    std::vector<LogPiece> rest;
    for (const LogPiece& piece : pieces) {
        const auto cut = std::min<std::uint64_t>(bytes, piece.bytes.size());
        bytes -= cut;
        if (cut < piece.bytes.size())
            rest.push_back({piece.stream, piece.tMs, piece.bytes.substr(cut)});
    }
    return rest;
}

} // namespace

void LogWriter::setLimit(std::uint64_t bytes)
{
    m_limit = std::max<std::uint64_t>(bytes, 256);
    m_blockBytes = std::clamp<std::uint64_t>(m_limit / 8, 32, std::uint64_t{64} << 10);
}

Result<LogWriter::Tail*> LogWriter::tailOf(const sqlite::Connection& database, RunId run)
{
    if (const auto found = m_tails.find(run); found != m_tails.end())
        return &found->second;
    sqlite::Statement known = database.prepare("SELECT max(at + size), sum(size) FROM log_blocks WHERE run = ?");
    if (const Result<bool> row = known.bind(run.value).step(); !row)
        return row.error();
    Tail tail;
    tail.end = tail.mergedEnd = tail.liveStart = known.count();
    tail.kept = known.count();
    return &(m_tails[run] = std::move(tail));
}

Result<void> LogWriter::merge(const sqlite::Connection& database, RunId run, Tail& tail) const
{
    if (tail.end == tail.mergedEnd)
        return {};
    Result<void> done = database.prepare("DELETE FROM log_blocks WHERE run = ? AND at >= ?")
                            .bind(run.value)
                            .bind(sqlite::integer(tail.mergedEnd))
                            .run();
    if (done)
        done = insertBlock(database, run, tail.mergedEnd, tail.end - tail.mergedEnd, tail.pieces);
    tail.mergedEnd = tail.liveStart = tail.end;
    tail.pieces.clear();
    return done;
}

/// Removes the oldest blocks behind the head until the limit is kept.
Result<void> LogWriter::trim(const sqlite::Connection& database, RunId run, Tail& tail) const
{
    while (tail.kept > m_limit) {
        std::int64_t id = 0;
        {
            sqlite::Statement oldest = database.prepare(
                "SELECT id, size FROM log_blocks WHERE run = ? AND at >= ? AND at < ? ORDER BY at LIMIT 1");
            const Result<bool> row = oldest.bind(run.value)
                                         .bind(sqlite::integer(m_limit / 2))
                                         .bind(sqlite::integer(tail.mergedEnd))
                                         .step();
            if (!row || !*row)
                return row ? Result<void>() : row.error();
            id = oldest.integer();
            tail.kept -= std::min(tail.kept, oldest.count());
        }
        if (Result<void> done = database.prepare("DELETE FROM log_blocks WHERE id = ?").bind(id).run(); !done)
            return done;
    }
    return {};
}

Result<void> LogWriter::append(const sqlite::Connection& database, RunId run, Tail& tail, LogStream stream,
    std::int64_t tMs, std::string_view bytes)
{
    LogPiece* last = tail.pieces.empty() ? nullptr : &tail.pieces.back();
    if (last && last->stream == stream && tMs - last->tMs < kJoinMs)
        last->bytes += bytes;
    else
        tail.pieces.push_back({stream, tMs, std::string(bytes)});
    tail.end += bytes.size();
    tail.kept += bytes.size();
    tail.changed = true;
    const bool headEnds = tail.end == m_limit / 2;
    if (tail.end - tail.mergedEnd < m_blockBytes && !headEnds)
        return {};
    Result<void> done = merge(database, run, tail);
    return done ? trim(database, run, tail) : done;
}

Result<void> LogWriter::add(
    const sqlite::Connection& database, RunId run, LogStream stream, std::int64_t tMs, std::string_view bytes)
{
    const Result<Tail*> found = tailOf(database, run);
    if (!found)
        return found.error();
    Tail& tail = **found;
    const std::uint64_t head = m_limit / 2;
    while (!bytes.empty()) {
        // What the tail could not keep anyway need not be written first.
        if (tail.end >= head && bytes.size() > m_limit) {
            const std::uint64_t lost = bytes.size() - head;
            if (Result<void> done = skip(database, run, lost); !done)
                return done;
            bytes.remove_prefix(lost);
        }
        std::uint64_t room = m_blockBytes - std::min(m_blockBytes - 1, tail.end - tail.mergedEnd);
        if (tail.end < head) // a block never reaches from the head into the tail
            room = std::min(room, head - tail.end);
        const std::string_view part = bytes.substr(0, room);
        if (Result<void> done = append(database, run, tail, stream, tMs, part); !done)
            return done;
        bytes.remove_prefix(part.size());
    }
    return {};
}

Result<void> LogWriter::skip(const sqlite::Connection& database, RunId run, std::uint64_t bytes)
{
    const Result<Tail*> found = tailOf(database, run);
    if (!found)
        return found.error();
    Tail& tail = **found;
    Result<void> done = merge(database, run, tail);
    tail.end += bytes;
    tail.mergedEnd = tail.liveStart = tail.end;
    return done;
}

Result<void> LogWriter::writeLive(const sqlite::Connection& database, RunId run, Tail& tail) const
{
    tail.changed = false;
    if (tail.end == tail.liveStart)
        return {};
    const std::uint64_t at = tail.liveStart;
    const std::uint64_t size = tail.end - at;
    if (size >= kSmallBlockBytes)
        tail.liveStart = tail.end;
    Result<void> done = insertBlock(database, run, at, size, behind(tail.pieces, at - tail.mergedEnd));
    return done ? trim(database, run, tail) : done;
}

Result<void> LogWriter::flush(const sqlite::Connection& database)
{
    for (auto& [run, tail] : m_tails)
        if (tail.changed)
            if (Result<void> done = writeLive(database, run, tail); !done)
                return done;
    return {};
}

Result<void> LogWriter::close(const sqlite::Connection& database, RunId run)
{
    const Result<Tail*> tail = tailOf(database, run);
    Result<void> done = tail ? merge(database, run, **tail) : tail.error();
    if (done)
        done = trim(database, run, **tail);
    m_tails.erase(run);
    return done;
}

} // namespace loadlab
