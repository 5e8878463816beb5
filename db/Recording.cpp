#include "db/RunRows.h"
#include "db/StoreState.h"

#include <nlohmann/json.hpp>

namespace loadlab {

Result<RunId> RunStore::startRun(const RunStarted& started)
{
    if (started.identity.uuid.empty())
        return Error{ErrorKind::Invalid, "a run without a uuid cannot be stored"};
    RunId run;
    Result<void> written = m_state->write([&]() -> Result<void> {
        const Result<RunId> inserted = insertRun(m_state->database, started);
        if (!inserted)
            return inserted.error();
        run = *inserted;
        m_state->lock.take(run); // before anybody can see the run
        m_state->started.push_back(run);
        return {};
    });
    if (!written)
        return std::move(written).error().in("store run " + started.identity.uuid);
    return run;
}

Result<void> RunStore::addEvent(RunId run, const RunEvent& event, std::int64_t originNs)
{
    if (const auto* taken = std::get_if<SamplesTaken>(&event.body))
        return addSamples(run, taken->samples);
    if (const auto* log = std::get_if<LogText>(&event.body))
        return addLog(run, log->stream, static_cast<double>(event.monotonicNs - originNs) / 1e9, log->bytes);
    if (std::holds_alternative<RunStarted>(event.body) || std::holds_alternative<RunFinished>(event.body)
        || std::holds_alternative<GuardLooked>(event.body)) // For who looks on; samples keep what it rests on.
        return {};
    return m_state->write([&] { return insertEvent(m_state->database, run, event, originNs); });
}

Result<void> RunStore::finishRun(RunId run, const RunResult& result)
{
    Result<void> written = m_state->write([&] {
        Result<void> done = m_state->samples.close(m_state->database, run);
        if (done)
            done = m_state->logs.close(m_state->database, run);
        if (done)
            done = endRun(m_state->database, run, result, "lab");
        if (done)
            m_state->ended.push_back(run);
        return done;
    });
    if (!written)
        return std::move(written).error().in("store the end of run " + std::to_string(run.value));
    m_state->lock.release(run);
    return written;
}

Result<void> RunStore::takeBack(RunId run)
{
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    Result<void> written = m_state->write([&]() -> Result<void> {
        sqlite::Statement open = m_state->database.prepare("SELECT 1 FROM runs WHERE id = ? AND ended_utc_ms IS NULL");
        const Result<bool> found = open.bind(run.value).step();
        if (!found)
            return found.error();
        if (!*found)
            return Error{ErrorKind::Invalid, "there is no run " + std::to_string(run.value) + " in progress"};
        return m_state->database.update("runs", "id", run.value, {{"deleted_utc_ms", std::int64_t{now.count()}}});
    });
    if (written)
        m_state->lock.release(run);
    return written;
}

} // namespace loadlab
