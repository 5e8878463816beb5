#pragma once

#include "core/telemetry/ProcFile.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace loadlab {

/// What a process has used since it began. `reaped…` holds what its children, and theirs, had used when they were
/// waited for; the kernel already adds their reading to the parent's own.
struct ProcessUse {
    std::uint64_t minorFaults = 0;
    std::uint64_t majorFaults = 0;
    std::uint64_t cpuNs = 0;
    std::uint64_t reapedMinorFaults = 0;
    std::uint64_t reapedMajorFaults = 0;
    std::uint64_t reapedCpuNs = 0;
    std::uint64_t readBytes = 0; ///< From storage.
    std::uint64_t readCharBytes = 0; ///< By read calls, also from the page cache.
    std::uint64_t writtenBytes = 0; ///< By write calls, to whatever.
    std::uint64_t dirtiedBytes = 0; ///< Clean pages of files that it wrote to, by calls or through a mapping.
};

/// One process at one instant.
struct ProcessReading {
    bool zombie = false;
    bool leaderless = false; ///< Its first thread has ended, and others have not.
    bool exiting = false; ///< On its way to that: its memory and its groups may be gone already.
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    std::uint64_t startTicks = 0;
    std::uint64_t threads = 0;
    std::uint64_t imageMark
        = 0; ///< Where its stack began at exec: a fork has its parent's, an exec a new one. 0: not told.
    std::uint64_t anonBytes = 0;
    std::uint64_t fileBytes = 0;
    std::uint64_t shmemBytes = 0;
    std::uint64_t swapBytes = 0;
    std::uint64_t highWaterBytes = 0;
    ProcessUse use;
    bool ioKnown = false;
};

/// A thread that stands for a process whose first one has ended: through that one the kernel shows no memory.
struct LivingThread {
    pid_t id = 0; ///< 0: none.
    std::uint64_t imageMark = 0;
};

/// What the readers of one tree share: how many descriptors they may still keep open, and a buffer.
struct ReaderPool {
    int descriptors = 256;
    std::array<char, 4096> buffer{};
};

/// Files of one process, kept open while the pool lasts and opened for each read beyond it (a tree may have more
/// processes than the lab may have descriptors). Of a process whose first thread has ended they are another thread's,
/// until that ends too. Reading allocates nothing. The pool outlives the reader.
class ProcessReader {
public:
    ProcessReader(pid_t pid, ReaderPool& pool);
    ~ProcessReader();
    ProcessReader(ProcessReader&& other) noexcept;
    ProcessReader& operator=(ProcessReader&& other) noexcept;

    [[nodiscard]] pid_t pid() const { return m_pid; }
    /// Everything. False when the process is gone (reaped).
    bool read(ProcessReading& into);
    /// Whether all is still as the last read() found it, for a tenth of its cost: the process has not run since (its
    /// CPU clock stands, which the kernel moves at its own ticks: a process that has just begun to run can look as
    /// before for up to 10 ms) and no page of it was taken away. Not said of one that has swap: others can free it.
    bool isAsBefore(const ProcessReading& last);
    /// Anonymous pages and all resident pages alone, in bytes, from statm: a tenth of the cost. Zeros for a zombie.
    bool readResident(std::uint64_t& anonBytes, std::uint64_t& residentBytes);
    /// Whether its CPU clock has moved since it had that value, which is then renewed; true where it cannot be told.
    [[nodiscard]] bool hasRunSince(std::uint64_t& cpuNs) const;
    /// What stat alone tells; nothing when the process is gone.
    std::optional<std::uint64_t> minorFaults();
    /// The children of all its threads, in any order; at most as many as `out` has room for. The number found.
    std::size_t children(std::span<pid_t> out, std::uint64_t threads);

private:
    enum File : std::size_t { Stat, Status, Io, Statm, Children, FileCount };
    struct Kept {
        ProcFile file;
        bool refused = false;
    };

    [[nodiscard]] std::optional<std::uint64_t> cpuClockNs() const;
    ProcFile open(File file);
    bool keep(File file, ProcFile&& opened);
    std::optional<std::string_view> readFile(File file);
    std::optional<std::string_view> readMemory(File file);
    void readThrough(const LivingThread& thread);
    void parseStatus(ProcessReading& into);
    void parseIo(ProcessReading& into);

    pid_t m_pid = 0;
    LivingThread m_through; ///< Whose files tell of the memory; none: the process's own.
    std::optional<clockid_t> m_cpuClock;
    ReaderPool* m_pool = nullptr;
    std::array<Kept, FileCount> m_files;
};

/// The pids that a file of the kernel lists, parted by blanks or line ends, as many as `out` has room for: their
/// number. 0 where it cannot be read. Allocates nothing.
std::size_t readPids(const ProcFile& file, std::span<char> buffer, std::span<pid_t> out);
/// The size of a small page.
std::uint64_t pageBytes();
/// Field by field what /proc/PID/stat says; nothing when the process is gone.
std::optional<ProcessReading> readProcessStat(pid_t pid);
/// Since it was started (by fork; an exec starts nothing), also while the machine was suspended. Nothing when it is
/// gone.
std::optional<std::chrono::nanoseconds> processAge(pid_t pid);
/// By read calls of a process's first thread alone: the kernel adds what children had read that were waited for to the
/// process, not to its threads. Nothing where it is not told. Allocates nothing.
std::optional<std::uint64_t> firstThreadReadBytes(pid_t pid);
/// "/proc/PID", or where its first thread has ended the folder of another in it: the first one's tells neither of
/// memory nor of open files.
std::string livingFolder(pid_t pid);

} // namespace loadlab
