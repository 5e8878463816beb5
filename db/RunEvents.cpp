#include "core/Text.h"
#include "db/RunRows.h"
#include "db/Sqlite.h"

#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using nlohmann::json;
using sqlite::Connection;

double secondsOf(std::int64_t ns)
{
    return static_cast<double>(ns) / 1e9;
}

/// What the worker says of itself joins the environment, under the names of environmentOf(): a run that is lost keeps
/// it.
Result<void> addToEnvironment(const Connection& database, RunId run, const protocol::Hello& hello)
{
    std::map<std::string, std::string> said(hello.versions.begin(), hello.versions.end());
    for (const auto& [name, fact] : hello.facts)
        said["backend_" + name] = fact;
    const std::string text = toText(environmentToJson(said));
    return database.prepare("UPDATE run_details SET environment = json_patch(?, environment) WHERE run = ?")
        .bind(std::string_view(text))
        .bind(run.value)
        .run();
}

Result<void> beginPhase(const Connection& database, RunId run, const std::string& name, double atS)
{
    Result<void> ended
        = database.prepare("UPDATE phases SET to_s = ? WHERE run = ? AND to_s IS NULL").bind(atS).bind(run.value).run();
    if (!ended)
        return ended;
    const std::string text = toUtf8(name);
    return database
        .prepare("INSERT INTO phases (run, seq, name, from_s)"
                 " VALUES (?1, (SELECT coalesce(max(seq), -1) + 1 FROM phases WHERE run = ?1), ?2, ?3)")
        .bind(run.value)
        .bind(std::string_view(text))
        .bind(atS)
        .run();
}

Result<void> noteMessage(const Connection& database, RunId run, const protocol::Message& message, std::int64_t tNs)
{
    const auto store = [&](const char* column) {
        const std::string text = toText(toJson(message));
        return database.update("run_details", "run", run.value, {{column, std::string_view(text)}});
    };
    if (const auto* hello = std::get_if<protocol::Hello>(&message.body)) {
        Result<void> stored = store("hello");
        return stored ? addToEnvironment(database, run, *hello) : stored;
    }
    if (const auto* phase = std::get_if<protocol::PhaseEntered>(&message.body))
        return beginPhase(database, run, phase->name, secondsOf(tNs));
    if (std::holds_alternative<protocol::Progress>(message.body))
        return store("progress");
    if (std::holds_alternative<protocol::Loaded>(message.body))
        return store("loaded");
    return {};
}

Result<void> noteContained(const Connection& database, RunId run, const RunContained& contained)
{
    RunResult known;
    copyTo(known, contained);
    Result<void> noted = database.update("runs", "id", run.value,
        {{"cap_kept_by", std::string_view(known.capKeptBy)}, {"containment", std::string_view(known.containment)}});
    const std::string facts = toText(circumstancesToJson(known));
    return noted ? database.update("run_details", "run", run.value, {{"facts", std::string_view(facts)}}) : noted;
}

/// `facts` has an empty list since the group was told.
Result<void> noteWhoLeft(const Connection& database, RunId run, const std::string& process)
{
    const std::string text = toUtf8(process);
    return database
        .prepare("UPDATE run_details SET facts = json_insert(facts, '$.host.group.left_by[#]', ?) WHERE run = ?")
        .bind(std::string_view(text))
        .bind(run.value)
        .run();
}

Result<void> noteWorker(const Connection& database, RunId run, const WorkerStarted& worker, std::int64_t tNs)
{
    const std::string command = toUtf8(worker.commandLine);
    Result<void> noted = database.update("run_details", "run", run.value,
        {{"worker_pid", worker.pid}, {"worker_start_ticks", sqlite::integer(worker.startTicks)},
            {"worker_command", std::string_view(command)}});
    return noted ? beginPhase(database, run, "starting", secondsOf(tNs)) : noted; // until the worker names its first
}

} // namespace

Result<void> insertEvent(const Connection& database, RunId run, const RunEvent& event, std::int64_t originNs)
{
    const std::int64_t tNs = event.monotonicNs - originNs;
    const std::string text = toText(toJson(event, originNs));
    Result<void> inserted
        = database
              .prepare("INSERT INTO events (run, seq, t_ns, kind, json)"
                       " VALUES (?1, (SELECT coalesce(max(seq), -1) + 1 FROM events WHERE run = ?1), ?2, ?3, ?4)")
              .bind(run.value)
              .bind(tNs)
              .bind(kindOf(event))
              .bind(std::string_view(text))
              .run();
    if (!inserted)
        return inserted;
    if (const auto* message = std::get_if<protocol::Message>(&event.body))
        return noteMessage(database, run, *message, tNs);
    if (const auto* contained = std::get_if<RunContained>(&event.body))
        return noteContained(database, run, *contained);
    if (const auto* worker = std::get_if<WorkerStarted>(&event.body))
        return noteWorker(database, run, *worker, tNs);
    if (const auto* acted = std::get_if<LabActed>(&event.body); acted && acted->act == "outside_group")
        return noteWhoLeft(database, run, acted->process);
    return {};
}

} // namespace loadlab
