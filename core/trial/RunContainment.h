#pragma once

#include "core/containment/CapWatchdog.h"
#include "core/containment/Containment.h"
#include "core/containment/GroupCounters.h"
#include "core/containment/GroupLimits.h"
#include "core/containment/Guard.h"
#include "core/containment/HostState.h"
#include "core/containment/KernelLog.h"
#include "core/trial/RunEvent.h"
#include "core/trial/RunTree.h"
#include "core/verdict/RunFacts.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// What holds one run, and what proves how it ended: its group, or the watchdog in place of it, the kernel's counters
/// and log, and the machine before and after. The run's thread; check() the sampler's.
class RunContainment {
public:
    /// `available`: what the machine can contain runs with; nothing: not at all. Makes no group yet.
    RunContainment(const Containment* available, const Limits& limits, std::string runUuid);

    /// Baseline: makes the group, sets the marks. Where no group is to be had, or it cannot keep a cap, the watchdog
    /// keeps it.
    void begin(RunFacts& facts);
    /// What is known from then on.
    [[nodiscard]] RunContained told() const;
    /// For WorkerCommand::inChild; empty without a group.
    [[nodiscard]] std::function<int()> hook() const;
    /// The child could not enter the group: goes on without. False when that was not the matter.
    bool dropGroupThatRefused();
    /// What the group holds, for the sampler's thread; null without a group.
    [[nodiscard]] std::shared_ptr<GroupCounters> groupCounters() const { return m_counters; }
    /// The watchdog sees nothing between two samples: at least 100 a second where it has a cap to keep; the guard, 50.
    [[nodiscard]] double sampleHz(double asked) const;

    /// The guard's margin from now on, or none.
    void setMargin(std::optional<GuardMargin> margin);
    /// How many processes the kernel killed for lack of memory since the last call, as far as the group tells.
    std::uint64_t takeKills();
    /// What the guard last saw, where that was not taken yet; nothing within half a second of the last one, but at
    /// once.
    std::optional<GuardLooked> takeLook(bool atOnce);
    [[nodiscard]] GroupKind kind() const { return m_kind; }
    [[nodiscard]] const std::string& detail() const { return m_detail; } ///< Where the group is, or why there is none.
    void started(pid_t worker);
    void check(const Sample& sample);
    /// The tree's processes as last sampled: whom the kernel's log may name by the next time. Those found to have left
    /// the group since the last call.
    std::vector<std::string> noteTree(std::vector<ProcessId> tree);
    /// Whatever is in the group, named by nobody else.
    [[nodiscard]] std::vector<pid_t> processes() const;
    /// Guard or watchdog did, at once and by themselves.
    [[nodiscard]] bool hasKilled() const;
    /// The worker has ended and is not reaped yet: what watchdog and guard did.
    void ended(RunFacts& facts);
    /// Everything of the run has ended: counters and log, before the group goes.
    void readEvidence(RunFacts& facts);
    /// Ends and removes the group; false when it is still there after that time.
    bool remove(std::chrono::milliseconds limit);
    /// After the settling: what the run left behind.
    void describe(RunResult& result, const RunFacts& facts) const;

private:
    void splitCaps(const Caps& caps);
    void makeGuard();
    void takeVictims();
    [[nodiscard]] std::optional<Guard::Pool> poolUnderLimits();

    const Containment* m_available;
    Caps m_caps;
    std::string m_runUuid;
    std::unique_ptr<RunGroup> m_group;
    std::mutex m_groupMutex; ///< Of m_limits.
    std::shared_ptr<GroupCounters> m_counters;
    std::optional<GroupLimits> m_limits;
    std::set<std::string> m_followed; ///< By m_limits.
    CapWatchdog m_watchdog;
    std::optional<GuardMargin> m_margin;
    std::optional<Guard> m_guard; ///< From begin() on.
    std::int64_t m_lookTakenNs = 0;
    std::uint64_t m_killsTaken = 0;
    std::string m_detail;
    std::string m_keptBy = "none";
    std::string m_swapKeptBy = "none";
    GroupKind m_kind = GroupKind::None; ///< Also when the group is gone.
    KernelLog m_log;
    RunTree m_tree;
    std::vector<KernelVictim> m_victims;
    std::vector<std::string> m_outside;
    bool m_ended = false;
    HostState m_before;
    std::optional<GroupReading> m_last;
};

} // namespace loadlab
