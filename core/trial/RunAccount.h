#pragma once

#include "core/trial/KeptCurve.h"
#include "core/trial/LoadTrail.h"
#include "core/trial/RunEvent.h"
#include "core/verdict/Judge.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

struct SamplerReport;

/// Everything a run learns, gathered for the verdict and the result. A passive object; one thread.
class RunAccount {
public:
    RunAccount(TrialIdentity identity, std::int64_t originNs, std::chrono::system_clock::time_point startedUtc);

    RunFacts facts; ///< Filled by the run itself where no function below does it.

    void note(const protocol::Message& message);
    /// Keeps the last 64 KiB. Lines of the two streams are not torn by each other, as long as they are below 8 KiB.
    void noteLog(LogStream stream, std::string_view bytes);
    void noteSamples(const std::vector<Sample>& samples);
    void beginPhase(std::string name, std::int64_t atNs);
    /// The worker's own time is over: closes the last phase and sets the duration.
    void end(std::int64_t atNs);

    [[nodiscard]] TrialIdentity& identity() { return m_identity; }
    [[nodiscard]] const TrialIdentity& identity() const { return m_identity; }
    [[nodiscard]] std::uint64_t peakTreeBytes() const { return m_curve.summary().peakTreeBytes; }
    [[nodiscard]] std::uint64_t baselineAvailableBytes() const { return m_curve.summary().baselineAvailableBytes; }
    /// What the worker named, with rates; of a worker that named none, what the curve itself shows.
    [[nodiscard]] std::vector<Phase> phases() const;
    /// Of a load that did not get to its end: what the whole of it would have needed, where its progress can tell.
    [[nodiscard]] std::optional<std::uint64_t> projectedNeedBytes() const;
    /// Completes the facts with the curve's figures and what the sampler proves, has them judged, and fills in whatever
    /// of the result it knows.
    void conclude(const SamplerReport& report, const MachineInfo& machine, const Rules& rules, RunResult& into);

private:
    void keepLog(std::string_view bytes);
    void correctPeaks(CurveSummary& curve, const SamplerReport& report) const;

    TrialIdentity m_identity;
    std::int64_t m_originNs;
    std::chrono::system_clock::time_point m_startedUtc;
    KeptCurve m_curve;
    std::string m_log;
    std::array<std::string, 2> m_openLines; ///< Of stdout and stderr: not ended yet.
    std::vector<Phase> m_phases;
    bool m_workerNamesPhases = false;
    LoadTrail m_trail;
};

/// "kernel", "cpu", "memory_bytes", "loadlab", … and the backend's own versions.
std::map<std::string, std::string> environmentOf(
    const MachineInfo& machine, const std::optional<protocol::Hello>& hello);

} // namespace loadlab
