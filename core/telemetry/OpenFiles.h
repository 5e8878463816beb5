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
    std::int64_t bornNs = 0; ///< Likewise; 0 where the file system does not tell.
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

/// What is known of files, by turns: of all that were asked for in the last one, and of those before while they are not
/// too many together. A file that has got the number of one that is gone is another one, where it tells its birth.
template <typename T> class ByFile {
public:
    explicit ByFile(std::size_t most = 4096)
        : m_most(most)
    {
    }
    /// T() where it is new.
    T& operator[](const KnownFile& file)
    {
        Entry& entry = m_entries[file.id];
        if (entry.bornNs != file.bornNs)
            entry = {file.bornNs, 0, T()};
        entry.turn = m_turn;
        return entry.value;
    }
    void endTurn()
    {
        if (m_entries.size() > m_most)
            std::erase_if(m_entries, [this](const auto& known) { return known.second.turn != m_turn; });
        ++m_turn;
    }
    [[nodiscard]] std::size_t size() const { return m_entries.size(); }

private:
    struct Entry {
        std::int64_t bornNs = 0;
        std::uint64_t turn = 0; ///< When it was asked for last.
        T value{};
    };
    std::map<FileId, Entry> m_entries;
    std::size_t m_most;
    std::uint64_t m_turn = 1;
};

/// Tells a slow reader from one that only wakes up: reads of pipes, timers and /proc, and reading a file again, move no
/// position further than it has been. Reads that carry their own position (pread, mappings) are not seen. One thread.
class ReadPositions {
public:
    /// Whether any of these processes is further in a file that it only reads than any was in it at the calls before
    /// (ByFile: those that it knows of).
    bool gotFurther(std::span<const pid_t> processes);

private:
    ByFile<std::uint64_t> m_furthest;
};

} // namespace loadlab
