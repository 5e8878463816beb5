#include "core/trial/RunEvent.h"

#include "core/OrNull.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/curve/CurveText.h"
#include "core/worker/JsonFields.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace loadlab {
using nlohmann::json;
namespace {

constexpr double kNsPerS = 1e9;
constexpr std::array<std::string_view, 7> kStates{
    "baseline", "starting", "loading", "loaded", "exercising", "stopping", "settled"};
constexpr std::array<std::string_view, 3> kStreams{"stderr", "stdout", "lab"};
/// By RunEventBody's index; a worker's message goes by its own name.
constexpr std::array<std::string_view, std::variant_size_v<RunEventBody>> kEvents{"run_started", "state", "contained",
    "worker_started", "", "log", "samples", "guard", "lab", "high_water", "worker_ended", "run_finished"};
/// By Guard::Pool::Of.
constexpr std::array<std::string_view, 3> kPools{"machine", "cap", "group"};

double secondsSince(std::int64_t originNs, std::int64_t ns)
{
    return static_cast<double>(ns - originNs) / kNsPerS;
}

std::int64_t nsAt(std::int64_t originNs, double seconds)
{
    return originNs + static_cast<std::int64_t>(std::llround(seconds * kNsPerS));
}

template <std::size_t N>
std::size_t indexOf(const std::array<std::string_view, N>& names, const std::string& name, const char* what)
{
    for (std::size_t i = 0; i < N; ++i)
        if (names[i] == name)
            return i;
    throw FieldError("'" + name + "' is no " + what);
}

json fieldsOf(const RunStarted& started)
{
    json fields = toJson(started.identity);
    fields["predicted_peak_bytes"] = started.identity.predictedPeakBytes;
    fields["started_utc"] = toIsoUtc(started.startedUtc);
    fields["origin_ns"] = started.originNs;
    fields["machine"] = toJson(started.machine);
    fields["lab_pid"] = started.labPid;
    fields["lab_start_ticks"] = started.labStartTicks;
    return fields;
}

json fieldsOf(const StateChanged& changed)
{
    return {{"state", toWireName(changed.state)}};
}

json fieldsOf(const RunContained& contained)
{
    return {{"containment", contained.containment}, {"containment_detail", toUtf8(contained.detail)},
        {"cap_kept_by", contained.capKeptBy}, {"swap_cap_kept_by", contained.swapCapKeptBy},
        {"host_before", toJson(contained.before)}};
}

json fieldsOf(const WorkerStarted& started)
{
    return {{"pid", started.pid}, {"start_ticks", started.startTicks}, {"command_line", toUtf8(started.commandLine)}};
}

json fieldsOf(const protocol::Message& message)
{
    json fields = toJson(message);
    fields.erase("t_ns");
    return fields;
}

json fieldsOf(const LogText& log)
{
    json fields{{"stream", toWireName(log.stream)}, {"text", toUtf8(log.bytes)}};
    if (!isUtf8(log.bytes))
        fields["text_hex"] = toHex(log.bytes);
    return fields;
}

/// Columns that no sample has are left out.
json samplesJson(const std::vector<Sample>& samples, std::int64_t originNs)
{
    std::vector<Column> present;
    json columns = json::array({"t_s"});
    for (std::size_t i = 0; i < kColumnCount; ++i) {
        const auto column = static_cast<Column>(i);
        if (std::ranges::any_of(samples, [column](const Sample& sample) { return sample.has(column); })) {
            present.push_back(column);
            columns.push_back(toWireName(column));
        }
    }
    json rows = json::array();
    for (const Sample& sample : samples) {
        json row = json::array({secondsSince(originNs, sample.monotonicNs)});
        for (const Column column : present)
            row.push_back(sample.has(column) ? json(sample[column]) : json(nullptr));
        rows.push_back(std::move(row));
    }
    return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

json fieldsOf(const GuardLooked& seen)
{
    const Guard::Pool& pool = seen.look.pool;
    return {{"pool", kPools[static_cast<std::size_t>(pool.of)]}, {"left_bytes", pool.leftBytes},
        {"total_bytes", pool.totalBytes}, {"stalled_share", orNull(seen.look.stalledShare)},
        {"oom_kills", orNull(seen.oomKills)}};
}

json fieldsOf(const HighWaterRose& rose)
{
    return {{"hwm_bytes", rose.bytes}};
}

json fieldsOf(const LabActed& acted)
{
    json fields{{"act", toUtf8(acted.act)}, {"why", toUtf8(acted.why)}};
    if (!acted.process.empty())
        fields["process"] = toUtf8(acted.process);
    return fields;
}

json fieldsOf(const WorkerEnded& ended)
{
    const ResourceUse& use = ended.status.use;
    return {{"code", orNull(ended.status.code)}, {"signal", orNull(ended.status.signal)},
        {"core_dumped", ended.status.coreDumped}, {"max_rss_bytes", use.maxRssBytes},
        {"user_s", static_cast<double>(use.userTime.count()) / kNsPerS},
        {"system_s", static_cast<double>(use.systemTime.count()) / kNsPerS}};
}

json fieldsOf(const RunFinished& finished)
{
    return {{"result", toJson(finished.result)}};
}

MachineInfo machineFrom(const JsonFields& fields)
{
    MachineInfo machine;
    machine.hostName = fields.value<std::string>("host_name");
    machine.machineId = fields.value<std::string>("machine_id");
    machine.bootId = fields.value<std::string>("boot_id");
    machine.kernel = fields.value<std::string>("kernel");
    machine.distribution = fields.value<std::string>("distribution");
    machine.cpuModel = fields.value<std::string>("cpu_model");
    machine.cpuCount = static_cast<unsigned>(fields.value<std::uint64_t>("cpu_count"));
    machine.memoryBytes = fields.value<std::uint64_t>("memory_bytes");
    machine.swapBytes = fields.value<std::uint64_t>("swap_bytes");
    machine.gpu = fields.value<std::string>("gpu");
    machine.unifiedMemory = fields.value<bool>("unified_memory");
    return machine;
}

RunStarted startedFrom(const JsonFields& fields)
{
    RunStarted started;
    Result<TrialIdentity> identity = identityFromJson(fields.object());
    if (!identity)
        throw FieldError(identity.error().message);
    started.identity = *std::move(identity);
    started.identity.predictedPeakBytes = fields.value<std::uint64_t>("predicted_peak_bytes");
    const Result<std::chrono::system_clock::time_point> utc = parseIsoUtc(fields.required<std::string>("started_utc"));
    if (!utc)
        throw FieldError(utc.error().message);
    started.startedUtc = *utc;
    started.originNs = fields.required<std::int64_t>("origin_ns");
    started.machine = machineFrom({fields.need("machine"), fields.place("machine")});
    started.labPid = fields.value<std::int64_t>("lab_pid");
    started.labStartTicks = fields.value<std::uint64_t>("lab_start_ticks");
    return started;
}

RunContained containedFrom(const JsonFields& fields)
{
    return {fields.required<std::string>("containment"), fields.value<std::string>("containment_detail"),
        fields.value<std::string>("cap_kept_by"), fields.value<std::string>("swap_cap_kept_by"),
        systemMemoryFrom({fields.need("host_before"), fields.place("host_before")})};
}

LogText logFrom(const JsonFields& fields)
{
    const auto stream = static_cast<LogStream>(indexOf(kStreams, fields.required<std::string>("stream"), "log stream"));
    const auto hex = fields.optional<std::string>("text_hex");
    return {stream, hex ? fromHex(*hex) : fields.required<std::string>("text")};
}

SamplesTaken samplesFrom(const json& source, std::int64_t originNs)
{
    Result<Curve> curve = curveFromJson(source);
    if (!curve)
        throw FieldError(curve.error().message);
    for (Sample& sample : curve->samples)
        sample.monotonicNs += originNs;
    return {std::move(curve->samples), {}};
}

GuardLooked lookedFrom(const JsonFields& fields, std::int64_t atNs)
{
    const auto of = static_cast<Guard::Pool::Of>(indexOf(kPools, fields.required<std::string>("pool"), "pool"));
    const Guard::Pool pool{
        fields.required<std::uint64_t>("left_bytes"), fields.required<std::uint64_t>("total_bytes"), of};
    return {{atNs, pool, fields.optional<double>("stalled_share")}, fields.optional<std::uint64_t>("oom_kills")};
}

WorkerEnded endedFrom(const JsonFields& fields)
{
    const auto ns = [&fields](const char* key) {
        return std::chrono::nanoseconds(std::llround(fields.value<double>(key) * kNsPerS));
    };
    WaitStatus status;
    status.code = fields.optional<int>("code");
    status.signal = fields.optional<int>("signal");
    status.coreDumped = fields.value<bool>("core_dumped");
    status.use = {fields.value<std::uint64_t>("max_rss_bytes"), ns("user_s"), ns("system_s")};
    return {status};
}

protocol::Message messageFrom(const json& source, std::int64_t monotonicNs)
{
    json line = source;
    line["t_ns"] = monotonicNs;
    line.erase("t_s");
    Result<protocol::Message> message = protocol::messageFromJson(line);
    if (!message)
        throw FieldError(message.error().message);
    return *std::move(message);
}

RunEventBody bodyFrom(const std::string& name, const JsonFields& fields, std::int64_t originNs, std::int64_t atNs)
{
    if (name == "run_started")
        return startedFrom(fields);
    if (name == "state")
        return StateChanged{static_cast<TrialState>(indexOf(kStates, fields.required<std::string>("state"), "state"))};
    if (name == "contained")
        return containedFrom(fields);
    if (name == "worker_started")
        return WorkerStarted{fields.required<std::int64_t>("pid"), fields.value<std::uint64_t>("start_ticks"),
            fields.value<std::string>("command_line")};
    if (name == "log")
        return logFrom(fields);
    if (name == "samples")
        return samplesFrom(fields.object(), originNs);
    if (name == "guard")
        return lookedFrom(fields, atNs);
    if (name == "lab")
        return LabActed{fields.required<std::string>("act"), fields.value<std::string>("why"),
            fields.value<std::string>("process")};
    if (name == "high_water")
        return HighWaterRose{fields.required<std::uint64_t>("hwm_bytes")};
    if (name == "worker_ended")
        return endedFrom(fields);
    if (name != "run_finished")
        return messageFrom(fields.object(), atNs);
    Result<RunResult> result = resultFromJson(fields.need("result"));
    if (!result)
        throw FieldError(result.error().message);
    return RunFinished{*std::move(result)};
}

} // namespace

void copyTo(RunResult& result, const RunContained& contained)
{
    result.containment = contained.containment;
    result.containmentDetail = contained.detail;
    result.capKeptBy = contained.capKeptBy;
    result.swapCapKeptBy = contained.swapCapKeptBy;
    result.traces.before = contained.before;
    if (groupKindFrom(contained.containment) != GroupKind::None)
        result.traces.outsideGroup.emplace();
}

std::string_view toWireName(TrialState state)
{
    return kStates[static_cast<std::size_t>(state)];
}

std::string_view toWireName(LogStream stream)
{
    return kStreams[static_cast<std::size_t>(stream)];
}

std::string_view kindOf(const RunEvent& event)
{
    if (const auto* message = std::get_if<protocol::Message>(&event.body))
        return protocol::typeOf(*message);
    return kEvents[event.body.index()];
}

json toJson(const RunEvent& event, std::int64_t originNs)
{
    json object = std::visit(
        [originNs](const auto& body) {
            if constexpr (std::is_same_v<std::decay_t<decltype(body)>, SamplesTaken>)
                return samplesJson(body.samples, originNs);
            else
                return fieldsOf(body);
        },
        event.body);
    object["event"] = kindOf(event);
    object["t_s"] = secondsSince(originNs, event.monotonicNs);
    return object;
}

Result<RunEvent> eventFromJson(const json& source, std::int64_t originNs)
try {
    const JsonFields fields(source, "event");
    const auto name = fields.required<std::string>("event");
    const std::int64_t origin = name == "run_started" ? fields.required<std::int64_t>("origin_ns") : originNs;
    const std::int64_t atNs = nsAt(origin, fields.required<double>("t_s"));
    return RunEvent{atNs, bodyFrom(name, fields, origin, atNs)};
} catch (const std::exception& error) {
    return Error{ErrorKind::Invalid, toUtf8(error.what())};
}

} // namespace loadlab
