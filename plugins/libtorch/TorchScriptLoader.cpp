#include "TorchScriptLoader.h"

#include "LoadFailure.h"
#include "TensorDigests.h"
#include "TorchTypes.h"
#include "ValueSampler.h"

#include <algorithm>
#include <c10/core/InferenceMode.h>
#include <map>
#include <set>
#include <torch/cuda.h>
#include <torch/script.h>

namespace loadlab {
namespace {

constexpr std::size_t kMaxNames = 100;
constexpr std::uint64_t kSamplesPerTensor = 4096;

struct NamedTensor {
    std::string name;
    at::Tensor tensor;
};

class ScriptModel final : public HeldModel {
public:
    explicit ScriptModel(torch::jit::Module module)
        : m_module(std::move(module))
    {
    }

    /// Every name, also those that share one tensor.
    [[nodiscard]] std::vector<NamedTensor> tensors() const
    {
        std::vector<NamedTensor> all;
        for (const auto& parameter : m_module.named_parameters())
            all.push_back({parameter.name, parameter.value});
        for (const auto& buffer : m_module.named_buffers())
            all.push_back({buffer.name, buffer.value});
        return all;
    }
    /// Tied weights once, under their first name.
    [[nodiscard]] std::vector<NamedTensor> distinctTensors() const
    {
        std::vector<NamedTensor> all = tensors();
        std::set<std::pair<const void*, std::int64_t>> seen;
        std::erase_if(all, [&seen](const NamedTensor& named) {
            const std::int64_t elements = named.tensor.numel();
            return elements != 0 && !seen.emplace(named.tensor.data_ptr(), elements).second;
        });
        return all;
    }
    [[nodiscard]] protocol::Loaded describe() const override;
    [[nodiscard]] Result<void> check() const override { return {}; } // Nothing is mapped.

    [[nodiscard]] std::optional<TensorDigest> digest(std::string_view name) const override;

private:
    torch::jit::Module m_module;
};

void sampleInto(protocol::Loaded& loaded, const NamedTensor& named, Dtype dtype)
{
    const at::Tensor flat = named.tensor.reshape({-1});
    const std::int64_t step = std::max<std::int64_t>(1, flat.numel() / static_cast<std::int64_t>(kSamplesPerTensor));
    const at::Tensor host = flat.slice(0, 0, flat.numel(), step).to(at::kCPU).contiguous();
    const SampledValues seen
        = sampleValues(dtype, {static_cast<const std::byte*>(host.data_ptr()), host.nbytes()}, kSamplesPerTensor);
    loaded.sampledValues += seen.looked;
    if (seen.nonFinite != 0 && loaded.nonFiniteTensors++ < kMaxNames)
        loaded.nonFinite.push_back(named.name.substr(0, 500));
}

protocol::Loaded ScriptModel::describe() const
{
    protocol::Loaded loaded;
    for (const NamedTensor& named : distinctTensors()) {
        const auto elements = static_cast<std::uint64_t>(named.tensor.numel());
        const auto dtype = dtypeOf(named.tensor.scalar_type());
        loaded.parameters += elements;
        loaded.dtypes[dtype ? std::string(toHeaderName(*dtype)) : c10::toString(named.tensor.scalar_type())]
            += elements;
        loaded.devices[named.tensor.device().str()] += named.tensor.nbytes();
        ++loaded.tensors;
        if (dtype)
            sampleInto(loaded, named, *dtype);
    }
    loaded.facts["reader"] = "torch::jit::load";
    return loaded;
}

std::optional<TensorDigest> ScriptModel::digest(std::string_view name) const
{
    for (const NamedTensor& named : tensors()) {
        const auto dtype = dtypeOf(named.tensor.scalar_type());
        if (named.name == name && dtype)
            return TensorDigest{std::string(toHeaderName(*dtype)),
                {named.tensor.sizes().begin(), named.tensor.sizes().end()}, named.tensor.device().str(),
                named.tensor.nbytes(), sha256OfTensor(named.tensor)};
    }
    return std::nullopt;
}

c10::Device oneDevice(const Variant& variant, const TorchAbilities& abilities)
{
    const std::vector<PlacedTensor> whole{{"program", 0}};
    auto plan = planDevices(variant.deviceMap, whole, abilities.devices, variant.maxMemory);
    if (!plan)
        throw LoadFailure(
            FailureMode::DeviceMapError, plan.error().message, "A TorchScript program goes to one device as a whole.");
    return c10::Device(plan->devices[plan->deviceOf.front()].name);
}

std::optional<c10::ScalarType> wantedType(RequestedDtype requested)
{
    switch (requested) {
    case RequestedDtype::Float16:
        return c10::ScalarType::Half;
    case RequestedDtype::BFloat16:
        return c10::ScalarType::BFloat16;
    case RequestedDtype::Float32:
        return c10::ScalarType::Float;
    case RequestedDtype::Auto:
        break;
    }
    return std::nullopt;
}

/// One tensor after the other, so that old and new are never both there as a whole. Tied weights stay tied.
void convert(const ScriptModel& model, c10::ScalarType type)
{
    std::map<std::pair<const void*, std::int64_t>, at::Tensor> converted; // by where the old one lies
    for (const NamedTensor& named : model.tensors()) {
        at::Tensor tensor = named.tensor;
        if (!tensor.is_floating_point() || tensor.scalar_type() == type)
            continue;
        at::Tensor& to = converted[{tensor.data_ptr(), tensor.numel()}];
        if (!to.defined() || to.sizes() != tensor.sizes() || to.strides() != tensor.strides())
            to = tensor.to(type);
        tensor.set_data(to);
    }
}

torch::jit::Module read(const std::filesystem::path& file, c10::Device device)
{
    try {
        return torch::jit::load(file.string(), device);
    } catch (const c10::OutOfMemoryError&) {
        throw;
    } catch (const c10::Error& error) {
        const std::string what = error.what_without_backtrace();
        if (what.find("memory") != std::string::npos || what.find("CUDA") != std::string::npos)
            throw;
        throw LoadFailure(FailureMode::CorruptFile,
            "libtorch cannot read the TorchScript file: " + what.substr(0, what.find("\nException raised")),
            "Export the program again, with a libtorch no newer than this one.", toUtf8(file.filename().string()));
    }
}

} // namespace

std::unique_ptr<HeldModel> loadTorchScript(const Checkpoint& checkpoint, const Variant& variant,
    const LoadOptions& options, EventChannel& events, std::stop_token leave)
{
    const TorchAbilities abilities = torchAbilities(true);
    const c10::Device device = oneDevice(variant, abilities);
    events.warn("torchscript_runs_code", "'" + checkpoint.name + "' is a program; it was allowed to run");
    events.send(protocol::PhaseEntered{"reading"});
    const std::uint64_t bytes = std::filesystem::file_size(checkpoint.path);
    events.send(protocol::Progress{"files", 0, 1, 0, bytes, checkpoint.name});
    torch::NoGradGuard noGradients;
    auto model = std::make_unique<ScriptModel>(read(checkpoint.path, device));
    if (leave.stop_requested())
        throw LoadStopped();
    if (const auto type = wantedType(options.dtype))
        convert(*model, *type);
    if (device.is_cuda())
        torch::cuda::synchronize(device.index());
    events.send(protocol::Progress{"files", 1, 1, bytes, bytes, checkpoint.name});
    events.send(protocol::PhaseEntered{"checking"});
    events.send(model->describe());
    return model;
}

} // namespace loadlab
