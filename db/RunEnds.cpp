#include "core/Text.h"
#include "db/RunRows.h"
#include "db/SampleChunks.h"
#include "db/Sqlite.h"
#include "db/TextIndex.h"

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using nlohmann::json;
using sqlite::Connection;
using sqlite::Value;

constexpr std::size_t kSparklineCells = 64;
static_assert(std::endian::native == std::endian::little, "runs.sparkline holds little-endian floats");

Value orNull(const std::optional<std::uint64_t>& value)
{
    return value ? sqlite::integer(*value) : Value(nullptr);
}

Value orNull(const std::optional<int>& value)
{
    return value ? Value(std::int64_t{*value}) : Value(nullptr);
}

Value orNull(const std::optional<double>& value)
{
    return value ? sqlite::real(*value) : Value(nullptr);
}

/// Empty: not known.
Value orNull(const std::string& word)
{
    return word.empty() ? Value(nullptr) : Value(std::string_view(word));
}

Result<void> mustBeOpen(const Connection& database, RunId run, const RunResult& result)
{
    sqlite::Statement row = database.prepare("SELECT uuid, ended_utc_ms IS NOT NULL FROM runs WHERE id = ?");
    const Result<bool> found = row.bind(run.value).step();
    if (!found)
        return found.error();
    if (!*found)
        return noSuchRun(database, std::to_string(run.value));
    const std::string uuid = row.text();
    if (uuid != result.identity.uuid)
        return Error{ErrorKind::Invalid, "it is run " + uuid + ", not " + result.identity.uuid};
    if (row.integer() != 0)
        return Error{ErrorKind::Invalid, "it has ended already"};
    if (!result.verdict)
        return Error{ErrorKind::Invalid, "it has no verdict"};
    return {};
}

Result<void> updateFigures(const Connection& database, RunId run, const RunResult& result)
{
    const CurveSummary& curve = result.curve;
    const auto ended = std::chrono::floor<std::chrono::milliseconds>(result.startedUtc.time_since_epoch())
        + std::chrono::floor<std::chrono::milliseconds>(result.duration);
    return database.update("runs", "id", run.value,
        {{"ended_utc_ms", std::int64_t{ended.count()}}, {"duration_ns", std::int64_t{result.duration.count()}},
            {"exit_code", orNull(result.exitCode)}, {"exit_signal", orNull(result.exitSignal)},
            {"sample_count", sqlite::integer(curve.sampleCount)}, {"rate_hz", sqlite::real(curve.rateHz)},
            {"peak_tree_bytes", orNull(ifSeen(curve.peakTreeBytes))},
            {"peak_rss_bytes", orNull(ifSeen(curve.peakRssBytes))}, {"hwm_bytes", orNull(ifSeen(result.hwmBytes))},
            {"peak_swap_bytes", sqlite::integer(curve.peakSwapBytes)},
            {"peak_gpu_bytes", sqlite::integer(curve.peakGpuBytes)},
            {"baseline_available_bytes", sqlite::integer(curve.baselineAvailableBytes)},
            {"lowest_available_bytes", sqlite::integer(curve.lowestAvailableBytes)},
            {"swap_began_s", orNull(curve.swapBeganS)},
            {"mean_rate_bytes_per_s", sqlite::real(curve.meanRateBytesPerS)},
            {"projected_need_bytes", orNull(result.projectedNeedBytes)}, {"missed_ticks", orNull(result.missedTicks)},
            {"worst_lateness_ns", orNull(result.worstLatenessNs)}, {"cap_kept_by", orNull(result.capKeptBy)},
            {"containment", orNull(result.containment)}});
}

Result<void> updateSparkline(const Connection& database, RunId run)
{
    const Result<std::vector<float>> line = readSparkline(database, run, kSparklineCells);
    if (!line) // damaged chunks cost the run its small picture, not its end
        return line.error().kind == ErrorKind::Invalid ? Result<void>() : line.error();
    if (line->empty())
        return database.update("runs", "id", run.value, {{"sparkline", nullptr}});
    std::string bytes(line->size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), line->data(), bytes.size());
    return database.update("runs", "id", run.value, {{"sparkline", sqlite::Blob(bytes)}});
}

Result<void> updateDetails(const Connection& database, RunId run, const RunResult& result)
{
    const json environment = environmentToJson(result.environment);
    const auto message = [](const auto& body) {
        return body ? toText(toJson(protocol::Message{0, *body})) : std::string();
    };
    const std::string progress = message(result.progress);
    const std::string loaded = message(result.loaded);
    const std::string known = toText(environment);
    const std::string facts = toText(circumstancesToJson(result));
    const std::string counters = toText(toJson(result.counters));
    // What was noted while the run went on stays where the result says nothing.
    return database
        .prepare("UPDATE run_details SET environment = coalesce(?, environment), progress = coalesce(?, progress),"
                 " loaded = coalesce(?, loaded), facts = ?, counters = ? WHERE run = ?")
        .bind(environment.empty() ? Value(nullptr) : Value(std::string_view(known)))
        .bind(progress.empty() ? Value(nullptr) : Value(std::string_view(progress)))
        .bind(loaded.empty() ? Value(nullptr) : Value(std::string_view(loaded)))
        .bind(std::string_view(facts))
        .bind(result.counters.empty() ? Value(nullptr) : Value(std::string_view(counters)))
        .bind(run.value)
        .run();
}

Result<void> replacePhases(const Connection& database, RunId run, const std::vector<Phase>& phases)
{
    Result<void> cleared = database.prepare("DELETE FROM phases WHERE run = ?").bind(run.value).run();
    if (!cleared)
        return cleared;
    std::int64_t seq = 0;
    for (const Phase& phase : phases) {
        const auto inserted = database.insert("phases",
            {{"run", run.value}, {"seq", seq++}, {"name", toUtf8(phase.name)}, {"from_s", sqlite::real(phase.fromS)},
                {"to_s", sqlite::real(phase.toS)}, {"rate_bytes_per_s", sqlite::real(phase.rateBytesPerS)},
                {"rate_error_bytes_per_s", orNull(phase.rateErrorBytesPerS)}});
        if (!inserted)
            return inserted.error();
    }
    return {};
}

std::int64_t nowMs()
{
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Result<void> insertVerdict(const Connection& database, RunId run, const Verdict& verdict, const char* judgedBy)
{
    const json parts = toJson(verdict);
    const std::string evidence = toText(parts.at("evidence"));
    const std::string remedies = toText(parts.at("remedies"));
    const auto inserted = database.insert("verdicts",
        {{"run", run.value}, {"version", std::int64_t{1}}, {"current", sqlite::flag(true)}, {"judged_utc_ms", nowMs()},
            {"judged_by", std::string_view(judgedBy)}, {"rules_version", std::int64_t{verdict.rulesVersion}},
            {"rule", toUtf8(verdict.rule)}, {"mode", toWireName(verdict.mode)},
            {"confidence", sqlite::real(verdict.confidence)}, {"summary", toUtf8(verdict.summary)},
            {"evidence", std::string_view(evidence)}, {"remedies", std::string_view(remedies)}});
    return inserted ? Result<void>() : inserted.error();
}

std::string wordsOf(const Verdict& verdict)
{
    std::string words = std::string(toWireName(verdict.mode)) + "\n" + std::string(toWords(verdict.mode)) + "\n"
        + toUtf8(verdict.summary);
    for (const Evidence& evidence : verdict.evidence)
        words += "\n" + toUtf8(evidence.source) + " " + toUtf8(evidence.fact);
    for (const Remedy& remedy : verdict.remedies)
        words += "\n" + toUtf8(remedy.text);
    return words;
}

} // namespace

Result<void> endRun(const Connection& database, RunId run, const RunResult& result, const char* judgedBy)
{
    Result<void> done = mustBeOpen(database, run, result);
    if (done)
        done = updateFigures(database, run, result);
    if (done)
        done = updateSparkline(database, run);
    if (done)
        done = updateDetails(database, run, result);
    if (done)
        done = replacePhases(database, run, result.phases);
    if (done)
        done = insertVerdict(database, run, *result.verdict, judgedBy);
    if (done)
        done = indexText(database, run, TextPart::Verdict, wordsOf(*result.verdict));
    return done;
}

} // namespace loadlab
