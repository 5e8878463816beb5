#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// A process as people are told of it.
struct NamedProcess {
    pid_t pid = 0;
    std::string name; ///< /proc/PID/comm, UTF-8; "?" when it is gone.
};
/// "pid 4711 (sleep)"
std::string toWords(const NamedProcess& process);

/// What became of the processes that a run left behind.
struct LeftoverReport {
    std::vector<NamedProcess> ended;
    std::vector<NamedProcess> survivors; ///< Still there when the time was over (stuck inside the kernel, or not ours).
    std::uint64_t maxRssBytes = 0; ///< The largest ru_maxrss of those that were reaped.
};

/// Ends what is left of a run: every process of this user whose environment holds LOADLAB_RUN=uuid, and `alsoThese`
/// (members of its tree whose environment may have been cleared; one that is marked as another run's is left alone).
/// SIGKILL through a pidfd, so never to a number that was given away meanwhile; repeated until none is left or `limit`
/// is over. Those that the calling process adopted are reaped. Also for runs of a lab that died. Never the calling
/// process itself. Blocks up to `limit`.
LeftoverReport endLeftovers(std::string_view runUuid, const std::vector<pid_t>& alsoThese = {},
    std::chrono::milliseconds limit = std::chrono::seconds(2));

/// Reaps adopted zombies of a process group whose leader was a worker; the largest ru_maxrss of any of them. Other
/// children are not touched.
std::uint64_t reapAdopted(pid_t group);

} // namespace loadlab
