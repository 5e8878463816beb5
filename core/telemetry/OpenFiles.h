#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace loadlab {

using FileId = std::pair<dev_t, ino_t>;

struct KnownFile {
    FileId id;
    std::uint64_t sizeBytes = 0;
    std::int64_t modifiedNs = 0; ///< Of CLOCK_REALTIME.
};

/// A regular file as the kernel knows it, without asking the server of a network's file system anew. To find a path may
/// ask it all the same, and wait for as long as it does not answer. Any thread.
std::optional<KnownFile> knownFile(const std::filesystem::path& file);

/// A regular file that a process has open.
struct OpenFile {
    std::filesystem::path file;
    KnownFile known;
    int descriptor = -1;
    std::uint64_t position = 0; ///< Of its descriptor.
    /// For reading and writing anywhere: what is only appended to is not.
    enum class Access { ReadOnly, ReadWrite, Other } access = Access::Other;
};

/// Of its first 4096 descriptors; what /proc and /sys hold is none. About 20 µs a descriptor. Empty when they may not
/// be read. May wait for a file system that does not answer. Any thread.
std::vector<OpenFile> openFiles(pid_t process);

/// Tells a slow reader from one that only wakes up: reads of pipes, timers and /proc, and reading a file again, move no
/// position further than it has been. Reads that carry their own position (pread, mappings) are not seen. One thread.
class ReadPositions {
public:
    /// Whether any of these processes is further in a file that it only reads than any was in it at the calls before.
    bool gotFurther(std::span<const pid_t> processes);

private:
    std::map<FileId, std::uint64_t> m_furthest;
};

} // namespace loadlab
