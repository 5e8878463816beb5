#pragma once

#include "HeldModel.h"
#include "HostArena.h"
#include "LoadPlan.h"
#include "core/checkpoint/TensorReader.h"

#include <ATen/core/Tensor.h>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace loadlab {

/// The tensors of a plan, first with room and then with values. Every tensor is a view of a mapped file, a piece of the
/// one arena, or memory of a device.
class TensorModel final : public HeldModel {
public:
    enum class Place : std::uint8_t { View, Host, Device };

    /// Opens the files and makes room for everything, before a byte of a tensor is read. Throws LoadFailure, and what
    /// libtorch throws where a device refuses memory.
    TensorModel(const Checkpoint& checkpoint, const LoadPlan& plan);

    [[nodiscard]] const std::vector<PlannedTensor>& planned() const { return m_planned; }
    [[nodiscard]] Place placeOf(std::size_t index) const { return m_places[index]; }
    [[nodiscard]] const at::Tensor& tensor(std::size_t index) const { return m_tensors[index]; }
    [[nodiscard]] TensorReader& readerOf(std::size_t index) const { return *m_readers[m_planned[index].file]; }
    [[nodiscard]] const std::string& fileOf(std::size_t index) const { return m_fileNames[m_planned[index].file]; }
    /// Thread-safe, as far as different tensors or pieces go.
    void noteSample(std::size_t index, std::uint64_t looked, std::uint64_t nonFinite);

    [[nodiscard]] protocol::Loaded describe() const override;
    [[nodiscard]] Result<void> check() const override;
    [[nodiscard]] std::optional<TensorDigest> digest(std::string_view name) const override;

private:
    void openFiles(const Checkpoint& checkpoint);
    void allocate(const LoadPlan& plan);
    [[nodiscard]] Place decidePlace(const PlannedTensor& tensor, const std::vector<DeviceSpec>& devices) const;

    std::vector<PlannedTensor> m_planned;
    bool m_mapped;
    std::vector<std::string> m_fileNames;
    std::vector<std::shared_ptr<TensorReader>> m_readers;
    std::vector<std::string> m_notMapped; ///< Why files are read instead, where they could not be mapped.
    std::vector<Place> m_places;
    std::vector<at::Tensor> m_tensors;
    std::vector<std::atomic<std::uint32_t>> m_nonFinite; ///< Per tensor.
    std::atomic<std::uint64_t> m_sampled{0};
};

} // namespace loadlab
