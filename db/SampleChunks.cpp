#include "db/SampleChunks.h"

#include "core/curve/ChunkCodec.h"
#include "core/curve/CurveSummary.h"
#include "db/Sqlite.h"

#include <algorithm>
#include <optional>

namespace loadlab {
namespace {

Result<void> insertChunk(
    const sqlite::Connection& database, RunId run, std::int64_t first, std::span<const Sample> samples)
{
    const std::string data = encodeChunk(samples);
    return database
        .prepare(
            "INSERT OR REPLACE INTO sample_chunks (run, first, count, from_ns, to_ns, data) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(run.value)
        .bind(first)
        .bind(sqlite::integer(samples.size()))
        .bind(samples.front().monotonicNs)
        .bind(samples.back().monotonicNs)
        .bind(sqlite::Blob{data})
        .run();
}

Error damaged(RunId run, std::int64_t first, Error reason)
{
    return std::move(reason).in("run " + std::to_string(run.value) + ", samples from number " + std::to_string(first));
}

} // namespace

Result<SampleWriter::Tail> SampleWriter::load(const sqlite::Connection& database, RunId run)
{
    Tail tail;
    sqlite::Statement rows
        = database.prepare("SELECT first, count, data FROM sample_chunks WHERE run = ? ORDER BY first DESC");
    rows.bind(run.value);
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        const std::int64_t first = rows.integer();
        const std::int64_t count = rows.integer();
        tail.mergedCount = std::max(tail.mergedCount, first + count);
        if (static_cast<std::size_t>(count) >= kLargeChunk)
            break;
        Result<std::vector<Sample>> samples = decodeChunk(rows.bytes());
        if (!samples)
            return damaged(run, first, std::move(samples).error());
        tail.samples.insert(tail.samples.begin(), samples->begin(), samples->end());
        tail.mergedCount = first;
    }
    tail.liveFrom = tail.samples.size();
    return tail;
}

Result<SampleWriter::Tail*> SampleWriter::tailOf(const sqlite::Connection& database, RunId run)
{
    if (const auto found = m_tails.find(run); found != m_tails.end())
        return &found->second;
    return load(database, run).transform([&](Tail&& tail) { return &(m_tails[run] = std::move(tail)); });
}

Result<void> SampleWriter::add(const sqlite::Connection& database, RunId run, std::span<const Sample> samples)
{
    if (samples.empty())
        return {};
    const Result<Tail*> tail = tailOf(database, run);
    if (!tail)
        return tail.error();
    (*tail)->samples.insert((*tail)->samples.end(), samples.begin(), samples.end());
    (*tail)->changed = true;
    return {};
}

Result<void> SampleWriter::merge(const sqlite::Connection& database, RunId run, Tail& tail, std::size_t count)
{
    Result<void> done = database.prepare("DELETE FROM sample_chunks WHERE run = ? AND first >= ?")
                            .bind(run.value)
                            .bind(tail.mergedCount)
                            .run();
    const std::span merged = std::span(tail.samples).first(count);
    for (std::size_t at = 0; done && at < count; at += kLargeChunk) {
        const auto piece = merged.subspan(at, std::min(kLargeChunk, count - at));
        done = insertChunk(database, run, tail.mergedCount, piece);
        tail.mergedCount += static_cast<std::int64_t>(piece.size());
    }
    tail.samples.erase(tail.samples.begin(), tail.samples.begin() + static_cast<std::ptrdiff_t>(count));
    tail.liveFrom = 0;
    return done;
}

Result<void> SampleWriter::write(const sqlite::Connection& database, RunId run, Tail& tail)
{
    if (const std::size_t full = tail.samples.size() / kLargeChunk * kLargeChunk; full > 0)
        if (Result<void> done = merge(database, run, tail, full); !done)
            return done;
    tail.changed = false;
    const std::span live = std::span(tail.samples).subspan(tail.liveFrom);
    if (live.empty())
        return {};
    const auto first = tail.mergedCount + static_cast<std::int64_t>(tail.liveFrom);
    if (live.size() >= kSmallChunk)
        tail.liveFrom = tail.samples.size();
    return insertChunk(database, run, first, live);
}

Result<void> SampleWriter::flush(const sqlite::Connection& database)
{
    for (auto& [run, tail] : m_tails)
        if (tail.changed)
            if (Result<void> done = write(database, run, tail); !done)
                return done;
    return {};
}

Result<void> SampleWriter::close(const sqlite::Connection& database, RunId run)
{
    const Result<Tail*> tail = tailOf(database, run);
    Result<void> done = tail ? write(database, run, **tail) : tail.error();
    if (done && !(*tail)->samples.empty())
        done = merge(database, run, **tail, (*tail)->samples.size());
    m_tails.erase(run);
    return done;
}

Result<void> forEachChunk(
    const sqlite::Connection& database, RunId run, const std::function<void(std::span<const Sample>)>& take)
{
    sqlite::Statement rows = database.prepare("SELECT first, data FROM sample_chunks WHERE run = ? ORDER BY first");
    rows.bind(run.value);
    while (true) {
        const Result<bool> row = rows.step();
        if (!row || !*row)
            return row ? Result<void>() : row.error();
        const std::int64_t first = rows.integer();
        Result<std::vector<Sample>> samples = decodeChunk(rows.bytes());
        if (!samples)
            return damaged(run, first, std::move(samples).error());
        take(*samples);
    }
}

Result<Curve> readCurve(const sqlite::Connection& database, RunId run)
{
    Curve curve;
    sqlite::Statement origin = database.prepare("SELECT origin_ns FROM runs WHERE id = ?");
    const Result<bool> found = origin.bind(run.value).step();
    if (!found)
        return found.error();
    if (!*found)
        return Error{ErrorKind::NotFound, "there is no run " + std::to_string(run.value)};
    curve.originNs = origin.integer();
    Result<void> read = forEachChunk(database, run, [&curve](std::span<const Sample> samples) {
        curve.samples.insert(curve.samples.end(), samples.begin(), samples.end());
    });
    if (!read)
        return std::move(read).error();
    return curve;
}

Result<std::vector<float>> readSparkline(const sqlite::Connection& database, RunId run, std::size_t cells)
{
    std::vector<Point> tree;
    std::optional<std::int64_t> from;
    Result<void> read = forEachChunk(database, run, [&](std::span<const Sample> samples) {
        for (const Sample& sample : samples) {
            if (!from)
                from = sample.monotonicNs;
            if (sample.has(Column::TreeBytes))
                tree.push_back({static_cast<double>(std::max<std::int64_t>(sample.monotonicNs - *from, 0)) / 1e9,
                    static_cast<double>(sample[Column::TreeBytes])});
        }
    });
    if (!read)
        return std::move(read).error();
    if (tree.empty())
        return std::vector<float>();
    const std::span<const Point> load = upToEndOfLoad(tree);
    const double perS = static_cast<double>(cells) / std::max(load.back().x, 1e-9);
    std::vector<float> line(cells, -1.0F);
    for (const Point& point : load) {
        float& cell = line[std::min(static_cast<std::size_t>(point.x * perS), cells - 1)];
        cell = std::max(cell, static_cast<float>(point.y));
    }
    float before = static_cast<float>(load.front().y);
    for (float& cell : line)
        before = cell = cell < 0 ? before : cell;
    return line;
}

} // namespace loadlab
