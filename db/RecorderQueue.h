#pragma once

#include "core/trial/RunEvent.h"
#include "db/LogText.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace loadlab {

/// Log text in bounded memory: the first bytes and the newest ones, and how many are missing between. Inside db/ only.
class BoundedLog {
public:
    explicit BoundedLog(std::uint64_t limitBytes)
        : m_half(limitBytes / 2)
    {
    }
    void add(LogPiece piece);
    void addGap(std::uint64_t bytes);
    /// Adds what came later.
    void append(BoundedLog later);
    [[nodiscard]] bool empty() const { return m_head.empty() && m_tail.empty() && m_gap == 0; }
    [[nodiscard]] const std::deque<LogPiece>& head() const { return m_head; }
    [[nodiscard]] std::uint64_t gap() const { return m_gap; } ///< Bytes between head and tail.
    [[nodiscard]] const std::deque<LogPiece>& tail() const { return m_tail; }

private:
    std::uint64_t m_half;
    std::deque<LogPiece> m_head;
    std::deque<LogPiece> m_tail;
    std::uint64_t m_headCost = 0;
    std::uint64_t m_tailCost = 0;
    std::uint64_t m_gap = 0;
};

/// What a recorder has to write next.
struct RecorderBatch {
    explicit RecorderBatch(std::uint64_t logLimitBytes)
        : log(logLimitBytes)
    {
    }
    std::optional<RunStarted> started;
    std::vector<RunEvent> events;
    std::vector<Sample> samples;
    BoundedLog log;
    std::optional<RunResult> finished;
    [[nodiscard]] bool empty() const
    {
        return !started && events.empty() && samples.empty() && log.empty() && !finished;
    }
};

/// Collects events into batches, in bounded memory whatever the disk does. Not thread-safe.
class RecorderQueue {
public:
    explicit RecorderQueue(std::uint64_t logLimitBytes)
        : m_logLimitBytes(logLimitBytes)
        , m_batch(logLimitBytes)
    {
    }
    void add(const RunEvent& event);
    [[nodiscard]] bool empty() const { return m_batch.empty(); }
    /// Start and end do not wait.
    [[nodiscard]] bool isUrgent() const { return m_batch.started || m_batch.finished; }
    RecorderBatch take();
    /// A batch that could not be written comes before everything that was added since.
    void putBack(RecorderBatch batch);
    void clear() { m_batch = RecorderBatch(m_logLimitBytes); }

    static constexpr std::size_t kMaxSamples = std::size_t{1} << 16; ///< 11 MiB; an hour at 20 Hz.
    static constexpr std::size_t kMaxEvents = 8192;
    static constexpr std::uint64_t kMaxEventBytes = std::uint64_t{32} << 20;
    static constexpr std::int64_t kProgressNs = 250'000'000;

private:
    void addProgress(const RunEvent& event);
    void keep(RunEvent event);
    void thinSamples();
    void noteLosses(RecorderBatch& batch);

    std::uint64_t m_logLimitBytes;
    std::int64_t m_originNs = 0;
    std::int64_t m_newestNs = 0;
    RecorderBatch m_batch;
    std::optional<RunEvent> m_heldProgress; ///< Newer than the last one kept, too near to it to be kept as well.
    std::int64_t m_progressKeptNs = 0;
    std::uint64_t m_eventBytes = 0;
    std::uint64_t m_eventsLost = 0;
    std::uint64_t m_samplesLost = 0;
};

} // namespace loadlab
