#include "TensorModel.h"

#include "LoadFailure.h"
#include "TensorDigests.h"
#include "TorchTypes.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <algorithm>
#include <c10/core/InferenceMode.h>

namespace loadlab {
namespace {

constexpr std::size_t kMaxNames = 100;

c10::ScalarType memoryTypeOf(const PlannedTensor& tensor)
{
    return tensor.raw ? c10::ScalarType::Byte : *scalarTypeOf(tensor.dtype);
}

/// A raw tensor is a row of bytes: its shape counts elements that libtorch does not have.
std::vector<std::int64_t> sizesOf(const PlannedTensor& tensor)
{
    if (tensor.raw)
        return {static_cast<std::int64_t>(tensor.bytes)};
    return {tensor.shape.begin(), tensor.shape.end()};
}

bool isAligned(const PlannedTensor& tensor)
{
    return tensor.raw || tensor.offset % (bitsOf(tensor.stored) / 8) == 0;
}

template <typename Owner>
at::Tensor blobOf(const PlannedTensor& tensor, const void* bytes, std::shared_ptr<Owner> owner)
{
    // The deleter's only task is to keep the owner of the memory. Views are read-only: nobody writes into a held model.
    return at::from_blob(
        const_cast<void*>(bytes), sizesOf(tensor), [owner = std::move(owner)](void*) {},
        at::TensorOptions(memoryTypeOf(tensor)));
}

} // namespace

TensorModel::TensorModel(const Checkpoint& checkpoint, const LoadPlan& plan)
    : m_planned(plan.tensors)
    , m_mapped(plan.mapped)
    , m_nonFinite(plan.tensors.size())
{
    openFiles(checkpoint);
    allocate(plan);
}

void TensorModel::openFiles(const Checkpoint& checkpoint)
{
    for (const Checkpoint::WeightFile& file : checkpoint.weightFiles) {
        auto reader = m_mapped ? openMappedReader(file.path) : openReadingReader(file.path);
        if (!reader && m_mapped && reader.error().kind == ErrorKind::Io) {
            m_notMapped.push_back(reader.error().message);
            reader = openReadingReader(file.path);
        }
        if (!reader)
            throw fileFailure(reader.error(), file.name);
        if ((*reader)->fileBytes() != file.header->fileBytes())
            throw LoadFailure(FailureMode::CorruptFile,
                file.name + " changed since its header was read: " + std::to_string((*reader)->fileBytes())
                    + " bytes now, " + std::to_string(file.header->fileBytes()) + " then; something writes to it",
                "Let whatever writes to it finish (a download?), then load again.", file.name);
        m_fileNames.push_back(file.name);
        m_readers.push_back(std::move(*reader));
    }
}

TensorModel::Place TensorModel::decidePlace(const PlannedTensor& tensor, const std::vector<DeviceSpec>& devices) const
{
    if (devices[tensor.device].name != "cpu")
        return Place::Device;
    const bool viewable = !tensor.converts() && isAligned(tensor)
        && !m_readers[tensor.file]->view(tensor.offset, tensor.storedBytes).empty();
    return viewable ? Place::View : Place::Host;
}

void TensorModel::allocate(const LoadPlan& plan)
{
    std::uint64_t hostBytes = 0;
    std::uint64_t hostTensors = 0;
    for (const PlannedTensor& tensor : m_planned) {
        m_places.push_back(decidePlace(tensor, plan.devices));
        if (m_places.back() != Place::Host)
            continue;
        hostBytes += HostArena::roomFor(tensor.bytes);
        ++hostTensors;
    }
    auto arena = HostArena::allocate(hostBytes);
    if (!arena)
        throw LoadFailure(FailureMode::HostAllocFailed,
            arena.error().message + "; wanted for " + std::to_string(hostTensors) + " tensors", {});
    m_tensors.reserve(m_planned.size());
    for (std::size_t i = 0; i < m_planned.size(); ++i) {
        const PlannedTensor& tensor = m_planned[i];
        const at::TensorOptions options(memoryTypeOf(tensor));
        if (m_places[i] == Place::Device)
            m_tensors.push_back(at::empty(sizesOf(tensor), options.device(plan.devices[tensor.device].name)));
        else if (tensor.bytes == 0)
            m_tensors.push_back(at::empty(sizesOf(tensor), options));
        else if (m_places[i] == Place::View)
            m_tensors.push_back(
                blobOf(tensor, readerOf(i).view(tensor.offset, tensor.storedBytes).data(), m_readers[tensor.file]));
        else
            m_tensors.push_back(blobOf(tensor, (*arena)->take(tensor.bytes), *arena));
    }
}

void TensorModel::noteSample(std::size_t index, std::uint64_t looked, std::uint64_t nonFinite)
{
    m_sampled += looked;
    m_nonFinite[index] += static_cast<std::uint32_t>(nonFinite);
}

protocol::Loaded TensorModel::describe() const
{
    protocol::Loaded loaded;
    std::uint64_t viewBytes = 0;
    for (std::size_t i = 0; i < m_tensors.size(); ++i) {
        const at::Tensor& tensor = m_tensors[i];
        const PlannedTensor& planned = m_planned[i];
        const auto elements = planned.raw ? planned.elements : static_cast<std::uint64_t>(tensor.numel());
        const Dtype dtype = planned.raw ? planned.stored : dtypeOf(tensor.scalar_type()).value_or(planned.dtype);
        loaded.parameters += elements;
        loaded.dtypes[std::string(toHeaderName(dtype))] += elements;
        loaded.devices[tensor.device().str()] += tensor.nbytes();
        viewBytes += m_places[i] == Place::View ? tensor.nbytes() : 0;
        if (m_nonFinite[i] == 0)
            continue;
        if (loaded.nonFiniteTensors++ < kMaxNames)
            loaded.nonFinite.emplace_back(planned.name.substr(0, 500));
    }
    loaded.tensors = m_tensors.size();
    loaded.sampledValues = m_sampled;
    loaded.facts["reader"] = !m_mapped ? "read" : viewBytes != 0 ? "mapped views" : "mapped, converted in pieces";
    if (!m_notMapped.empty())
        loaded.facts["not_mapped"] = m_notMapped.front();
    loaded.facts["view_bytes"] = std::to_string(viewBytes);
    return loaded;
}

Result<void> TensorModel::check() const
{
    for (const auto& reader : m_readers)
        if (auto whole = reader->check(); !whole)
            return whole;
    return {};
}

std::optional<TensorDigest> TensorModel::digest(std::string_view name) const
{
    const auto found = std::find_if(m_planned.begin(), m_planned.end(), [&](const auto& t) { return t.name == name; });
    if (found == m_planned.end())
        return std::nullopt;
    const at::Tensor& tensor = m_tensors[static_cast<std::size_t>(found - m_planned.begin())];
    return TensorDigest{std::string(toHeaderName(found->dtype)), {found->shape.begin(), found->shape.end()},
        tensor.device().str(), tensor.nbytes(), sha256OfTensor(tensor)};
}

} // namespace loadlab
