#pragma once

#include "core/curve/Sample.h"
#include "core/telemetry/FurtherUse.h"
#include "core/telemetry/PssReader.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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

/// What the memory of a tree takes when each page counts once; bytes.
struct PagesOnce {
    std::uint64_t anonBytes = 0;
    std::optional<std::uint64_t> shmemBytes; ///< Nothing: it maps pages that are counted elsewhere.
    std::uint64_t errorBytes = 0; ///< The figures lag by up to so much.
};

/// Which of the orphans that the lab, as subreaper, inherited belong to a tree.
enum class Orphans {
    Marked, ///< Those that carry a mark of the root's: see ProcessTree.
    All, ///< Every one: this process starts nothing else meanwhile.
};

/// The processes of one run: the root, its descendants through task/*/children, and orphans of the tree that the lab,
/// as subreaper, inherited. Descriptors are kept open and read with pread; /proc is never scanned. One thread at a
/// time.
///
/// Whose orphan? One whose process group or session is the root's, or whose environment holds the root's LOADLAB_RUN; a
/// process that was seen while its parent lived stays known whatever becomes of the parent. Not found: a daemon that
/// left group and session and cleared its environment within the time between two samples (Orphans::All finds it too).
///
/// Known biases, until countBy() or countAs() tell better:
/// - anon: pages that a fork shares with its parent count once (told by the same image: no exec since; what it faulted
///   in or grew by counts as its own). Understated while a parent rewrites pages that its fork still holds, overstated
///   where forks fault often without getting pages.
/// - shmem: pages that several processes have touched count once, as if none had any that the largest has not.
/// - file and RSS are plain sums: file pages that several processes map count in each.
/// - faults, CPU, bytes read: what a process used after the last sample before its end is only known where a parent in
///   the tree waits for it. Children that came and went between two samples count through their parent in the same way.
class ProcessTree {
public:
    enum class Depth {
        Full, ///< Every column, and a look for new processes.
        Changed, ///< The same; what has not run since its last reading is not read again (but once a second).
        Resident, ///< Of the processes known: anon, rss and tree_bytes (shmem and swap as last read).
    };

    explicit ProcessTree(pid_t root, Orphans orphans = Orphans::Marked);
    ~ProcessTree();

    /// Fills the tree columns of the sample. False when no process is left (the columns are then 0, the sums stay).
    bool sample(Sample& into, Depth depth = Depth::Full);
    /// Whether processes of the last full sample hold so much that they may share that it is worth asking.
    [[nodiscard]] bool mayCountTwice() const;
    /// Whether that has changed since the last countBy() or countAs() by enough to ask again.
    [[nodiscard]] bool mayCountOtherwise() const;
    /// The last full sample is what the next countBy() speaks of.
    void askForPss();
    /// What PSS, read since askForPss(), says of pages that are shared. Corrects the last full sample and, until told
    /// anew, later ones.
    void countBy(const PssReading& pss, Sample& sample);
    /// The same by somebody who counts pages, at the moment of the last full sample.
    void countAs(const PagesOnce& pages, Sample& sample);
    /// Pids of the last full sample, zombies too; valid until the next one.
    [[nodiscard]] std::span<const pid_t> pids() const;
    /// The same, with their start times.
    [[nodiscard]] std::vector<ProcessId> ids() const;
    /// Every process that runs now (zombies do not), the root first.
    [[nodiscard]] std::vector<ProcessId> living();
    /// Up to the last full sample.
    [[nodiscard]] FurtherUse furtherUse() const;
    /// Largest VmHWM of any one process seen at any time.
    [[nodiscard]] std::uint64_t highWaterBytes() const;
    /// The anonymous + shmem share that a process's high-water mark proves, the largest over all processes: VmHWM − the
    /// most file pages that it was ever seen to have, and never more than it held at the reading before plus a small
    /// page for each fault since. So huge pages prove too little; nothing proves too much.
    [[nodiscard]] std::uint64_t provenAnonBytes() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
