#include "gui/charts/ChartDocument.h"

#include "core/ShellWords.h"
#include "core/Text.h"
#include "core/Units.h"
#include "core/curve/CurveSummary.h"
#include "core/curve/CurveText.h"
#include "core/curve/Decimate.h"
#include "gui/charts/ShownPhases.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/StateLook.h"

#include <QStringList>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using Json = nlohmann::json;

/// The value at a path of names; null where anything on the way is not there.
const Json& at(const Json& json, std::initializer_list<const char*> path)
{
    static const Json null;
    const Json* here = &json;
    for (const char* name : path) {
        if (!here->is_object())
            return null;
        const auto found = here->find(name);
        if (found == here->end())
            return null;
        here = &*found;
    }
    return *here;
}

QString words(const Json& json)
{
    return json.is_string() ? QString::fromStdString(toUtf8(json.get_ref<const std::string&>())) : QString();
}

double number(const Json& json)
{
    return json.is_number() ? json.get<double>() : 0.0;
}

QString joined(const QStringList& parts)
{
    QStringList present;
    for (const QString& part : parts)
        if (!part.isEmpty())
            present << part;
    return present.join(QStringLiteral(" · "));
}

std::vector<std::string> programOf(const Json& run)
{
    TrialIdentity identity;
    if (run.is_object())
        programFromJson(run, identity);
    return identity.program;
}

QString titleOf(const Json& run)
{
    const Json& id = at(run, {"run"});
    return joined({id.is_number_integer() ? QStringLiteral("Run %1").arg(id.get<long long>()) : QString(),
        words(at(run, {"checkpoint", "name"})), QString::fromStdString(programWords(programOf(run)))});
}

QString modeOf(const Json& run)
{
    return shownMode(words(at(run, {"mode"})), !programOf(run).empty());
}

QString verdictWords(const Json& run)
{
    const QString mode = modeOf(run);
    if (mode.isEmpty())
        return run.is_object() && run.contains("mode") ? QStringLiteral("in progress") : QString();
    const Json& confidence = at(run, {"confidence"});
    return lookOf(mode).words
        + (confidence.is_number() ? QStringLiteral(", confidence %1").arg(confidence.get<double>(), 0, 'f', 2)
                                  : QString());
}

QString mapWords(const Json& map)
{
    return map.is_object() ? QStringLiteral("own map") : words(map);
}

QString capWords(const Json& run)
{
    const double cap = number(at(run, {"cap", "memory_bytes"}));
    return cap > 0 ? QStringLiteral("cap %1").arg(figures::size(static_cast<std::uint64_t>(cap))) : QString();
}

QString subtitleOf(const Json& run)
{
    QString started = words(at(run, {"started_utc"}));
    started = started.left(19).replace(u'T', u' ');
    const bool watched = !programOf(run).empty(); // It has neither dtype nor device map.
    return joined({words(at(run, {"variant", "backend"})), watched ? QString() : words(at(run, {"variant", "dtype"})),
        watched ? QString() : mapWords(at(run, {"variant", "device_map"})), capWords(run),
        started.isEmpty() ? QString() : started + QStringLiteral(" UTC"), verdictWords(run)});
}

QString kindOf(const QString& source)
{
    if (source.startsWith(QLatin1String("/proc/PID")))
        return QStringLiteral("/proc of the process tree");
    if (source.startsWith(QLatin1String("/proc/")))
        return QStringLiteral("/proc of the machine");
    if (source.startsWith(QLatin1String("cgroup")))
        return QStringLiteral("the run's cgroup");
    return source.startsWith(QLatin1String("NVML")) ? source.left(4) : QString();
}

/// Of a run that did not keep them: what every run reads.
QString countersOf(const Json& run)
{
    QStringList kinds;
    for (const Json& counter : at(run, {"counters"}))
        if (at(counter, {"problem"}).is_null())
            kinds << kindOf(words(at(counter, {"source"})));
    kinds.removeAll(QString());
    kinds.removeDuplicates();
    return kinds.isEmpty() ? QStringLiteral("/proc of the process tree, /proc/meminfo")
                           : kinds.join(QStringLiteral(", "));
}

QString sourceOf(const Json& run, const Curve& curve)
{
    const double hz = number(at(run, {"samples", "rate_hz"}));
    const QString rate = hz > 0 ? QStringLiteral("%1 Hz, ").arg(figures::threeDigits(hz)) : QString();
    return QStringLiteral("%1%2 · counters: %3")
        .arg(rate, figures::count(curve.samples.size(), QStringLiteral("sample"), QStringLiteral("samples")),
            countersOf(run));
}

std::vector<Phase> phasesOf(const Json& run, const Curve& curve, std::optional<double> swapBeganS)
{
    std::vector<Phase> told;
    if (const Json& list = at(run, {"phases"}); list.is_array())
        for (const Json& entry : list)
            told.push_back({words(at(entry, {"name"})).toStdString(), number(at(entry, {"from_s"})),
                number(at(entry, {"to_s"})), number(at(entry, {"rate_bytes_per_s"}))});
    const std::vector<Point> tree = pointsOf(curve, Column::TreeBytes);
    PhaseFinder finder;
    for (const Point& point : upToEndOfLoad(tree))
        finder.add(point);
    std::vector<Phase> phases = shownPhases(told, calmCurve(finder).phases, swapBeganS);
    for (Phase& phase : phases)
        phase.name = phaseWords(phase.name).toStdString();
    return phases;
}

/// Where the mark stands: of a load that worked at its peak, else where its process was still whole.
double endOf(const Curve& curve, ChartEnd::Mark mark)
{
    const std::vector<Point> tree = pointsOf(curve, Column::TreeBytes);
    if (tree.empty())
        return curve.samples.empty() ? 0 : static_cast<double>(curve.samples.back().monotonicNs - curve.originNs) / 1e9;
    if (mark != ChartEnd::Mark::Loaded)
        return tree[endOfLoad(tree)].x;
    return std::ranges::max_element(tree, {}, &Point::y)->x;
}

ChartEnd endingOf(const Json& run, const Curve& curve)
{
    if (!run.is_object() || !run.contains("mode") || (curve.samples.empty() && !run["mode"].is_null()))
        return {};
    const QString mode = modeOf(run);
    ChartEnd end{markOf(mode), 0, {}};
    end.atS = endOf(curve, end.mark);
    const double peak = number(at(run, {"memory", "peak_tree_bytes"}));
    if (end.mark == ChartEnd::Mark::Loaded && peak > 0)
        end.words
            = QStringLiteral("%1, peak %2").arg(lookOf(mode).words, figures::size(static_cast<std::uint64_t>(peak)));
    else if (end.mark != ChartEnd::Mark::Running)
        end.words = QStringLiteral("%1 at %2").arg(lookOf(mode).words, figures::seconds(end.atS));
    return end;
}

std::vector<ChartLimit> limitsOf(const Json& run, double machineBytes)
{
    if (const double cap = number(at(run, {"cap", "memory_bytes"})); cap > 0)
        return {{cap, QStringLiteral("Cap %1").arg(figures::size(static_cast<std::uint64_t>(cap))),
            ChartLimit::Kind::Limit, true}};
    if (machineBytes > 0)
        return {{machineBytes,
            QStringLiteral("Limit %1, all memory").arg(figures::size(static_cast<std::uint64_t>(machineBytes))),
            ChartLimit::Kind::Limit}};
    return {};
}

ChartDocument documentOf(
    const Json& run, std::shared_ptr<const Curve> curve, double machineBytes, const QString& machineName)
{
    ChartDocument document;
    document.curve = curve ? std::move(curve) : std::make_shared<const Curve>();
    document.title = titleOf(run);
    document.subtitle = subtitleOf(run);
    document.machine = joined({machineName, words(at(run, {"environment", "cpu"})),
        machineBytes > 0 ? figures::size(static_cast<std::uint64_t>(machineBytes)) : QString(),
        words(at(run, {"environment", "kernel"}))});
    document.source = sourceOf(run, *document.curve);
    document.limits = limitsOf(run, machineBytes);
    const std::optional<double> swapBeganS = summarise(*document.curve).swapBeganS;
    document.phases = phasesOf(run, *document.curve, swapBeganS);
    if (swapBeganS)
        document.marks = {swapMark(*swapBeganS)};
    document.end = endingOf(run, *document.curve);
    if (run.is_object() && !run.empty())
        document.runJson = run.dump(-1, ' ', false, Json::error_handler_t::replace);
    return document;
}

} // namespace

ChartMark swapMark(double atS)
{
    return {atS, QStringLiteral("swap began at %1").arg(figures::seconds(atS))};
}

ChartEnd::Mark markOf(const QString& modeWireName)
{
    switch (outcomeOf(modeWireName)) {
    case Outcome::Running:
        return ChartEnd::Mark::Running;
    case Outcome::Loaded:
        return ChartEnd::Mark::Loaded;
    case Outcome::Failed:
        return ChartEnd::Mark::Failed;
    case Outcome::Unknown:
        break;
    }
    return ChartEnd::Mark::Unknown;
}

ChartDocument makeDocument(const RunResult& run, std::shared_ptr<const Curve> curve, std::uint64_t machineMemoryBytes,
    const QString& machineName)
{
    return documentOf(toJson(run), std::move(curve), static_cast<double>(machineMemoryBytes), machineName);
}

Result<ChartDocument> makeDocument(const nlohmann::json& run, const nlohmann::json& samples,
    std::uint64_t machineMemoryBytes, const QString& machineName)
{
    Result<Curve> curve = curveFromJson(samples);
    if (!curve)
        return curve.error();
    return documentOf(
        run, std::make_shared<const Curve>(std::move(*curve)), static_cast<double>(machineMemoryBytes), machineName);
}

} // namespace loadlab
