#include "core/ShellWords.h"
#include "core/Text.h"
#include "core/curve/Phases.h"
#include "core/trial/LoadTrail.h"
#include "core/trial/RunEvent.h"
#include "db/RunRows.h"
#include "db/SampleChunks.h"
#include "db/Sqlite.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using nlohmann::json;
using sqlite::Connection;
using sqlite::Statement;

constexpr const char* kSelectRun
    = "SELECT r.uuid, r.backend, r.environment, r.dtype, r.device_map, r.max_memory, r.options,"
      " r.cap_memory_bytes, r.cap_swap_bytes, r.timeout_ns, r.stall_ns, r.sample_hz,"
      " r.parent_uuid, r.remedy_applied, r.predicted_peak_bytes, r.started_utc_ms,"
      " c.path_bytes, c.name, c.family, c.fingerprint, c.size_bytes, c.parameters,"
      " d.environment, d.progress, d.loaded, d.facts, d.counters, d.worker_command, d.settings,"
      " r.cap_kept_by, r.containment, r.ended_utc_ms IS NOT NULL"
      " FROM runs r JOIN run_details d ON d.run = r.id LEFT JOIN checkpoints c ON c.id = r.checkpoint"
      " WHERE r.id = ? AND r.deleted_utc_ms IS NULL";

constexpr const char* kSelectFigures
    = "SELECT duration_ns, exit_code, exit_signal, sample_count, rate_hz, peak_tree_bytes, peak_rss_bytes, hwm_bytes,"
      " peak_swap_bytes, peak_gpu_bytes, baseline_available_bytes, lowest_available_bytes, swap_began_s,"
      " mean_rate_bytes_per_s, projected_need_bytes, missed_ticks, worst_lateness_ns"
      " FROM runs WHERE id = ?";

std::optional<std::chrono::nanoseconds> nanoseconds(std::optional<std::int64_t> value)
{
    return value ? std::optional(std::chrono::nanoseconds(*value)) : std::nullopt;
}

std::optional<int> toInt(std::optional<std::int64_t> value)
{
    return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

/// A JSON object of texts and numbers as a map; whatever else is in it is left out.
template <typename T> std::map<std::string, T> mapOf(const std::string& text)
{
    std::map<std::string, T> values;
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object())
        return values;
    for (const auto& [key, value] : object.items()) {
        if constexpr (std::is_same_v<T, std::string>) {
            if (value.is_string())
                values[key] = value.template get<std::string>();
        } else if (value.is_number_unsigned()) {
            values[key] = value.template get<T>();
        }
    }
    return values;
}

template <typename T> std::optional<T> messageBody(const std::optional<std::string>& text)
{
    if (!text)
        return std::nullopt;
    const json object = json::parse(*text, nullptr, false);
    if (object.is_discarded())
        return std::nullopt;
    const Result<protocol::Message> message = protocol::messageFromJson(object);
    const T* body = message ? std::get_if<T>(&message->body) : nullptr;
    return body ? std::optional(*body) : std::nullopt;
}

void readSettings(Statement& row, TrialIdentity& into)
{
    into.uuid = row.text();
    into.variant.backend = row.text();
    into.variant.environment = row.optionalText();
    into.variant.dtype = row.text();
    into.variant.deviceMap = row.text();
    into.variant.maxMemory = mapOf<std::uint64_t>(row.text());
    into.variant.options = mapOf<std::string>(row.text());
    into.limits.capMemoryBytes = row.optionalCount();
    into.limits.capSwapBytes = row.optionalCount();
    into.limits.timeout = nanoseconds(row.optionalInteger());
    into.limits.stall = nanoseconds(row.optionalInteger());
    into.limits.sampleHz = row.real();
    into.parentUuid = row.optionalText();
    into.remedyApplied = row.optionalText();
    into.predictedPeakBytes = row.count();
}

/// The one limit that has no column.
std::optional<GuardMargin> guardIn(const json& settings)
{
    if (!settings.contains("limits"))
        return std::nullopt;
    const Result<Limits> limits = limitsFromJson(settings.at("limits"));
    return limits ? limits->guard : std::nullopt;
}

void readCheckpoint(Statement& row, TrialIdentity& into)
{
    into.checkpointPath = row.text();
    into.checkpointName = row.text();
    into.family = row.text();
    into.fingerprint = row.text();
    into.checkpointBytes = row.count();
    into.checkpointParameters = row.count();
}

/// What was watched; it has no column. A run that was recorded before the program was written down
/// still has the line that started it.
void readWatched(const json& settings, RunResult& into)
{
    programFromJson(settings, into.identity);
    if (!into.identity.program.empty() || !into.identity.checkpointPath.empty())
        return;
    if (const Result<SplitLine> line = splitLikeShell(into.commandLine))
        into.identity.program = line->words;
}

Result<void> readFigures(const Connection& database, RunId run, RunResult& into)
{
    Statement row = database.prepare(kSelectFigures);
    if (const Result<bool> found = row.bind(run.value).step(); !found)
        return found.error();
    into.duration = std::chrono::nanoseconds(row.integer());
    into.exitCode = toInt(row.optionalInteger());
    into.exitSignal = toInt(row.optionalInteger());
    into.curve.sampleCount = row.count();
    into.curve.rateHz = row.real();
    into.curve.peakTreeBytes = row.count();
    into.curve.peakRssBytes = row.count();
    into.hwmBytes = row.count();
    into.curve.peakSwapBytes = row.count();
    into.curve.peakGpuBytes = row.count();
    into.curve.baselineAvailableBytes = row.count();
    into.curve.lowestAvailableBytes = row.count();
    into.curve.swapBeganS = row.optionalReal();
    into.curve.meanRateBytesPerS = row.real();
    into.projectedNeedBytes = row.optionalCount();
    into.missedTicks = row.optionalCount();
    into.worstLatenessNs = row.optionalCount();
    return {};
}

/// Phases as stored; one that is still open ends at `openEndS`.
Result<void> readPhases(const Connection& database, RunId run, double openEndS, std::vector<Phase>& into)
{
    Statement rows = database.prepare(
        "SELECT name, from_s, to_s, rate_bytes_per_s, rate_error_bytes_per_s FROM phases WHERE run = ? ORDER BY seq");
    rows.bind(run.value);
    while (true) {
        const Result<bool> row = rows.step();
        if (!row || !*row)
            return row ? Result<void>() : row.error();
        Phase& phase = into.emplace_back();
        phase.name = rows.text();
        phase.fromS = rows.real();
        phase.toS = rows.optionalReal().value_or(std::max(openEndS, phase.fromS));
        phase.rateBytesPerS = rows.real();
        phase.rateErrorBytesPerS = rows.optionalReal();
    }
}

Result<void> readVerdict(const Connection& database, RunId run, std::optional<Verdict>& into)
{
    Statement row = database.prepare("SELECT mode, confidence, summary, evidence, remedies, rule, rules_version"
                                     " FROM verdicts WHERE run = ? AND current = 1");
    const Result<bool> found = row.bind(run.value).step();
    if (!found || !*found)
        return found ? Result<void>() : found.error();
    json parts;
    parts["mode"] = row.text();
    parts["confidence"] = row.real();
    parts["summary"] = row.text();
    parts["evidence"] = json::parse(row.text(), nullptr, false);
    parts["remedies"] = json::parse(row.text(), nullptr, false);
    parts["rule"] = row.text();
    parts["rules_version"] = row.integer();
    into = verdictFromJson(parts);
    return {};
}

/// The last instant of which anything is stored, since the origin.
Result<std::chrono::nanoseconds> lastInstant(const Connection& database, RunId run)
{
    Statement row = database.prepare(
        "SELECT max(coalesce((SELECT max(to_ns) - r.origin_ns FROM sample_chunks WHERE run = r.id), 0),"
        " coalesce((SELECT max(t_ns) FROM events WHERE run = r.id), 0), 0) FROM runs r WHERE r.id = ?");
    const Result<bool> found = row.bind(run.value).step();
    if (!found)
        return found.error();
    return std::chrono::nanoseconds(*found ? row.integer() : 0);
}

/// The pace of the ticks: marks, and gaps where the disk did not keep up, are the smaller part of what there is.
double tickHz(const Curve& curve)
{
    std::vector<std::int64_t> gaps;
    for (std::size_t i = 1; i < curve.samples.size(); ++i)
        gaps.push_back(curve.samples[i].monotonicNs - curve.samples[i - 1].monotonicNs);
    if (gaps.empty())
        return 0;
    const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
    std::ranges::nth_element(gaps, middle);
    return *middle > 0 ? 1e9 / static_cast<double>(*middle) : 0;
}

/// As far as samples tell: what the lab knew of their sources went with it.
std::vector<RunCounter> countersOf(const Curve& curve, double tickHz, GroupKind group)
{
    ColumnRates rates;
    for (const Sample& sample : curve.samples)
        rates.add(sample);
    CounterOrigins origins{tickHz, group, "not in what was stored", {}};
    origins.gpu.problem = origins.noGroup;
    origins.gpu.devicesHz = GpuCounters::kDevicesHz;
    origins.gpu.processesHz = GpuCounters::kProcessesHz;
    return describeCounters(rates, origins);
}

Result<bool> workerNamedPhases(const Connection& database, RunId run)
{
    Statement row = database.prepare("SELECT 1 FROM events WHERE run = ? AND kind = 'phase' LIMIT 1");
    return row.bind(run.value).step();
}

/// As far as it was told; what single processes had resident may be above that.
Result<std::uint64_t> highWater(const Connection& database, RunId run, const Curve& curve)
{
    Statement row = database.prepare("SELECT coalesce(max(json_extract(json, '$.hwm_bytes')), 0)"
                                     " FROM events WHERE run = ? AND kind = 'high_water'");
    const Result<bool> found = row.bind(run.value).step();
    return found ? Result<std::uint64_t>(std::max(row.count(), provenHighWater(curve))) : found.error();
}

/// What the whole of a load would have needed that did not get to its end.
Result<std::optional<std::uint64_t>> projectedNeed(const Connection& database, RunId run, const Curve& curve)
{
    LoadTrail trail;
    auto sample = curve.samples.begin();
    Statement rows = database.prepare("SELECT t_ns, json FROM events WHERE run = ? AND kind = 'progress' ORDER BY seq");
    rows.bind(run.value);
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            return trail.projectedNeedBytes();
        const std::int64_t atNs = curve.originNs + rows.integer();
        for (; sample != curve.samples.end() && sample->monotonicNs <= atNs; ++sample)
            if (sample->has(Column::TreeBytes))
                trail.noteTree(static_cast<double>((*sample)[Column::TreeBytes]));
        const Result<RunEvent> event = eventFromJson(json::parse(rows.text(), nullptr, false), curve.originNs);
        const auto* message = event ? std::get_if<protocol::Message>(&event->body) : nullptr;
        if (message)
            trail.note(std::get<protocol::Progress>(message->body));
    }
}

} // namespace

Error noSuchRun(const Connection& database, std::string_view word)
{
    std::string text = "there is no run '" + toUtf8(word) + "'";
    Statement row = database.prepare("SELECT count(*), min(id), max(id) FROM runs WHERE deleted_utc_ms IS NULL");
    if (const Result<bool> found = row.step(); found && *found) {
        const std::int64_t count = row.integer();
        const std::string first = std::to_string(row.integer());
        const std::string last = std::to_string(row.integer());
        if (count == 0)
            text += "; no run is stored yet";
        else if (count == 1)
            text += "; the only one stored is " + first;
        else
            text += "; " + std::to_string(count) + " are stored, from " + first + " to " + last;
    }
    return {ErrorKind::NotFound, text};
}

Result<void> reconstruct(const Connection& database, RunId run, RunResult& into)
{
    const Result<Curve> curve = readCurve(database, run);
    if (!curve)
        return curve.error();
    const Result<std::chrono::nanoseconds> end = lastInstant(database, run);
    if (!end)
        return end.error();
    into.curve = summarise(*curve);
    const double ticks = tickHz(*curve);
    into.curve.rateHz = std::min(into.curve.rateHz, ticks);
    const Result<std::uint64_t> mark = highWater(database, run, *curve);
    if (!mark)
        return mark.error();
    into.hwmBytes = *mark;
    into.counters = countersOf(*curve, ticks, groupKindFrom(into.containment));
    into.duration = *end;
    Result<void> read = readPhases(database, run, std::chrono::duration<double>(*end).count(), into.phases);
    const Result<bool> named = workerNamedPhases(database, run);
    if (!read || !named)
        return read ? named.error() : read;
    into.phases = phasesOf(*curve, std::move(into.phases), *named);
    if (into.loaded)
        return {};
    const auto need = projectedNeed(database, run, *curve);
    if (need)
        into.projectedNeedBytes = *need;
    return need ? Result<void>() : need.error();
}

Result<StoredRun> readRun(const Connection& database, RunId run)
{
    Statement row = database.prepare(kSelectRun);
    const Result<bool> found = row.bind(run.value).step();
    if (!found)
        return found.error();
    if (!*found)
        return noSuchRun(database, std::to_string(run.value));
    StoredRun stored;
    RunResult& result = stored.result;
    result.run = run;
    readSettings(row, result.identity);
    result.startedUtc = std::chrono::system_clock::time_point(std::chrono::milliseconds(row.integer()));
    readCheckpoint(row, result.identity);
    result.environment = environmentFromJson(json::parse(row.text(), nullptr, false));
    result.progress = messageBody<protocol::Progress>(row.optionalText());
    result.loaded = messageBody<protocol::Loaded>(row.optionalText());
    circumstancesFromJson(json::parse(row.optionalText().value_or("{}"), nullptr, false), result);
    result.counters = countersFromJson(json::parse(row.optionalText().value_or("[]"), nullptr, false));
    result.commandLine = row.optionalText().value_or(result.commandLine);
    if (const json settings = json::parse(row.text(), nullptr, false); settings.is_object()) {
        result.identity.limits.guard = guardIn(settings);
        readWatched(settings, result);
    }
    result.capKeptBy = row.text();
    result.containment = row.text();
    stored.ended = row.integer() != 0;
    if (!stored.ended)
        return stored;
    Result<void> read = readFigures(database, run, result);
    if (read)
        read = readPhases(database, run, 0, result.phases);
    if (read)
        read = readVerdict(database, run, result.verdict);
    if (!read)
        return std::move(read).error();
    return stored;
}

} // namespace loadlab
