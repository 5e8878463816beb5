#include "core/Units.h"
#include "core/verdict/Questions.h"

#include <algorithm>
#include <csignal>
#include <cstring>

namespace loadlab {

std::string signalName(int signal)
{
    const char* name = ::sigabbrev_np(signal);
    return name ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

std::optional<InspectedDefect> inspectedDefect(const RunFacts& facts)
{
    FailureMode mode{};
    if (facts.inspectError) {
        mode = facts.inspectError->kind == ErrorKind::NotFound ? FailureMode::ModelMissing
            : facts.inspectError->kind == ErrorKind::Io        ? FailureMode::DiskIo
                                                               : FailureMode::CorruptFile;
        return InspectedDefect{mode, {}, facts.inspectError->message};
    }
    const char* words = "";
    switch (facts.checkpointState.value_or(CheckpointState::Complete)) {
    case CheckpointState::Complete:
    case CheckpointState::Unsupported: // a remark: a loader may still take it tensor by tensor
        return std::nullopt;
    case CheckpointState::Empty:
        return InspectedDefect{FailureMode::ModelMissing, {}, "nothing here belongs to a checkpoint"};
    case CheckpointState::Pointer:
        mode = FailureMode::IncompleteDownload;
        words = "a git-lfs pointer stands where a file of the checkpoint should be";
        break;
    case CheckpointState::Incomplete:
        mode = FailureMode::IncompleteDownload;
        words = "part of the checkpoint is absent or cut short";
        break;
    case CheckpointState::Corrupt:
        mode = FailureMode::CorruptFile;
        words = "the content of a file breaks its format";
        break;
    }
    const auto problemOf = [&facts](FailureMode wanted) {
        return std::find_if(
            facts.problems.begin(), facts.problems.end(), [wanted](const Problem& p) { return p.mode == wanted; });
    };
    if (const auto problem = problemOf(mode); problem != facts.problems.end())
        return InspectedDefect{mode, problem->file, problem->text};
    // What kept inspecting from seeing it all; or every file is whole, and tensors that the config promises are in
    // none.
    for (const FailureMode other : {FailureMode::DiskIo, FailureMode::StructureMismatch})
        if (const auto problem = problemOf(other); problem != facts.problems.end())
            return InspectedDefect{problem->mode, problem->file, problem->text};
    return InspectedDefect{mode, {}, words};
}

} // namespace loadlab

namespace loadlab::questions {
namespace {

Evidence evidenceFor(FailureMode mode, std::string source, std::string fact, double weight)
{
    return {std::move(source), std::move(fact), std::string(toWireName(mode)), weight};
}

Finding found(FailureMode mode, double confidence, const char* rule, std::string summary)
{
    Finding finding;
    finding.mode = mode;
    finding.confidence = confidence;
    finding.rule = rule;
    finding.summary = std::move(summary);
    return finding;
}

std::string dtypeWords(const protocol::Loaded& loaded)
{
    std::string words;
    for (const auto& [dtype, count] : loaded.dtypes)
        if (count != 0)
            words += (words.empty() ? "" : ", ") + dtype;
    return words.empty() ? "" : " (" + words + ")";
}

std::string deviceWords(const protocol::Loaded& loaded)
{
    std::string words;
    for (const auto& [device, bytes] : loaded.devices)
        if (bytes != 0)
            words += (words.empty() ? " on " : ", ") + device;
    return words;
}

std::string peakWords(const RunFacts& facts)
{
    return facts.curve.peakTreeBytes == 0 ? "" : ", peak " + formatSize(facts.curve.peakTreeBytes);
}

Finding ofLoaded(const RunFacts& facts)
{
    const auto& loaded = *facts.loaded;
    auto finding = found(FailureMode::Ok, loaded.familyKnown ? 0.98 : 0.93, "loaded",
        "Loaded " + formatParameters(loaded.parameters) + (loaded.parameters == 1 ? " parameter" : " parameters")
            + dtypeWords(loaded) + deviceWords(loaded) + " in " + formatDuration(facts.duration) + peakWords(facts)
            + ".");
    finding.evidence.push_back(evidenceFor(FailureMode::Ok, "loaded",
        formatCount(loaded.tensors, "tensor") + ", " + formatCount(loaded.parameters, "parameter")
            + (loaded.familyKnown ? ", names and shapes as the family expects" : ""),
        0.97));
    if (loaded.sampledValues != 0)
        finding.evidence.push_back(evidenceFor(
            FailureMode::Ok, "loaded", formatCount(loaded.sampledValues) + " sampled values, all finite", 0.8));
    if (!loaded.familyKnown)
        finding.evidence.push_back(evidenceFor(FailureMode::LoadedButWrong, "loaded",
            "the family is not known here: nothing was expected, so nothing was compared", 0.1));
    return finding;
}

Finding ofWrong(const RunFacts& facts, std::vector<Evidence> faults)
{
    auto finding = found(FailureMode::LoadedButWrong, 0.97, "loaded-differs",
        "Loaded without an error, but not as asked: " + faults.front().fact
            + (faults.size() > 1 ? ", and " + std::to_string(faults.size() - 1) + " more." : "."));
    finding.evidence = std::move(faults);
    if (const auto defect = inspectedDefect(facts))
        finding.evidence.push_back(evidenceFor(defect->mode, "checkpoint", defect->text, 0.5));
    return finding;
}

Finding ofProgram(const RunFacts& facts)
{
    auto finding = found(FailureMode::Ok, 0.97, "program-ended-with-0",
        "The program ended with 0 after " + formatDuration(facts.duration) + peakWords(facts) + ".");
    finding.evidence.push_back(evidenceFor(FailureMode::Ok, "wait status", endWords(facts), 0.97));
    return finding;
}

/// The exception that ended it, with a full stop.
std::string lastWords(const Case& asked)
{
    const std::string words = excerpt(asked.log[*asked.uncaught].text);
    return words.ends_with('.') ? words : words + ".";
}

std::string lastLine(const Case& asked)
{
    return asked.log.empty() ? "" : excerpt(asked.log.back().text);
}

void quoteLog(const Case& asked, Finding& finding)
{
    if (!asked.log.empty())
        finding.evidence.push_back(evidenceFor(finding.mode, "log", "last line: " + lastLine(asked), 0.2));
}

/// Ended by a signal that programs and people send each other, not by a fault.
bool isRequestToEnd(int signal)
{
    return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

/// What is known of the kernel's part in a SIGKILL that the lab did not send.
std::string kernelsPart(const RunFacts& facts)
{
    const bool allCounted = facts.after.cgroupOomKill && facts.outsideGroup.empty();
    const std::string notIt = allCounted
        ? ", and not by the kernel for lack of memory: the counter of the run's own group "
          "stands still"
        : ", and nothing shows that the kernel did it for lack of memory";
    if (!machineKills(facts))
        return "; not by the lab" + notIt + ".";
    std::string others;
    for (const KernelVictim& victim : facts.kernelVictims)
        others += (others.empty() ? "" : ", ") + std::string("pid ") + std::to_string(victim.pid) + " (" + victim.name
            + ")";
    return "; not by the lab" + notIt + ". Meanwhile the kernel killed "
        + (others.empty() ? "some process" : excerpt(others, 200))
        + " of this machine for lack of memory; nothing shows that it was one of this run.";
}

Finding ofOutsideSignal(const Case& asked, int signal)
{
    const auto& facts = asked.facts;
    const bool killed = signal == SIGKILL;
    const std::string rest = killed ? kernelsPart(facts) : "; not by the lab.";
    auto finding = found(FailureMode::Unknown, 0.6, killed ? "killed-from-outside" : "ended-from-outside",
        (killed ? "Killed from outside by " : "Ended from outside by ") + signalName(signal) + whenWords(facts) + rest);
    finding.evidence.push_back(
        evidenceFor(FailureMode::Unknown, "wait status", endWords(facts) + ", not sent by the lab", 0.9));
    return finding;
}

Finding ofEarlyEnd(const Case& asked)
{
    const auto& facts = asked.facts;
    auto finding = found(FailureMode::MissingDependency, 0.6, "ended-before-hello",
        "The worker ended with " + endWords(facts) + " before it said hello: it could not start here.");
    finding.evidence.push_back(
        evidenceFor(FailureMode::MissingDependency, "wait status", endWords(facts) + " before any hello", 0.6));
    return finding;
}

} // namespace

std::string whenWords(const RunFacts& facts)
{
    std::string words = facts.duration.count() > 0 ? " after " + formatDuration(facts.duration) : "";
    if (facts.progress && facts.progress->total != 0)
        words += ", at " + formatCount(facts.progress->done) + " of " + formatCount(facts.progress->total) + " "
            + facts.progress->unit;
    return words;
}

std::string endWords(const RunFacts& facts)
{
    if (!facts.wait)
        return "no exit status";
    if (facts.wait->code)
        return "exit code " + std::to_string(*facts.wait->code);
    if (!facts.wait->signal)
        return "no exit status";
    const char* words = ::sigdescr_np(*facts.wait->signal);
    return signalName(*facts.wait->signal) + (words ? std::string(" (") + words + ")" : "")
        + (facts.wait->coreDumped ? ", core dumped" : "");
}

Answer loaded(const Case& asked)
{
    const auto& facts = asked.facts;
    if (!endedInOrder(facts))
        return std::nullopt;
    if (!talks(facts))
        return facts.wait->code == 0 ? Answer(ofProgram(facts)) : std::nullopt;
    if (!facts.loaded)
        return std::nullopt;
    auto faults = loadedFaults(facts);
    return faults.empty() ? ofLoaded(facts) : ofWrong(facts, std::move(faults));
}

Answer endedBySignal(const Case& asked)
{
    const auto& facts = asked.facts;
    if (!facts.wait || !facts.wait->signal || endedByTheLab(facts))
        return std::nullopt;
    const auto signal = *facts.wait->signal;
    auto finding = ofOutsideSignal(asked, signal);
    if (signal != SIGKILL && !isRequestToEnd(signal)) {
        finding = found(FailureMode::NativeCrash, 0.97, "crashed",
            "Crashed with " + endWords(facts) + whenWords(facts)
                + (facts.loaded ? ", after it had loaded, with no statement of its own."
                                : ", with no statement of its own."));
        finding.evidence.push_back(evidenceFor(FailureMode::NativeCrash, "wait status", endWords(facts), 0.97));
    }
    quoteLog(asked, finding);
    return finding;
}

Answer endedByItself(const Case& asked)
{
    const auto& facts = asked.facts;
    if (!facts.wait || (!facts.wait->code && !endedByTheLab(facts)))
        return std::nullopt;
    if (talks(facts) && !facts.hello && facts.wait->code && *facts.wait->code != 0) {
        auto finding = ofEarlyEnd(asked);
        quoteLog(asked, finding);
        return finding;
    }
    const bool inOrder = endedInOrder(facts);
    auto finding = found(FailureMode::Unknown, 0.6, inOrder ? "ended-without-loaded" : "plain-exit-code",
        inOrder ? "The worker left with " + endWords(facts) + " and never said that it had loaded anything."
                : "It ended with " + endWords(facts) + whenWords(facts) + (facts.loaded ? ", after it had loaded" : "")
                + (asked.uncaught ? ": " + lastWords(asked)
                                  : std::string(facts.loaded ? "," : "") + " and did not say why."));
    finding.evidence.push_back(evidenceFor(FailureMode::Unknown, "wait status", endWords(facts), 0.5));
    quoteLog(asked, finding);
    return finding;
}

} // namespace loadlab::questions
