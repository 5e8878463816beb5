#pragma once

#include "core/containment/RunGroup.h"
#include "core/containment/WorkerGroup.h"
#include "core/curve/Sample.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <sys/types.h>

namespace loadlab {

/// Keeps a cap where no cgroup does: looks at every sample, and kills the worker's process group at once when the tree
/// holds more. Coarser than the kernel: what grows between two samples goes over the cap.
class CapWatchdog {
public:
    struct Breach {
        bool ofSwap = false;
        std::uint64_t bytes = 0; ///< Held then.
        std::uint64_t capBytes = 0;
        std::int64_t monotonicNs = 0;
    };

    /// What is left under the cap on memory that it keeps, as of the last sample; nothing: it keeps none. Any thread.
    [[nodiscard]] std::optional<std::uint64_t> leftBytes() const;
    /// What it has to keep; nothing at first.
    void keep(const Caps& caps);
    [[nodiscard]] bool hasCaps() const;
    /// As WorkerGroup; any thread.
    void arm(pid_t group);
    void disarm();
    /// On the sampler's thread.
    void check(const Sample& sample);
    /// The first time a cap was crossed. Any thread.
    [[nodiscard]] std::optional<Breach> breach() const;

private:
    Caps m_caps;
    mutable std::mutex m_mutex;
    WorkerGroup m_group;
    std::uint64_t m_heldBytes = 0; ///< As last read.
    std::int64_t m_swapBytes = 0; ///< As last read: not every sample has it.
    std::optional<Breach> m_breach;
};

} // namespace loadlab
