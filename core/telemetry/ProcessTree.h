#pragma once

#include "core/curve/Sample.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// A process by pid and start time: a pid alone may be somebody else's tomorrow.
struct ProcessId {
    pid_t pid = 0;
    std::uint64_t startTicks = 0; ///< Field 22 of /proc/PID/stat.
    auto operator<=>(const ProcessId&) const = default;
};
std::optional<ProcessId> identify(pid_t pid);
[[nodiscard]] bool isAlive(const ProcessId& process); ///< False for a zombie too.

/// The processes of one run: the root, its descendants through task/*/children, and orphans of the tree that the lab, as
/// subreaper, inherited. Descriptors are kept open and read with pread; /proc is never scanned. One thread at a time.
class ProcessTree {
public:
    explicit ProcessTree(pid_t root);
    ~ProcessTree();

    /// Looks for new children and fills every tree column of the sample. False when no process is left.
    bool sample(Sample& into);
    /// Every process seen so far that still runs, the root first.
    [[nodiscard]] std::vector<ProcessId> living();
    /// Largest VmHWM of any one process seen at any time.
    [[nodiscard]] std::uint64_t highWaterBytes() const;
    /// The largest anonymous + shmem share that a high-water mark proves: max over processes of VmHWM − its RssFile.
    [[nodiscard]] std::uint64_t provenAnonBytes() const;
    /// Sum of Pss_Anon + Pss_Shmem + SwapPss of smaps_rollup over the tree (takes the targets' mmap locks: at marks
    /// only). Nothing where unreadable.
    [[nodiscard]] std::optional<std::uint64_t> pssTreeBytes();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
