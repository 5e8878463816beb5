#pragma once

#include "cli/Output.h"
#include "cli/ProgressLine.h"
#include "core/curve/Decimate.h"
#include "core/trial/RunEvent.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

namespace loadlab::cli {

/// Hands a run's events from the runner's thread to the one that prints, so that a slow or stuck reader of stdout never
/// holds up the run.
class EventQueue {
public:
    /// Any thread; never waits for the other side.
    void push(const RunEvent& event);
    /// Everything that came since, in order; waits for at least one.
    std::vector<RunEvent> take();

private:
    std::mutex m_mutex;
    std::condition_variable m_came;
    std::vector<RunEvent> m_events;
};

/// `--follow`: each event a line of JSON.
class FollowView {
public:
    explicit FollowView(Output& out)
        : m_out(out)
    {
    }
    void show(const std::vector<RunEvent>& events);

private:
    Output& m_out;
    std::int64_t m_originNs = 0;
};

/// The run's tree_bytes over its seconds, in at most 1024 points: halved whenever it grows beyond, which is enough for
/// a sparkline of any run.
class CurveSoFar {
public:
    void note(const RunEvent& event);
    [[nodiscard]] const std::vector<Point>& points() const { return m_points; }

private:
    std::vector<Point> m_points;
    std::int64_t m_originNs = 0;
};

/// On a terminal: one line with bar, bytes, rate, time left and the curve so far.
class ProgressView {
public:
    ProgressView(Output& out, bool wanted)
        : m_line(out, wanted)
    {
    }
    void show(const std::vector<RunEvent>& events, const CurveSoFar& curve);
    void clear() { m_line.clear(); }

private:
    void note(const RunEvent& event);
    [[nodiscard]] std::string text(const std::vector<Point>& tree) const;

    ProgressLine m_line;
    ByteRate m_rate;
    std::string m_phase{"starting"};
    std::optional<protocol::Progress> m_progress;
    std::int64_t m_originNs = 0;
    std::int64_t m_nowNs = 0;
};

} // namespace loadlab::cli
