#include "cli/Commands.h"
#include "cli/History.h"
#include "cli/Lab.h"
#include "cli/Options.h"
#include "cli/SaveFile.h"
#include "cli/Table.h"
#include "cli/Values.h"
#include "cli/VerdictCard.h"
#include "core/OrNull.h"
#include "core/ShellWords.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/curve/CurveSummary.h"
#include "core/curve/CurveText.h"

#include <nlohmann/json.hpp>

// runs, show, log, samples: what the database knows.

namespace loadlab::cli {
using nlohmann::json;
namespace {

/// Of a watched program in the table; --json has more of it, and `show` all.
constexpr std::size_t kProgramCharacters = 60;

RunFilter filterOf(const Words& words)
{
    RunFilter filter;
    if (const auto mode = words.value("--mode")) {
        ModeChoice choice = *parseModes(*mode);
        filter.modes = std::move(choice.modes);
        filter.onlyFailed = choice.onlyFailed;
    }
    filter.model = words.value("--model").value_or("");
    filter.words = words.value("--search").value_or("");
    if (const auto since = words.value("--since"))
        filter.since = *parseSince(*since, std::chrono::system_clock::now());
    if (const auto limit = words.value("--limit"))
        filter.limit = *parseCount(*limit, 1, 1'000'000);
    return filter;
}

json toJson(const RunRow& row)
{
    json checkpoint = nullptr;
    if (!row.checkpointPath.empty())
        checkpoint = {{"path", row.checkpointPath}, {"name", row.checkpointName},
            {"family", row.family.empty() ? json(nullptr) : json(row.family)}};
    return {{"run", row.run.value}, {"uuid", row.uuid},
        {"mode", row.mode ? json(std::string(toWireName(*row.mode))) : json(nullptr)},
        {"confidence", row.mode ? json(row.confidence) : json(nullptr)}, {"summary", row.summary},
        {"checkpoint", std::move(checkpoint)}, {"program", row.program.empty() ? json(nullptr) : json(row.program)},
        {"variant", loadlab::toJson(row.variant)}, {"started_utc", toIsoUtc(row.startedUtc)},
        {"duration_s", std::chrono::duration<double>(row.duration).count()},
        {"peak_tree_bytes", orNull(ifSeen(row.peakTreeBytes))}};
}

std::string rowSparkline(const RunRow& row)
{
    constexpr std::size_t cells = 12;
    std::vector<Point> points;
    for (const float value : row.sparkline)
        points.push_back({static_cast<double>(points.size()), value});
    return points.empty() ? std::string() : sparkline(points, cells);
}

void printTable(Output& out, const std::vector<RunRow>& rows)
{
    const bool curves = out.isTerminal();
    std::vector<Table::Column> columns{{"run", true}, {"mode"}, {"checkpoint", false, true},
        {"backend", false, false, 5}, {"dtype", false, false, 1}, {"device map", false, false, 4}, {"peak", true},
        {"time", true, false, 2}, {"started (UTC)", false, false, 3}};
    if (curves)
        columns.push_back({"memory", false, false, 6});
    Table table(std::move(columns));
    for (const RunRow& row : rows) {
        const bool watched = !row.program.empty(); // Which has neither dtype nor device map.
        std::vector<Table::Cell> cells{std::to_string(row.run.value),
            {row.mode ? std::string(toWireName(*row.mode)) : "in progress", paintOf(row.mode)},
            row.checkpointName.empty() ? shortenedInMiddle(row.program, kProgramCharacters) : row.checkpointName,
            row.variant.backend, watched ? std::string("-") : row.variant.dtype,
            watched ? std::string("-") : row.variant.deviceMap,
            row.mode && ifSeen(row.peakTreeBytes) ? formatSize(row.peakTreeBytes) : "-",
            row.mode ? formatDuration(row.duration) : "-", toIsoUtc(row.startedUtc).substr(0, 19)};
        if (curves)
            cells.emplace_back(rowSparkline(row));
        table.add(std::move(cells));
    }
    table.printTo(out);
}

int noRunsYet(Lab& lab, bool filtered)
{
    if (lab.json)
        lab.out.printJson(json::array());
    lab.out.note(filtered
            ? "no run fits (see 'loadlab runs' for all of them)"
            : "no runs yet in " + toUtf8(lab.database.string()) + " (the first 'loadlab run CHECKPOINT' makes it)");
    return kDone;
}

bool isFiltered(const Words& words)
{
    return words.has("--mode") || words.has("--model") || words.has("--since") || words.has("--search");
}

} // namespace

Result<History> openRun(Lab& lab, std::string_view word)
{
    Result<RunStore> store = lab.openHistory();
    if (!store && store.error().kind == ErrorKind::NotFound)
        return Error{ErrorKind::NotFound,
            inQuotes(word) + " names no run: there are no runs yet in " + toUtf8(lab.database.string())
                + " (the first 'loadlab run CHECKPOINT' makes it)."};
    if (!store)
        return std::move(store).error();
    Result<RunId> run = store->findRun(word);
    if (!run)
        return std::move(run).error();
    return History{*std::move(store), *run};
}

std::vector<Point> treeOf(const Curve& curve)
{
    return pointsOf(curve, Column::TreeBytes);
}

int historyFailed(Lab& lab, const Error& error)
{
    return error.kind == ErrorKind::NotFound ? lab.wrongUsage(error.message) : lab.failed(error);
}

int runs(Lab& lab, const Words& words)
{
    const Result<RunStore> store = lab.openHistory();
    if (!store)
        return store.error().kind == ErrorKind::NotFound ? noRunsYet(lab, false) : lab.failed(store.error());
    const Result<std::vector<RunRow>> rows = store->runs(filterOf(words));
    if (!rows)
        return lab.failed(rows.error());
    if (rows->empty())
        return noRunsYet(lab, isFiltered(words));
    if (!lab.json) {
        printTable(lab.out, *rows);
        return kDone;
    }
    json list = json::array();
    for (const RunRow& row : *rows)
        list.push_back(toJson(row));
    lab.out.printJson(list);
    return kDone;
}

int show(Lab& lab, const Words& words)
{
    const Result<History> history = openRun(lab, words.operands.front());
    if (!history)
        return historyFailed(lab, history.error());
    const Result<RunResult> result = history->store.run(history->run);
    if (!result)
        return lab.failed(result.error());
    if (lab.json) {
        lab.out.printJson(loadlab::toJson(*result));
        return kDone;
    }
    const Result<Curve> curve = history->store.curve(history->run);
    if (!curve)
        lab.out.error("the curve cannot be read: " + curve.error().message);
    printRun(lab.out, *result, curve ? treeOf(*curve) : std::vector<Point>());
    return kDone;
}

int log(Lab& lab, const Words& words)
{
    const Result<History> history = openRun(lab, words.operands.front());
    if (!history)
        return historyFailed(lab, history.error());
    const Result<std::vector<std::string>> lines = history->store.logLines(history->run);
    if (!lines)
        return lab.failed(lines.error());
    if (lab.json) {
        lab.out.printJson({{"run", history->run.value}, {"lines", *lines}});
        return kDone;
    }
    for (const std::string& line : *lines)
        lab.out.printLine(lab.out.shown(line));
    if (lines->empty())
        lab.out.note("run " + std::to_string(history->run.value) + " printed nothing");
    return kDone;
}

int samples(Lab& lab, const Words& words)
{
    const Result<History> history = openRun(lab, words.operands.front());
    if (!history)
        return historyFailed(lab, history.error());
    const Result<Curve> curve = history->store.curve(history->run);
    if (!curve)
        return lab.failed(curve.error());
    OutputStream stream(lab.out);
    if (lab.json)
        writeJson(stream, *curve);
    else
        writeCsv(stream, *curve);
    return kDone;
}

} // namespace loadlab::cli
