#pragma once

#include "core/worker/Protocol.h"

#include <mutex>

namespace loadlab {

/// The way to the lab: events as JSON Lines on what was stdout. Any thread.
class EventChannel {
public:
    /// Moves stdout aside and points fd 1 at stderr, so that nothing a library prints can get between the events.
    /// Before anything else happens in the process.
    static EventChannel takeStdout();
    explicit EventChannel(int fd)
        : m_fd(fd)
    {
    }

    /// Stamps and writes one event. Once the lab is gone this does nothing: the end of stdin tells the worker to leave.
    void send(protocol::Body body);
    void warn(std::string code, std::string message) { send(protocol::Warning{std::move(code), std::move(message)}); }

private:
    std::mutex m_mutex;
    int m_fd;
};

} // namespace loadlab
