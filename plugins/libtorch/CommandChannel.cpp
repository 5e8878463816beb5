#include "CommandChannel.h"

#include "EventChannel.h"
#include "core/worker/JsonLineReader.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

namespace loadlab {

CommandChannel::CommandChannel(int fd, EventChannel& events)
    : m_fd(fd)
    , m_events(events)
{
    if (::pipe2(m_wake, O_CLOEXEC) != 0)
        m_wake[0] = m_wake[1] = -1;
    m_thread = std::thread([this] { readAll(); });
}

CommandChannel::~CommandChannel()
{
    ::close(m_wake[1]);
    m_thread.join();
    ::close(m_wake[0]);
}

void CommandChannel::leaveNow()
{
    const std::lock_guard lock(m_mutex);
    m_leave.request_stop();
    m_changed.notify_all();
}

void CommandChannel::readAll()
{
    JsonLineReader lines;
    std::array<char, 65536> bytes;
    for (;;) {
        pollfd wanted[] = {{m_fd, POLLIN, 0}, {m_wake[0], POLLIN, 0}};
        if (::poll(wanted, 2, -1) < 0 && errno != EINTR)
            break;
        if (wanted[1].revents != 0)
            return;
        if (wanted[0].revents == 0)
            continue;
        const ssize_t got = ::read(m_fd, bytes.data(), bytes.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            break;
        const auto objects = lines.feed({bytes.data(), static_cast<std::size_t>(got)});
        if (objects)
            for (const nlohmann::json& line : *objects)
                take(line);
        if (const auto& nonsense = lines.nonsense()) {
            m_events.warn("nonsense_on_stdin", nonsense->message);
            break;
        }
    }
    leaveNow();
}

void CommandChannel::take(const nlohmann::json& line)
{
    {
        const std::lock_guard lock(m_mutex);
        if (!m_job) {
            m_job = protocol::jobFromJson(line);
            m_changed.notify_all();
            return;
        }
    }
    const auto command = protocol::commandFromJson(line);
    if (!command) {
        m_events.warn("unknown_command", command.error().message);
        return;
    }
    if (const auto* exercise = std::get_if<protocol::Exercise>(&*command)) {
        const std::lock_guard lock(m_mutex);
        m_exercises.push_back(*exercise);
        m_changed.notify_all();
        return;
    }
    leaveNow();
}

Result<std::optional<protocol::Job>> CommandChannel::waitForJob()
{
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return m_job || m_leave.stop_requested(); });
    if (!m_job)
        return std::optional<protocol::Job>();
    if (!*m_job)
        return m_job->error();
    return std::optional(**m_job);
}

std::optional<protocol::Exercise> CommandChannel::waitForExercise()
{
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return !m_exercises.empty() || m_leave.stop_requested(); });
    if (m_leave.stop_requested())
        return std::nullopt;
    protocol::Exercise exercise = std::move(m_exercises.front());
    m_exercises.pop_front();
    return exercise;
}

} // namespace loadlab
