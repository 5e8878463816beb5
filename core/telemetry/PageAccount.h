#pragma once

#include "core/telemetry/ProcessTree.h"
#include "core/telemetry/PssReader.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// Who tells how much of a tree's memory its processes share: somebody who counts pages, where there is one and as far
/// as he can; else PSS. One thread at a time, but for `answered` and stop().
class PageAccount {
public:
    /// Nothing where it cannot tell of all of these processes. Called at full samples: must neither block nor allocate.
    using PageCount = std::function<std::optional<PagesOnce>(std::span<const pid_t>)>;

    /// `answered`: called on another thread whenever a reading of PSS is done.
    explicit PageAccount(std::function<void()> answered);

    void countPagesBy(PageCount count) { m_count = std::move(count); }
    void start() { m_pss.start(); } ///< Throws std::system_error: no thread to be had.
    void stop() { m_pss.stop(); }
    /// Answers under way are another tree's.
    void beginTree() { m_first = m_asked + 1; }

    /// Corrects a full sample of the tree by what is known now, with PSS that has come since the last one; and has PSS
    /// read where it is due: once a second up to `most` resident bytes, and where nothing else tells whenever
    /// the tree has changed, for a twentieth of its thread's time.
    void count(ProcessTree& tree, Sample& sample, std::int64_t most);
    /// Has PSS read at once: the ticket; 0: too much is resident.
    std::uint64_t ask(ProcessTree& tree);
    [[nodiscard]] bool isTaken(std::uint64_t ticket) const { return m_taken >= ticket; } ///< By a sample.
    [[nodiscard]] bool isReading() const { return m_pss.isBusy(); }

private:
    [[nodiscard]] bool isDue(const ProcessTree& tree, std::int64_t nowNs, std::int64_t most) const;
    std::optional<PssReading> take(const ProcessTree& tree);

    PageCount m_count;
    PssReader m_pss;
    std::int64_t m_residentBytes = 0; ///< Of the last sample.
    std::int64_t m_askedNs = 0;
    std::int64_t m_notBeforeNs = 0;
    std::int64_t m_toldNs = 0; ///< By m_count.
    bool m_mapsForeignPages = false; ///< PSS found more shared memory than m_count.
    std::vector<pid_t> m_askedPids;
    std::uint64_t m_asked = 0; ///< Tickets.
    std::uint64_t m_taken = 0;
    std::uint64_t m_first = 0; ///< Of this tree.
};

} // namespace loadlab
