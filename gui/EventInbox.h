#pragma once

#include "core/trial/RunEvent.h"

#include <functional>
#include <mutex>
#include <vector>

namespace loadlab {

/// Where a run's thread puts its events and the window takes them out. Any thread may push; taking is for one.
/// Samples that follow each other become one event, progress keeps its newest, and of a flood of log text only the
/// first 64 KiB between two takings are handed on (what is left out is told; the stored log has it), so the window's
/// work per taking is bounded whatever the worker prints.
class EventInbox {
public:
    static constexpr std::size_t kLogBytesPerTaking = std::size_t{64} << 10;

    /// `filled` is called on the pushing thread when the first event arrives after a taking.
    explicit EventInbox(std::function<void()> filled);

    void push(const RunEvent& event);
    std::vector<RunEvent> take();

private:
    bool merge(const RunEvent& event);
    bool leaveOut(const RunEvent& event);

    const std::function<void()> m_filled;
    std::mutex m_mutex;
    std::vector<RunEvent> m_events;
    std::size_t m_logBytes = 0;
    std::size_t m_leftOutBytes = 0;
    std::int64_t m_leftOutNs = 0;
};

} // namespace loadlab
