#include "core/Text.h"
#include "core/Units.h"
#include "db/LogText.h"
#include "db/Sqlite.h"

namespace loadlab {

void LogLines::end(Stream& stream)
{
    m_take(toUtf8(stream.line));
    stream.line.clear();
}

void LogLines::feedByte(Stream& stream, char byte)
{
    using After = Stream::After;
    if (byte == '\r') {
        if (!stream.line.empty()) {
            end(stream);
            stream.after = After::ReturnBehindText;
        } else if (stream.after == After::Text) {
            stream.after = After::ReturnBehindNothing;
        }
        return;
    }
    if (byte == '\n') {
        if (stream.after != After::ReturnBehindText) // else this is the second half of a line end
            end(stream);
    } else {
        stream.line += byte;
    }
    stream.after = After::Text;
}

void LogLines::feed(const LogPiece& piece)
{
    Stream& stream = m_streams[piece.stream];
    for (const char byte : piece.bytes)
        feedByte(stream, byte);
}

void LogLines::gap(std::uint64_t bytes)
{
    finish();
    m_take("[" + formatCount(bytes) + " bytes of log text were not kept here]");
}

void LogLines::finish()
{
    for (auto& [kind, stream] : m_streams)
        if (!stream.line.empty())
            end(stream);
    m_streams.clear();
}

Result<void> forEachLogLine(const sqlite::Connection& database, RunId run, const LogLines::Take& take)
{
    LogLines lines(take);
    std::uint64_t expected = 0;
    sqlite::Statement rows = database.prepare("SELECT at, size, data FROM log_blocks WHERE run = ? ORDER BY at");
    rows.bind(run.value);
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        const std::uint64_t at = rows.count();
        const std::uint64_t size = rows.count();
        Result<std::vector<LogPiece>> pieces = decodeLogBlock(rows.bytes());
        if (!pieces)
            return std::move(pieces).error().in(
                "run " + std::to_string(run.value) + ", log from byte " + std::to_string(at));
        if (at > expected)
            lines.gap(at - expected);
        for (const LogPiece& piece : *pieces)
            lines.feed(piece);
        expected = at + size;
    }
    lines.finish();
    return {};
}

} // namespace loadlab
