#pragma once

#include "core/containment/RunGroup.h"
#include "core/telemetry/ProcessTree.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// Which processes a run had just now, and which of them are in no group of the run's. The run's thread.
class RunTree {
public:
    void started(pid_t worker);
    /// As last sampled.
    void note(std::vector<ProcessId> tree);
    [[nodiscard]] bool isWorker(pid_t pid) const { return m_worker && m_worker->pid == pid; }
    /// Whether one of the last two notes, or the worker, has the pid, and it is nobody else's by now.
    [[nodiscard]] bool hadJustNow(pid_t pid) const;
    /// Those found to have left the group since the last call: "pid 4711 (bash), in /other". Looks so seldom that it
    /// takes a fiftieth of the time at most; names 20 in all. One whose parent nobody saw is taken for a child of
    /// whoever left for the same group before it began.
    std::vector<std::string> newlyLeft(const RunGroup& group);
    /// The groups, by their paths, of those that were outside at the last look.
    [[nodiscard]] std::set<std::string> groupsOutside() const;
    /// How many more were found outside the group, born there.
    [[nodiscard]] std::uint64_t bornOutside() const { return m_bornOutside; }

private:
    /// Nothing: in the run's group, or below it.
    using Places = std::map<ProcessId, std::optional<ProcessOutside>>;
    [[nodiscard]] Places look(const RunGroup& group) const;
    [[nodiscard]] bool wasBornOutside(const ProcessId& process, const Places& before) const;

    std::optional<ProcessId> m_worker;
    std::vector<ProcessId> m_now;
    std::vector<ProcessId> m_before;
    Places m_places; ///< Of the last look.
    std::map<ProcessId, std::string> m_left; ///< For which group.
    std::uint64_t m_bornOutside = 0;
    std::int64_t m_nextLookNs = 0;
};

} // namespace loadlab
