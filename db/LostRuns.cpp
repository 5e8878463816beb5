#include "core/Units.h"
#include "core/telemetry/ProcessTree.h"
#include "db/BlackBox.h"
#include "db/RunRows.h"
#include "db/StoreState.h"
#include "db/TextIndex.h"

#include <algorithm>
#include <limits>

namespace loadlab {
namespace {

using sqlite::Connection;
using sqlite::Statement;

/// An open run and who recorded it.
struct OpenRun {
    RunId run;
    std::string uuid;
    std::string bootId;
    ProcessId lab;
};

Result<std::vector<OpenRun>> openRuns(const Connection& database)
{
    std::vector<OpenRun> open;
    Statement rows
        = database.prepare("SELECT id, uuid, boot_id, lab_pid, lab_start_ticks FROM runs"
                           " WHERE ended_utc_ms IS NULL AND origin = 'own' AND deleted_utc_ms IS NULL ORDER BY id");
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            return open;
        OpenRun& run = open.emplace_back();
        run.run = {rows.integer()};
        run.uuid = rows.text();
        run.bootId = rows.text();
        run.lab.pid = static_cast<pid_t>(rows.integer());
        run.lab.startTicks = rows.count();
    }
}

bool hostIsLost(const OpenRun& run, const std::string& bootId)
{
    return !run.bootId.empty() && !bootId.empty() && run.bootId != bootId;
}

bool labLives(const OpenRun& run, const std::string& bootId, const LabLock& lock)
{
    return lock.isHeldElsewhere(run.run) || (!hostIsLost(run, bootId) && isAlive(run.lab));
}

std::string lastSampleWords(const Sample& sample, double atS)
{
    std::string words = "last sample " + formatDuration(std::chrono::nanoseconds(static_cast<std::int64_t>(atS * 1e9)))
        + " into the run";
    const auto add = [&](Column column, const char* what) {
        if (sample.has(column) && sample[column] >= 0)
            words += ", " + formatSize(static_cast<std::uint64_t>(sample[column])) + " " + what;
    };
    add(Column::TreeBytes, "in the run's processes");
    add(Column::SystemAvailableBytes, "available in the system");
    add(Column::SystemSwapUsedBytes, "of swap in use");
    return words;
}

Verdict lostVerdict(const OpenRun& run, const std::string& bootId, const RunResult& result, const Curve& curve)
{
    const bool host = hostIsLost(run, bootId);
    Verdict verdict;
    verdict.mode = host ? FailureMode::HostLost : FailureMode::LabLost;
    verdict.confidence = 1.0;
    verdict.rule = host ? "boot-id-differs" : "lab-gone";
    const std::string supports(toWireName(verdict.mode));
    const std::string when = formatDuration(result.duration);
    verdict.summary = host ? "The machine went down or was restarted; what is stored ends " + when + " into the run."
                           : "The recording breaks off " + when
            + " into the run: LoadLab itself ended, or could write no more. How the load went on is not known.";
    verdict.evidence.push_back({"lab",
        host ? "recorded in boot " + run.bootId + ", this is boot " + bootId
             : "the recording process " + std::to_string(run.lab.pid) + " no longer lives",
        supports, 1.0});
    if (!curve.samples.empty()) {
        const double atS = static_cast<double>(curve.samples.back().monotonicNs - curve.originNs) / 1e9;
        verdict.evidence.push_back({"curve", lastSampleWords(curve.samples.back(), atS), supports, 0.0});
    }
    verdict.remedies.push_back({"run-again", "Run the same trial again.", "null", "rule", {}});
    return verdict;
}

/// What can be read of the run. Damaged samples cost it its figures, never its end: else it would stay open for ever.
Result<RunResult> asFarAsStored(const Connection& database, RunId run, Curve& curve)
{
    Result<StoredRun> stored = readRun(database, run);
    if (!stored)
        return std::move(stored).error();
    RunResult result = std::move(stored->result);
    RunResult complete = result;
    Result<void> done = reconstruct(database, run, complete);
    if (!done && done.error().kind != ErrorKind::Invalid)
        return std::move(done).error();
    if (Result<Curve> read = readCurve(database, run))
        curve = *std::move(read);
    return done ? complete : result;
}

Result<std::uint64_t> logEnd(const Connection& database, RunId run)
{
    Statement row = database.prepare("SELECT coalesce(max(at + size), 0) FROM log_blocks WHERE run = ?");
    const Result<bool> found = row.bind(run.value).step();
    return found ? Result<std::uint64_t>(row.count()) : found.error();
}

/// What the black box has beyond the last write to the database. A box that is absent or damaged adds nothing.
Result<void> addFromBox(const Connection& database, SampleWriter& samples, LogWriter& logs,
    const std::filesystem::path& file, const OpenRun& run)
{
    const Result<BlackBox::Content> box = BlackBox::read(file, run.uuid);
    if (!box)
        return {};
    Result<Curve> stored = readCurve(database, run.run);
    const Result<std::uint64_t> end = logEnd(database, run.run);
    if (!stored || !end)
        return {};
    const auto lastNs = stored->samples.empty() ? std::numeric_limits<std::int64_t>::min()
                                                : stored->samples.back().monotonicNs;
    const auto newer = std::ranges::upper_bound(box->samples, lastNs, {}, &Sample::monotonicNs);
    Result<void> done = samples.add(database, run.run, {newer, box->samples.end()});
    for (const auto& [at, piece] : box->log) {
        const auto until = at + piece.bytes.size();
        if (!done || until <= *end)
            continue;
        const auto known = *end > at ? *end - at : 0;
        done = logs.add(
            database, run.run, piece.stream, piece.tMs, std::string_view(piece.bytes).substr(known));
    }
    return done ? logs.close(database, run.run) : done;
}

Result<RunResult> close(
    const Connection& database, SampleWriter& samples, const OpenRun& run, const std::string& bootId)
{
    Result<void> done = samples.close(database, run.run);
    if (!done && done.error().kind != ErrorKind::Invalid)
        return std::move(done).error();
    Curve curve;
    Result<RunResult> result = asFarAsStored(database, run.run, curve);
    if (!result)
        return result;
    result->verdict = lostVerdict(run, bootId, *result, curve);
    done = endRun(database, run.run, *result, "next_start");
    if (!done)
        return std::move(done).error();
    return result;
}

Result<std::vector<OpenRun>> lostRuns(const Connection& database, const std::string& bootId, const LabLock& lock)
{
    return openRuns(database).transform([&](std::vector<OpenRun>&& open) {
        std::erase_if(open, [&](const OpenRun& run) { return labLives(run, bootId, lock); });
        return std::move(open);
    });
}

/// Runs that ended while their log was not yet indexed to the end.
Result<std::vector<RunId>> runsWithoutText(const Connection& database)
{
    std::vector<RunId> runs;
    Statement rows = database.prepare("SELECT id FROM runs WHERE text_done = 0 AND ended_utc_ms IS NOT NULL");
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            return runs;
        runs.push_back({rows.integer()});
    }
}

} // namespace

Result<std::vector<RunResult>> RunStore::closeLostRuns(const std::string& bootId)
{
    State& state = *m_state;
    std::vector<RunResult> closed;
    const auto closeAll = [&]() -> Result<void> {
        const Result<std::vector<OpenRun>> lost = lostRuns(state.database, bootId, state.lock);
        if (!lost)
            return lost.error();
        for (const OpenRun& run : *lost) {
            if (Result<void> added = addFromBox(state.database, state.samples, state.logs, state.file, run); !added)
                return added;
            Result<RunResult> result = close(state.database, state.samples, run, bootId);
            if (!result)
                return std::move(result).error();
            closed.push_back(*std::move(result));
        }
        return {};
    };
    const Result<std::vector<OpenRun>> lost = lostRuns(state.database, bootId, state.lock);
    if (!lost)
        return lost.error();
    if (!lost->empty()) { // asked again inside the transaction: another lab may be doing the same
        if (Result<void> written = state.write(closeAll); !written)
            return std::move(written).error().in("close runs whose lab was lost");
        for (const RunResult& run : closed)
            BlackBox::discard(state.file, run.identity.uuid);
    }
    const Result<std::vector<RunId>> unindexed = runsWithoutText(state.database);
    if (unindexed && state.use(Durability::PageCache))
        for (const RunId run : *unindexed)
            static_cast<void>(indexLog(state.database, run));
    return closed;
}

} // namespace loadlab
