#include "core/telemetry/PssReader.h"

#include "core/ClockNs.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/ProcessReader.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <thread>
#include <utility>
#include <vector>

namespace loadlab {
namespace {

/// What tells of its memory by that key, through a thread that has some.
std::string readOf(pid_t pid, const char* name, std::string_view key)
{
    std::string text = readSmallFile("/proc/" + std::to_string(pid) + "/" + name);
    return procfs::numberAfter(text, key) ? text : readSmallFile(livingFolder(pid) + "/" + name);
}

std::uint64_t kibAfter(const std::string& text, std::string_view key)
{
    return procfs::numberAfter(text, key).value_or(0) * 1024;
}

/// What a process tells of itself without a look at its pages.
struct Told {
    std::uint64_t privateBytes = 0; ///< Anonymous and swapped.
    std::uint64_t shmemBytes = 0;
    std::uint64_t faults = 0;
    bool ended = true;
};

Told toldBy(pid_t pid)
{
    const auto stat = readProcessStat(pid);
    const std::string text = readOf(pid, "status", "RssAnon:");
    return {kibAfter(text, "RssAnon:") + kibAfter(text, "VmSwap:"), kibAfter(text, "RssShmem:"),
        stat ? stat->use.minorFaults : 0, !stat || stat->zombie};
}

/// Faults that made no process larger may have copied what it shared.
std::uint64_t changedBetween(const Told& before, const Told& after)
{
    const auto grown = after.privateBytes - std::min(after.privateBytes, before.privateBytes);
    const auto shrunk = before.privateBytes - std::min(before.privateBytes, after.privateBytes);
    const auto faulted = (after.faults - std::min(after.faults, before.faults)) * pageBytes();
    return shrunk + faulted - std::min(faulted, grown);
}

/// Adds one process. False where it may not be read.
bool add(PssReading& sum, pid_t pid)
{
    const std::string text = readOf(pid, "smaps_rollup", "Pss_Anon:");
    if (!procfs::numberAfter(text, "Pss_Anon:")) {
        const auto stat = readProcessStat(pid);
        return !stat || stat->zombie;
    }
    sum.anon.sum += kibAfter(text, "Anonymous:");
    sum.anon.once += kibAfter(text, "Pss_Anon:");
    sum.shmem.once += kibAfter(text, "Pss_Shmem:");
    sum.swap.sum += kibAfter(text, "Swap:");
    sum.swap.once += kibAfter(text, "SwapPss:");
    return true;
}

} // namespace

std::optional<PssReading> readPss(std::span<const pid_t> pids)
{
    PssReading sum;
    std::vector<Told> before;
    before.reserve(pids.size());
    for (const pid_t pid : pids)
        sum.shmem.sum += before.emplace_back(toldBy(pid)).shmemBytes;
    for (const pid_t pid : pids)
        if (!add(sum, pid))
            return std::nullopt;
    for (std::size_t i = 0; i < pids.size(); ++i) {
        const auto after = toldBy(pids[i]);
        if (after.ended != before[i].ended)
            return std::nullopt;
        sum.changedBytes += changedBetween(before[i], after);
    }
    return sum;
}

struct PssReader::State {
    std::function<void()> done;
    mutable std::mutex mutex;
    std::condition_variable asked;
    std::array<pid_t, kMostProcesses> pids{};
    std::size_t count = 0;
    std::uint64_t ticket = 0; ///< Of the last wish.
    std::uint64_t answered = 0;
    std::optional<Answer> answer;
    bool stopping = false;
    std::thread thread;

    void run();
};

void PssReader::State::run()
{
    ::prctl(PR_SET_NAME, "pss");
    std::array<pid_t, kMostProcesses> mine{};
    for (std::unique_lock lock(mutex);;) {
        asked.wait(lock, [this] { return stopping || ticket != answered; });
        if (stopping)
            return;
        const std::uint64_t number = ticket;
        const std::span<pid_t> now = std::span(mine).first(count);
        std::ranges::copy(std::span(pids).first(count), now.begin());
        lock.unlock();
        const auto beganNs = clockNs(CLOCK_THREAD_CPUTIME_ID).value_or(0);
        const std::optional<PssReading> reading = readPss(now);
        const auto costNs = clockNs(CLOCK_THREAD_CPUTIME_ID).value_or(0) - beganNs;
        lock.lock();
        answer = Answer{number, costNs, reading};
        answered = number;
        lock.unlock();
        done();
        lock.lock();
    }
}

PssReader::PssReader(std::function<void()> done)
    : m_state(std::make_unique<State>())
{
    m_state->done = std::move(done);
}

PssReader::~PssReader()
{
    stop();
}

void PssReader::start()
{
    m_state->thread = std::thread([state = m_state.get()] { state->run(); });
}

void PssReader::stop()
{
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->stopping = true;
    }
    m_state->asked.notify_all();
    if (m_state->thread.joinable())
        m_state->thread.join();
}

std::uint64_t PssReader::ask(std::span<const pid_t> pids)
{
    if (pids.size() > kMostProcesses || !m_state->thread.joinable())
        return 0;
    const std::lock_guard lock(m_state->mutex);
    std::ranges::copy(pids, m_state->pids.begin());
    m_state->count = pids.size();
    m_state->asked.notify_all();
    return ++m_state->ticket;
}

bool PssReader::isBusy() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->ticket != m_state->answered;
}

std::optional<PssReader::Answer> PssReader::take()
{
    const std::lock_guard lock(m_state->mutex);
    return std::exchange(m_state->answer, std::nullopt);
}

} // namespace loadlab
