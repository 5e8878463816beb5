#pragma once

#include "core/Descriptor.h"
#include "core/Result.h"
#include "core/containment/Hierarchies.h"
#include "core/telemetry/ProcessTree.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace loadlab {

enum class GroupKind { None, V1, V2 };
/// "none", "cgroup1", "cgroup2"
std::string_view toWireName(GroupKind kind);
GroupKind groupKindFrom(std::string_view wireName); ///< None for any other word.

/// What a run may take at most.
struct Caps {
    std::optional<std::uint64_t> memoryBytes;
    std::optional<std::uint64_t> swapBytes; ///< On top of the memory.
};

/// What a group's own files say at one moment. Absent: this version or kernel has no such file.
struct GroupReading {
    std::uint64_t usageBytes = 0; ///< Page cache included.
    std::optional<std::uint64_t> highestUsageBytes; ///< Page cache included: never a run's peak.
    /// At least what memory and swap together ever were; page cache included.
    std::optional<std::uint64_t> highestWithSwapBytes;
    std::optional<std::uint64_t> swapBytes;
    std::uint64_t anonBytes = 0;
    std::uint64_t fileBytes
        = 0; ///< Page cache without shmem, whoever uses it: charged to the group that read it first.
    std::uint64_t shmemBytes = 0;
    std::optional<std::uint64_t>
        limitHits; ///< How often the cap made the kernel reclaim (v1 failcnt of both limits, v2 events max).
    std::optional<std::uint64_t>
        oomKills; ///< Processes of this group and below that the kernel killed for lack of memory.
};

/// A process that is neither in a run's group nor below it.
struct ProcessOutside {
    std::string group; ///< Its path in the same hierarchy.
    pid_t parent = 0;
};

/// Who owns a run's group, as the group's name tells it: also after the lab has died.
struct GroupOwner {
    std::string runUuid;
    ProcessId lab;
    std::uint64_t pidNamespace = 0; ///< Inode: the pid means nothing elsewhere.
};
/// "loadlab-UUID-PID-TICKS-NAMESPACE"
std::string groupNameOf(const GroupOwner& owner);
std::optional<GroupOwner> ownerOfGroup(std::string_view folderName);
/// This process as an owner.
GroupOwner thisLab(std::string runUuid);

/// The cgroup of one run. Made below the lab's own group, removed with this object. One thread, but for join().
class RunGroup {
public:
    /// Makes the folder and sets the caps as far as the kernel has files for them (see keepsMemory(), keepsSwap()). Io,
    /// with errno's words, when the folder cannot be made or a cap is refused; then nothing is left.
    static Result<std::unique_ptr<RunGroup>> make(
        const CgroupWorld& world, GroupKind kind, const Hierarchy& place, const std::string& runUuid, const Caps& caps);
    ~RunGroup(); ///< Removes it if it can be, without waiting.
    RunGroup(const RunGroup&) = delete;
    RunGroup& operator=(const RunGroup&) = delete;

    [[nodiscard]] GroupKind kind() const { return m_kind; }
    [[nodiscard]] const std::filesystem::path& folder() const { return m_folder; }
    [[nodiscard]] bool keepsMemory() const
    {
        return m_keepsMemory;
    } ///< The kernel keeps the memory cap that was asked for.
    [[nodiscard]] bool keepsSwap() const { return m_keepsSwap; }

    /// In the child between fork and exec: moves the calling process into the group. Async-signal-safe. 0 or errno.
    int join() const;
    /// What join() gave in the child, told through shared memory; nothing when it was not called.
    [[nodiscard]] std::optional<int> joined() const;

    [[nodiscard]] GroupReading read() const;
    /// Its processes, and those of groups made below it; zombies too.
    [[nodiscard]] std::vector<pid_t> processes() const;
    /// Nothing of a process that is in it, below it, ending or gone.
    [[nodiscard]] std::optional<ProcessOutside> findOutside(const ProcessId& process) const;
    /// The folders of a group (by its path; nothing: the run's own) and of those around it, as far as they are mounted
    /// here.
    [[nodiscard]] std::vector<std::filesystem::path> withEnclosing(const std::optional<std::string>& path = {}) const;
    /// Kills whatever is in it and removes it, with the groups below; tries again until `limit` is over. False when it
    /// is still there: the next start of a lab finds it by its name.
    bool remove(std::chrono::milliseconds limit);

private:
    RunGroup(const CgroupWorld& world, GroupKind kind, const Hierarchy& place, std::filesystem::path folder);
    Result<void> setCaps(const Caps& caps);
    Result<void> setCapsV1(const Caps& caps);
    Result<void> setCapsV2(const Caps& caps);
    bool prepareJoin();

    CgroupWorld m_world;
    GroupKind m_kind;
    Hierarchy m_place;
    std::filesystem::path m_folder;
    Descriptor m_procs;
    int* m_joined = nullptr; ///< Shared with the child: −1 until join() was called.
    bool m_keepsMemory = false;
    bool m_keepsSwap = false;
    bool m_gone = false;
};

/// Page cache without shared memory, of the text of a group's memory.stat; nothing where it is not told.
std::optional<std::uint64_t> pageCacheIn(GroupKind kind, std::string_view stat);
/// Processes in a group and the groups below it.
std::vector<pid_t> processesIn(const std::filesystem::path& group);
/// Removes a group and those below it, ending what is in them (but never the calling process); see RunGroup::remove().
bool removeGroup(const CgroupWorld& world, const std::filesystem::path& group, std::chrono::milliseconds limit);

} // namespace loadlab
