#pragma once

#include <sys/types.h>

namespace loadlab {

/// The worker's process group, for those who kill it on the sampler's thread: nobody until it is armed, nobody after.
/// No lock of its own.
class WorkerGroup {
public:
    /// From now on this process group, whose leader is a child of this process that has not been reaped.
    void arm(pid_t group) { m_group = group; }
    /// Before the leader is reaped: from then on its number may be anybody's.
    void disarm() { m_group = 0; }
    [[nodiscard]] bool isArmed() const { return m_group > 0; }
    /// SIGKILL, when armed. To be repeated at every sample: a process may just have been forked.
    void kill() const;

private:
    pid_t m_group = 0;
};

} // namespace loadlab
