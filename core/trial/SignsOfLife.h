#pragma once

#include "core/curve/Sample.h"
#include "core/telemetry/FurtherUse.h"
#include "core/worker/Protocol.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace loadlab {

/// When a run last showed that it gets on: protocol progress, output, bytes read or written, growth, faults, pages that
/// come back from swap, CPU time worth naming. A process that merely wakes up, or repeats the same progress, shows
/// none. Has no clock of its own; one thread.
class SignsOfLife {
public:
    /// `limit`: how long a silence will be looked for; CPU time is judged over windows of a quarter of it.
    SignsOfLife(std::int64_t startNs, std::chrono::nanoseconds limit);

    /// Any bytes on stderr, or on stdout that are no protocol.
    void output(std::int64_t atNs) { sign(atNs, "output"); }
    /// False for one that repeats what was known.
    bool message(const protocol::Message& message, std::int64_t atNs);
    void sample(const Sample& sample);
    /// As of the sample that follows, or of a later one.
    void use(const FurtherUse& use, std::int64_t atNs);
    /// Something was read, less than shows by itself that it gets on: has the position in any file moved? Asked at most
    /// eight times per limit, and once more where that is over.
    [[nodiscard]] bool asksForPositions(std::int64_t nowNs) const;
    void positions(bool gotFurther, std::int64_t nowNs);
    /// The lab itself did not run for so long (stopped, or starved): nothing is known of that time.
    void forgive(std::chrono::nanoseconds gap);

    [[nodiscard]] std::chrono::nanoseconds silence(std::int64_t nowNs) const;
    /// Whether it is over as of the last whole sample: what happened since, nobody looked at yet. Without samples 3 s
    /// later all the same.
    [[nodiscard]] bool isOver(std::chrono::nanoseconds limit, std::int64_t nowNs) const;
    /// When to ask isOver() again if no sample comes.
    [[nodiscard]] std::int64_t dueNs(std::chrono::nanoseconds limit, std::int64_t nowNs) const;
    /// What the last sign was: "start", "progress", "output", "swapping", "reading", "writing", "growth", "faults",
    /// "CPU time".
    [[nodiscard]] const std::string& lastSign() const { return m_lastSign; }

private:
    void sign(std::int64_t atNs, const char* what);
    static bool grew(std::int64_t& anchor, std::int64_t now, std::int64_t byAtLeast);
    bool grew(Column column, const Sample& sample, std::int64_t byAtLeast);
    bool read(const Sample& sample);
    bool worked(const Sample& sample);
    bool faulted(std::uint64_t steadyFaults, std::int64_t atNs);

    std::int64_t m_lastNs;
    std::int64_t m_limitNs;
    std::int64_t m_worthReading; ///< By calls, in bytes: no housekeeping any more.
    std::int64_t m_cpuWindowNs;
    std::string m_lastSign = "start";
    std::optional<protocol::Progress> m_progress;
    Sample m_anchor; ///< Per column: the value from which growth counts.
    std::int64_t m_cpuSinceNs;
    std::int64_t m_sampledNs; ///< The last sample that had every column.
    std::optional<FurtherUse> m_used; ///< From which writing counts.
    std::optional<std::uint64_t> m_faults; ///< At the beginning of the window, as for CPU time.
    std::int64_t m_faultsSinceNs = 0;
    std::optional<std::uint64_t> m_faultsSeen;
    std::int64_t m_faultedNs = 0; ///< When there last were more.
    std::int64_t m_grownBytes = kAbsent; ///< From which growth counts.
    std::uint64_t m_startupReadBytes = 0;
    std::int64_t m_readBytes = kAbsent; ///< ReadCharBytes of the last sample.
    std::optional<std::int64_t> m_trickledNs; ///< When it last grew, and nobody looked at positions since.
    std::int64_t m_lookedNs;
};

} // namespace loadlab
