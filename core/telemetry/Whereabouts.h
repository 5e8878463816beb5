#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>

namespace loadlab {

/// Which file a process is at, and how far: told by the kernel, so for a loader that says nothing as well.
struct Whereabouts {
    pid_t pid = 0;
    std::filesystem::path file;
    std::uint64_t atBytes = 0; ///< The position of its descriptor; of a mapping: how much of it is resident here.
    std::uint64_t sizeBytes = 0;
    bool mapped = false;
};

/// The file below `folder` (or the file itself) that is being read: one that is open and neither at its beginning nor
/// at its end comes first, then a mapping that is partly resident, of several in one folder the last by name (shards are
/// read in order), else the largest. From fdinfo and smaps: costs up to 10 ms per resident GiB and takes the target's
/// mmap lock, so only where a run stands still or is asked about. Without a folder: any file of 1 MiB or more that is
/// open for reading alone, or mapped and neither code, nor written to, nor below /usr/lib, /usr/share or /etc.
/// Nothing when no process has such a file, or none may be read. Any thread.
std::optional<Whereabouts> findWhereabouts(std::span<const pid_t> processes, const std::filesystem::path& folder);

/// "model-00002-of-00004.safetensors, at byte 1,234,567 of 5,000,000 (24 %)"
std::string toWords(const Whereabouts& whereabouts);

/// How a process spends its time: "sleeping in do_wait", "running", "in uninterruptible sleep (disk or swap)",
/// "stopped by a signal"; the wait channel where the kernel tells it. Empty when the process is gone.
std::string describeState(pid_t pid);
/// "pid 12 sleeping in do_wait, pid 13 running": of the first four that are there, for a parent that waits says little.
std::string describeStates(std::span<const pid_t> processes);

} // namespace loadlab
