#include "core/ShellWords.h"
#include "core/Text.h"
#include "db/StoreState.h"
#include "db/TextIndex.h"

#include <cstring>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using nlohmann::json;
using sqlite::Statement;

/// The text of a query and what its parameters stand for.
struct Query {
    std::string sql;
    std::vector<std::variant<std::int64_t, std::string>> parameters;

    void where(std::string_view condition) { sql += std::string(" AND ") + std::string(condition); }
    void where(std::string_view condition, std::variant<std::int64_t, std::string> parameter)
    {
        where(condition);
        parameters.push_back(std::move(parameter));
    }
    void bindTo(Statement& statement) const
    {
        for (const auto& parameter : parameters)
            std::visit([&statement](const auto& value) { statement.bind(sqlite::Value(value)); }, parameter);
    }
};

/// For LIKE … ESCAPE '\': the text anywhere.
std::string anywhere(std::string_view text)
{
    std::string pattern = "%";
    for (const char byte : text) {
        if (byte == '%' || byte == '_' || byte == '\\')
            pattern += '\\';
        pattern += byte;
    }
    return pattern + "%";
}

void addModes(Query& query, const RunFilter& filter)
{
    if (filter.onlyFailed)
        query.where("v.mode NOT IN ('ok', 'cancelled')");
    if (filter.modes.empty())
        return;
    std::string marks;
    for (const FailureMode mode : filter.modes) {
        marks += marks.empty() ? "?" : ", ?";
        query.parameters.emplace_back(std::string(toWireName(mode)));
    }
    query.where("v.mode IN (" + marks + ")");
}

void addMatches(Query& query, const std::vector<std::string>& expressions)
{
    for (const std::string& expression : expressions)
        query.where(
            std::string("r.id IN (SELECT ") + kRunOfText + " FROM run_text WHERE run_text MATCH ?)", expression);
}

void addConditions(Query& query, const RunFilter& filter)
{
    query.sql += " FROM runs r LEFT JOIN checkpoints c ON c.id = r.checkpoint"
                 " LEFT JOIN verdicts v ON v.run = r.id AND v.current = 1 WHERE r.deleted_utc_ms IS NULL";
    addModes(query, filter);
    if (!filter.model.empty())
        query.where("c.name LIKE ? ESCAPE '\\'", anywhere(filter.model));
    if (!filter.dtype.empty())
        query.where("r.dtype = ?", filter.dtype);
    if (!filter.deviceMap.empty())
        query.where("r.device_map = ?", filter.deviceMap);
    if (!filter.backend.empty())
        query.where("r.backend = ?", filter.backend);
    if (filter.since)
        query.where("r.started_utc_ms >= ?",
            std::int64_t{std::chrono::ceil<std::chrono::milliseconds>(filter.since->time_since_epoch()).count()});
}

const char* orderBy(RunOrder order)
{
    switch (order) {
    case RunOrder::Newest:
        return " ORDER BY r.id DESC";
    case RunOrder::Oldest:
        return " ORDER BY r.id";
    case RunOrder::Model:
        return " ORDER BY c.name COLLATE NOCASE, r.id DESC";
    case RunOrder::Mode:
        return " ORDER BY v.mode, r.id DESC";
    case RunOrder::Dtype:
        return " ORDER BY r.dtype, r.id DESC";
    case RunOrder::DeviceMap:
        return " ORDER BY r.device_map, r.id DESC";
    case RunOrder::Backend:
        return " ORDER BY r.backend, r.id DESC";
    case RunOrder::PeakUp:
        return " ORDER BY r.peak_tree_bytes, r.id DESC";
    case RunOrder::PeakDown:
        return " ORDER BY r.peak_tree_bytes DESC, r.id DESC";
    case RunOrder::DurationUp:
        return " ORDER BY r.duration_ns, r.id DESC";
    case RunOrder::DurationDown:
        return " ORDER BY r.duration_ns DESC, r.id DESC";
    }
    return "";
}

Variant readVariant(Statement& row)
{
    Variant variant;
    variant.backend = row.text();
    variant.environment = row.optionalText();
    variant.dtype = row.text();
    variant.deviceMap = row.text();
    const std::string maxMemory = row.text();
    const std::string options = row.text();
    if (maxMemory.empty() && options == "{}") // nearly always; parsing would be most of the list's time
        return variant;
    json parts{{"backend", variant.backend},
        {"max_memory", json::parse(maxMemory.empty() ? "null" : maxMemory, nullptr, false)},
        {"options", json::parse(options, nullptr, false)}};
    if (const Result<Variant> parsed = variantFromJson(parts)) {
        variant.maxMemory = parsed->maxMemory;
        variant.options = parsed->options;
    }
    return variant;
}

constexpr const char* kRowColumns
    = "SELECT r.id, r.uuid, v.mode, v.confidence, v.summary, c.name, c.path, c.family,"
      " r.backend, r.environment, r.dtype, r.device_map, r.max_memory, r.options,"
      " r.started_utc_ms, r.duration_ns, r.peak_tree_bytes, r.sparkline,"
      // Of the few that have no checkpoint: what was watched.
      " CASE WHEN r.checkpoint IS NULL THEN (SELECT coalesce(json_extract(d.settings, '$.program'),"
      " d.worker_command) FROM run_details d WHERE d.run = r.id) END";

RunRow readRow(Statement& row)
{
    RunRow run;
    run.run = {row.integer()};
    run.uuid = row.text();
    if (const auto mode = row.optionalText()) // a word of a newer LoadLab is unknown here, but not "in progress"
        run.mode = findFailureMode(*mode).value_or(FailureMode::Unknown);
    run.confidence = row.real();
    run.summary = row.text();
    run.checkpointName = row.text();
    run.checkpointPath = row.text();
    run.family = row.text();
    run.variant = readVariant(row);
    run.startedUtc = std::chrono::system_clock::time_point(std::chrono::milliseconds(row.integer()));
    run.duration = std::chrono::nanoseconds(row.integer());
    run.peakTreeBytes = row.count();
    const std::string_view line = row.bytes();
    run.sparkline.resize(std::min<std::size_t>(line.size() / sizeof(float), 64));
    if (!run.sparkline.empty())
        std::memcpy(run.sparkline.data(), line.data(), run.sparkline.size() * sizeof(float));
    if (const Result<SplitLine> program = splitLikeShell(row.text()))
        run.program = programWords(program->words);
    return run;
}

Result<Query> queryOf(const char* columns, const RunFilter& filter)
{
    Query query{columns, {}};
    addConditions(query, filter);
    const Result<std::vector<std::string>> expressions
        = filter.words.empty() ? std::vector<std::string>() : matchExpressions(filter.words);
    if (!expressions)
        return expressions.error();
    addMatches(query, *expressions);
    return query;
}

} // namespace

Result<std::vector<RunRow>> RunStore::runs(const RunFilter& filter) const
{
    Result<Query> query = queryOf(kRowColumns, filter);
    if (!query)
        return std::move(query).error();
    query->sql += orderBy(filter.order);
    query->sql += " LIMIT ? OFFSET ?";
    query->parameters.emplace_back(filter.limit ? static_cast<std::int64_t>(filter.limit) : std::int64_t{-1});
    query->parameters.emplace_back(static_cast<std::int64_t>(filter.offset));
    Statement rows = m_state->database.prepare(query->sql);
    query->bindTo(rows);
    std::vector<RunRow> list;
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            return list;
        list.push_back(readRow(rows));
    }
}

Result<std::uint64_t> RunStore::countRuns(const RunFilter& filter) const
{
    const Result<Query> query = queryOf("SELECT count(*)", filter);
    if (!query)
        return query.error();
    Statement rows = m_state->database.prepare(query->sql);
    query->bindTo(rows);
    return rows.step().transform([&rows](bool) { return rows.count(); });
}

} // namespace loadlab
