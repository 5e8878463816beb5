#pragma once

#include "core/Result.h"
#include "core/curve/Sample.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace loadlab {

struct SamplerReport {
    double rateHz = 0; ///< Asked for.
    std::uint64_t ticks = 0; ///< Taken.
    std::uint64_t missedTicks = 0;
    std::uint64_t worstLatenessNs = 0;
    std::uint64_t highWaterBytes = 0; ///< Largest VmHWM of any one process.
    std::uint64_t provenAnonBytes = 0;
    std::optional<std::uint64_t> pssTreeBytes; ///< At the last mark.
    std::int64_t pssAtNs = 0;
};

/// One thread that samples a process tree and the system at absolute ticks (timerfd, CLOCK_MONOTONIC).
/// Construct, start, stop: from one thread. The sink is called on the sampler's thread with one sample and must not block.
class Sampler {
public:
    using Sink = std::function<void(const Sample&)>;

    Sampler(double rateHz, Sink sink);
    ~Sampler(); ///< Stops.

    Result<void> start();
    /// From now on the tree below this process is measured too; before, only the system is.
    void watch(pid_t root);
    /// Takes one sample and the PSS mark as soon as possible, and waits for both (at most a tick plus the read).
    void mark();
    /// The tree's processes that still run, root first. Thread-safe.
    std::vector<pid_t> living() const;
    SamplerReport stop();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
