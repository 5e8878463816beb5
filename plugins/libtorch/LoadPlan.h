#pragma once

#include "TorchAbilities.h"
#include "core/Variant.h"
#include "core/checkpoint/Checkpoint.h"
#include "core/worker/Protocol.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace loadlab {

/// One tensor of the checkpoint: where its bytes are and what becomes of them.
struct PlannedTensor {
    std::string_view name; ///< Lives as long as the checkpoint, like `shape`.
    std::span<const std::uint64_t> shape;
    std::uint64_t elements = 0;
    std::size_t file = 0; ///< Index into Checkpoint::weightFiles.
    std::uint64_t offset = 0; ///< In the file.
    std::uint64_t storedBytes = 0;
    std::uint64_t bytes = 0; ///< In memory.
    Dtype stored{};
    Dtype dtype{}; ///< In memory.
    bool raw = false; ///< libtorch has no such dtype: kept as bytes.
    std::size_t device = 0; ///< Index into LoadPlan::devices.

    [[nodiscard]] bool converts() const { return stored != dtype; }
};

/// How a checkpoint will be loaded, decided before the first byte is read. Borrows from the checkpoint.
struct LoadPlan {
    std::vector<PlannedTensor> tensors; ///< In the order of files and of their bytes.
    std::vector<DeviceSpec> devices;
    std::vector<protocol::Warning> warnings;
    bool mapped = true; ///< Views where nothing is converted; else every tensor gets memory of its own.
    bool prefault = true; ///< Read the pages of views while loading.

    [[nodiscard]] std::uint64_t storedBytes() const;
    [[nodiscard]] bool usesGpu() const;
};

/// Settings of a variant that are this backend's own.
struct LoadOptions {
    RequestedDtype dtype = RequestedDtype::Auto;
    bool mapped = true;
    bool prefault = true;
    bool strict = true;
    bool keepPacked = false;
    bool allowTorchScript = false;

    /// Throws LoadFailure (unknown) for words that the manifest does not know: the lab has checked them.
    static LoadOptions from(const Variant& variant);
};

/// Throws LoadFailure: device_map_error, dtype_quantization_conflict, unsupported_architecture.
LoadPlan planLoad(
    const Checkpoint& checkpoint, const Variant& variant, const LoadOptions& options, const TorchAbilities& abilities);

/// The name of a weight file for people, relative to the checkpoint.
std::string fileNameOf(const Checkpoint& checkpoint, const PlannedTensor& tensor);

} // namespace loadlab
