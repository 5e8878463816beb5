#include "core/Digest.h"
#include "core/ShellWords.h"
#include "core/Text.h"
#include "core/trial/RunAccount.h"
#include "db/RunRows.h"
#include "db/Sqlite.h"
#include "db/TextIndex.h"

#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using nlohmann::json;
using sqlite::Connection;
using sqlite::Value;

std::int64_t toMs(std::chrono::system_clock::time_point time)
{
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Value orNull(const std::optional<std::uint64_t>& value)
{
    return value ? sqlite::integer(*value) : Value(nullptr);
}

Value orNull(const std::optional<std::chrono::nanoseconds>& value)
{
    return value ? Value(std::int64_t{value->count()}) : Value(nullptr);
}

Value orNull(const std::optional<std::string>& value)
{
    return value ? Value(std::string_view(*value)) : Value(nullptr);
}

std::optional<std::string> utf8(const std::optional<std::string>& bytes)
{
    return bytes ? std::optional(toUtf8(*bytes)) : std::nullopt;
}

/// One row per machine and state it was seen in (kernel, memory, …): the boot id alone makes no new one.
Result<std::int64_t> machineRow(const Connection& database, const MachineInfo& machine)
{
    json facts = toJson(machine);
    facts.erase("boot_id");
    const std::string text = toText(facts);
    const std::string digest = sha256Hex(text);
    sqlite::Statement known = database.prepare("SELECT id FROM machines WHERE digest = ?");
    const Result<bool> found = known.bind(std::string_view(digest)).step();
    if (!found)
        return found.error();
    if (*found)
        return known.integer();
    return database.insert("machines",
        {{"digest", std::string_view(digest)}, {"machine_id", toUtf8(machine.machineId)},
            {"host_name", toUtf8(machine.hostName)}, {"kernel", toUtf8(machine.kernel)},
            {"distribution", toUtf8(machine.distribution)}, {"cpu_model", toUtf8(machine.cpuModel)},
            {"cpu_count", sqlite::integer(machine.cpuCount)}, {"memory_bytes", sqlite::integer(machine.memoryBytes)},
            {"swap_bytes", sqlite::integer(machine.swapBytes)}, {"gpu", toUtf8(machine.gpu)},
            {"unified_memory", sqlite::flag(machine.unifiedMemory)}, {"facts", std::string_view(text)}});
}

/// One row per state in which a checkpoint was seen; nothing for a run without one.
Result<Value> checkpointRow(const Connection& database, const TrialIdentity& identity)
{
    if (identity.checkpointPath.empty() && identity.checkpointName.empty())
        return Value(nullptr);
    const std::string name = toUtf8(identity.checkpointName);
    const std::string family = toUtf8(identity.family);
    const std::string fingerprint = toUtf8(identity.fingerprint);
    sqlite::Statement known = database.prepare(
        "SELECT id FROM checkpoints WHERE path_bytes = ? AND name = ? AND family = ? AND fingerprint = ?"
        " AND size_bytes = ? AND parameters = ?");
    const Value size = sqlite::integer(identity.checkpointBytes);
    const Value parameters = sqlite::integer(identity.checkpointParameters);
    const Result<bool> found = known.bind(sqlite::Blob{identity.checkpointPath})
                                   .bind(std::string_view(name))
                                   .bind(std::string_view(family))
                                   .bind(std::string_view(fingerprint))
                                   .bind(size)
                                   .bind(parameters)
                                   .step();
    if (!found)
        return found.error();
    if (*found)
        return Value(known.integer());
    const std::string path = toUtf8(identity.checkpointPath);
    return database
        .insert("checkpoints",
            {{"path", std::string_view(path)}, {"path_bytes", sqlite::Blob{identity.checkpointPath}},
                {"name", std::string_view(name)}, {"family", std::string_view(family)},
                {"fingerprint", std::string_view(fingerprint)}, {"size_bytes", size}, {"parameters", parameters}})
        .transform([](std::int64_t id) { return Value(id); });
}

Result<std::int64_t> runRow(
    const Connection& database, const RunStarted& started, std::int64_t machine, const Value& checkpoint)
{
    const TrialIdentity& identity = started.identity;
    const Variant& variant = identity.variant;
    const Limits& limits = identity.limits;
    const json parts = toJson(variant);
    const std::string maxMemory = toText(parts.at("max_memory"));
    const std::string options = toText(parts.at("options"));
    const std::string hash = canonicalHash(variant);
    const std::optional<std::string> environment = utf8(variant.environment);
    const std::optional<std::string> remedy = utf8(identity.remedyApplied);
    return database.insert("runs",
        {{"uuid", std::string_view(identity.uuid)}, {"origin", std::string_view("own")}, {"machine", machine},
            {"boot_id", std::string_view(started.machine.bootId)}, {"lab_pid", started.labPid},
            {"lab_start_ticks", sqlite::integer(started.labStartTicks)}, {"checkpoint", checkpoint},
            {"backend", toUtf8(variant.backend)}, {"environment", orNull(environment)},
            {"dtype", toUtf8(variant.dtype)}, {"device_map", toUtf8(variant.deviceMap)},
            {"max_memory", variant.maxMemory.empty() ? Value(nullptr) : Value(std::string_view(maxMemory))},
            {"options", std::string_view(options)}, {"variant_hash", std::string_view(hash)},
            {"cap_memory_bytes", orNull(limits.capMemoryBytes)}, {"cap_swap_bytes", orNull(limits.capSwapBytes)},
            {"timeout_ns", orNull(limits.timeout)}, {"stall_ns", orNull(limits.stall)},
            {"sample_hz", sqlite::real(limits.sampleHz)}, {"parent_uuid", orNull(identity.parentUuid)},
            {"remedy_applied", orNull(remedy)},
            {"predicted_peak_bytes",
                identity.predictedPeakBytes ? sqlite::integer(identity.predictedPeakBytes) : Value(nullptr)},
            {"started_utc_ms", toMs(started.startedUtc)}, {"origin_ns", started.originNs}});
}

/// What is known of the environment before the worker has said anything: enough for a run that is lost at once.
json environmentAtStart(const MachineInfo& machine)
{
    return environmentToJson(environmentOf(machine, std::nullopt));
}

} // namespace

std::string toText(const json& value)
{
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<RunId> insertRun(const Connection& database, const RunStarted& started)
{
    const auto machine = machineRow(database, started.machine);
    if (!machine)
        return machine.error();
    const auto checkpoint = checkpointRow(database, started.identity);
    if (!checkpoint)
        return checkpoint.error();
    const auto id = runRow(database, started, *machine, *checkpoint);
    if (!id)
        return id.error();
    const RunId run{*id};
    json parts{{"variant", toJson(started.identity.variant)}, {"limits", toJson(started.identity.limits)}};
    if (!started.identity.program.empty())
        parts.update(programToJson(started.identity));
    const std::string settings = toText(parts);
    const std::string environment = toText(environmentAtStart(started.machine));
    const auto details = database.insert("run_details",
        {{"run", run.value}, {"settings", std::string_view(settings)}, {"environment", std::string_view(environment)}});
    if (!details)
        return details.error();
    const Result<void> indexed = indexText(database, run, TextPart::Identity,
        toUtf8(started.identity.checkpointName) + "\n" + toUtf8(started.identity.checkpointPath) + "\n"
            + toUtf8(started.identity.family) + "\n" + toUtf8(shellLine(started.identity.program)));
    if (!indexed)
        return indexed.error();
    return run;
}

} // namespace loadlab
