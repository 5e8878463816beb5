#pragma once

#include "core/telemetry/ProcessReader.h"

#include <cstdint>
#include <optional>

namespace loadlab {

/// What a process did since the last sample, and what of it is put down to starts of programs. Bytes are those of read
/// calls.
struct ProcessTurnover {
    static constexpr std::uint64_t kStartupBytes = 48
        << 10; ///< Libraries, locale, settings: curl reads 46 KB, sleep 7.

    std::int64_t beganNs = 0; ///< When it was first seen, or at its last exec.
    std::uint64_t startupLeft = kStartupBytes; ///< Of its own.
    std::uint64_t ownBytes = 0; ///< Read by itself so far; at most, while it has had no children.
    bool threaded = false; ///< Has had several threads: what those read that ended, no thread tells any more.
    std::uint64_t childBytes
        = 0; ///< To come with the counters of children that it waits for: told already, or a start.
    std::uint64_t childBytesBefore = 0; ///< Of that, what was to come with the last sample.
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
    /// Whether count() wants to know what its first thread has read: it has waited for a child, and has no other
    /// thread.
    [[nodiscard]] static bool mustAskThread(const ProcessTurnover& of) { return of.reaped && !of.threaded; }
    static void read(
        ProcessTurnover& of, const ProcessUse& before, const ProcessUse& now, bool began, std::int64_t nowNs);
    static void gotChild(ProcessTurnover& of) { of.calmFor = 0; }
    /// Of a child, or of one that would have been inherited from it: as it was last read.
    static void lostChild(ProcessTurnover& of, const ProcessTurnover& child, const ProcessUse& last);
    /// Old enough for what it does to be no start.
    [[nodiscard]] static bool isGrown(const ProcessTurnover& of, std::int64_t nowNs);

    /// Of every living process, once a sample, when all have been read and all that ended is told.
    void count(ProcessTurnover& of, std::int64_t nowNs, std::optional<std::uint64_t> threadReadBytes = {});
    /// Then: `readCharBytes` of the whole tree so far.
    void sampled(std::uint64_t readCharBytes);

    /// Minor faults of processes that began more than a second ago, less 32 for every sample since which, or since the
    /// one before, it forked or waited for a child: a fork made 21 in bash and 27 in Python.
    [[nodiscard]] std::uint64_t steadyFaults() const { return m_steadyFaults; }
    /// Of what was read by calls: up to 48 KiB for every process and every exec.
    [[nodiscard]] std::uint64_t startupReadBytes() const { return m_startupReadBytes; }

private:
    std::uint64_t m_steadyFaults = 0;
    std::uint64_t m_workReadBytes = 0;
    std::uint64_t m_startupReadBytes = 0;
};

} // namespace loadlab
