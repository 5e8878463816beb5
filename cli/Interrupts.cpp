#include "cli/Interrupts.h"

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace loadlab::cli {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
constexpr int kGiveUp = 4;

// What a signal handler may touch.
std::atomic<int> g_count{0};
std::atomic<int> g_pipe{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void onArrival(int)
{
    const int before = errno;
    if (++g_count >= kGiveUp)
        ::_exit(130);
    const char byte = 's';
    (void)!::write(g_pipe, &byte, 1);
    errno = before;
}

} // namespace

// Handlers and a pipe, not a blocked mask with signalfd: a mask would be inherited by every worker, which could then
// not be stopped by SIGTERM.
struct Interrupts::State {
    std::function<void(int)> onSignal;
    std::array<int, 2> pipe{-1, -1};
    std::array<struct sigaction, kSignals.size()> before{};
    std::thread thread;

    void listen() const
    {
        int told = 0;
        char byte = 0;
        while (true) {
            const ssize_t got = ::read(pipe[0], &byte, 1);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0 || byte == 'q')
                return;
            onSignal(++told);
        }
    }
};

Interrupts::Interrupts(std::function<void(int)> onSignal)
    : m_state(std::make_unique<State>())
{
    assert(g_pipe == -1);
    m_state->onSignal = std::move(onSignal);
    if (::pipe2(m_state->pipe.data(), O_CLOEXEC) != 0)
        return;
    g_count = 0;
    g_pipe = m_state->pipe[1];
    m_state->thread = std::thread([state = m_state.get()] { state->listen(); });
    struct sigaction action { };
    action.sa_handler = onArrival;
    action.sa_flags = SA_RESTART;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], nullptr, &m_state->before[i]);
        // nohup and background jobs of a shell without job control ignore on purpose.
        if (m_state->before[i].sa_handler != SIG_IGN)
            ::sigaction(kSignals[i], &action, nullptr);
    }
}

Interrupts::~Interrupts()
{
    if (!m_state->thread.joinable())
        return;
    for (std::size_t i = 0; i < kSignals.size(); ++i)
        ::sigaction(kSignals[i], &m_state->before[i], nullptr);
    const char byte = 'q';
    (void)!::write(m_state->pipe[1], &byte, 1);
    m_state->thread.join();
    g_pipe = -1;
    ::close(m_state->pipe[0]);
    ::close(m_state->pipe[1]);
}

int Interrupts::count() const
{
    return g_count;
}

} // namespace loadlab::cli
