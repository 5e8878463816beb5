#pragma once

#include "core/telemetry/ReadWriteFiles.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <tuple>
#include <vector>

namespace loadlab {

/// Which file a process is at, and how far: told by the kernel, so for a loader that says nothing as well.
struct Whereabouts {
    enum class By {
        Position, ///< Of its descriptor.
        Mapping, ///< How much of the file, of all its parts, is resident here.
        Open, ///< No position tells: it reads with positions of its own (pread), or is at the file's end.
        WasOpen, ///< Nothing is open now, this was at a look before.
    };
    pid_t pid = 0;
    std::filesystem::path file;
    std::uint64_t atBytes = 0; ///< By::Open: of its descriptor, which says nothing.
    std::uint64_t sizeBytes = 0;
    By by = By::Position;
    std::size_t others = 0; ///< By::Open: further files that the process has open so.
    std::optional<std::uint64_t> readBytes = {}; ///< By::Open, By::WasOpen: by the process so far, of whatever.
    bool maybeWritten = false; ///< Open or mapped for writing as well, and nobody said that it is what is loaded.
    int descriptor = -1; ///< A file may be open twice. None: it is mapped.
};

/// The file below `folder` (or the file itself) that is being read: one that is open and neither at its beginning nor
/// at its end comes first, then a mapping that is partly resident, of several in one folder the last by name (shards
/// are read in order), else the largest; then one that is open, but no position tells of. From fdinfo and smaps: costs
/// up to 10 ms per resident GiB and takes the target's mmap lock, so seldom. Without a folder: any file of 1 MiB or
/// more that is open for reading, or mapped and no code, and not below /usr/lib, /usr/share or /etc; where the process
/// may write it as well only if ReadWriteFiles takes it for read, and after all others. Nothing when no process has
/// such a file, or none may be read. Any thread.
std::optional<Whereabouts> findWhereabouts(std::span<const pid_t> processes, const std::filesystem::path& folder);

/// Knows from looks now and then which of the files moved last: its position changed, or more of it became resident.
/// Of several that moved since the look before: one of which there is more to come, then the one that moved most. Where
/// none was seen to move it is what findWhereabouts() finds, else the one that was open before. A position that stands
/// while its process or another one reads on is no place, nor is one of several where none was seen to move, or where
/// more was read than they moved by, nor one that stands while its process has another such file mapped, not wholly in
/// memory, and was seen to move by less than 1 MiB, or faults on: then the file is only open, and told of who read on
/// last. What is open for writing as well and moved comes before what is only open. Mappings are only looked at where
/// no position moved. One thread at a time; a look costs what findWhereabouts() does.
class FileTrail {
public:
    explicit FileTrail(std::filesystem::path folder);
    void look(std::span<const pid_t> processes);
    /// After a last look.
    [[nodiscard]] std::optional<Whereabouts> find(std::span<const pid_t> processes);

private:
    struct Seen {
        std::uint64_t atBytes = 0;
        std::uint64_t movedAt = 0; ///< Which look; 0: not seen to move.
        std::uint64_t byBytes = 0;
        std::optional<std::uint64_t> readBytes; ///< By the process, when the position was first or last seen to move.
        std::optional<std::uint64_t> othersBeyond; ///< By the others, likewise.
        std::optional<std::uint64_t> faults; ///< Of the process, likewise.
        std::uint64_t seenAt = 0; ///< Which look.
        bool inDoubt = false; ///< Since it moved last another file may as well have been read.
    };
    /// Of a process.
    struct Reads {
        std::uint64_t bytes = 0; ///< Until the last look.
        std::uint64_t faults = 0; ///< Likewise.
        std::uint64_t moreBytes = 0; ///< Of them at the last look.
        std::uint64_t beyond = 0; ///< More than positions moved by: in all,
        std::uint64_t beyondNow = 0; ///< at the last look,
        std::pair<std::uint64_t, std::uint64_t> beyondLast; ///< at which look last, and how much then.
        std::vector<std::filesystem::path> unfinished; ///< Open now; two of them, where there are as many.
        bool mayBeAnother = false; ///< Which of its files it is at, now.
    };
    using Key = std::tuple<pid_t, std::filesystem::path, int>;
    static Key keyOf(const Whereabouts& place);
    bool note(const Whereabouts& place);
    void inherit(const Key& key, Seen& seen, std::uint64_t atBytes) const;
    [[nodiscard]] std::uint64_t movedBytes(std::optional<pid_t> pid) const;
    void noteReads(std::span<const pid_t> processes);
    void doubtPositions();
    void noteUnfinished();
    [[nodiscard]] bool isDoubtful(const Whereabouts& place, Seen& seen) const;
    [[nodiscard]] bool readsOn(Seen& seen, std::uint64_t readBytes) const;
    [[nodiscard]] bool othersReadOn(const Whereabouts& place, Seen& seen) const;
    [[nodiscard]] bool mayBeAnother(pid_t pid, const Reads& reads) const;
    [[nodiscard]] std::optional<Whereabouts> likeliestOpen(bool maybeWritten) const;
    void doubtByMappings();
    [[nodiscard]] bool mayReadMapping(pid_t pid, const Seen& seen) const;
    void forgetClosed(bool mapped);
    void doubtLast();
    [[nodiscard]] const Whereabouts* movedLast(bool maybeWritten) const;
    [[nodiscard]] std::optional<Whereabouts> best() const;

    std::filesystem::path m_folder;
    ReadWriteFiles m_readWrite;
    std::map<Key, Seen> m_seen;
    std::vector<Whereabouts> m_now; ///< Of the last look, processes in order.
    std::optional<Whereabouts> m_last; ///< Of the last look that found one, unless by mapping.
    std::map<pid_t, Reads> m_reads;
    std::uint64_t m_beyond = 0; ///< By all processes, also those that are gone.
    std::uint64_t m_movedBefore = 0; ///< By how much positions moved at the last look.
    std::uint64_t m_looks = 0;
};

/// "at model-00002-of-00004.safetensors, at byte 1,234,567 of 5,000,000 (24 %)", "pid 12 has model.safetensors (4.6
/// MiB) open, 3.2 GiB read so far", "model.safetensors (4.6 MiB) was open last, …"
std::string toWords(const Whereabouts& whereabouts);

/// How a process spends its time: "sleeping in do_wait", "running", "in uninterruptible sleep (disk or swap)",
/// "stopped by a signal"; the wait channel where the kernel tells it. Empty when the process is gone.
std::string describeState(pid_t pid);
/// Of the first of its threads in uninterruptible sleep, where there is one: the first thread may have ended before.
std::string describeStuckThread(pid_t pid);
/// "pid 12 sleeping in do_wait, pid 13 running": of the first four that are there, for a parent that waits says little.
std::string describeStates(std::span<const pid_t> processes);

} // namespace loadlab
