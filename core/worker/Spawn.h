#pragma once

#include "core/Result.h"
#include "core/worker/WorkerProcess.h"

#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace loadlab {

/// A file descriptor with an owner.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd)
        : m_fd(fd)
    {
    }
    Descriptor(Descriptor&& other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
    {
    }
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        reset(std::exchange(other.m_fd, -1));
        return *this;
    }
    ~Descriptor() { reset(); }

    [[nodiscard]] int get() const { return m_fd; }
    explicit operator bool() const { return m_fd >= 0; }
    void reset(int fd = -1)
    {
        if (m_fd >= 0)
            ::close(m_fd);
        m_fd = fd;
    }

private:
    int m_fd = -1;
};

/// A process that runs its program: its pid (also its group), and the lab's ends of its streams, all non-blocking.
struct Spawned {
    pid_t pid = -1;
    Descriptor pidfd; ///< Empty where the kernel has none (before 5.3).
    Descriptor stdinEnd; ///< Empty for a program that does not talk.
    Descriptor stdoutEnd;
    Descriptor stderrEnd;
};

/// Forks and executes. The child leads its own group, dies with the calling thread, has default signal handlers, no
/// descriptor but 0, 1, 2, and a raised oom_score_adj. Waits until exec succeeded or failed.
/// NotFound: no such program; Worker: found, but it does not start (errno's words); Io: no pipes or processes left.
Result<Spawned> spawn(const WorkerCommand& command);

} // namespace loadlab
