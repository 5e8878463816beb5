#include "core/Text.h"
#include "core/Units.h"
#include "core/telemetry/ProcessReader.h"
#include "core/telemetry/Whereabouts.h"
#include "core/trial/TrialRun.h"
#include "core/worker/Leftovers.h"

#include <poll.h>

// How a run ends, whatever ended it.

namespace loadlab {
using namespace std::chrono_literals;

void TrialRun::stopWorker()
{
    m_exercised = true;
    if (m_worker->state() != WorkerProcess::State::Running)
        return;
    enter(TrialState::Stopping);
    m_worker->stop();
}

/// The worker's own time is over, and what was done to it is known.
void TrialRun::noteEnd()
{
    RunFacts& facts = m_account->facts;
    m_exercised = true;
    m_account->end(monotonicNs());
    facts.acts.strongestSignal = m_worker->strongestSignalSent();
    facts.acts.afterTerm = m_worker->livedAfterTerm();
    m_containment.ended(facts);
    if (!facts.acts.guardStop.empty())
        act("guard", facts.acts.guardStop);
    if (!facts.acts.capBreach.empty())
        act("cap", "killed by the watchdog: " + facts.acts.capBreach);
}

void TrialRun::workerEnded(const WaitStatus& status)
{
    const std::int64_t now = monotonicNs();
    RunFacts& facts = m_account->facts;
    facts.wait = status;
    noteEnd();
    // A worker that was cut off in the middle of a line by a signal did not talk nonsense.
    if (const auto end = m_lines.unfinished(); end && facts.nonsense.empty() && status.code == 0)
        refuse(end->why, end->line);
    if (m_state != TrialState::Stopping)
        enter(TrialState::Stopping);
    m_outlet.emit(WorkerEnded{status}, now);
    endLeftoversOf(m_worker->pid());
}

/// What still frees its memory uses CPU time, however long that takes.
void TrialRun::watchDying(std::int64_t nowNs)
{
    if (!m_worker->isDying())
        return;
    const auto stat = readProcessStat(m_worker->pid());
    const std::uint64_t cpuNs = stat ? stat->use.cpuNs : 0;
    if (!m_dyingSinceNs || cpuNs != m_dyingCpuNs)
        m_dyingSinceNs = nowNs;
    m_dyingCpuNs = cpuNs;
    if (nowNs - *m_dyingSinceNs >= std::chrono::nanoseconds(m_surroundings.stopTimes.toGiveUp).count())
        leaveWorker();
}

/// It hangs inside the kernel, where no signal reaches it: the run ends without it.
void TrialRun::leaveWorker()
{
    m_account->facts.undying
        = "pid " + std::to_string(m_worker->pid()) + " did not end on SIGKILL: " + describeStuckThread(m_worker->pid());
    noteEnd();
    act("undying", m_account->facts.undying);
    if (m_state != TrialState::Stopping)
        enter(TrialState::Stopping);
    m_worker->abandon();
    endLeftoversOf({});
}

/// `worker`: has ended, and is told apart from what it left.
void TrialRun::endLeftoversOf(std::optional<pid_t> worker)
{
    std::vector<pid_t> tree = m_sampler->living();
    const std::vector<pid_t> grouped = m_containment.processes();
    tree.insert(tree.end(), grouped.begin(), grouped.end());
    if (worker)
        std::erase(tree, *worker);
    const LeftoverReport report = endLeftovers(m_uuid, tree);
    RunFacts& facts = m_account->facts;
    facts.adoptedMaxRssBytes = std::max(report.maxRssBytes, reapAdopted(m_worker->pid()));
    facts.leftoverProcesses = report.ended.size() + report.survivors.size();
    std::string names;
    for (const auto* group : {&report.ended, &report.survivors}) {
        for (const NamedProcess& process : *group) {
            facts.leftovers.push_back(toWords(process) + (group == &report.survivors ? ", could not be ended" : ""));
            names += (names.empty() ? "" : ", ") + facts.leftovers.back();
        }
    }
    if (!names.empty())
        act("leftovers", "outlived the worker and were killed: " + names);
}

void TrialRun::settle()
{
    // On most machines memory is back before the worker's end is even known; only where it keeps coming back, and the
    // run had enough for it to matter, it is waited for.
    constexpr std::uint64_t worthWaiting = std::uint64_t{128} << 20;
    constexpr std::uint64_t stillComing = std::uint64_t{16} << 20;
    constexpr std::int64_t look = std::chrono::nanoseconds(200ms).count();
    const std::uint64_t peak = m_account->peakTreeBytes();
    const std::uint64_t baseline = m_account->baselineAvailableBytes();
    const std::int64_t until = monotonicNs() + std::chrono::nanoseconds(m_surroundings.settleTimeout).count();
    removeGroup(until);
    std::uint64_t available = readSystemMemory().availableBytes;
    std::int64_t lookedNs = monotonicNs();
    while (peak > worthWaiting && available + std::max(worthWaiting, peak / 10) < baseline && monotonicNs() < until) {
        pollfd mail{m_mailbox.fd(), POLLIN, 0};
        ::poll(&mail, 1, 50);
        takeMail();
        m_outlet.flushDue(monotonicNs());
        if (monotonicNs() - lookedNs < look)
            continue;
        const std::uint64_t before = std::exchange(available, readSystemMemory().availableBytes);
        lookedNs = monotonicNs();
        if (available < before + stillComing)
            break;
    }
}

/// At once, as a rule: by now every process of it has ended, and only one that is still leaving keeps it.
void TrialRun::removeGroup(std::int64_t untilNs)
{
    const std::int64_t leftMs = std::max<std::int64_t>(0, (untilNs - monotonicNs()) / 1'000'000);
    if (!m_containment.remove(std::chrono::milliseconds(leftMs)))
        act("leftovers", "the run's cgroup could not be removed: some process in it does not end");
}

RunResult TrialRun::conclude()
{
    const SamplerReport report = m_sampler->stop();
    takeMail();
    m_outlet.flush();
    RunResult result;
    result.commandLine = m_commandLine;
    m_containment.describe(result, m_account->facts);
    if (const auto& before = m_surroundings.before; before && result.traces.before)
        if (const std::uint64_t missing = before->missing(result.traces.before->availableBytes); missing > 0)
            result.traces.dirtyStartBytes = missing;
    result.traces.pauses = m_account->facts.pauses;
    m_account->facts.leftShmBytes = result.traces.shmBytes.value_or(0);
    m_account->facts.dirtyStartBytes = result.traces.dirtyStartBytes.value_or(0);
    m_account->conclude(report, m_surroundings.machine, rules(), result);
    result.counters = describeCounters(
        report.columns, {report.rateHz, m_containment.kind(), m_containment.detail(), m_gpu->reportSoFar()});
    enter(TrialState::Settled);
    m_outlet.emit(RunFinished{result}, monotonicNs());
    return result;
}

namespace {

/// For a listener that may throw again: it must not take the lab along.
template <typename F> void despiteTheListener(F tell)
{
    try {
        tell();
    } catch (const std::exception&) { // Said already, in the result.
    }
}

} // namespace

/// No memory left, or a listener that throws: the run still ends as every run does, with nothing left behind.
RunResult TrialRun::giveUp(const std::string& why)
{
    m_worker.reset();
    endLeftovers(m_uuid, m_containment.processes());
    m_containment.remove(m_surroundings.settleTimeout);
    if (!m_account)
        despiteTheListener([this] { begin(identity()); });
    if (m_account->facts.duration.count() == 0)
        m_account->end(monotonicNs());
    RunResult result;
    copyTo(result, m_containment.told());
    m_account->conclude(m_sampler ? m_sampler->stop() : SamplerReport{}, m_surroundings.machine, rules(), result);
    result.verdict = Verdict{};
    result.verdict->summary = "The lab itself failed during the run: " + toUtf8(why) + ".";
    result.verdict->evidence.push_back({"lab", toUtf8(why), std::string(toWireName(FailureMode::Unknown)), 1.0});
    despiteTheListener([this] { enter(TrialState::Settled); });
    despiteTheListener([this] { m_outlet.flush(); });
    despiteTheListener([this, &result] { m_outlet.emit(RunFinished{result}, monotonicNs()); });
    return result;
}

} // namespace loadlab
