#include "core/trial/RunAccount.h"

#include "core/Text.h"
#include "core/Version.h"
#include "core/curve/Phases.h"
#include "core/telemetry/Sampler.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::size_t kLogTailBytes = 64 << 10;
constexpr std::size_t kMostWarnings = 100;
constexpr std::size_t kMostPhases = 1000;

double secondsSince(std::int64_t originNs, std::int64_t ns)
{
    return static_cast<double>(ns - originNs) / 1e9;
}

} // namespace

RunAccount::RunAccount(TrialIdentity identity, std::int64_t originNs, std::chrono::system_clock::time_point startedUtc)
    : m_identity(std::move(identity))
    , m_originNs(originNs)
    , m_startedUtc(startedUtc)
    , m_curve(originNs)
{
    facts.variant = m_identity.variant;
    facts.limits = m_identity.limits;
}

void RunAccount::note(const protocol::Message& message)
{
    if (const auto* hello = std::get_if<protocol::Hello>(&message.body)) {
        facts.hello = *hello;
    } else if (const auto* phase = std::get_if<protocol::PhaseEntered>(&message.body)) {
        m_workerNamesPhases = true;
        beginPhase(phase->name, message.monotonicNs);
    } else if (const auto* progress = std::get_if<protocol::Progress>(&message.body)) {
        facts.progress = *progress;
        m_trail.note(*progress);
    } else if (const auto* loaded = std::get_if<protocol::Loaded>(&message.body)) {
        facts.loaded = *loaded;
    } else if (const auto* warning = std::get_if<protocol::Warning>(&message.body);
               warning && facts.warnings.size() < kMostWarnings) {
        facts.warnings.push_back(*warning);
    } else if (const auto* error = std::get_if<protocol::WorkerError>(&message.body); error && !facts.error) {
        facts.error = *error; // What follows the first one follows from it.
    }
}

void RunAccount::noteLog(LogStream stream, std::string_view bytes)
{
    constexpr std::size_t longestOpenLine = 8 << 10;
    std::string& open = m_openLines[stream == LogStream::Stderr ? 1 : 0];
    const std::size_t newline = bytes.rfind('\n');
    const std::size_t ended = newline == std::string_view::npos ? 0 : newline + 1;
    if (ended > 0) {
        keepLog(open);
        open.clear();
        keepLog(bytes.substr(0, ended));
    }
    open.append(bytes.substr(ended));
    if (open.size() > longestOpenLine) {
        keepLog(open);
        open.clear();
    }
}

void RunAccount::keepLog(std::string_view bytes)
{
    m_log.append(bytes);
    if (m_log.size() > 2 * kLogTailBytes)
        m_log.erase(0, m_log.size() - kLogTailBytes);
}

void RunAccount::noteSamples(const std::vector<Sample>& samples)
{
    for (const Sample& sample : samples) {
        m_curve.add(sample);
        if (sample.has(Column::TreeBytes))
            m_trail.noteTree(static_cast<double>(sample[Column::TreeBytes]));
    }
}

void RunAccount::beginPhase(std::string name, std::int64_t atNs)
{
    if (m_phases.size() == kMostPhases)
        return; // The last one takes the rest.
    double atS = secondsSince(m_originNs, atNs);
    if (!m_phases.empty())
        atS = m_phases.back().toS = std::max(atS, m_phases.back().fromS);
    m_phases.push_back({std::move(name), atS, atS, 0});
}

void RunAccount::end(std::int64_t atNs)
{
    facts.duration = std::chrono::nanoseconds(atNs - m_originNs);
    if (!m_phases.empty())
        m_phases.back().toS = std::max(m_phases.back().fromS, secondsSince(m_originNs, atNs));
}

std::vector<Phase> RunAccount::phases() const
{
    return phasesOf(m_curve.curve(), m_phases, m_workerNamesPhases);
}

std::optional<std::uint64_t> RunAccount::projectedNeedBytes() const
{
    return facts.loaded ? std::nullopt : m_trail.projectedNeedBytes();
}

/// Sampling misses what is gone between two samples: the high-water marks and the kernel's word on a victim bound the
/// peak from below. What wait4 tells proves nothing here: how much of ru_maxrss was file pages is not known, and a fault
/// maps one page or five hundred.
void RunAccount::correctPeaks(CurveSummary& curve, const SamplerReport& report) const
{
    curve.peakTreeBytes = std::max(curve.peakTreeBytes, report.provenAnonBytes);
    for (const KernelVictim& victim : facts.kernelVictims)
        if (victim.ofThisRun)
            curve.peakTreeBytes = std::max(curve.peakTreeBytes, victim.heldBytes);
}

void RunAccount::conclude(
    const SamplerReport& report, const MachineInfo& machine, const Rules& rules, RunResult& result)
{
    result.identity = m_identity;
    result.startedUtc = m_startedUtc;
    result.duration = facts.duration;
    result.curve = m_curve.summary();
    result.curve.rateHz = report.achievedHz();
    correctPeaks(result.curve, report);
    result.hwmBytes = report.highWaterBytes;
    if (facts.wait) {
        result.exitCode = facts.wait->code;
        result.exitSignal = facts.wait->signal;
        result.hwmBytes = std::max(result.hwmBytes, facts.wait->use.maxRssBytes);
        result.hwmWasNotTold = facts.wait->use.maxRssBytes == 0;
    }
    result.hwmBytes = std::max(result.hwmBytes, facts.adoptedMaxRssBytes);
    result.phases = phases();
    result.projectedNeedBytes = projectedNeedBytes();
    result.progress = facts.progress;
    result.loaded = facts.loaded;
    result.environment = environmentOf(machine, facts.hello);
    result.environment["sampler"] = toWords(report.priority);
    // A sampler that stood still while the run's own thread did not was held up, whatever by.
    const bool labPaused = std::ranges::any_of(facts.pauses, [](const Pause& pause) { return !pause.ofMachine; });
    result.missedTicks = report.missedTicks + (labPaused ? 0 : report.pausedTicks);
    result.worstLatenessNs = report.worstLatenessNs;
    for (std::string& open : m_openLines) {
        if (!open.empty())
            keepLog(std::exchange(open, {}) + "\n");
    }
    facts.curve = result.curve;
    facts.logTail
        = toUtf8(m_log.size() > kLogTailBytes ? std::string_view(m_log).substr(m_log.size() - kLogTailBytes) : m_log);
    result.verdict = judge(facts, rules);
}

std::map<std::string, std::string> environmentOf(
    const MachineInfo& machine, const std::optional<protocol::Hello>& hello)
{
    std::map<std::string, std::string> environment{
        {"kernel", machine.kernel},
        {"distribution", machine.distribution},
        {"cpu", machine.cpuModel},
        {"cpu_count", std::to_string(machine.cpuCount)},
        {"memory_bytes", std::to_string(machine.memoryBytes)},
        {"swap_bytes", std::to_string(machine.swapBytes)},
        {"loadlab", std::string(loadlabVersion())},
        {"loadlab_revision", std::string(gitRevision())},
    };
    if (!machine.gpu.empty())
        environment["gpu"] = machine.gpu;
    if (hello) {
        for (const auto& [name, version] : hello->versions)
            environment.emplace(name, version);
        for (const auto& [name, fact] : hello->facts)
            environment.emplace("backend_" + name, fact);
    }
    std::erase_if(environment, [](const auto& entry) { return entry.second.empty(); });
    return environment;
}

} // namespace loadlab
