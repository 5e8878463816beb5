#pragma once

#include "core/telemetry/ProcessReader.h"

#include <cstdint>

namespace loadlab {

/// What a process did since the last sample, and what of it is put down to starts of programs. Bytes are those of read
/// calls.
struct ProcessTurnover {
    static constexpr std::uint64_t kStartupBytes = 48
        << 10; ///< Libraries, locale, settings: curl reads 46 KB, sleep 7.

    std::int64_t beganNs = 0; ///< When it was first seen, or at its last exec.
    std::uint64_t startupLeft = kStartupBytes; ///< Of its own.
    std::uint64_t childBytes = 0; ///< To come with the counters of children that it waits for.
    int childBytesFor = 0; ///< So many samples: then they went elsewhere.
    int calmFor = 0; ///< Samples since it forked or reaped.
    bool reaped = false; ///< Since the last sample; likewise below.
    std::uint64_t readBytes = 0;
    std::uint64_t faults = 0;
};

/// Tells what processes that come and go do for their own beginning and end from what a tree gets on by: who only polls
/// may start a program for every look. Each process by itself, so that what stays is not hidden by what comes and goes
/// beside it. A passive object; one thread.
class Turnover {
public:
    /// Two readings of a process; `began`: the first, or the first since an exec.
    static void read(
        ProcessTurnover& of, const ProcessUse& before, const ProcessUse& now, bool began, std::int64_t nowNs);
    static void gotChild(ProcessTurnover& of) { of.calmFor = 0; }
    /// Of a child, or of one that would have been inherited from it: as it was last read.
    static void lostChild(ProcessTurnover& of, const ProcessTurnover& child, const ProcessUse& last);
    /// Old enough for what it does to be no start.
    [[nodiscard]] static bool isGrown(const ProcessTurnover& of, std::int64_t nowNs);

    /// Of every living process, once a sample, when all have been read and all that ended is told.
    void count(ProcessTurnover& of, std::int64_t nowNs);
    /// Then: `readCharBytes` of the whole tree so far.
    void sampled(std::uint64_t readCharBytes);

    /// Minor faults of processes that neither forked nor waited for one, nor began within the last second: a fork makes
    /// hundreds, in parent and child.
    [[nodiscard]] std::uint64_t steadyFaults() const { return m_steadyFaults; }
    /// Of what was read by calls: up to 48 KiB for every process and every exec.
    [[nodiscard]] std::uint64_t startupReadBytes() const { return m_startupReadBytes; }

private:
    std::uint64_t m_steadyFaults = 0;
    std::uint64_t m_workReadBytes = 0;
    std::uint64_t m_startupReadBytes = 0;
};

} // namespace loadlab
