#include "core/trial/TrialRunner.h"

#include "core/Digest.h"
#include "core/trial/TrialRun.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace loadlab {

struct TrialRunner::State {
    TrialSpec spec;
    TrialSurroundings surroundings;
    Listener listener;
    std::string uuid = makeUuid();
    RunMailbox mailbox;
    std::stop_source inspecting;
    bool hold = false;
    bool started = false;
    std::atomic<bool> finished = false;
    std::mutex mutex;
    std::condition_variable ended;
    RunResult result;
    std::jthread thread; ///< Last: joined before anything it uses goes.
};

std::uint64_t QueueMemory::missing(std::uint64_t availableNow) const
{
    constexpr std::uint64_t comesAndGoes = std::uint64_t{128} << 20;
    const std::uint64_t gap = availableBytes - std::min(availableBytes, availableNow);
    return gap > std::max(comesAndGoes, peakTreeBytes / 10) ? gap : 0;
}

std::optional<QueueMemory> QueueMemory::after(const RunResult& result, const std::optional<QueueMemory>& before)
{
    if (!result.traces.before)
        return before;
    const bool startedDirty = before && result.traces.dirtyStartBytes;
    return QueueMemory{
        startedDirty ? before->availableBytes : result.traces.before->availableBytes, result.curve.peakTreeBytes};
}

TrialRunner::TrialRunner(TrialSpec spec, TrialSurroundings surroundings, Listener listener)
    : m_state(std::make_unique<State>())
{
    m_state->spec = std::move(spec);
    m_state->surroundings = std::move(surroundings);
    m_state->listener = std::move(listener);
}

TrialRunner::~TrialRunner()
{
    cancel(true);
}

void TrialRunner::start()
{
    if (std::exchange(m_state->started, true))
        return;
    m_state->thread = std::jthread([state = m_state.get()] {
        TrialRun run(state->spec, state->surroundings, state->uuid, state->hold, state->mailbox, state->listener);
        RunResult result = run.execute(state->inspecting.get_token());
        const std::lock_guard lock(state->mutex);
        state->result = std::move(result);
        state->finished = true;
        state->ended.notify_all();
    });
}

void TrialRunner::cancel(bool now)
{
    m_state->mailbox.cancel(now);
    m_state->inspecting.request_stop();
}

void TrialRunner::holdAfterLoad()
{
    m_state->hold = true;
}

void TrialRunner::release()
{
    m_state->mailbox.release();
}

void TrialRunner::setGuard(std::optional<GuardMargin> margin)
{
    m_state->mailbox.setGuard(margin);
}

const RunResult& TrialRunner::wait()
{
    std::unique_lock lock(m_state->mutex);
    m_state->ended.wait(lock, [this] { return m_state->finished.load(); });
    return m_state->result;
}

bool TrialRunner::finished() const
{
    return m_state->finished;
}

const std::string& TrialRunner::uuid() const
{
    return m_state->uuid;
}

} // namespace loadlab
