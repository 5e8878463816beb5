#include "core/trial/RunResult.h"

#include "core/OrNull.h"
#include "core/ShellWords.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/worker/JsonFields.h"

#include <cmath>

namespace loadlab {
using nlohmann::json;
namespace {

constexpr double kNsPerS = 1e9;

json textOrNull(const std::string& text)
{
    return text.empty() ? json(nullptr) : json(toUtf8(text));
}

double toSeconds(std::chrono::nanoseconds duration)
{
    return static_cast<double>(duration.count()) / kNsPerS;
}

json memoryJson(const RunResult& result)
{
    const CurveSummary& curve = result.curve;
    const std::uint64_t predicted = result.identity.predictedPeakBytes;
    return {
        {"peak_tree_bytes", orNull(ifSeen(curve.peakTreeBytes))},
        {"peak_tree_at_most_bytes", orNull(peakTreeAtMostBytes(result))},
        {"peak_rss_bytes", orNull(ifSeen(curve.peakRssBytes))},
        {"hwm_bytes", orNull(ifSeen(result.hwmBytes))},
        {"hwm_at_least", highWaterIsAtLeast(result)},
        {"peak_swap_bytes", curve.peakSwapBytes},
        {"peak_gpu_bytes", curve.peakGpuBytes},
        {"baseline_available_bytes", curve.baselineAvailableBytes},
        {"lowest_available_bytes", curve.lowestAvailableBytes},
        {"predicted_peak_bytes", predicted ? json(predicted) : json(nullptr)},
        {"projected_need_bytes", orNull(result.projectedNeedBytes)},
        {"swap_began_s", orNull(curve.swapBeganS)},
        {"mean_rate_bytes_per_s", curve.meanRateBytesPerS},
    };
}

json verdictFields(const std::optional<Verdict>& verdict)
{
    if (verdict)
        return toJson(*verdict);
    return {{"mode", nullptr}, {"confidence", nullptr}, {"summary", nullptr}, {"evidence", json::array()},
        {"remedies", json::array()}};
}

/// A worker's message without the envelope of the protocol.
json bodyJson(protocol::Body body)
{
    json fields = toJson(protocol::Message{0, std::move(body)});
    fields.erase("event");
    fields.erase("t_ns");
    return fields;
}

template <typename T> std::optional<T> bodyFromJson(const json* fields, const char* event)
{
    if (!fields || !fields->is_object())
        return std::nullopt;
    json line = *fields;
    line["event"] = event;
    line["t_ns"] = 0;
    const Result<protocol::Message> message = protocol::messageFromJson(line);
    if (!message)
        throw FieldError(message.error().message);
    return std::get<T>(message->body);
}

CurveSummary summaryFromJson(const JsonFields& memory, const JsonFields& samples)
{
    CurveSummary curve;
    curve.sampleCount = samples.value<std::uint64_t>("count");
    curve.rateHz = samples.value<double>("rate_hz");
    curve.peakTreeBytes = memory.value<std::uint64_t>("peak_tree_bytes");
    curve.peakRssBytes = memory.value<std::uint64_t>("peak_rss_bytes");
    curve.peakSwapBytes = memory.value<std::uint64_t>("peak_swap_bytes");
    curve.peakGpuBytes = memory.value<std::uint64_t>("peak_gpu_bytes");
    curve.baselineAvailableBytes = memory.value<std::uint64_t>("baseline_available_bytes");
    curve.lowestAvailableBytes = memory.value<std::uint64_t>("lowest_available_bytes");
    curve.swapBeganS = memory.optional<double>("swap_began_s");
    curve.meanRateBytesPerS = memory.value<double>("mean_rate_bytes_per_s");
    return curve;
}

void readOutcome(const JsonFields& fields, RunResult& into)
{
    if (fields.has("mode"))
        into.verdict = verdictFromJson(fields.object());
    const JsonFields exit(fields.need("exit"), fields.place("exit"));
    into.exitCode = exit.optional<int>("code");
    into.exitSignal = exit.optional<int>("signal");
    const JsonFields memory(fields.need("memory"), fields.place("memory"));
    const JsonFields samples(fields.need("samples"), fields.place("samples"));
    into.curve = summaryFromJson(memory, samples);
    into.hwmBytes = memory.value<std::uint64_t>("hwm_bytes");
    into.identity.predictedPeakBytes = memory.value<std::uint64_t>("predicted_peak_bytes");
    into.projectedNeedBytes = memory.optional<std::uint64_t>("projected_need_bytes");
    into.missedTicks = samples.optional<std::uint64_t>("missed_ticks");
    into.worstLatenessNs = samples.optional<std::uint64_t>("worst_lateness_ns");
    const JsonFields cap(fields.need("cap"), fields.place("cap"));
    into.capKeptBy = cap.value<std::string>("kept_by");
    into.containment = fields.value<std::string>("containment");
    circumstancesFromJson(fields.object(), into);
    into.hwmWasNotTold = memory.value<bool>("hwm_at_least");
    into.swapCapKeptBy = cap.value<std::string>("swap_kept_by");
    into.progress = bodyFromJson<protocol::Progress>(fields.find("progress"), "progress");
    into.loaded = bodyFromJson<protocol::Loaded>(fields.find("loaded"), "loaded");
    if (const json* counters = fields.find("counters"))
        into.counters = countersFromJson(*counters);
    if (const json* environment = fields.find("environment"))
        into.environment = environmentFromJson(*environment);
}

/// A count or a number of bytes, by its name.
bool isNumber(std::string_view name, std::string_view value)
{
    const bool named = name.ends_with("_bytes") || name.ends_with("_count");
    return named && !value.empty() && value.size() < 19 && value.find_first_not_of("0123456789") == value.npos;
}

} // namespace

json circumstancesToJson(const RunResult& result)
{
    return {{"command_line", textOrNull(result.commandLine)},
        {"containment_detail", textOrNull(result.containmentDetail)},
        {"swap_cap_kept_by", textOrNull(result.swapCapKeptBy)}, {"hwm_was_not_told", result.hwmWasNotTold},
        {"host", toJson(result.traces)}};
}

void circumstancesFromJson(const json& source, RunResult& into)
try {
    const JsonFields fields(source, "circumstances");
    into.commandLine = fields.value<std::string>("command_line");
    into.containmentDetail = fields.value<std::string>("containment_detail");
    into.swapCapKeptBy = fields.value<std::string>("swap_cap_kept_by");
    into.hwmWasNotTold = fields.value<bool>("hwm_was_not_told");
    if (const json* host = fields.find("host"))
        into.traces = hostTracesFromJson(*host);
} catch (const FieldError&) { // Stored by another version: the run's figures stand without it.
}

json environmentToJson(const std::map<std::string, std::string>& environment)
{
    json object = json::object();
    for (const auto& [name, value] : environment)
        object[toUtf8(name)] = isNumber(name, value) ? json(std::stoull(value)) : json(toUtf8(value));
    return object;
}

std::map<std::string, std::string> environmentFromJson(const json& object)
{
    std::map<std::string, std::string> environment;
    if (object.is_object())
        for (const auto& [name, value] : object.items())
            environment[name] = value.is_string() ? value.get<std::string>() : value.dump();
    return environment;
}

json toJson(const Phase& phase)
{
    return {{"name", toUtf8(phase.name)}, {"from_s", phase.fromS}, {"to_s", phase.toS},
        {"rate_bytes_per_s", phase.rateBytesPerS}, {"rate_error_bytes_per_s", orNull(phase.rateErrorBytesPerS)}};
}

Result<std::vector<Phase>> phasesFromJson(const json& source)
try {
    std::vector<Phase> phases;
    if (!source.is_array())
        throw FieldError("phases should be a list");
    for (const json& entry : source) {
        const JsonFields fields(entry, "phases");
        phases.push_back(
            {fields.required<std::string>("name"), fields.required<double>("from_s"), fields.required<double>("to_s"),
                fields.value<double>("rate_bytes_per_s"), fields.optional<double>("rate_error_bytes_per_s")});
    }
    return phases;
} catch (const FieldError& error) {
    return Error{ErrorKind::Invalid, error.what()};
}

std::string subjectOf(const TrialIdentity& identity)
{
    const std::string& name = identity.checkpointName.empty() ? identity.checkpointPath : identity.checkpointName;
    return name.empty() ? programWords(identity.program) : toUtf8(name);
}

json programToJson(const TrialIdentity& identity)
{
    if (identity.program.empty())
        return {{"program", nullptr}, {"working_folder", nullptr}, {"env", nullptr}};
    json fields{{"program", shellLine(identity.program)}, {"working_folder", textOrNull(identity.workingFolder)},
        {"env", textOrNull(shellLine(shownVariables(identity.variables)))}};
    if (!isUtf8(identity.workingFolder))
        fields["working_folder_hex"] = toHex(identity.workingFolder);
    return fields;
}

void programFromJson(const json& source, TrialIdentity& into)
try {
    const JsonFields fields(source, "run");
    if (const Result<SplitLine> line = splitLikeShell(fields.value<std::string>("program")); line)
        into.program = line->words;
    if (const Result<SplitLine> line = splitLikeShell(fields.value<std::string>("env")); line)
        if (Result<ProgramVariables> variables = parseVariables(line->words))
            into.variables = *std::move(variables);
    const auto hex = fields.optional<std::string>("working_folder_hex");
    into.workingFolder = hex ? fromHex(*hex) : fields.value<std::string>("working_folder");
} catch (const FieldError&) { // Stored by another version: the run stands without it.
}

json toJson(const TrialIdentity& identity)
{
    json checkpoint = nullptr;
    if (!identity.checkpointPath.empty()) {
        checkpoint = {{"path", toUtf8(identity.checkpointPath)}, {"name", toUtf8(identity.checkpointName)},
            {"family", textOrNull(identity.family)}, {"fingerprint", textOrNull(identity.fingerprint)},
            {"size_bytes", identity.checkpointBytes}, {"parameters", identity.checkpointParameters}};
        if (!isUtf8(identity.checkpointPath))
            checkpoint["path_hex"] = toHex(identity.checkpointPath);
    }
    json object{{"uuid", identity.uuid}, {"checkpoint", std::move(checkpoint)}, {"variant", toJson(identity.variant)},
        {"limits", toJson(identity.limits)}, {"parent", orNull(identity.parentUuid)},
        {"remedy_applied", orNull(identity.remedyApplied)}};
    object.update(programToJson(identity));
    return object;
}

Result<TrialIdentity> identityFromJson(const json& source)
try {
    const JsonFields fields(source, "run");
    TrialIdentity identity;
    identity.uuid = fields.required<std::string>("uuid");
    identity.parentUuid = fields.optional<std::string>("parent");
    identity.remedyApplied = fields.optional<std::string>("remedy_applied");
    programFromJson(source, identity);
    if (fields.has("checkpoint")) {
        const JsonFields checkpoint(fields.need("checkpoint"), "run.checkpoint");
        const auto hex = checkpoint.optional<std::string>("path_hex");
        identity.checkpointPath = hex ? fromHex(*hex) : checkpoint.required<std::string>("path");
        identity.checkpointName = checkpoint.value<std::string>("name");
        identity.family = checkpoint.value<std::string>("family");
        identity.fingerprint = checkpoint.value<std::string>("fingerprint");
        identity.checkpointBytes = checkpoint.value<std::uint64_t>("size_bytes");
        identity.checkpointParameters = checkpoint.value<std::uint64_t>("parameters");
    }
    Result<Variant> variant = variantFromJson(fields.need("variant"));
    if (!variant)
        return std::move(variant).error();
    identity.variant = *std::move(variant);
    if (fields.has("limits")) {
        Result<Limits> limits = limitsFromJson(fields.need("limits"));
        if (!limits)
            return std::move(limits).error();
        identity.limits = *limits;
    }
    return identity;
} catch (const FieldError& error) {
    return Error{ErrorKind::Invalid, error.what()};
}

json toJson(const RunResult& result)
{
    json object = toJson(result.identity);
    object.update(verdictFields(result.verdict));
    object["run"] = result.run ? json(result.run->value) : json(nullptr);
    object["exit"] = {{"code", orNull(result.exitCode)}, {"signal", orNull(result.exitSignal)}};
    object["started_utc"] = toIsoUtc(result.startedUtc);
    object["duration_s"] = toSeconds(result.duration);
    object["memory"] = memoryJson(result);
    object["cap"] = {{"memory_bytes", orNull(result.identity.limits.capMemoryBytes)},
        {"kept_by", textOrNull(result.capKeptBy)}, {"swap_bytes", orNull(result.identity.limits.capSwapBytes)},
        {"swap_kept_by", textOrNull(result.swapCapKeptBy)}};
    object["containment"] = textOrNull(result.containment);
    object.update(circumstancesToJson(result));
    object.erase("swap_cap_kept_by"); // It stands with the cap,
    object.erase("hwm_was_not_told"); // this with the memory.
    object["phases"] = json::array();
    for (const Phase& phase : result.phases)
        object["phases"].push_back(toJson(phase));
    object["progress"] = result.progress ? bodyJson(*result.progress) : json(nullptr);
    object["loaded"] = result.loaded ? bodyJson(*result.loaded) : json(nullptr);
    object["samples"] = {{"count", result.curve.sampleCount}, {"rate_hz", result.curve.rateHz},
        {"missed_ticks", orNull(result.missedTicks)}, {"worst_lateness_ns", orNull(result.worstLatenessNs)}};
    object["counters"] = toJson(result.counters);
    object["environment"] = environmentToJson(result.environment);
    return object;
}

Result<RunResult> resultFromJson(const json& source)
try {
    const JsonFields fields(source, "run");
    RunResult result;
    Result<TrialIdentity> identity = identityFromJson(source);
    if (!identity)
        return std::move(identity).error();
    result.identity = *std::move(identity);
    if (const auto run = fields.optional<std::int64_t>("run"))
        result.run = RunId{*run};
    const Result<std::chrono::system_clock::time_point> started
        = parseIsoUtc(fields.required<std::string>("started_utc"));
    if (!started)
        return started.error();
    result.startedUtc = *started;
    result.duration = std::chrono::nanoseconds(std::llround(fields.required<double>("duration_s") * kNsPerS));
    readOutcome(fields, result);
    Result<std::vector<Phase>> phases = phasesFromJson(fields.need("phases"));
    if (!phases)
        return std::move(phases).error();
    result.phases = *std::move(phases);
    return result;
} catch (const std::exception& error) {
    return Error{ErrorKind::Invalid, toUtf8(error.what())};
}

std::optional<std::uint64_t> peakTreeAtMostBytes(const RunResult& result)
{
    const auto& highest = result.traces.groupHighestWithSwapBytes;
    return highest && *highest >= result.curve.peakTreeBytes ? highest : std::nullopt;
}

bool highWaterIsAtLeast(const RunResult& result)
{
    return result.hwmWasNotTold || !result.verdict || result.verdict->mode == FailureMode::LabLost
        || result.verdict->mode == FailureMode::HostLost;
}

int exitCodeOf(const RunResult& result)
{
    constexpr int cancelled = 130;
    if (!result.verdict)
        return 1;
    if (result.verdict->mode == FailureMode::Cancelled)
        return cancelled;
    return result.verdict->mode == FailureMode::Ok ? 0 : 1;
}

} // namespace loadlab
