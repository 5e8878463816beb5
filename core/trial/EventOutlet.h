#pragma once

#include "core/trial/RunEvent.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// The one place through which a run's events leave, in order. Log text and samples leave at most 25 times a second,
/// progress twenty times (of more, the latest counts), so that no worker can flood the listeners. One thread.
class EventOutlet {
public:
    explicit EventOutlet(std::function<void(const RunEvent&)> listener);

    /// Leaves at once, after the log text and progress gathered so far.
    void emit(RunEventBody body, std::int64_t atNs);
    void log(LogStream stream, std::string_view bytes);
    void progress(protocol::Message message);
    void samples(const std::vector<Sample>& samples);
    /// Goes with the samples that were gathered so far.
    void use(const FurtherUse& use) { m_use = use; }

    /// When gathered things become due, as CLOCK_MONOTONIC; nothing while there are none.
    [[nodiscard]] std::optional<std::int64_t> dueNs() const;
    void flushDue(std::int64_t nowNs);
    void flush();

private:
    void flushLog();
    void flushProgress();
    void flushSamples();

    std::function<void(const RunEvent&)> m_listener;
    LogStream m_logStream = LogStream::Stderr;
    std::string m_log;
    std::int64_t m_logSinceNs = 0; ///< When the first of the gathered bytes came.
    std::int64_t m_logDueNs = 0; ///< Not before; likewise below.
    std::optional<protocol::Message> m_progress;
    std::int64_t m_progressDueNs = 0;
    std::vector<Sample> m_samples;
    FurtherUse m_use;
    std::int64_t m_samplesDueNs = 0;
};

} // namespace loadlab
