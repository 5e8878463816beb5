#include "gui/widgets/VerdictText.h"

#include "gui/widgets/Figures.h"
#include "gui/widgets/StateLook.h"
#include "gui/widgets/VerdictView.h"

#include <QStringList>

#include <array>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace verdict_text {
namespace {

QString text(const std::string& utf8)
{
    return QString::fromStdString(utf8);
}

QString shown(const nlohmann::json& value)
{
    if (value.is_string())
        return text(value.get_ref<const std::string&>());
    return value.is_null() ? figures::kNone : text(value.dump());
}

/// What the run had at the place that a change names; options count without their prefix.
nlohmann::json before(const nlohmann::json& variant, const std::string& name)
{
    if (variant.contains(name))
        return variant[name];
    const auto options = variant.find("options");
    return options != variant.end() && options->is_object() && options->contains(name) ? (*options)[name]
                                                                                       : nlohmann::json();
}

QString joined(const std::vector<long long>& runs)
{
    QStringList words;
    for (const long long run : runs)
        words << QString::number(run);
    return words.join(QStringLiteral(", "));
}

} // namespace

QString modeOf(const RunResult& result)
{
    const FailureMode mode = result.verdict ? result.verdict->mode : FailureMode::Unknown;
    return shownMode(mode, !result.identity.program.empty());
}

QString basisOfConfidence(const Verdict& verdict)
{
    struct Basis {
        const char* source;
        const char* words;
    };
    constexpr std::array bases{
        Basis{"cgroup", "proven by the kernel"},
        Basis{"kernel", "proven by the kernel"},
        Basis{"vmstat", "counted by the kernel"},
        Basis{"worker", "said by the worker"},
        Basis{"wait status", "from the wait status"},
        Basis{"checkpoint", "the files were read"},
        Basis{"lab", "the lab's own act"},
        Basis{"log", "from words in the log"},
        Basis{"curve", "from the curve"},
    };
    if (verdict.evidence.empty())
        return QStringLiteral("no evidence");
    for (const Basis& basis : bases)
        if (verdict.evidence.front().source.starts_with(basis.source))
            return QString::fromLatin1(basis.words);
    return QStringLiteral("from %1").arg(text(verdict.evidence.front().source));
}

QString confidence(double confidence)
{
    return QString::number(confidence, 'f', 2);
}

QString variantWords(const Variant& variant)
{
    QStringList words{text(variant.backend), text(variant.dtype),
        variant.deviceMap.starts_with("{") ? QStringLiteral("own map") : text(variant.deviceMap)};
    for (const auto& [name, value] : variant.options)
        words << text(name) + u' ' + text(value);
    return words.join(QStringLiteral(" · "));
}

QString subject(const RunResult& result)
{
    QStringList words{result.run ? QStringLiteral("Run %1").arg(result.run->value) : QStringLiteral("Not stored")};
    if (const std::string name = subjectOf(result.identity); !name.empty())
        words << text(name);
    words << (result.identity.program.empty() ? variantWords(result.identity.variant)
                                              : text(result.identity.variant.backend));
    return words.join(QStringLiteral(" · "));
}

QString basisOf(const Remedy& remedy)
{
    if (remedy.basis == "runs" && !remedy.runs.empty())
        return QStringLiteral("Worked in %1 %2")
            .arg(remedy.runs.size() == 1 ? QStringLiteral("run") : QStringLiteral("runs"), joined(remedy.runs));
    return QStringLiteral("From a rule");
}

QString ending(const RunResult& result)
{
    if (result.exitSignal) {
        const char* name = ::sigabbrev_np(*result.exitSignal);
        return name ? QStringLiteral("signal %1 (SIG%2)").arg(*result.exitSignal).arg(QLatin1String(name))
                    : QStringLiteral("signal %1").arg(*result.exitSignal);
    }
    return result.exitCode ? QStringLiteral("exit code %1").arg(*result.exitCode) : QStringLiteral("no exit status");
}

QString keptBy(const std::string& by, const std::optional<std::vector<std::string>>& outside)
{
    if (by.empty())
        return QStringLiteral("kept by what is not known");
    if (by == "none")
        return QStringLiteral("not kept");
    const QString kept = QStringLiteral("kept by the %1").arg(text(by));
    if (by != "cgroup" || !outside || outside->empty())
        return kept;
    const QString others
        = outside->size() == 1 ? QString() : QStringLiteral(" and %1 more").arg(figures::count(outside->size() - 1));
    return QStringLiteral("%1; %2%3 left it")
        .arg(kept, text(outside->front()).section(QStringLiteral(", in /"), 0, 0), others);
}

QVector<Change> changes(const Remedy& remedy, const Variant& variant)
{
    const auto change = nlohmann::json::parse(remedy.changeJson, nullptr, false);
    QVector<Change> all;
    if (!change.is_object())
        return all;
    const nlohmann::json had = toJson(variant);
    const auto add = [&](const std::string& name, const nlohmann::json& wanted) {
        const Change one{text(name), shown(before(had, name)), shown(wanted)};
        if (one.before != one.after)
            all.append(one);
    };
    for (const auto& [name, value] : change.items()) {
        if (name != "options" || !value.is_object()) {
            add(name, value);
            continue;
        }
        for (const auto& [option, wanted] : value.items())
            add(option, wanted);
    }
    return all;
}

QVector<Figure> figuresOf(const RunResult& result)
{
    const CurveSummary& curve = result.curve;
    const bool measured = curve.sampleCount > 0;
    QVector<Figure> all;
    all.append({QStringLiteral("Peak of the tree"), measured ? figures::size(curve.peakTreeBytes) : figures::kNone,
        measured ? QStringLiteral("resident %1").arg(figures::size(curve.peakRssBytes)) : QStringLiteral("no sample")});
    if (curve.peakSwapBytes > 0)
        all.append({QStringLiteral("Peak, swap"), figures::size(curve.peakSwapBytes),
            curve.swapBeganS ? QStringLiteral("from %1").arg(figures::seconds(*curve.swapBeganS)) : QString()});
    if (curve.peakGpuBytes > 0)
        all.append({QStringLiteral("Peak, GPU"), figures::size(curve.peakGpuBytes), {}});
    all.append({QStringLiteral("Free at the lowest"),
        measured ? figures::size(curve.lowestAvailableBytes) : figures::kNone,
        measured ? QStringLiteral("%1 before the start").arg(figures::size(curve.baselineAvailableBytes)) : QString()});
    if (result.identity.limits.capMemoryBytes)
        all.append({QStringLiteral("Cap"), figures::size(*result.identity.limits.capMemoryBytes),
            keptBy(result.capKeptBy, result.traces.outsideGroup)});
    if (result.identity.predictedPeakBytes > 0)
        all.append({QStringLiteral("Predicted before"), figures::size(result.identity.predictedPeakBytes),
            QStringLiteral("from the headers")});
    QString remark = ending(result);
    if (result.progress && result.progress->total > 0)
        remark = QStringLiteral("%1 of %2 %3, %4")
                     .arg(figures::count(result.progress->done), figures::count(result.progress->total),
                         text(result.progress->unit), remark);
    all.append({QStringLiteral("Ended after"), figures::duration(result.duration), remark});
    return all;
}

} // namespace verdict_text

QString toMarkdown(const RunResult& result)
{
    using namespace verdict_text;
    const auto cell
        = [](const std::string& utf8) { return text(utf8).simplified().replace(u'|', QStringLiteral("\\|")); };
    QString out = QStringLiteral("## %1\n\n").arg(subject(result));
    if (!result.verdict)
        return out + QStringLiteral("No verdict yet.\n");
    const Verdict& verdict = *result.verdict;
    out += QStringLiteral("**%1** (`%2`), confidence %3, %4. %5\n\n")
               .arg(lookOf(modeOf(result)).words, text(std::string(toWireName(verdict.mode))),
                   confidence(verdict.confidence), basisOfConfidence(verdict), text(verdict.summary));
    for (const Figure& figure : figuresOf(result))
        out += QStringLiteral("- %1: %2%3\n")
                   .arg(figure.name, figure.value,
                       figure.remark.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(figure.remark));
    out += QStringLiteral("\n| Evidence | Source | Supports | Weight |\n|---|---|---|---|\n");
    for (const Evidence& fact : verdict.evidence)
        out += QStringLiteral("| %1 | %2 | %3 | %4 |\n")
                   .arg(cell(fact.fact), cell(fact.source), cell(fact.supports))
                   .arg(fact.weight, 0, 'f', 2);
    if (!verdict.remedies.empty())
        out += QStringLiteral("\nRemedies:\n\n");
    for (const Remedy& remedy : verdict.remedies)
        out += QStringLiteral("1. %1 (%2)\n").arg(text(remedy.text), basisOf(remedy));
    return out + QStringLiteral("\nRule %1, version %2.\n").arg(text(verdict.rule)).arg(verdict.rulesVersion);
}

} // namespace loadlab
