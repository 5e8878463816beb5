#include "gui/UnixSignals.h"

#include <QSocketNotifier>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace loadlab {
namespace {

int writeEnd = -1; // NOLINT: a signal handler reaches nothing else

void onSignal(int)
{
    const int before = errno;
    const char byte = 1;
    static_cast<void>(!::write(writeEnd, &byte, 1));
    errno = before;
}

} // namespace

UnixSignals::UnixSignals(QObject* parent)
    : QObject(parent)
{
    if (::pipe2(m_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    writeEnd = m_pipe[1];
    auto* notifier = new QSocketNotifier(m_pipe[0], QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, this, &UnixSignals::take);
    struct sigaction action { };
    action.sa_handler = onSignal;
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction before { };
        ::sigaction(signal, nullptr, &before);
        if (before.sa_handler != SIG_IGN) // nohup ignores on purpose.
            ::sigaction(signal, &action, nullptr);
    }
}

UnixSignals::~UnixSignals()
{
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        ::signal(signal, SIG_DFL);
    for (const int end : m_pipe)
        if (end >= 0)
            ::close(end);
}

void UnixSignals::take()
{
    char bytes[16];
    while (::read(m_pipe[0], bytes, sizeof bytes) > 0) { }
    Q_EMIT received();
}

} // namespace loadlab
