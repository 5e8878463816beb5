#include "core/trial/LostRun.h"

#include "core/Units.h"
#include "core/containment/KernelLog.h"
#include "core/verdict/Pattern.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

/// What a line of the kernel's tells of a machine that went down.
struct KernelSign {
    std::string_view text; ///< Lower case.
    const char* means;
    FailureMode supports;
    double weight;
};
constexpr std::array kKernelSigns{
    KernelSign{"kernel panic", "the kernel gave up", FailureMode::HostLost, 0.95},
    KernelSign{"critical temperature", "the machine was too hot", FailureMode::HostLost, 0.95},
    KernelSign{"hardware error", "the hardware reported an error", FailureMode::HostLost, 0.8},
    KernelSign{"hard lockup", "a processor hung", FailureMode::HostLost, 0.8},
    KernelSign{"soft lockup", "a processor hung", FailureMode::HostLost, 0.7},
    KernelSign{"detected stall", "a processor hung", FailureMode::HostLost, 0.6},
    KernelSign{"reboot: ", "the machine was shut down in order", FailureMode::HostLost, 0.9},
    KernelSign{"fallen off the bus", "the GPU was lost", FailureMode::GpuDriverError, 0.8},
    KernelSign{"nvrm: xid", "the GPU reported an error", FailureMode::GpuDriverError, 0.6},
    KernelSign{"bug: unable to handle", "the kernel failed", FailureMode::HostLost, 0.6},
    KernelSign{"invoked oom-killer", "memory ran out", FailureMode::HostLost, 0.5},
    KernelSign{"blocked for more than", "a process waited for minutes", FailureMode::HostLost, 0.3},
};
constexpr double kKeptIsWorth = 0.8; ///< pstore does not name its boot.

void add(Verdict& verdict, std::string source, std::string fact, FailureMode supports, double weight)
{
    verdict.evidence.push_back({std::move(source), std::move(fact), std::string(toWireName(supports)), weight});
}

std::string_view sourceOf(const KernelLine& line)
{
    return line.kept ? "pstore" : "kernel.log";
}

std::string atWords(std::int64_t atNs, std::int64_t originNs)
{
    return formatDuration(std::chrono::nanoseconds(std::max<std::int64_t>(0, atNs - originNs))) + " into the run";
}

void addVictims(const LostRun& run, Verdict& verdict)
{
    std::string group;
    for (const KernelLine& line : run.kernel) {
        if (line.text.find("oom-kill:") != std::string::npos)
            group = line.text;
        const std::optional<OomVictim> victim = victimIn(line.text);
        if (!victim)
            continue;
        const bool named = group.find(",pid=" + std::to_string(victim->pid) + ",") != std::string::npos;
        const bool own = (named && group.find(run.uuid) != std::string::npos) || victim->pid == run.workerPid;
        add(verdict, std::string(sourceOf(line)),
            "killed pid " + std::to_string(victim->pid) + " (" + victim->name + ")"
                + (own ? " of this run" : ", not shown to be of this run,") + " for lack of memory, "
                + atWords(line.monotonicNs, run.originNs),
            own ? FailureMode::HostOomKilled : FailureMode::HostLost,
            (own ? 0.9 : 0.5) * (line.kept ? kKeptIsWorth : 1));
    }
}

/// The last line of each kind.
void addSigns(const LostRun& run, Verdict& verdict)
{
    for (const KernelSign& sign : kKernelSigns) {
        const auto says
            = [&sign](const KernelLine& line) { return toLowerAscii(line.text).find(sign.text) != std::string::npos; };
        const auto line = std::ranges::find_if(run.kernel.rbegin(), run.kernel.rend(), says);
        if (line == run.kernel.rend())
            continue;
        add(verdict, std::string(sourceOf(*line)),
            std::string(sign.means) + ", " + atWords(line->monotonicNs, run.originNs) + ": " + line->text,
            sign.supports, sign.weight * (line->kept ? kKeptIsWorth : 1));
    }
}

/// What the kernel said, weightiest first and a few of each; the summary takes up the first.
void addKernel(const LostRun& run, Verdict& verdict)
{
    constexpr std::size_t most = 8;
    Verdict kernel;
    addVictims(run, kernel);
    addSigns(run, kernel);
    std::ranges::stable_sort(kernel.evidence, std::greater<>(), &Evidence::weight);
    if (kernel.evidence.empty())
        return;
    kernel.evidence.resize(std::min(kernel.evidence.size(), most));
    verdict.summary += " The kernel's log: " + kernel.evidence.front().fact + ".";
    std::ranges::move(kernel.evidence, std::back_inserter(verdict.evidence));
}

std::string lastSampleWords(const Sample& sample, std::int64_t originNs)
{
    std::string words = "last sample " + atWords(sample.monotonicNs, originNs);
    const auto say = [&](Column column, const char* what) {
        if (sample.has(column) && sample[column] >= 0)
            words += ", " + formatSize(static_cast<std::uint64_t>(sample[column])) + " " + what;
    };
    say(Column::TreeBytes, "in the run's processes");
    say(Column::SystemAvailableBytes, "available in the system");
    say(Column::SystemSwapUsedBytes, "of swap in use");
    return words;
}

bool memoryRanOut(const LostRun& run)
{
    return std::ranges::any_of(run.kernel, [](const KernelLine& line) {
        return victimIn(line.text) || line.text.find("invoked oom-killer") != std::string::npos;
    });
}

} // namespace

bool hostIsLost(const std::string& runsBootId, const std::string& bootId)
{
    return !runsBootId.empty() && !bootId.empty() && runsBootId != bootId;
}

Verdict judgeLost(const LostRun& run, const std::string& bootId)
{
    const bool host = hostIsLost(run.bootId, bootId);
    Verdict verdict;
    verdict.mode = host ? FailureMode::HostLost : FailureMode::LabLost;
    verdict.confidence = 1.0;
    verdict.rule = host ? "boot-id-differs" : "lab-gone";
    const std::string when = formatDuration(run.duration);
    verdict.summary = host ? "The machine went down or was restarted; what is stored ends " + when + " into the run."
                           : "The recording breaks off " + when
            + " into the run: LoadLab itself ended, or could write no more. How the load went on is not known.";
    add(verdict, "lab",
        host ? "recorded in boot " + run.bootId + ", this is boot " + bootId
             : "the recording process " + std::to_string(run.lab.pid) + " no longer lives",
        verdict.mode, 1.0);
    if (host)
        addKernel(run, verdict);
    if (run.last)
        add(verdict, "curve", lastSampleWords(*run.last, run.originNs), verdict.mode, 0.0);
    if (memoryRanOut(run))
        verdict.remedies.push_back(
            {"guard", "Load it under a guard (--guard 5%): it stops the load before it takes the machine along.",
                "null", "rule", {}});
    verdict.remedies.push_back({"run-again", "Run the same trial again.", "null", "rule", {}});
    return verdict;
}

} // namespace loadlab
