#pragma once

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace loadlab::test {

/// A child that forks children all the time, so many at once, that take so many bytes and end: a tree that changes
/// under whoever looks at it. It ends with its parent.
inline pid_t forkRestless(int atOnce, std::size_t bytes)
{
    const pid_t pid = ::fork();
    if (pid != 0)
        return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        for (int i = 0; i < atOnce; ++i)
            if (::fork() == 0) {
                const std::vector<char> held(bytes, 1);
                ::_exit(std::ranges::count(held, 0) > 0 ? 1 : 0); // Read, so that it is not left out.
            }
        while (::waitpid(-1, nullptr, 0) > 0) { }
    }
}

} // namespace loadlab::test
