#include "core/Units.h"
#include "core/verdict/Questions.h"

#include <algorithm>
#include <csignal>

namespace loadlab::questions {
namespace {

constexpr std::size_t kMaxWarnings = 3;
constexpr std::size_t kMaxPauses = 3;
constexpr std::size_t kMaxOutside = 3;

bool hasSource(const Finding& finding, std::string_view source)
{
    return std::any_of(
        finding.evidence.begin(), finding.evidence.end(), [source](const auto& e) { return e.source == source; });
}

void add(Finding& finding, std::string source, std::string fact, FailureMode supports, double weight)
{
    finding.evidence.push_back({std::move(source), std::move(fact), std::string(toWireName(supports)), weight});
}

bool isOk(const Finding& finding)
{
    return finding.mode == FailureMode::Ok;
}

void addEnding(const RunFacts& facts, Finding& finding)
{
    if (!facts.undying.empty())
        add(finding, "lab", facts.undying, finding.mode, 0.5);
    if (!facts.wait || hasSource(finding, "wait status"))
        return;
    const auto byLab = endedByTheLab(facts);
    add(finding, "wait status", endWords(facts) + (byLab ? ", sent by the lab" : ""), finding.mode,
        isOk(finding) && !byLab ? 0.7 : 0.2);
}

bool killedByOthers(const RunFacts& facts)
{
    return facts.wait && facts.wait->signal == SIGKILL && !endedByTheLab(facts);
}

/// The machine's own counter names no victim: it hints, or speaks against.
void addMachineCounter(const RunFacts& facts, Finding& finding)
{
    if (finding.mode == FailureMode::HostOomKilled || groupKills(facts))
        return;
    if (const auto kills = machineKills(facts)) {
        const auto& victims = facts.kernelVictims;
        auto victim = std::ranges::find_if(victims, &KernelVictim::ofThisRun);
        const bool ours = victim != victims.end();
        const double alone = victims.empty() ? 0.3 : 0.1;
        if (!ours)
            victim = victims.begin();
        const std::string whom = victims.empty()
            ? "some process"
            : "pid " + std::to_string(victim->pid) + " (" + excerpt(victim->name, 100) + ")";
        add(finding, "vmstat.oom_kill",
            killWords(*kills) + " on the whole machine: " + whom + (ours ? " of this run" : "")
                + " was killed for lack of memory" + (ours ? "" : ", not shown to be of this run"),
            FailureMode::HostOomKilled, ours ? 0.9 : alone);
    } else if (facts.after.vmstatOomKill && facts.before.vmstatOomKill && killedByOthers(facts)) {
        add(finding, "vmstat.oom_kill", "no out-of-memory kill on this machine during the run",
            FailureMode::HostOomKilled, -0.9);
    }
}

void addGroupCounter(const RunFacts& facts, Finding& finding)
{
    if (finding.mode == FailureMode::HostOomKilled)
        return;
    if (const auto kills = groupKills(facts)) {
        Evidence evidence = groupEvidence(*kills, 0.9);
        const std::uint64_t count = kills->after - kills->before;
        evidence.fact += ": the kernel killed " + (count == 1 ? "a process" : formatCount(count) + " processes")
            + " of it for lack of memory";
        finding.evidence.push_back(std::move(evidence));
    } else if (facts.after.cgroupOomKill && killedByOthers(facts) && facts.outsideGroup.empty()) {
        const std::string stands = std::to_string(*facts.after.cgroupOomKill);
        add(finding, "cgroup.oom_kill", stands + " -> " + stands + " in the run's own group: not the kernel",
            FailureMode::HostOomKilled, -1.0);
    }
}

void addOutside(const RunFacts& facts, Finding& finding)
{
    for (std::size_t i = 0; i < std::min(facts.outsideGroup.size(), kMaxOutside); ++i)
        add(finding, "lab",
            facts.outsideGroup[i] + ": it left the run's group, whose caps and counters did not hold for it",
            finding.mode, 0.3);
}

/// How memory stood, where memory may have been the matter.
void addMemory(const RunFacts& facts, Finding& finding)
{
    const bool killed = killedByOthers(facts);
    const bool matters
        = killed || finding.mode == FailureMode::HostAllocFailed || finding.mode == FailureMode::HostOomKilled;
    if (!matters || facts.curve.baselineAvailableBytes == 0)
        return;
    const std::string peak
        = formatSize(facts.curve.peakTreeBytes) + (facts.curve.peakSwapBytes > 0 ? " with swap" : "");
    const std::string cap
        = facts.limits.capMemoryBytes ? "; its cap of memory: " + formatSize(*facts.limits.capMemoryBytes) : "";
    const std::string before = formatSize(facts.curve.baselineAvailableBytes);
    const std::string lowest = formatSize(facts.curve.lowestAvailableBytes);
    add(finding, "curve",
        "memory available " + (before == lowest ? "stayed at " + before : "fell from " + before + " to " + lowest)
            + " on the machine, the run's peak was " + peak + cap,
        finding.mode, 0.2);
    if (facts.curve.swapBeganS)
        add(finding, "curve",
            "swapping began after "
                + formatDuration(std::chrono::round<std::chrono::nanoseconds>(
                    std::chrono::duration<double>(*facts.curve.swapBeganS))),
            finding.mode, 0.15);
}

void addDefect(const RunFacts& facts, Finding& finding)
{
    const auto defect = inspectedDefect(facts);
    if (defect && !isOk(finding) && !hasSource(finding, "checkpoint"))
        add(finding, "checkpoint", (defect->file.empty() ? "" : defect->file + ": ") + defect->text, defect->mode, 0.3);
}

void addWords(const RunFacts& facts, Finding& finding)
{
    for (std::size_t i = 0; i < std::min(facts.warnings.size(), kMaxWarnings); ++i)
        add(finding, "worker.warning", excerpt(facts.warnings[i].code, 100) + ": " + excerpt(facts.warnings[i].message),
            finding.mode, 0.1);
    if (facts.error && !hasSource(finding, "worker.error"))
        add(finding, "worker.error", excerpt(facts.error->type, 100) + ": " + excerpt(facts.error->message),
            finding.mode, 0.3);
    if (!facts.nonsense.empty() && !hasSource(finding, "worker.stdout"))
        add(finding, "worker.stdout", "no protocol: \"" + excerpt(facts.nonsense) + "\"", FailureMode::Unknown, 0.2);
    if (facts.progress && facts.progress->total != 0 && !isOk(finding))
        add(finding, "progress",
            formatCount(facts.progress->done) + " of " + formatCount(facts.progress->total) + " " + facts.progress->unit
                + (facts.progress->what.empty() ? "" : ", at " + excerpt(facts.progress->what)),
            finding.mode, 0.1);
}

void addLeftovers(const RunFacts& facts, Finding& finding)
{
    if (facts.leftoverProcesses == 0)
        return;
    std::string names;
    for (std::size_t i = 0; i < std::min<std::size_t>(facts.leftovers.size(), 5); ++i)
        names += (i == 0 ? ": " : ", ") + excerpt(facts.leftovers[i], 100);
    add(finding, "lab",
        formatCount(facts.leftoverProcesses)
            + (facts.leftoverProcesses == 1 ? " process of the run outlived it and was killed"
                                            : " processes of the run outlived it and were killed")
            + names,
        finding.mode, 0.1);
}

/// What a worker waits for may not have outlived a suspend.
void addPauses(const RunFacts& facts, Finding& finding)
{
    for (std::size_t i = 0; i < std::min(facts.pauses.size(), kMaxPauses); ++i)
        add(finding, "lab",
            toWords(facts.pauses[i]) + ", "
                + formatDuration(std::chrono::nanoseconds(static_cast<std::int64_t>(facts.pauses[i].atS * 1e9)))
                + " into the run",
            finding.mode, isOk(finding) ? 0.05 : 0.3);
}

void addTraces(const RunFacts& facts, Finding& finding)
{
    constexpr std::uint64_t worthNaming = std::uint64_t{1} << 20;
    if (facts.leftShmBytes >= worthNaming)
        add(finding, "lab", formatSize(facts.leftShmBytes) + " of shared memory (/dev/shm) stay behind", finding.mode,
            0.1);
    if (facts.dirtyStartBytes > 0)
        add(finding, "lab",
            "dirty start: " + formatSize(facts.dirtyStartBytes)
                + " of memory had not come back from the run before when this one started",
            finding.mode, 0.15);
}

} // namespace

void addContext(const Case& asked, Finding& finding)
{
    addEnding(asked.facts, finding);
    addGroupCounter(asked.facts, finding);
    addMachineCounter(asked.facts, finding);
    addOutside(asked.facts, finding);
    addMemory(asked.facts, finding);
    addDefect(asked.facts, finding);
    addWords(asked.facts, finding);
    addLeftovers(asked.facts, finding);
    addTraces(asked.facts, finding);
    addPauses(asked.facts, finding);
}

} // namespace loadlab::questions
