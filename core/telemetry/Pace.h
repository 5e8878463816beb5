#pragma once

#include "core/curve/Sample.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace loadlab {

/// What a process tree is doing, judged from the last seconds of its samples.
struct Pace {
    enum class Kind {
        Unknown, ///< Fewer samples than the window needs.
        Still, ///< Nothing of all that is measured moves.
        Swapping, ///< Pages come back from swap, or wait for it: slow, whatever else it does.
        Reading,
        Growing, ///< Memory comes without reading: computing or copying.
        Computing, ///< CPU time alone.
    };
    Kind kind = Kind::Unknown;
    double readBytesPerS
        = 0; ///< From storage or, where that is more, by read calls; of mapped files: what became resident.
    double growthBytesPerS = 0; ///< tree_bytes.
    double swapBytesPerS = 0; ///< Swapped in and out, of the machine while the tree has swap.
    double cpuCores = 0; ///< CPU seconds per second.
};

/// "reading at 0.2 GB/s", "swapping: 120 MiB/s, 0.1 cores", "computing on 1.0 cores", "standing still".
std::string toWords(const Pace& pace);

/// Keeps the samples of the last seconds in bounded memory. No clock of its own; one thread; allocates nothing.
class PaceWatch {
public:
    /// What stopped before the later half of the window does not name the pace.
    explicit PaceWatch(std::chrono::nanoseconds window = std::chrono::seconds(5));

    void sample(const Sample& sample);
    [[nodiscard]] Pace pace() const;

private:
    [[nodiscard]] const Sample* oldestWithin(std::int64_t windowNs) const;

    static constexpr std::size_t kSlots = 32; ///< One per thirty-second of the window: enough for its edge.

    std::int64_t m_windowNs;
    std::array<Sample, kSlots> m_ring{};
    std::size_t m_count = 0;
    std::size_t m_next = 0;
    Sample m_last;
};

} // namespace loadlab
