#pragma once

#include "core/curve/Sample.h"
#include "core/telemetry/FurtherUse.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace loadlab {

/// What a process tree is doing, judged from the last seconds of its samples.
struct Pace {
    enum class Kind {
        Unknown, ///< Fewer samples than the window needs.
        Still, ///< Nothing of all that is measured moves.
        Swapping, ///< Pages come back from swap, or wait for it: slow, whatever else it does.
        Reading,
        Writing, ///< To files, pipes or sockets, without reading; more of it than grows.
        Growing, ///< Memory comes without reading: computing or copying.
        Computing, ///< CPU time alone.
        Printing, ///< Nothing else than output.
    };
    Kind kind = Kind::Unknown;
    double readBytesPerS = 0; ///< From storage less swap or, where that is more, by read calls, less what programs read
                              ///< to start; of mapped files: what became resident.
    double writtenBytesPerS = 0; ///< By write calls, or through mappings of files; what it printed is none.
    double growthBytesPerS = 0; ///< tree_bytes.
    double swapBytesPerS = 0; ///< Swapped in and out by the machine, as far as it can be the tree's.
    double majorFaultsPerS = 0; ///< Of the tree: pages that it waited for.
    double cpuCores = 0; ///< CPU seconds per second.
    std::uint64_t printedLines = 0; ///< Ended by a newline.
    std::uint64_t printedBytes = 0;
    double spanS = 0; ///< What all this was judged over: the window, or less at the beginning.
};

/// "reading at 0.2 GB/s", "writing at 4.00 MiB/s", "swapping: 120 MiB/s, 0.1 cores", "computing on 1.0 cores",
/// "printing, 5 lines in the last 5 s", "standing still".
std::string toWords(const Pace& pace);

/// Keeps the samples of the last seconds in bounded memory. No clock of its own; one thread; allocates nothing.
class PaceWatch {
public:
    static constexpr std::chrono::nanoseconds kWindow = std::chrono::seconds(5);

    /// What stopped before the later half of the window does not name the pace, except output: that comes in single
    /// lines.
    explicit PaceWatch(std::chrono::nanoseconds window = kWindow);

    void sample(const Sample& sample);
    /// Of the process, as it came since the last sample.
    void output(std::string_view bytes);
    /// As of the next sample.
    void use(const FurtherUse& use) { m_now.use = use; }
    [[nodiscard]] Pace pace() const;
    [[nodiscard]] std::chrono::nanoseconds window() const { return std::chrono::nanoseconds(m_windowNs); }

private:
    /// A sample, and all that was printed and used before it.
    struct Moment {
        Sample sample;
        std::uint64_t lines = 0;
        std::uint64_t bytes = 0;
        FurtherUse use;
    };
    static double writtenPerS(const Moment& from, const Moment& to);
    [[nodiscard]] const Moment* oldestWithin(std::int64_t windowNs) const;
    [[nodiscard]] bool mapsMore(std::int64_t spanNs) const;

    static constexpr std::size_t kSlots = 32; ///< One per thirty-second of the window: enough for its edge.

    std::int64_t m_windowNs;
    std::array<Moment, kSlots> m_ring{};
    std::size_t m_count = 0;
    std::size_t m_next = 0;
    Moment m_now; ///< The last sample, and all that was printed so far.
};

} // namespace loadlab
