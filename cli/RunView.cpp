#include "cli/RunView.h"

#include "core/Units.h"
#include "core/curve/CurveSummary.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

namespace loadlab::cli {
namespace {

constexpr std::size_t kMostPoints = 1024;
constexpr std::size_t kRoomForAll = 110;
constexpr std::size_t kSparkCells = 16;

void addThinned(std::vector<Point>& points, Point point)
{
    points.push_back(point);
    if (points.size() <= kMostPoints)
        return;
    // Of two neighbours the higher one stays: a peak is never lost.
    std::size_t kept = 0;
    for (std::size_t i = 0; i + 1 < points.size(); i += 2)
        points[kept++] = points[i].y > points[i + 1].y ? points[i] : points[i + 1];
    if (points.size() % 2 != 0)
        points[kept++] = points.back();
    points.resize(kept);
}

} // namespace

void EventQueue::push(const RunEvent& event)
{
    const std::lock_guard lock(m_mutex);
    m_events.push_back(event);
    m_came.notify_one();
}

std::vector<RunEvent> EventQueue::take()
{
    std::unique_lock lock(m_mutex);
    m_came.wait(lock, [this] { return !m_events.empty(); });
    return std::exchange(m_events, {});
}

void FollowView::show(const std::vector<RunEvent>& events)
{
    for (const RunEvent& event : events) {
        if (const auto* started = std::get_if<RunStarted>(&event.body))
            m_originNs = started->originNs;
        if (!m_out.readerIsGone())
            m_out.printJsonLine(toJson(event, m_originNs));
    }
    m_out.flush();
}

void CurveSoFar::note(const RunEvent& event)
{
    if (const auto* started = std::get_if<RunStarted>(&event.body))
        m_originNs = started->originNs;
    const auto* taken = std::get_if<SamplesTaken>(&event.body);
    if (!taken)
        return;
    for (const Sample& sample : taken->samples)
        if (sample.has(Column::TreeBytes))
            addThinned(m_points,
                {static_cast<double>(sample.monotonicNs - m_originNs) / 1e9,
                    static_cast<double>(sample[Column::TreeBytes])});
}

void ProgressView::show(const std::vector<RunEvent>& events, const CurveSoFar& curve)
{
    if (!m_line.isShown())
        return;
    for (const RunEvent& event : events)
        note(event);
    m_line.show(text(curve.points()));
}

void ProgressView::note(const RunEvent& event)
{
    m_nowNs = event.monotonicNs;
    if (const auto* started = std::get_if<RunStarted>(&event.body)) {
        m_originNs = started->originNs;
    } else if (const auto* state = std::get_if<StateChanged>(&event.body)) {
        m_phase = toWireName(state->state);
    } else if (const auto* message = std::get_if<protocol::Message>(&event.body)) {
        if (const auto* phase = std::get_if<protocol::PhaseEntered>(&message->body))
            m_phase = phase->name;
        if (const auto* progress = std::get_if<protocol::Progress>(&message->body)) {
            m_progress = *progress;
            m_rate.update(std::chrono::steady_clock::now(), progress->doneBytes);
        }
    }
}

std::string ProgressView::text(const std::vector<Point>& tree) const
{
    const std::size_t barCells = m_line.width() < kRoomForAll ? 8 : 20;
    std::string text = printable(m_phase);
    if (m_progress && m_progress->totalBytes > 0) {
        text += " " + m_rate.words(m_progress->totalBytes, barCells);
    } else {
        text += "  " + formatDuration(std::chrono::nanoseconds(m_nowNs - m_originNs));
    }
    if (!tree.empty()) {
        const auto loaded = upToEndOfLoad(tree);
        text += "  memory " + formatSize(static_cast<std::uint64_t>(loaded.back().y)) + " "
            + sparkline(loaded, kSparkCells);
    }
    return text;
}

} // namespace loadlab::cli
