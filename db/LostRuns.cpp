#include "core/trial/LostRun.h"
#include "db/BlackBox.h"
#include "db/RunRows.h"
#include "db/StoreState.h"
#include "db/TextIndex.h"

#include <algorithm>
#include <limits>
#include <map>

namespace loadlab {
namespace {

using sqlite::Connection;
using sqlite::Statement;

/// How long all that is asked of the kernel's earlier boots may take, and how much of it a run's log takes up.
constexpr std::chrono::milliseconds kKernelLogLimit{1500};
constexpr std::size_t kMostKernelLines = 500;

/// An open run and who recorded it.
struct OpenRun {
    RunId run;
    LostRun facts;
    std::chrono::system_clock::time_point startedUtc;
};

Result<std::vector<OpenRun>> openRuns(const Connection& database)
{
    std::vector<OpenRun> open;
    Statement rows = database.prepare(
        "SELECT r.id, r.uuid, r.boot_id, r.lab_pid, r.lab_start_ticks, r.origin_ns, r.started_utc_ms, d.worker_pid"
        " FROM runs r LEFT JOIN run_details d ON d.run = r.id"
        " WHERE r.ended_utc_ms IS NULL AND r.origin = 'own' AND r.deleted_utc_ms IS NULL ORDER BY r.id");
    while (true) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            return open;
        OpenRun& run = open.emplace_back();
        run.run = {rows.integer()};
        run.facts.uuid = rows.text();
        run.facts.bootId = rows.text();
        run.facts.lab.pid = static_cast<pid_t>(rows.integer());
        run.facts.lab.startTicks = rows.count();
        run.facts.originNs = rows.integer();
        run.startedUtc = std::chrono::system_clock::time_point(std::chrono::milliseconds(rows.integer()));
        run.facts.workerPid = rows.optionalInteger().value_or(0);
    }
}

bool labLives(const OpenRun& run, const std::string& bootId, const LabLock& lock)
{
    return lock.isHeldElsewhere(run.run) || (!hostIsLost(run.facts.bootId, bootId) && isAlive(run.facts.lab));
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
    const Result<BlackBox::Content> box = BlackBox::read(file, run.facts.uuid);
    if (!box)
        return {};
    Result<Curve> stored = readCurve(database, run.run);
    const Result<std::uint64_t> end = logEnd(database, run.run);
    if (!stored || !end)
        return {};
    const auto lastNs
        = stored->samples.empty() ? std::numeric_limits<std::int64_t>::min() : stored->samples.back().monotonicNs;
    const auto newer = std::ranges::upper_bound(box->samples, lastNs, {}, &Sample::monotonicNs);
    Result<void> done = samples.add(database, run.run, {newer, box->samples.end()});
    for (const auto& [at, piece] : box->log) {
        const auto until = at + piece.bytes.size();
        if (!done || until <= *end)
            continue;
        const auto known = *end > at ? *end - at : 0;
        done = logs.add(database, run.run, piece.stream, piece.tMs, std::string_view(piece.bytes).substr(known));
    }
    return done;
}

/// What the kernels of earlier boots said, by boot id.
using BootLogs = std::map<std::string, std::vector<KernelLine>>;

BootLogs readBootLogs(const std::vector<OpenRun>& lost, const std::string& bootId, const BootLogPlaces& places)
{
    BootLogs logs;
    const auto until = std::chrono::steady_clock::now() + kKernelLogLimit;
    for (const OpenRun& run : lost) { // The oldest of a boot comes first, so `since` is right for all of them.
        const auto left = std::chrono::floor<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (hostIsLost(run.facts.bootId, bootId) && !logs.contains(run.facts.bootId) && left.count() > 0)
            logs[run.facts.bootId] = readBootLog(run.facts.bootId, run.startedUtc, left, places);
    }
    return logs;
}

/// The kernel's last words become part of the run's log, at their time.
Result<void> addToLog(const Connection& database, LogWriter& logs, const OpenRun& run)
{
    const std::vector<KernelLine>& lines = run.facts.kernel;
    Result<void> done;
    for (std::size_t at = lines.size() - std::min(lines.size(), kMostKernelLines); done && at < lines.size(); ++at)
        done = logs.add(database, run.run, LogStream::Lab,
            std::max<std::int64_t>(0, lines[at].monotonicNs - run.facts.originNs) / 1'000'000,
            "kernel: " + lines[at].text + "\n");
    return done;
}

Result<RunResult> close(const Connection& database, SampleWriter& samples, LogWriter& logs, OpenRun& run,
    const std::string& bootId, const BootLogs& kernel)
{
    Result<void> done = samples.close(database, run.run);
    if (!done && done.error().kind != ErrorKind::Invalid)
        return std::move(done).error();
    Curve curve;
    Result<RunResult> result = asFarAsStored(database, run.run, curve);
    if (!result)
        return result;
    LostRun& facts = run.facts;
    facts.duration = result->duration;
    if (!curve.samples.empty())
        facts.last = curve.samples.back();
    if (const auto log = kernel.find(facts.bootId); log != kernel.end())
        facts.kernel = linesOfRun(log->second, facts.originNs, facts.originNs + facts.duration.count());
    done = addToLog(database, logs, run);
    if (done)
        done = logs.close(database, run.run);
    if (!done)
        return std::move(done).error();
    if (auto& left = result->traces.outsideGroup; left && left->empty())
        left.reset(); // One may have left just before the end, or after it.
    result->verdict = judgeLost(facts, bootId);
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

Result<std::vector<RunResult>> RunStore::closeLostRuns(const std::string& bootId, const BootLogPlaces& places)
{
    State& state = *m_state;
    std::vector<RunResult> closed;
    BootLogs kernel;
    const auto closeAll = [&]() -> Result<void> {
        Result<std::vector<OpenRun>> lost = lostRuns(state.database, bootId, state.lock);
        if (!lost)
            return lost.error();
        for (OpenRun& run : *lost) {
            if (Result<void> added = addFromBox(state.database, state.samples, state.logs, state.file, run); !added)
                return added;
            Result<RunResult> result = close(state.database, state.samples, state.logs, run, bootId, kernel);
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
        kernel = readBootLogs(*lost, bootId, places);
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
