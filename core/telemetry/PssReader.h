#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <sys/types.h>

namespace loadlab {

/// The memory of several processes, page by page, as smaps_rollup tells it; bytes. Read one process after the other: of
/// a tree that changes meanwhile no single moment.
struct PssReading {
    struct Kind {
        std::uint64_t sum = 0; ///< In each process that has it; of shared memory at the beginning.
        std::uint64_t once = 0; ///< Shared pages by their share.
    };
    Kind anon;
    Kind shmem;
    Kind swap;
    std::uint64_t changedBytes = 0; ///< Private memory written to or given back meanwhile: how much is in doubt.

    [[nodiscard]] std::uint64_t onceBytes() const { return anon.once + shmem.once + swap.once; }
};

/// Takes the targets' mmap locks and up to 22 ms per GiB of small pages. Nothing when one may not be read, or ended
/// meanwhile; what had ended before counts 0.
std::optional<PssReading> readPss(std::span<const pid_t> pids);

/// Reads PSS on a thread of its own, so that whoever wants it can go on sampling. ask() and take(): one thread.
class PssReader {
public:
    static constexpr std::size_t kMostProcesses = 4096;

    struct Answer {
        std::uint64_t ticket = 0;
        std::int64_t cpuNs = 0; ///< What the reading cost.
        std::optional<PssReading> reading;
    };

    /// `done` is called on the reading thread after each answer.
    explicit PssReader(std::function<void()> done);
    ~PssReader(); ///< Waits for the process that is being read.

    /// Throws std::system_error: no thread to be had.
    void start();
    void stop();
    /// These processes, as soon as the reading under way (if any) is done; takes the place of one that has not begun.
    /// The answer's ticket. 0: not started, or more than kMostProcesses.
    std::uint64_t ask(std::span<const pid_t> pids);
    [[nodiscard]] bool isBusy() const; ///< Something was asked and has no answer yet.
    std::optional<Answer> take(); ///< The last answer, once.

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
