#pragma once

#include "core/worker/Protocol.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <thread>

namespace loadlab {

class EventChannel;

/// What the lab says on stdin, read by a thread of its own so that `cancel` and the end of stdin are seen while
/// loading. Commands that nobody knows are answered at once with a `warning`.
class CommandChannel {
public:
    CommandChannel(int fd, EventChannel& events);
    ~CommandChannel(); ///< Does not wait for the lab.
    CommandChannel(const CommandChannel&) = delete;
    CommandChannel& operator=(const CommandChannel&) = delete;

    /// The first line; nothing when stdin ended before. Invalid: a first line that is no job.
    Result<std::optional<protocol::Job>> waitForJob();
    /// The next exercise; nothing when it is time to leave.
    std::optional<protocol::Exercise> waitForExercise();
    /// Stops at `cancel`, `unload`, the end of stdin, and nonsense.
    [[nodiscard]] std::stop_token leave() const { return m_leave.get_token(); }

private:
    void readAll();
    void take(const nlohmann::json& line);
    void leaveNow();

    int m_fd;
    int m_wake[2] = {-1, -1};
    EventChannel& m_events;
    std::stop_source m_leave;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::optional<Result<protocol::Job>> m_job;
    std::deque<protocol::Exercise> m_exercises;
    std::thread m_thread;
};

} // namespace loadlab
