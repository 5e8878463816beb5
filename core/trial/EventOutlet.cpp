#include "core/trial/EventOutlet.h"

#include "core/Units.h"
#include "core/trial/RunMailbox.h"

#include <algorithm>

namespace loadlab {
using namespace std::chrono_literals;
namespace {

/// As long as samples wait in the mailbox, so that they do not wait twice: all of it reaches the black box within 100
/// ms.
constexpr std::int64_t kGatherNs = RunMailbox::kBatchNs;
constexpr std::int64_t kProgressGapNs = std::chrono::nanoseconds(50ms).count();
constexpr std::size_t kMostLogBytes = 64 << 10;

} // namespace

EventOutlet::EventOutlet(std::function<void(const RunEvent&)> listener)
    : m_listener(std::move(listener))
{
}

void EventOutlet::emit(RunEventBody body, std::int64_t atNs)
{
    flushLog();
    flushProgress();
    m_listener({atNs, std::move(body)});
}

void EventOutlet::log(LogStream stream, std::string_view bytes)
{
    if (stream != m_logStream)
        flushLog();
    m_logStream = stream;
    if (m_log.empty())
        m_logSinceNs = monotonicNs();
    m_log.append(bytes);
    if (m_log.size() >= kMostLogBytes)
        flushLog();
}

void EventOutlet::progress(protocol::Message message)
{
    m_progress = std::move(message);
    if (monotonicNs() >= m_progressDueNs)
        flushProgress();
}

void EventOutlet::samples(const std::vector<Sample>& samples)
{
    m_samples.insert(m_samples.end(), samples.begin(), samples.end());
}

std::optional<std::int64_t> EventOutlet::dueNs() const
{
    std::optional<std::int64_t> due;
    const auto consider = [&due](std::int64_t atNs) { due = due ? std::min(*due, atNs) : atNs; };
    if (!m_log.empty())
        consider(m_logDueNs);
    if (m_progress)
        consider(m_progressDueNs);
    if (!m_samples.empty())
        consider(m_samplesDueNs);
    return due;
}

void EventOutlet::flushDue(std::int64_t nowNs)
{
    if (nowNs >= m_logDueNs)
        flushLog();
    if (nowNs >= m_progressDueNs)
        flushProgress();
    if (nowNs >= m_samplesDueNs)
        flushSamples();
}

void EventOutlet::flush()
{
    flushLog();
    flushProgress();
    flushSamples();
}

void EventOutlet::flushLog()
{
    if (m_log.empty())
        return;
    LogText text{m_logStream, std::move(m_log)};
    m_log.clear();
    m_logDueNs = monotonicNs() + kGatherNs;
    m_listener({m_logSinceNs, std::move(text)});
}

void EventOutlet::flushProgress()
{
    if (!m_progress)
        return;
    protocol::Message message = *std::move(m_progress);
    m_progress.reset();
    m_progressDueNs = monotonicNs() + kProgressGapNs;
    const std::int64_t atNs = message.monotonicNs;
    m_listener({atNs, std::move(message)});
}

void EventOutlet::flushSamples()
{
    if (m_samples.empty())
        return;
    SamplesTaken taken{std::move(m_samples), m_use};
    m_samples.clear();
    m_samplesDueNs = monotonicNs() + kGatherNs;
    const std::int64_t atNs = taken.samples.back().monotonicNs;
    m_listener({atNs, std::move(taken)});
}

} // namespace loadlab
