#pragma once

#include <csignal>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/// A process group of its own that waits to be killed.
class Victim {
public:
    Victim()
    {
        m_pid = ::fork();
        if (m_pid == 0) {
            ::setpgid(0, 0);
            for (;;)
                ::pause();
        }
        ::setpgid(m_pid, m_pid);
    }
    ~Victim()
    {
        if (!m_reaped) {
            ::kill(m_pid, SIGKILL);
            ::waitpid(m_pid, nullptr, 0);
        }
    }
    Victim(const Victim&) = delete;
    Victim& operator=(const Victim&) = delete;
    [[nodiscard]] pid_t pid() const { return m_pid; }
    /// Waits for its end; whether it was SIGKILL.
    bool wasKilled()
    {
        int status = 0;
        m_reaped = ::waitpid(m_pid, &status, 0) == m_pid;
        return m_reaped && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    /// Neither ended nor reaped.
    [[nodiscard]] bool lives() const { return ::waitpid(m_pid, nullptr, WNOHANG) == 0; }

private:
    pid_t m_pid = -1;
    bool m_reaped = false;
};
