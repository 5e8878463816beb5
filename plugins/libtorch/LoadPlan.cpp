#include "LoadPlan.h"

#include "LoadFailure.h"

#include "core/Units.h"
#include "core/checkpoint/TensorTable.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

namespace loadlab {
namespace {

std::string optionOf(const Variant& variant, const std::string& name, const std::string& otherwise)
{
    const auto found = variant.options.find(name);
    return found == variant.options.end() ? otherwise : found->second;
}

bool boolOf(const Variant& variant, const std::string& name, bool otherwise)
{
    const std::string text = optionOf(variant, name, otherwise ? "true" : "false");
    if (text != "true" && text != "false")
        throw LoadFailure(FailureMode::Unknown, "option " + name + " is '" + text + "', neither true nor false");
    return text == "true";
}

/// Whether the option has its second word; the first is the default.
bool choiceOf(const Variant& variant, const std::string& name, const std::array<std::string, 2>& words)
{
    const std::string text = optionOf(variant, name, words[0]);
    if (text != words[0] && text != words[1])
        throw LoadFailure(
            FailureMode::Unknown, "option " + name + " is '" + text + "', neither " + words[0] + " nor " + words[1]);
    return text == words[1];
}

Dtype dtypeOf(RequestedDtype requested)
{
    switch (requested) {
    case RequestedDtype::Float16:
        return Dtype::F16;
    case RequestedDtype::BFloat16:
        return Dtype::BF16;
    default:
        return Dtype::F32;
    }
}

/// How many tensors of a dtype there are, with one of them for the message.
struct Tally {
    std::uint64_t tensors = 0;
    std::uint64_t bytes = 0;
    std::string_view example;

    void add(const PlannedTensor& tensor)
    {
        if (tensors++ == 0)
            example = tensor.name;
        bytes += tensor.storedBytes;
    }
    [[nodiscard]] std::string words() const
    {
        return formatCount(tensors, "tensor") + " (" + formatSize(bytes) + ", '" + toUtf8(example.substr(0, 200)) + "'"
            + (tensors == 1 ? ")" : " and others)");
    }
};

std::string schemeOf(const Quantization& quantization)
{
    std::string words = quantization.method;
    if (!quantization.format.empty() && quantization.format != quantization.method)
        words += " " + quantization.format;
    if (quantization.bits)
        words += ", " + std::to_string(*quantization.bits) + " bits";
    return words;
}

/// The format counts dimensions in 64 bits, libtorch in 63; beside a 0 any of them passes the format's own rules.
void refuseUncountable(const SafetensorsHeader::Tensor& tensor, const std::string& file)
{
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    for (const std::uint64_t dimension : tensor.shape)
        if (dimension > most)
            throw LoadFailure(FailureMode::StructureMismatch,
                file + ": tensor '" + toUtf8(tensor.name.substr(0, 200)) + "' has a dimension of "
                    + std::to_string(dimension) + ", more than libtorch can count",
                "No model has such a tensor.", file);
}

class Planner {
public:
    Planner(const Checkpoint& checkpoint, const LoadOptions& options, const TorchAbilities& abilities)
        : m_checkpoint(checkpoint)
        , m_options(options)
        , m_abilities(abilities)
    {
    }

    LoadPlan make(const Variant& variant)
    {
        m_plan.mapped = m_options.mapped;
        m_plan.prefault = m_options.prefault;
        collect();
        place(variant);
        refuseConflicts();
        warnOfRaw();
        return std::move(m_plan);
    }

private:
    void collect();
    void decideDtype(PlannedTensor& tensor) const;
    void place(const Variant& variant);
    void refuseConflicts() const;
    void warnOfRaw();
    [[nodiscard]] bool mayConvert(Dtype dtype) const;

    const Checkpoint& m_checkpoint;
    const LoadOptions& m_options;
    const TorchAbilities& m_abilities;
    LoadPlan m_plan;
};

void Planner::collect()
{
    const TensorTable table(m_checkpoint.weightFiles);
    m_plan.tensors.reserve(table.count());
    for (std::size_t i = 0; i < table.count(); ++i) {
        const TensorPlace place = table.place(i);
        const SafetensorsHeader::Tensor stored = table.tensor(i);
        PlannedTensor tensor;
        tensor.name = stored.name;
        tensor.shape = stored.shape;
        tensor.elements = stored.elements();
        tensor.file = place.file;
        tensor.offset = m_checkpoint.weightFiles[place.file].header->dataOffset() + stored.begin;
        tensor.storedBytes = stored.sizeBytes();
        refuseUncountable(stored, m_checkpoint.weightFiles[place.file].name);
        tensor.stored = stored.dtype;
        decideDtype(tensor);
        m_plan.tensors.push_back(tensor);
    }
}

/// Integers and complex numbers stay what they are; so does everything when nothing was asked for.
void Planner::decideDtype(PlannedTensor& tensor) const
{
    const bool wanted = m_options.dtype != RequestedDtype::Auto && isFloat(tensor.stored);
    tensor.dtype = wanted ? dtypeOf(m_options.dtype) : tensor.stored;
    tensor.raw = !m_abilities.has(tensor.stored);
    tensor.bytes = tensor.converts() ? tensor.elements * (bitsOf(tensor.dtype) / 8) : tensor.storedBytes;
}

void Planner::place(const Variant& variant)
{
    std::vector<PlacedTensor> placed;
    placed.reserve(m_plan.tensors.size());
    for (const PlannedTensor& tensor : m_plan.tensors)
        placed.push_back({tensor.name, tensor.bytes});
    auto devices = planDevices(variant.deviceMap, placed, m_abilities.devices, variant.maxMemory);
    if (!devices) {
        const std::string why = m_abilities.builtWithCuda || devices.error().message.find("cuda") == std::string::npos
            ? std::string()
            : "; libtorch " + m_abilities.version + " is built without CUDA";
        throw LoadFailure(FailureMode::DeviceMapError, devices.error().message + why,
            why.empty() ? "" : "A worker built with a CUDA libtorch (plugins/libtorch/README.md) can use a GPU.");
    }
    m_plan.devices = std::move(devices->devices);
    for (std::size_t i = 0; i < m_plan.tensors.size(); ++i)
        m_plan.tensors[i].device = devices->deviceOf[i];
    for (std::string& note : devices->notes)
        m_plan.warnings.push_back({"device_map", std::move(note)});
}

/// An 8 bit float that belongs to a scheme has its scales elsewhere: converting it alone gives wrong numbers.
bool Planner::mayConvert(Dtype dtype) const
{
    return m_abilities.has(dtype) && (bitsOf(dtype) > 8 || !m_checkpoint.quantization);
}

void Planner::refuseConflicts() const
{
    const std::string asked(toTorchName(m_options.dtype));
    const auto& quantization = m_checkpoint.quantization;
    if (quantization && quantization->packed && !(m_options.keepPacked && m_options.dtype == RequestedDtype::Auto)) {
        const bool isAuto = m_options.dtype == RequestedDtype::Auto;
        throw LoadFailure(FailureMode::DtypeQuantizationConflict,
            "the weights are packed integers (" + schemeOf(*quantization) + ") that need their scales: "
                + (isAuto ? "libtorch has no kernels for them" : "they cannot be converted to " + asked));
    }
    std::map<Dtype, Tally> refused;
    for (const PlannedTensor& tensor : m_plan.tensors)
        if (tensor.converts() && !mayConvert(tensor.stored))
            refused[tensor.stored].add(tensor);
    if (refused.empty())
        return;
    const auto& [dtype, tally] = *refused.begin();
    const std::string name(toHeaderName(dtype));
    throw LoadFailure(FailureMode::DtypeQuantizationConflict,
        tally.words() + " of dtype " + name + " cannot be converted to " + asked + ": "
            + (m_abilities.has(dtype) ? "they need the scales of " + schemeOf(*m_checkpoint.quantization)
                                      : "libtorch " + m_abilities.version + " has no " + name));
}

void Planner::warnOfRaw()
{
    std::map<Dtype, Tally> raw;
    for (const PlannedTensor& tensor : m_plan.tensors)
        if (tensor.raw)
            raw[tensor.stored].add(tensor);
    for (const auto& [dtype, tally] : raw)
        m_plan.warnings.push_back({"dtype_kept_raw",
            tally.words() + " of dtype " + std::string(toHeaderName(dtype)) + " kept as raw bytes: libtorch "
                + m_abilities.version + " has no such dtype"});
    if (const auto& quantization = m_checkpoint.quantization; quantization && quantization->packed)
        m_plan.warnings.push_back({"packed_kept",
            "packed integer weights (" + schemeOf(*quantization)
                + ") kept as they are stored; nothing can compute with them"});
}

} // namespace

std::uint64_t LoadPlan::storedBytes() const
{
    std::uint64_t sum = 0;
    for (const PlannedTensor& tensor : tensors)
        sum += tensor.storedBytes;
    return sum;
}

bool LoadPlan::usesGpu() const
{
    return std::any_of(tensors.begin(), tensors.end(), [&](const auto& t) { return devices[t.device].name != "cpu"; });
}

LoadOptions LoadOptions::from(const Variant& variant)
{
    LoadOptions options;
    const auto dtype = findRequestedDtype(variant.dtype);
    if (!dtype)
        throw LoadFailure(FailureMode::Unknown, "'" + variant.dtype + "' is no dtype of this backend");
    options.dtype = *dtype;
    options.mapped = !choiceOf(variant, "reader", {"mapped", "read"});
    options.prefault = boolOf(variant, "prefault", true);
    options.strict = boolOf(variant, "strict", true);
    options.keepPacked = choiceOf(variant, "packed_weights", {"refuse", "keep"});
    options.allowTorchScript = boolOf(variant, "allow_torchscript", false);
    return options;
}

LoadPlan planLoad(
    const Checkpoint& checkpoint, const Variant& variant, const LoadOptions& options, const TorchAbilities& abilities)
{
    return Planner(checkpoint, options, abilities).make(variant);
}

std::string fileNameOf(const Checkpoint& checkpoint, const PlannedTensor& tensor)
{
    return checkpoint.weightFiles[tensor.file].name;
}

} // namespace loadlab
