#include "gui/EventInbox.h"

#include "core/Units.h"

namespace loadlab {
namespace {

const protocol::Progress* progressOf(const RunEvent& event)
{
    const auto* message = std::get_if<protocol::Message>(&event.body);
    return message ? std::get_if<protocol::Progress>(&message->body) : nullptr;
}

} // namespace

EventInbox::EventInbox(std::function<void()> filled)
    : m_filled(std::move(filled))
{
}

void EventInbox::push(const RunEvent& event)
{
    bool first = false;
    {
        const std::lock_guard lock(m_mutex);
        first = m_events.empty() && m_leftOutBytes == 0;
        if (!leaveOut(event) && !merge(event))
            m_events.push_back(event);
    }
    if (first)
        m_filled();
}

std::vector<RunEvent> EventInbox::take()
{
    const std::lock_guard lock(m_mutex);
    std::vector<RunEvent> taken = std::move(m_events);
    m_events.clear();
    if (m_leftOutBytes > 0) {
        const std::string words
            = "… " + formatSize(m_leftOutBytes) + " of log left out here; the stored log has more\n";
        RunEvent told{m_leftOutNs, LogText{LogStream::Lab, words}};
        // Before RunFinished, which stays the last event of a run.
        const bool finished = !taken.empty() && std::holds_alternative<RunFinished>(taken.back().body);
        taken.insert(finished ? taken.end() - 1 : taken.end(), std::move(told));
    }
    m_logBytes = m_leftOutBytes = 0;
    return taken;
}

bool EventInbox::leaveOut(const RunEvent& event)
{
    const auto* text = std::get_if<LogText>(&event.body);
    if (!text || text->stream == LogStream::Lab)
        return false;
    if (m_logBytes + text->bytes.size() <= kLogBytesPerTaking) {
        m_logBytes += text->bytes.size();
        return false;
    }
    m_logBytes = kLogBytesPerTaking;
    m_leftOutBytes += text->bytes.size();
    m_leftOutNs = event.monotonicNs;
    return true;
}

bool EventInbox::merge(const RunEvent& event)
{
    if (m_events.empty())
        return false;
    RunEvent& last = m_events.back();
    if (const auto* samples = std::get_if<SamplesTaken>(&event.body)) {
        if (auto* before = std::get_if<SamplesTaken>(&last.body)) {
            before->samples.insert(before->samples.end(), samples->samples.begin(), samples->samples.end());
            before->use = samples->use;
            last.monotonicNs = event.monotonicNs;
            return true;
        }
    } else if (progressOf(event) && progressOf(last)) {
        last = event;
        return true;
    }
    return false;
}

} // namespace loadlab
