#pragma once

#include "core/containment/RunGroup.h"
#include "core/telemetry/ProcessTree.h"

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
    /// Those found outside the group for the first time: "pid 4711 (bash), in /other". Looks so seldom that it takes a
    /// fiftieth of the time at most; names 20 in all.
    std::vector<std::string> newOutside(const RunGroup& group);

private:
    std::optional<ProcessId> m_worker;
    std::vector<ProcessId> m_now;
    std::vector<ProcessId> m_before;
    std::set<ProcessId> m_outside;
    std::int64_t m_nextLookNs = 0;
};

} // namespace loadlab
