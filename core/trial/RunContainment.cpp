#include "core/trial/RunContainment.h"

#include "core/Units.h"

#include <algorithm>
#include <csignal>
#include <cstring>

namespace loadlab {
namespace {

constexpr double kWatchdogHz = 100;
constexpr std::int64_t kLookEveryNs = 450'000'000;

std::string breachWords(const CapWatchdog::Breach& breach)
{
    return formatSize(breach.bytes) + (breach.ofSwap ? " of swap" : "") + " held, over the cap of "
        + formatSize(breach.capBytes);
}

} // namespace

RunContainment::RunContainment(const Containment* available, const Limits& limits, std::string runUuid)
    : m_available(available)
    , m_caps{limits.capMemoryBytes, limits.capSwapBytes}
    , m_runUuid(std::move(runUuid))
    , m_margin(limits.guard)
{
}

void RunContainment::begin(RunFacts& facts)
{
    m_before = readHostState();
    if (!m_available) {
        m_detail = "not asked for";
    } else if (Result<std::unique_ptr<RunGroup>> group = m_available->makeGroup(m_runUuid, m_caps); group) {
        m_group = *std::move(group);
        m_kind = m_group->kind();
        m_detail = m_available->detail();
    } else {
        m_detail = group.error().message;
    }
    splitCaps(m_caps);
    makeGuard();
    facts.before = readKernelCounters();
    if (m_group)
        facts.before.cgroupOomKill = m_group->read().oomKills;
}

/// What the group keeps, and what is left to the watchdog.
void RunContainment::splitCaps(const Caps& caps)
{
    Caps rest = caps;
    if (m_group && m_group->keepsMemory())
        rest.memoryBytes.reset();
    if (m_group && m_group->keepsSwap())
        rest.swapBytes.reset();
    if (caps.memoryBytes)
        m_keptBy = rest.memoryBytes ? "watchdog" : "cgroup";
    if (caps.swapBytes)
        m_swapKeptBy = rest.swapBytes ? "watchdog" : "cgroup";
    m_watchdog.keep(rest);
}

void RunContainment::makeGuard()
{
    if (m_group) {
        m_counters = std::make_shared<GroupCounters>(*m_group);
        m_limits.emplace(*m_group);
    }
    m_guard.emplace(m_margin, m_before.memory.totalBytes, [this] { return poolUnderLimits(); });
}

std::optional<Guard::Pool> RunContainment::poolUnderLimits()
{
    using Of = Guard::Pool::Of;
    const std::lock_guard lock(m_groupMutex);
    std::optional<Guard::Pool> pool;
    if (const auto left = m_limits ? m_limits->nearest(monotonicNs()) : std::nullopt)
        pool = {left->leftBytes, left->limitBytes, left->ofRun ? Of::Cap : Of::Group};
    if (const auto left = m_watchdog.leftBytes(); left && (!pool || *left < pool->leftBytes))
        pool = {*left, *m_caps.memoryBytes, Of::Cap};
    return pool;
}

void RunContainment::setMargin(std::optional<GuardMargin> margin)
{
    m_margin = margin;
    m_guard->setMargin(margin);
}

std::uint64_t RunContainment::takeKills()
{
    const std::uint64_t kills = m_counters ? m_counters->oomKills().value_or(0) : 0;
    return kills - std::exchange(m_killsTaken, kills);
}

std::optional<GuardLooked> RunContainment::takeLook(bool atOnce)
{
    const auto look = m_guard->lastLook();
    const std::int64_t sinceNs = look ? look->monotonicNs - m_lookTakenNs : 0;
    if (sinceNs < (atOnce ? 1 : kLookEveryNs))
        return std::nullopt;
    m_lookTakenNs = look->monotonicNs;
    return GuardLooked{*look, m_counters ? m_counters->oomKills() : std::nullopt};
}

RunContained RunContainment::told() const
{
    return {std::string(toWireName(m_kind)), m_detail, m_keptBy, m_swapKeptBy, m_before.memory};
}

std::function<int()> RunContainment::hook() const
{
    if (!m_group)
        return {};
    return [group = m_group.get()] { return group->join(); };
}

bool RunContainment::dropGroupThatRefused()
{
    const int error = m_group ? m_group->joined().value_or(0) : 0;
    if (error == 0)
        return false;
    m_detail = "the worker could not move into " + m_group->folder().string() + ": " + std::strerror(error);
    {
        const std::lock_guard lock(m_groupMutex);
        m_limits.reset();
    }
    m_group.reset();
    m_counters.reset();
    m_kind = GroupKind::None;
    splitCaps(m_caps);
    return true;
}

double RunContainment::sampleHz(double asked) const
{
    if (m_margin)
        asked = std::max(asked, Guard::kLeastHz);
    return m_watchdog.hasCaps() ? std::max(asked, kWatchdogHz) : asked;
}

void RunContainment::started(pid_t worker)
{
    takeVictims(); // Of others: the pid may have been theirs.
    m_tree.started(worker);
    m_watchdog.arm(worker);
    m_guard->arm(worker);
}

void RunContainment::check(const Sample& sample)
{
    m_watchdog.check(sample);
    m_guard->check(sample);
}

std::vector<std::string> RunContainment::noteTree(std::vector<ProcessId> tree)
{
    if (m_ended)
        return {};
    takeVictims();
    m_tree.note(std::move(tree));
    if (!m_group)
        return {};
    std::vector<std::string> left = m_tree.newlyLeft(*m_group);
    if (std::set<std::string> groups = m_tree.groupsOutside(); groups != m_followed) {
        const std::lock_guard lock(m_groupMutex);
        m_followed = std::move(groups);
        m_limits->follow(*m_group, m_followed);
    }
    m_outside.insert(m_outside.end(), left.begin(), left.end());
    return left;
}

/// Read at every note: what the log says since the last one was of processes that ran then.
void RunContainment::takeVictims()
{
    using Limit = KernelVictim::Limit;
    const std::string own = m_group ? m_group->folder().filename().string() : std::string();
    const auto inOwn = [&own](const std::string& path) { return !own.empty() && path.find(own) != std::string::npos; };
    for (OomVictim& victim : m_log.takeVictims()) {
        const bool ours = inOwn(victim.group) || m_tree.hadJustNow(victim.pid);
        KernelVictim told{victim.pid, std::move(victim.name), ours, victim.heldBytes,
            ours && m_tree.isWorker(victim.pid), Limit::Unknown, std::move(victim.limitedGroup)};
        if (victim.ofMachine)
            told.limit = Limit::Machine;
        else if (!told.limitedGroup.empty())
            told.limit = told.limitedGroup.ends_with(own) && inOwn(told.limitedGroup) ? Limit::Run
                : inOwn(told.limitedGroup)                                            ? Limit::Below
                                                                                      : Limit::Other;
        m_victims.push_back(std::move(told));
    }
}

std::vector<pid_t> RunContainment::processes() const
{
    return m_group ? m_group->processes() : std::vector<pid_t>();
}

bool RunContainment::hasKilled() const
{
    return m_guard->stopped() || m_watchdog.breach();
}

void RunContainment::ended(RunFacts& facts)
{
    takeVictims(); // Before the worker's pid may be another's.
    m_ended = true;
    m_watchdog.disarm();
    m_guard->disarm();
    if (const auto stop = m_guard->stopped()) {
        facts.acts.guardStop = toWords(*stop);
        facts.acts.strongestSignal = SIGKILL;
    }
    if (const auto breach = m_watchdog.breach()) {
        facts.acts.capBreach = breachWords(*breach);
        facts.acts.strongestSignal = SIGKILL;
    }
}

void RunContainment::readEvidence(RunFacts& facts)
{
    facts.after = readKernelCounters();
    if (m_group) {
        m_last = m_group->read();
        facts.after.cgroupOomKill = m_last->oomKills;
    }
    facts.kernelLogRead = m_log.isReadable();
    takeVictims();
    facts.kernelVictims = m_victims;
    facts.outsideGroup = m_outside;
}

bool RunContainment::remove(std::chrono::milliseconds limit)
{
    return !m_group || m_group->remove(limit);
}

void RunContainment::describe(RunResult& result, const RunFacts& facts) const
{
    copyTo(result, told());
    HostTraces& traces = result.traces;
    const HostState after = readHostState();
    traces.after = after.memory;
    traces.processes = facts.leftovers;
    if (m_kind != GroupKind::None) {
        traces.outsideGroup = facts.outsideGroup;
        traces.bornOutside = m_tree.bornOutside();
    }
    for (const ShmFile& file : newShmFiles(m_before, after))
        traces.shmFiles.push_back({file.name, file.bytes});
    const std::uint64_t grown = after.memory.cacheBytes - std::min(after.memory.cacheBytes, m_before.memory.cacheBytes);
    // The group's own figure is of this run alone; the machine's is of everybody.
    traces.cacheBytes = m_last ? m_last->fileBytes : grown;
    traces.cacheIsOwn = m_last.has_value();
    if (m_last) {
        traces.shmBytes = m_last->shmemBytes;
        traces.groupHighestBytes = m_last->highestUsageBytes;
        const bool swapless = m_before.memory.swapTotalBytes == 0 && after.memory.swapTotalBytes == 0;
        traces.groupHighestWithSwapBytes = swapless ? m_last->highestUsageBytes : m_last->highestWithSwapBytes;
        traces.groupLimitHits = m_last->limitHits;
    }
}

} // namespace loadlab
