#pragma once

#include "core/telemetry/ProcessReader.h"

#include <cstdint>

namespace loadlab {

/// Tells what processes that come and go do for their own beginning and end from what a tree gets on by: who only polls
/// may start a program for every look. A passive object; one thread.
class Turnover {
public:
    /// Two readings of a process that was known at the last sample.
    void read(const ProcessUse& before, const ProcessUse& now);
    /// A sample is complete. `moved`: processes that came since the last one, and that went; `readCharBytes`: of the
    /// whole tree, so far.
    void sampled(std::uint64_t moved, std::uint64_t readCharBytes);
    /// Minor faults while no process came or went, nor had just done so: a fork makes hundreds, in parent and child.
    [[nodiscard]] std::uint64_t steadyFaults() const { return m_steadyFaults; }
    /// By read calls, while processes came or went: 64 KiB for each, or what was read. A program's libraries, locale
    /// and certificates are tens of KiB.
    [[nodiscard]] std::uint64_t startupReadBytes() const { return m_startupReadBytes; }

private:
    std::uint64_t m_faults = 0; ///< Since the last sample; likewise below.
    std::uint64_t m_reapers = 0; ///< Processes that reaped children, which nobody may have seen.
    bool m_wasSteady = false; ///< At the last sample: what follows from who came or went may have come after it.
    std::uint64_t m_steadyFaults = 0;
    std::uint64_t m_readCharBytes = 0;
    std::uint64_t m_startupReadBytes = 0;
};

} // namespace loadlab
