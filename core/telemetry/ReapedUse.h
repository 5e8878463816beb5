#pragma once

#include "core/telemetry/ProcessReader.h"

#include <sys/types.h>
#include <vector>

namespace loadlab {

/// Keeps the sums of a tree right when processes end: what one had used moves to its parent's "reaped" counters if the
/// parent waits for it, and is lost if nobody in the tree does (the lab waits, or the parent ignores SIGCHLD).
/// Minor faults tell which: no process ends without some.
class ReapedUse {
public:
    /// A process ended. `heir`: its nearest living ancestor in the tree (0: none) with what that had reaped before.
    void ended(const ProcessUse& last, pid_t heir, std::uint64_t heirReapedFaultsBefore);
    /// What a living process has reaped by now; after ended(), once for every heir and full sample.
    void heirSeen(pid_t heir, std::uint64_t reapedFaults);
    /// The heir is gone itself, and its own last use was told by ended(): its estate goes to the next one.
    void heirGone(pid_t heir, pid_t next, std::uint64_t nextReapedFaultsBefore);
    /// What no living process accounts for.
    [[nodiscard]] ProcessUse lost() const;

private:
    struct Estate {
        pid_t heir = 0;
        std::uint64_t faultsBefore = 0;
        ProcessUse use;
        int looks = 0;
    };
    void keep(const ProcessUse& use);

    std::vector<Estate> m_open;
    ProcessUse m_kept;
};

/// Sum of two uses, member by member.
void add(ProcessUse& sum, const ProcessUse& more);

} // namespace loadlab
