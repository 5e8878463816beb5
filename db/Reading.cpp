#include "core/Text.h"
#include "db/RunRows.h"
#include "db/StoreState.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using sqlite::Statement;

constexpr std::size_t kShortestUuidPrefix = 8;

/// The numbers that a query with one text parameter gives.
Result<std::vector<RunId>> idsOf(Statement& rows)
{
    std::vector<RunId> ids;
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            return ids;
        ids.push_back({rows.integer()});
    }
}

Result<std::vector<RunId>> withNumber(const sqlite::Connection& database, std::string_view word)
{
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (failed != std::errc() || end != word.data() + word.size())
        return std::vector<RunId>();
    Statement rows = database.prepare("SELECT id FROM runs WHERE id = ? AND deleted_utc_ms IS NULL");
    rows.bind(number);
    return idsOf(rows);
}

Result<std::vector<RunId>> withUuid(const sqlite::Connection& database, std::string_view word)
{
    std::string begin(word); // as uuids are stored; people paste them in capitals too
    std::ranges::transform(begin, begin.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (begin.size() < kShortestUuidPrefix || begin.find_first_not_of("0123456789abcdef-") != std::string::npos)
        return std::vector<RunId>();
    Statement rows = database.prepare(
        "SELECT id FROM runs WHERE uuid >= ? AND uuid < ? AND deleted_utc_ms IS NULL ORDER BY id LIMIT 3");
    const std::string end = begin + "g";
    rows.bind(std::string_view(begin)).bind(std::string_view(end));
    return idsOf(rows);
}

Result<std::vector<RunId>> newest(const sqlite::Connection& database, bool failed)
{
    Statement rows = database.prepare(failed
            ? "SELECT r.id FROM runs r JOIN verdicts v ON v.run = r.id AND v.current = 1"
              " WHERE v.mode NOT IN ('ok', 'cancelled') AND r.deleted_utc_ms IS NULL ORDER BY r.id DESC LIMIT 1"
            : "SELECT id FROM runs WHERE deleted_utc_ms IS NULL ORDER BY id DESC LIMIT 1");
    return idsOf(rows);
}

Result<void> mustExist(const sqlite::Connection& database, RunId run)
{
    const auto found = withNumber(database, std::to_string(run.value));
    if (!found)
        return found.error();
    return found->empty() ? Result<void>(noSuchRun(database, std::to_string(run.value))) : Result<void>();
}

} // namespace

Result<RunId> RunStore::findRun(std::string_view word) const
{
    const sqlite::Connection& database = m_state->database;
    auto found = word == "last" ? newest(database, false)
        : word == "last:failed" ? newest(database, true)
                                : withNumber(database, word);
    if (found && found->empty())
        found = withUuid(database, word);
    if (!found)
        return found.error();
    if (found->size() > 1)
        return Error{
            ErrorKind::Invalid, "several runs have a uuid that begins with '" + toUtf8(word) + "'; type more of it"};
    if (!found->empty())
        return found->front();
    Error error = noSuchRun(database, word);
    if (word == "last:failed" && newest(database, false).value_or({}).size() == 1)
        error.message = "no stored run has failed";
    return error;
}

Result<RunResult> RunStore::run(RunId run) const
{
    Result<StoredRun> stored = readRun(m_state->database, run);
    if (!stored)
        return std::move(stored).error();
    if (!stored->ended)
        if (Result<void> done = reconstruct(m_state->database, run, stored->result); !done)
            return std::move(done).error();
    return std::move(stored->result);
}

Result<Curve> RunStore::curve(RunId run) const
{
    if (Result<void> exists = mustExist(m_state->database, run); !exists)
        return std::move(exists).error();
    return readCurve(m_state->database, run);
}

Result<std::vector<StoredEvent>> RunStore::events(RunId run) const
{
    if (Result<void> exists = mustExist(m_state->database, run); !exists)
        return std::move(exists).error();
    std::vector<StoredEvent> events;
    Statement rows = m_state->database.prepare("SELECT t_ns, kind, json FROM events WHERE run = ? ORDER BY seq");
    rows.bind(run.value);
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            return events;
        StoredEvent& event = events.emplace_back();
        event.tS = static_cast<double>(rows.integer()) / 1e9;
        event.kind = rows.text();
        event.json = rows.text();
    }
}

Result<std::vector<std::string>> RunStore::logLines(RunId run) const
{
    if (Result<void> exists = mustExist(m_state->database, run); !exists)
        return std::move(exists).error();
    std::vector<std::string> lines;
    Result<void> read
        = forEachLogLine(m_state->database, run, [&lines](std::string line) { lines.push_back(std::move(line)); });
    if (!read)
        return std::move(read).error();
    return lines;
}

} // namespace loadlab
