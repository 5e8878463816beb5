#include "EventChannel.h"

#include "core/Units.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace loadlab {

EventChannel EventChannel::takeStdout()
{
    std::signal(SIGPIPE, SIG_IGN);
    const int aside = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    return EventChannel(aside);
}

void EventChannel::send(protocol::Body body)
{
    const std::lock_guard lock(m_mutex);
    const protocol::Message message{monotonicNs(), std::move(body)};
    const std::string line = protocol::toJson(message).dump() + "\n";
    std::string_view rest = line;
    while (m_fd >= 0 && !rest.empty()) {
        const ssize_t written = ::write(m_fd, rest.data(), rest.size());
        if (written >= 0)
            rest.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            m_fd = -1;
    }
}

} // namespace loadlab
