#include "core/verdict/Questions.h"

#include "core/Units.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <tuple>

namespace loadlab::questions {
namespace {

std::string wireOf(FailureMode mode)
{
    return std::string(toWireName(mode));
}

Evidence evidenceFor(FailureMode mode, std::string source, std::string fact, double weight)
{
    return {std::move(source), std::move(fact), wireOf(mode), weight};
}

Finding found(FailureMode mode, double confidence, std::string rule, std::string summary, Evidence first)
{
    Finding finding;
    finding.mode = mode;
    finding.confidence = confidence;
    finding.rule = std::move(rule);
    finding.summary = std::move(summary);
    finding.evidence.push_back(std::move(first));
    return finding;
}

bool endedWith(const RunFacts& facts, int code)
{
    return facts.wait && facts.wait->code == code;
}

bool killedFromOutside(const RunFacts& facts)
{
    return facts.wait && facts.wait->signal == SIGKILL && !endedByTheLab(facts);
}

/// Words of a loader that an inspected defect of the files explains better. Whole files that lack tensors explain less:
/// neither bytes that are wrong nor a crash.
bool defectExplains(FailureMode defect, FailureMode said)
{
    using enum FailureMode;
    static constexpr std::array kAboutTheFiles{CorruptFile, IncompleteDownload, StructureMismatch,
        UnsupportedArchitecture, ModelMissing, GenerationError, NativeCrash, Unknown};
    if (defect == StructureMismatch)
        return said == StructureMismatch || said == UnsupportedArchitecture || said == Unknown;
    return std::find(kAboutTheFiles.begin(), kAboutTheFiles.end(), said) != kAboutTheFiles.end();
}

/// Modes that a worker may name on its own: not those that only the lab or the kernel can know.
std::optional<FailureMode> modeTheWorkerNames(const std::string& type)
{
    using enum FailureMode;
    static constexpr std::array kNotItsOwn{Ok, HostOomKilled, Hang, NativeCrash, GuardStopped, TimedOut, Cancelled,
        HostLost, LabLost, PreflightRefused, Unknown};
    const auto mode = findFailureMode(type);
    const bool own = mode && std::find(kNotItsOwn.begin(), kNotItsOwn.end(), *mode) == kNotItsOwn.end();
    return own ? mode : std::nullopt;
}

std::string defectWords(const InspectedDefect& defect)
{
    return (defect.file.empty() ? "" : defect.file + ": ") + defect.text;
}

/// With a full stop, and a capital where the first word is a word and no file name.
std::string sentence(std::string text)
{
    const auto word = text.substr(0, text.find(' '));
    const bool plain = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (!word.empty() && plain && word.size() < text.size())
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text.empty() || text.back() == '.' || text.back() == '!' ? text : text + ".";
}

std::string defectSentence(const InspectedDefect& defect)
{
    using enum FailureMode;
    const auto* begins = defect.mode == ModelMissing ? "There is no checkpoint to load: "
        : defect.mode == IncompleteDownload          ? "The checkpoint is not complete: "
        : defect.mode == DiskIo                      ? "The checkpoint cannot be read: "
        : defect.mode == StructureMismatch           ? "Config and tensors do not fit each other: "
                                                     : "The checkpoint is damaged: ";
    return sentence(begins + excerpt(defectWords(defect), 250));
}

/// Lets an inspected defect overrule what was said, or stand beside it.
void weighDefect(const RunFacts& facts, Finding& finding)
{
    const auto defect = inspectedDefect(facts);
    if (!defect || !defectExplains(defect->mode, finding.mode))
        return;
    const bool agrees = defect->mode == finding.mode;
    finding.evidence.push_back(evidenceFor(defect->mode, "checkpoint", defectWords(*defect), 0.97));
    finding.confidence = agrees ? 0.98 : 0.96;
    finding.file = defect->file.empty() ? finding.file : defect->file;
    if (agrees)
        return;
    finding.mode = defect->mode;
    finding.rule = "checkpoint-inspected";
    finding.summary = defectSentence(*defect);
}

/// A match that another mode explains equally well is worth less than either.
double confidenceOf(const TextMatch& match, double alone)
{
    return match.rival ? 0.58 : alone;
}

void addRival(const TextMatch& match, Finding& finding)
{
    if (match.rival)
        finding.evidence.push_back(
            evidenceFor(match.rival->mode, "rule", "the text fits " + match.rival->id + " as well", 0.5));
}

Finding ofCancel(const RunFacts& facts)
{
    return found(FailureMode::Cancelled, 0.99, "lab-cancelled", "Cancelled by the operator" + whenWords(facts) + ".",
        evidenceFor(FailureMode::Cancelled, "lab", "the operator cancelled the run", 1.0));
}

/// The watchdog does what the kernel would have done under that cap, but it is the lab that did it.
Finding ofCap(const RunFacts& facts)
{
    return found(FailureMode::GuardStopped, 0.97, "lab-cap-watchdog",
        "The lab killed it" + whenWords(facts) + ": " + facts.acts.capBreach
            + " (kept by the lab's watchdog, for want of a cgroup).",
        evidenceFor(FailureMode::GuardStopped, "watchdog", facts.acts.capBreach, 1.0));
}

Finding ofGuard(const RunFacts& facts)
{
    return found(FailureMode::GuardStopped, 0.97, "lab-guard",
        "The guard stopped it" + whenWords(facts) + ": " + facts.acts.guardStop + ".",
        evidenceFor(FailureMode::GuardStopped, "guard", facts.acts.guardStop, 1.0));
}

void addStandstill(const RunFacts& facts, Finding& finding)
{
    const auto& [pace, place] = std::tie(facts.acts.pace, facts.acts.standstill);
    const std::string words = pace + (pace.empty() || place.empty() ? "" : "; ") + place;
    if (!words.empty())
        finding.evidence.push_back(evidenceFor(finding.mode, "standstill", excerpt(words), 0.3));
}

Finding ofTimeout(const RunFacts& facts)
{
    const auto limit
        = facts.limits.timeout ? "the limit of " + formatDuration(*facts.limits.timeout) : "the time limit";
    auto finding = found(FailureMode::TimedOut, 0.97, "lab-timeout",
        "Stopped at " + limit + (facts.progress ? whenWords(facts) : std::string())
            + (facts.acts.pace.empty() ? "" : ", " + facts.acts.pace) + ".",
        evidenceFor(FailureMode::TimedOut, "lab", limit + " was reached", 1.0));
    addStandstill(facts, finding);
    return finding;
}

/// What had no more memory, where the kernel's log tells.
std::string limitWords(const RunFacts& facts, const KernelVictim& victim)
{
    switch (victim.limit) {
    case KernelVictim::Limit::Unknown:
        return "";
    case KernelVictim::Limit::Run:
        return facts.limits.capMemoryBytes ? ", at its cap of " + formatSize(*facts.limits.capMemoryBytes) : "";
    case KernelVictim::Limit::Below:
        return ", at the limit of a group that the run made below its own";
    case KernelVictim::Limit::Other:
        return ", at the limit of the group " + excerpt(victim.limitedGroup, 120);
    case KernelVictim::Limit::Machine:
        return ", as the whole machine had no more";
    }
    return "";
}

/// Of this run: the worker, where it is among them, else the first.
const KernelVictim* victimOfThisRun(const RunFacts& facts)
{
    const auto& victims = facts.kernelVictims;
    auto found = std::ranges::find_if(victims, &KernelVictim::isWorker);
    if (found == victims.end())
        found = std::ranges::find_if(victims, &KernelVictim::ofThisRun);
    return found == victims.end() ? nullptr : &*found;
}

/// Only the log tells the worker from its processes: a parent may end itself by SIGKILL when a child was killed.
std::string whomTheKernelKilled(const RunFacts& facts, const KernelVictim* victim, std::uint64_t kills)
{
    if (victim && victim->isWorker)
        return kills < 2 ? "it" : "it and " + formatCount(kills - 1) + " more of its processes";
    if (kills > 1)
        return formatCount(kills) + " processes of it";
    const bool maybeItself = !victim && facts.wait && facts.wait->signal == SIGKILL && !endedByTheLab(facts);
    return maybeItself ? "it or a process of it" : "a process of it";
}

std::string oomSentence(const RunFacts& facts, std::uint64_t kills)
{
    const KernelVictim* victim = victimOfThisRun(facts);
    const bool itself = victim && victim->isWorker;
    return "The kernel killed " + whomTheKernelKilled(facts, victim, kills) + " for lack of memory"
        + (victim ? limitWords(facts, *victim) : "") + whenWords(facts)
        + (itself ? "." : "; it ended with " + endWords(facts) + ".");
}

void addVictims(const RunFacts& facts, Finding& finding)
{
    for (const KernelVictim& victim : facts.kernelVictims)
        if (victim.ofThisRun)
            finding.evidence.push_back(evidenceFor(FailureMode::HostOomKilled, "kernel.log",
                "killed pid " + std::to_string(victim.pid) + " (" + victim.name + ") of this run for lack of memory"
                    + limitWords(facts, victim),
                0.95));
}

/// How it took the lab's stop: ": ended by SIGTERM after 1.20 s".
std::string stopWords(const RunFacts& facts)
{
    const LabActs& acts = facts.acts;
    if (!facts.undying.empty())
        return "; " + facts.undying;
    if (!acts.afterTerm || !facts.wait)
        return acts.strongestSignal == SIGKILL ? ": killed" : "";
    const std::string after = " after " + formatDuration(*acts.afterTerm);
    if (acts.strongestSignal == SIGKILL)
        return ": did not end on SIGTERM, killed" + after;
    return facts.wait->signal == SIGTERM ? ": ended by SIGTERM" + after
                                         : ": ended on SIGTERM" + after + ", with " + endWords(facts);
}

Finding ofSilence(const RunFacts& facts)
{
    const auto silent = facts.acts.silence ? formatDuration(*facts.acts.silence) : std::string();
    auto finding = facts.acts.silence
        ? found(FailureMode::Hang, 0.97, "lab-stall",
            "No sign of life for " + silent + "; the lab stopped it" + whenWords(facts) + stopWords(facts) + ".",
            evidenceFor(FailureMode::Hang, "lab",
                "no progress, output, reading, writing, growth, faults, swapping or CPU time for " + silent, 1.0))
        : found(FailureMode::Hang, 0.95, "lab-no-hello",
            "The worker started and never said hello" + whenWords(facts) + stopWords(facts) + ".",
            evidenceFor(FailureMode::Hang, "lab", "no hello within the start-up limit", 1.0));
    if (facts.acts.timedOut)
        finding.evidence.push_back(
            evidenceFor(FailureMode::TimedOut, "lab", "the time limit was reached as well", 0.4));
    addStandstill(facts, finding);
    return finding;
}

} // namespace

std::optional<Kills> groupKills(const RunFacts& facts)
{
    const Kills kills{facts.before.cgroupOomKill.value_or(0), facts.after.cgroupOomKill.value_or(0)};
    return kills.after > kills.before ? std::optional(kills) : std::nullopt;
}

std::optional<Kills> machineKills(const RunFacts& facts)
{
    if (!facts.before.vmstatOomKill || !facts.after.vmstatOomKill)
        return std::nullopt;
    const Kills kills{*facts.before.vmstatOomKill, *facts.after.vmstatOomKill};
    return kills.after > kills.before ? std::optional(kills) : std::nullopt;
}

std::string killWords(const Kills& kills)
{
    return std::to_string(kills.before) + " -> " + std::to_string(kills.after);
}

Evidence groupEvidence(const Kills& kills, double weight)
{
    return evidenceFor(
        FailureMode::HostOomKilled, "cgroup.oom_kill", killWords(kills) + " in the run's own group", weight);
}

bool talks(const RunFacts& facts)
{
    return facts.variant.backend != "command";
}

bool endedByTheLab(const RunFacts& facts)
{
    const auto signal = facts.wait ? facts.wait->signal : std::nullopt;
    return (signal == SIGTERM && facts.acts.strongestSignal != 0)
        || (signal == SIGKILL && facts.acts.strongestSignal == SIGKILL);
}

bool endedInOrder(const RunFacts& facts)
{
    return endedWith(facts, 0) || endedByTheLab(facts);
}

Answer labsOwnActs(const Case& asked)
{
    const auto& facts = asked.facts;
    if (facts.acts.cancelled)
        return ofCancel(facts);
    if (!facts.acts.guardStop.empty())
        return ofGuard(facts);
    if (!facts.acts.capBreach.empty())
        return ofCap(facts);
    if (facts.acts.silence || facts.helloLate)
        return ofSilence(facts);
    if (facts.acts.timedOut)
        return ofTimeout(facts);
    return std::nullopt;
}

Answer kernelEvidence(const Case& asked)
{
    const auto& facts = asked.facts;
    const bool survived = endedInOrder(facts) && (facts.loaded || (!talks(facts) && endedWith(facts, 0)));
    if (survived)
        return std::nullopt;
    constexpr auto kMode = FailureMode::HostOomKilled;
    if (const auto kills = groupKills(facts)) {
        auto finding = found(kMode, 0.98, "kernel-cgroup-oom-kill", oomSentence(facts, kills->after - kills->before),
            groupEvidence(*kills, 1.0));
        addVictims(facts, finding);
        return finding;
    }
    const auto machine = machineKills(facts);
    const auto ours = std::ranges::count_if(facts.kernelVictims, &KernelVictim::ofThisRun);
    if (!machine || ours == 0)
        return std::nullopt;
    auto finding = found(kMode, 0.97, "kernel-log-oom-kill", oomSentence(facts, static_cast<std::uint64_t>(ours)),
        evidenceFor(kMode, "vmstat.oom_kill", killWords(*machine) + " on the whole machine", 0.9));
    addVictims(facts, finding);
    return finding;
}

Answer failedStart(const Case& asked)
{
    const auto& facts = asked.facts;
    constexpr auto kMode = FailureMode::MissingDependency;
    if (facts.startError) {
        const auto match = matchStart(asked);
        const bool ownWorker = facts.startError->kind != ErrorKind::NotFound && talks(facts);
        const std::string begins = ownWorker ? "The worker is there but could not be started: " : "";
        return found(kMode, 0.95, match ? match->rule->id : "worker-did-not-start",
            sentence(begins + excerpt(facts.startError->message)),
            evidenceFor(kMode, "start", facts.startError->message, 1.0));
    }
    const bool shellSaysNo = endedWith(facts, 127) || endedWith(facts, 126);
    if (!talks(facts) || facts.hello || facts.error || !shellSaysNo)
        return std::nullopt;
    const auto match = matchLog(asked);
    const auto line = match ? match->line : asked.log.empty() ? std::string() : asked.log.back().text;
    auto finding = found(kMode, match && match->rule->mode == kMode ? 0.97 : 0.85,
        match ? match->rule->id : "worker-did-not-start",
        line.empty() ? "The worker could not be started."
                     : sentence("The worker could not be started: " + excerpt(line)),
        evidenceFor(kMode, "wait status", endWords(facts) + " before any hello", 0.9));
    if (!line.empty())
        finding.evidence.push_back(evidenceFor(kMode, "log", excerpt(line), 0.95));
    return finding;
}

Answer workersError(const Case& asked)
{
    const auto& facts = asked.facts;
    if (!facts.error)
        return std::nullopt;
    const auto& error = *facts.error;
    const auto said = excerpt(error.type, 100) + ": " + excerpt(error.message);
    const auto match = matchError(asked);
    const auto named = modeTheWorkerNames(error.type);
    const auto mode = named ? *named : match ? match->rule->mode : FailureMode::Unknown;
    const auto confidence = named ? 0.96 : match ? confidenceOf(*match, match->rule->weight) : 0.5;
    const auto rule = named ? "worker-error-type" : match ? match->rule->id : "worker-error-unknown";
    auto finding = found(mode, confidence, rule,
        sentence(error.message.empty() ? "The worker gave up: " + excerpt(error.type, 100) : excerpt(error.message)),
        evidenceFor(mode, "worker.error", said, named ? 0.96 : 0.9));
    finding.file = error.file;
    if (!named && match)
        addRival(*match, finding);
    weighDefect(facts, finding);
    return finding;
}

Answer nonsense(const Case& asked)
{
    if (asked.facts.wentMute)
        return found(FailureMode::Unknown, 0.6, "worker-mute",
            "The worker closed its stdout and ran on: nothing that it did could be told any more.",
            evidenceFor(FailureMode::Unknown, "worker.stdout", "closed while the worker ran on", 0.9));
    const auto& line = asked.facts.nonsense;
    if (line.empty())
        return std::nullopt;
    return found(FailureMode::Unknown, 0.6, "worker-nonsense",
        "The worker wrote on stdout what is no protocol: \"" + excerpt(line, 120) + "\".",
        evidenceFor(FailureMode::Unknown, "worker.stdout", "\"" + excerpt(line) + "\"", 0.9));
}

Answer statementInTheLog(const Case& asked)
{
    const auto& facts = asked.facts;
    if (!facts.wait || endedInOrder(facts) || killedFromOutside(facts))
        return std::nullopt;
    const auto match = matchLog(asked);
    if (!match)
        return std::nullopt;
    const auto mode = match->rule->mode;
    auto finding = found(mode, confidenceOf(*match, std::min(0.9, match->rule->weight - 0.05)), match->rule->id,
        sentence(excerpt(match->line)), evidenceFor(mode, "log", excerpt(match->line), match->rule->weight));
    addRival(*match, finding);
    weighDefect(facts, finding);
    return finding;
}

Answer inspectedDefectAlone(const Case& asked)
{
    const auto& facts = asked.facts;
    // Before its hello a worker knows of no checkpoint.
    const bool couldRead = facts.hello || !talks(facts);
    const bool endedBadly
        = facts.wait && couldRead && !endedInOrder(facts) && !killedFromOutside(facts) && !facts.loaded;
    const auto defect = inspectedDefect(facts);
    if (!defect || (facts.wait && !endedBadly))
        return std::nullopt;
    auto finding = found(defect->mode, facts.wait ? 0.8 : 0.97, "checkpoint-inspected", defectSentence(*defect),
        evidenceFor(defect->mode, "checkpoint", defectWords(*defect), 0.95));
    finding.file = defect->file;
    return finding;
}

} // namespace loadlab::questions
