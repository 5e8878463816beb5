#include "gui/models/Inspection.h"

#include "gui/Words.h"
#include "gui/models/ZooModel.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/StateLook.h"

#include <algorithm>

namespace loadlab {
namespace {

using Field = Remark::Field;
using Level = Remark::Level;

Remark told(Field field, Level level, const QString& words)
{
    Remark remark;
    remark.field = field;
    remark.level = level;
    remark.words = words;
    return remark;
}

Remark finding(Field field, Level level, const QString& words, const QString& title, const QString& reason)
{
    Remark remark = told(field, level, words);
    remark.title = title;
    remark.reason = reason;
    return remark;
}

/// The stored dtype that most of the elements have, as a torch word where there is one.
QString mainDtype(const Checkpoint& checkpoint)
{
    const auto largest = std::max_element(checkpoint.dtypes.begin(), checkpoint.dtypes.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });
    return largest == checkpoint.dtypes.end() ? QString() : toQString(largest->first);
}

QString torchNameOf(const QString& headerName)
{
    if (headerName == QLatin1String("BF16"))
        return QStringLiteral("bfloat16");
    if (headerName == QLatin1String("F16"))
        return QStringLiteral("float16");
    return headerName == QLatin1String("F32") ? QStringLiteral("float32") : QString();
}

constexpr const char* kPackedOption = "packed_weights";
constexpr const char* kConsentOption = "allow_torchscript";

bool hasOption(const PluginManifest& manifest, std::string_view name)
{
    return std::any_of(manifest.options.begin(), manifest.options.end(),
        [name](const PluginOption& option) { return option.name == name; });
}

bool isRaw(const QString& headerName)
{
    return headerName.startsWith(QLatin1String("F8")) || headerName.startsWith(QLatin1String("F4"))
        || headerName.startsWith(QLatin1String("F6"));
}

void remarkCheckpoint(const Checkpoint& checkpoint, std::vector<Remark>& remarks)
{
    const QString size = weightWords(checkpoint) + QStringLiteral(", ") + figures::size(checkpoint.weightBytes);
    const QString state = lookOf(toQString(toWireName(checkpoint.state))).words;
    if (checkpoint.isPickle) {
        remarks.push_back(finding(Field::Checkpoint, Level::Error, QStringLiteral("pickled weights"),
            QStringLiteral("Pickled weights are never read"),
            QStringLiteral("Reading them would run code from the file. Convert them to safetensors first.")));
        return;
    }
    if (checkpoint.state == CheckpointState::Complete) {
        remarks.push_back(told(Field::Checkpoint, Level::Ok, size));
        return;
    }
    const QString reason = checkpoint.problems.empty() ? QString() : toQString(checkpoint.problems.front().text);
    if (checkpoint.state == CheckpointState::Unsupported)
        remarks.push_back(finding(Field::Checkpoint, Level::Warning, QStringLiteral("no family known, %1").arg(size),
            QStringLiteral("No family file knows this model"),
            reason.isEmpty()
                ? QStringLiteral("It is loaded tensor by tensor; nothing is compared with what a family expects.")
                : reason));
    else
        remarks.push_back(finding(Field::Checkpoint, Level::Error, state.toLower(),
            QStringLiteral("The checkpoint is %1").arg(state.toLower()), reason));
}

/// Auto, and where the backend has a word for keeping packed weights as they are, that too.
Variant storedAsIs(const Variant& variant, const PluginEntry* plugin)
{
    Variant repaired = variant;
    repaired.dtype = "auto";
    if (plugin && plugin->manifest && hasOption(*plugin->manifest, kPackedOption))
        repaired.options[kPackedOption] = "keep";
    return repaired;
}

Remark conflictingDtype(const Checkpoint& checkpoint, const Variant& variant, const PluginEntry* plugin)
{
    const QString asked = toQString(variant.dtype);
    const QString stored = checkpoint.quantization ? quantizationWords(checkpoint) : mainDtype(checkpoint);
    Remark remark = finding(Field::Dtype, Level::Error, QStringLiteral("conflicts with %1 weights").arg(stored),
        QStringLiteral("%1 on %2 weights").arg(asked, stored),
        QStringLiteral("The weights are stored as %1: they cannot be converted to %2 without their scales. Use auto.")
            .arg(weightWords(checkpoint), asked));
    remark.repair = storedAsIs(variant, plugin);
    remark.repairWords = QStringLiteral("Set dtype to auto");
    return remark;
}

/// Packed weights in a backend that takes them only when told to.
bool refusesPacked(const Variant& variant, const PluginEntry* plugin)
{
    if (!plugin || !plugin->manifest || !hasOption(*plugin->manifest, kPackedOption))
        return false;
    const auto given = variant.options.find(kPackedOption);
    return given == variant.options.end() || given->second == "refuse";
}

Remark refusedPacking(const Checkpoint& checkpoint, const Variant& variant, const PluginEntry* plugin)
{
    Remark remark = finding(Field::Dtype, Level::Error,
        QStringLiteral("%1, refused by this backend").arg(weightWords(checkpoint)),
        QStringLiteral("Packed weights are refused"),
        QStringLiteral("This backend has no kernels for %1 weights; it loads them as the integers they are stored as "
                       "when it is told to.")
            .arg(weightWords(checkpoint)));
    remark.repair = storedAsIs(variant, plugin);
    remark.repairWords = QStringLiteral("Keep them packed");
    return remark;
}

void remarkDtype(
    const Checkpoint& checkpoint, const Variant& variant, const PluginEntry* plugin, std::vector<Remark>& remarks)
{
    const QString stored = mainDtype(checkpoint);
    if (stored.isEmpty())
        return;
    const bool packed = checkpoint.quantization && checkpoint.quantization->packed;
    if (variant.dtype != "auto" && (packed || isRaw(stored)))
        remarks.push_back(conflictingDtype(checkpoint, variant, plugin));
    else if (packed && refusesPacked(variant, plugin))
        remarks.push_back(refusedPacking(checkpoint, variant, plugin));
    else if (variant.dtype == "auto")
        remarks.push_back(told(Field::Dtype, isRaw(stored) ? Level::Info : Level::Ok,
            isRaw(stored) ? QStringLiteral("%1 kept as raw bytes").arg(stored)
                          : QStringLiteral("as stored: %1").arg(weightWords(checkpoint))));
    else if (torchNameOf(stored) == toQString(variant.dtype))
        remarks.push_back(told(Field::Dtype, Level::Ok, QStringLiteral("as stored, nothing is converted")));
    else
        remarks.push_back(told(Field::Dtype, Level::Info, QStringLiteral("converted from %1").arg(stored)));
}

void remarkDeviceMap(const Variant& variant, const MachineInfo* machine, std::vector<Remark>& remarks)
{
    const QString map = toQString(variant.deviceMap);
    const bool wantsCuda = map.contains(QLatin1String("cuda"));
    const bool seesGpu = machine && !machine->gpu.empty();
    if (!wantsCuda || seesGpu) {
        remarks.push_back(told(Field::DeviceMap, Level::Ok,
            map == QLatin1String("cpu")            ? QStringLiteral("all in host memory")
                : map.startsWith(QLatin1Char('{')) ? QStringLiteral("by the map's prefixes")
                : seesGpu                          ? toQString(machine->gpu)
                                                   : QStringLiteral("all on cpu: no GPU seen here")));
        return;
    }
    Remark remark = finding(Field::DeviceMap, Level::Warning, QStringLiteral("no GPU seen here"),
        QStringLiteral("No GPU is seen on this machine"),
        QStringLiteral(
            "The worker decides; without such a device the run ends as a device map error before a byte is read."));
    remark.repair = variant;
    remark.repair->deviceMap = "cpu";
    remark.repairWords = QStringLiteral("Set device map to cpu");
    remarks.push_back(remark);
}

void remarkBackend(const PluginEntry& plugin, bool installed, std::vector<Remark>& remarks)
{
    if (plugin.error)
        remarks.push_back(finding(Field::Backend, Level::Error, QStringLiteral("broken"),
            QStringLiteral("The backend %1 is broken").arg(toQString(plugin.name)), toSentence(*plugin.error)));
    else if (!installed)
        remarks.push_back(finding(Field::Backend, Level::Error, QStringLiteral("not installed"),
            QStringLiteral("The backend %1 is not installed").arg(toQString(plugin.name)),
            QStringLiteral("Install it with: %1")
                .arg(toQString(plugin.manifest ? plugin.manifest->installCommand : std::string()))));
    else
        remarks.push_back(told(Field::Backend, Level::Ok, toQString(plugin.manifest->title)));
}

void remarkProgram(const ProgramQuestion& question, std::vector<Remark>& remarks)
{
    if (question.found && !*question.found) {
        const QString why = toSentence(question.found->error());
        remarks.push_back(finding(Field::Program, Level::Error, why, QStringLiteral("It cannot be started"), why));
    } else if (question.found && !question.inertSigns.isEmpty()) {
        remarks.push_back(told(Field::Program, Level::Info,
            QStringLiteral("no shell runs: %1 handed on as typed").arg(question.inertSigns)));
    } else if (question.found) {
        remarks.push_back(told(Field::Program, Level::Ok, shownPath(**question.found)));
    }
    if (question.folderError)
        remarks.push_back(finding(Field::WorkingFolder, Level::Error, toSentence(*question.folderError),
            QStringLiteral("It cannot start there"), toSentence(*question.folderError)));
    if (question.variablesError)
        remarks.push_back(finding(Field::Variables, Level::Error, toSentence(*question.variablesError),
            QStringLiteral("It cannot be given these variables"), toSentence(*question.variablesError)));
}

void remarkTorchScript(const TrialQuestion& question, std::vector<Remark>& remarks)
{
    if (!question.checkpoint->isTorchScript)
        return;
    const auto consent = question.variant.options.find(kConsentOption);
    if (consent != question.variant.options.end() && consent->second == "true")
        return;
    Remark remark = finding(Field::Option, Level::Warning, QStringLiteral("needs consent"),
        QStringLiteral("A TorchScript file holds code"),
        QStringLiteral("Loading it runs the code in the file. Without consent the run ends as refused."));
    remark.repair = question.variant;
    remark.repair->options[kConsentOption] = "true";
    remark.repairWords = QStringLiteral("Allow TorchScript");
    remarks.push_back(remark);
}

std::optional<Prediction> predict(const Checkpoint& checkpoint, const Variant& variant)
{
    const Estimate* best = nullptr;
    int bestScore = 0;
    for (const Estimate& estimate : checkpoint.estimates) {
        if (estimate.dtype != variant.dtype)
            continue;
        const int score
            = 1 + (estimate.deviceMap == variant.deviceMap ? 2 : 0) + (estimate.backend == variant.backend ? 1 : 0);
        if (score > bestScore) {
            best = &estimate;
            bestScore = score;
        }
    }
    return best ? std::optional(Prediction{*best, bestScore == 4}) : std::nullopt;
}

void remarkNeed(const Prediction& prediction, std::optional<std::uint64_t> available, std::vector<Remark>& remarks)
{
    if (!available || prediction.estimate.peakBytes <= *available)
        return;
    remarks.push_back(finding(Field::Limits, Level::Warning, QStringLiteral("more than is free"),
        QStringLiteral("More than is free now"),
        QStringLiteral(
            "Headers say %1 at the peak; %2 are available. A time limit or a smaller dtype keeps the machine usable.")
            .arg(figures::size(prediction.estimate.peakBytes), figures::size(*available))));
}

} // namespace

QString iconOf(Remark::Level level)
{
    switch (level) {
    case Level::Ok:
        return QStringLiteral("ok");
    case Level::Info:
        return QStringLiteral("info");
    case Level::Warning:
        return QStringLiteral("warn");
    case Level::Error:
        return QStringLiteral("fail");
    }
    return {};
}

const Remark* TrialInspection::find(Remark::Field field) const
{
    const Remark* worst = nullptr;
    for (const Remark& remark : remarks)
        if (remark.field == field && (!worst || remark.level > worst->level))
            worst = &remark;
    return worst;
}

std::vector<Remark> TrialInspection::findings() const
{
    std::vector<Remark> found;
    std::copy_if(remarks.begin(), remarks.end(), std::back_inserter(found),
        [](const Remark& remark) { return !remark.title.isEmpty(); });
    std::stable_sort(found.begin(), found.end(), [](const Remark& a, const Remark& b) { return a.level > b.level; });
    return found;
}

TrialInspection inspectTrial(const TrialQuestion& question)
{
    TrialInspection inspection;
    if (question.plugin)
        remarkBackend(*question.plugin, question.pluginIsInstalled, inspection.remarks);
    if (question.program) {
        inspection.ofProgram = true;
        remarkProgram(*question.program, inspection.remarks);
        return inspection;
    }
    remarkDeviceMap(question.variant, question.machine, inspection.remarks);
    if (!question.checkpoint)
        return inspection;
    remarkCheckpoint(*question.checkpoint, inspection.remarks);
    remarkDtype(*question.checkpoint, question.variant, question.plugin, inspection.remarks);
    remarkTorchScript(question, inspection.remarks);
    inspection.prediction = predict(*question.checkpoint, question.variant);
    if (inspection.prediction)
        remarkNeed(*inspection.prediction, question.availableBytes, inspection.remarks);
    return inspection;
}

} // namespace loadlab
