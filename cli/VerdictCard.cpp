#include "cli/VerdictCard.h"

#include "core/ShellWords.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/containment/RunGroup.h"
#include "core/curve/Phases.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace loadlab::cli {
namespace {

constexpr std::size_t kLabelWidth = 10;
constexpr std::size_t kSparkCells = 48;
constexpr std::size_t kCurveFigures = 8;

std::string fixed(const char* format, double value)
{
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), format, value);
    return buffer.data();
}

std::string seconds(double value)
{
    return fixed("%.2f s", value);
}

/// "  evidence   text", the label only on the first line of its kind.
class Sections {
public:
    explicit Sections(Output& out)
        : m_out(out)
    {
    }

    void add(std::string_view label, const std::string& text)
    {
        const std::string shown = label == m_last ? std::string() : std::string(label);
        m_last = label;
        m_out.printLine(
            "  " + m_out.painted(Paint::Faint, shown) + std::string(kLabelWidth - shown.size() + 1, ' ') + text);
    }

private:
    Output& m_out;
    std::string_view m_last;
};

std::string variantWords(const Variant& variant)
{
    std::string text = variant.backend + " " + variant.dtype + " on " + variant.deviceMap;
    for (const auto& [device, bytes] : variant.maxMemory)
        text += ", at most " + formatSize(bytes) + " on " + device;
    for (const auto& [key, value] : variant.options)
        text += ", " + key + "=" + value;
    return printable(text);
}

/// What was run and how: a watched program has neither dtype nor device map.
std::string subjectWords(const RunResult& result)
{
    const TrialIdentity& identity = result.identity;
    const std::string family = identity.family.empty() ? "" : " (" + printable(identity.family) + ")";
    return printable(subjectOf(identity)) + family + "  ·  "
        + (identity.program.empty() ? variantWords(identity.variant) : printable(identity.variant.backend));
}

void printVerdict(Output& out, const RunResult& result)
{
    const std::string number = result.run ? "Run " + std::to_string(result.run->value) : "Run (not stored)";
    if (!out.isQuiet())
        out.printLine(out.painted(Paint::Strong, number) + "  " + subjectWords(result));
    if (!result.verdict) {
        out.printLine(out.painted(Paint::Strong, "in progress"));
        return;
    }
    const Verdict& verdict = *result.verdict;
    out.printLine(out.painted(paintOf(verdict.mode),
                      std::string(toWireName(verdict.mode)) + " " + fixed("%.2f", verdict.confidence))
        + "  " + printable(verdict.summary));
}

void printReasons(Sections& sections, const Verdict& verdict)
{
    for (const Evidence& evidence : verdict.evidence) {
        std::string text = printable(evidence.source) + ": " + printable(evidence.fact);
        if (evidence.weight < 0)
            text += " (speaks against " + printable(evidence.supports) + ")";
        else if (evidence.supports != toWireName(verdict.mode))
            text += " (speaks for " + printable(evidence.supports) + ")";
        sections.add("evidence", text);
    }
    for (const Remedy& remedy : verdict.remedies) {
        std::string text = printable(remedy.text);
        if (remedy.changeJson != "null")
            text += "  " + printable(remedy.changeJson);
        sections.add("remedy", text);
    }
}

std::string exitWords(const RunResult& result)
{
    if (result.exitSignal) {
        const char* name = ::sigabbrev_np(*result.exitSignal);
        return "ended by signal " + std::to_string(*result.exitSignal)
            + (name ? " (SIG" + std::string(name) + ")" : "");
    }
    if (result.exitCode)
        return "worker's exit code " + std::to_string(*result.exitCode);
    if (!result.verdict)
        return "still running";
    const bool lost = result.verdict->mode == FailureMode::LabLost || result.verdict->mode == FailureMode::HostLost;
    return lost ? "nobody saw the worker end" : "worker never started";
}

/// For whom no cap held.
std::string exceptWords(const HostTraces& traces)
{
    if (!traces.outsideGroup || traces.outsideGroup->empty())
        return "";
    const std::size_t others = traces.outsideGroup->size() - 1;
    std::string words = ", but not for " + printable(traces.outsideGroup->front())
        + (others > 0 ? " and " + formatCount(others) + " more: they" : ": it") + " left the run's group";
    if (const auto born = traces.bornOutside.value_or(0); born > 0)
        words += ", and " + formatCount(born) + (born == 1 ? " was" : " were") + " born outside it";
    return words;
}

std::string capWords(const RunResult& result)
{
    const Limits& limits = result.identity.limits;
    const auto kept = [](std::uint64_t bytes, const char* what, const std::string& by) {
        return formatSize(bytes) + what + "kept by " + (by.empty() ? "what is not known" : by);
    };
    std::string text;
    if (limits.capMemoryBytes)
        text += kept(*limits.capMemoryBytes, " of memory, ", result.capKeptBy);
    if (limits.capSwapBytes)
        text += (text.empty() ? "" : "; ") + kept(*limits.capSwapBytes, " of swap, ", result.swapCapKeptBy);
    return text.empty() ? text : text + exceptWords(result.traces);
}

void printHost(Sections& sections, const RunResult& result)
{
    if (const std::string caps = capWords(result); !caps.empty())
        sections.add("cap",
            caps + (groupKindFrom(result.containment) == GroupKind::None ? "" : " (" + result.containment + ")"));
    const HostTraces& traces = result.traces;
    if (traces.dirtyStartBytes)
        sections.add(
            "start", "dirty: " + formatSize(*traces.dirtyStartBytes) + " had not come back from the run before");
    if (traces.shmBytes.value_or(0) > 0) {
        std::string names;
        for (const HostTraces::File& file : traces.shmFiles)
            if (names.size() < 200)
                names += (names.empty() ? ": " : ", ") + printable(file.name);
        sections.add("left", formatSize(*traces.shmBytes) + " of shared memory" + names);
    }
}

/// "1.23 ± 0.03 GiB/s": as many decimals as the error's first digit needs; without an error that would read as 0. Of a
/// level the bound that makes it one: "within ± 0.10 GiB/s".
std::string rateWords(const Phase& phase)
{
    constexpr double mib = 1 << 20;
    constexpr int mostDecimals = 3;
    const double error = phase.rateErrorBytesPerS.value_or(0);
    if (phase.name == toWord(PhaseKind::Level))
        return "within \u00b1 " + formatRate(std::max(std::fabs(phase.rateBytesPerS), 2 * error));
    const bool inGib = std::max(std::fabs(phase.rateBytesPerS), error) >= 0.00995 * 1024 * mib; // As formatRate().
    const double unit = inGib ? 1024 * mib : mib;
    if (error / unit < 0.5e-3)
        return formatRate(phase.rateBytesPerS);
    const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(error / unit))), 0, mostDecimals);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f \u00b1 %.*f %s", decimals, phase.rateBytesPerS / unit, decimals,
        error / unit, inGib ? "GiB/s" : "MiB/s");
    return text.data();
}

void printFigures(Sections& sections, const RunResult& result)
{
    if (const TrialIdentity& identity = result.identity; !identity.program.empty()) {
        sections.add("program", printable(shellLine(identity.program)));
        if (!identity.workingFolder.empty())
            sections.add("program", "in " + printable(identity.workingFolder));
        if (!identity.variables.empty())
            sections.add("program", "with " + printable(shellLine(shownVariables(identity.variables))));
    }
    const CurveSummary& curve = result.curve;
    const auto size = [](std::uint64_t bytes) { return ifSeen(bytes) ? formatSize(bytes) : "unknown"; };
    sections.add("memory",
        "peak of the process tree " + size(curve.peakTreeBytes) + "; RSS " + size(curve.peakRssBytes)
            + ", one process's high-water mark "
            + (highWaterIsAtLeast(result) && ifSeen(result.hwmBytes) ? "at least " : "") + size(result.hwmBytes));
    if (!ifSeen(curve.peakTreeBytes))
        sections.add("memory", "no sample saw a process that held any: see --sample-hz");
    if (const auto atMost = peakTreeAtMostBytes(result); atMost && *atMost - curve.peakTreeBytes > *atMost / 50)
        sections.add("memory",
            "the true peak is at most " + formatSize(*atMost) + ": its cgroup at its highest, page cache included");
    if (curve.peakSwapBytes > 0)
        sections.add("memory",
            "swap " + formatSize(curve.peakSwapBytes)
                + (curve.swapBeganS ? ", from " + seconds(*curve.swapBeganS) + " on" : ""));
    if (curve.peakGpuBytes > 0)
        sections.add("memory", "GPU " + formatSize(curve.peakGpuBytes));
    if (result.loaded) {
        std::string text = formatCount(result.loaded->tensors, "tensor") + ", "
            + formatParameters(result.loaded->parameters)
            + (result.loaded->parameters == 1 ? " parameter" : " parameters");
        for (const auto& [device, bytes] : result.loaded->devices)
            text += ", " + formatSize(bytes) + " on " + printable(device);
        sections.add("loaded", text);
    } else if (result.progress) {
        sections.add("progress",
            formatCount(result.progress->done) + " of " + formatCount(result.progress->total) + " "
                + printable(result.progress->unit));
    }
    sections.add("time",
        formatDuration(result.duration) + "; " + exitWords(result) + "; " + formatCount(curve.sampleCount)
            + " samples at " + fixed("%.1f", curve.rateHz) + " Hz");
}

void printCurve(Output& out, Sections& sections, std::span<const Point> tree)
{
    if (tree.empty())
        return;
    tree = upToEndOfLoad(tree);
    if (out.isTerminal()) {
        sections.add("curve", sparkline(tree, kSparkCells));
        return;
    }
    std::string text;
    const std::size_t steps = std::min(kCurveFigures, tree.size());
    for (std::size_t i = 0; i < steps; ++i) {
        const Point& point = tree[steps == 1 ? 0 : i * (tree.size() - 1) / (steps - 1)];
        text += (text.empty() ? "" : ", ") + seconds(point.x) + " " + formatSize(static_cast<std::uint64_t>(point.y));
    }
    sections.add("curve", text);
}

} // namespace

Paint paintOf(const std::optional<FailureMode>& mode)
{
    if (!mode)
        return Paint::Plain;
    switch (*mode) {
    case FailureMode::Ok:
        return Paint::Good;
    case FailureMode::Cancelled:
    case FailureMode::GuardStopped:
    case FailureMode::PreflightRefused:
    case FailureMode::Unknown:
        return Paint::Warn;
    default:
        return Paint::Bad;
    }
}

void printRun(Output& out, const RunResult& result, std::span<const Point> tree)
{
    printVerdict(out, result);
    if (out.isQuiet())
        return;
    Sections sections(out);
    if (result.verdict)
        printReasons(sections, *result.verdict);
    printFigures(sections, result);
    printHost(sections, result);
    for (const Phase& phase : result.phases)
        sections.add("phases",
            printable(phase.name) + " " + seconds(phase.fromS) + " to " + seconds(phase.toS) + ", " + rateWords(phase));
    printCurve(out, sections, tree);
}

} // namespace loadlab::cli
