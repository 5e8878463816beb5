#pragma once

#include "core/worker/Protocol.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// The bytes of one tensor as they are in memory, for comparing loads with each other and with the file.
struct TensorDigest {
    std::string dtype; ///< Safetensors name.
    std::vector<std::uint64_t> shape; ///< As stored.
    std::string device;
    std::uint64_t bytes = 0;
    std::string sha256;
};

/// What was loaded, in one object: destroying it lets go of the memory.
class HeldModel {
public:
    virtual ~HeldModel() = default;

    /// What is really there, asked of the tensors themselves.
    [[nodiscard]] virtual protocol::Loaded describe() const = 0;
    /// Whether the files behind mapped tensors are still whole: views of a file that shrank hold zeros.
    [[nodiscard]] virtual Result<void> check() const = 0;
    /// Nothing: no tensor of that name.
    [[nodiscard]] virtual std::optional<TensorDigest> digest(std::string_view name) const = 0;
};

} // namespace loadlab
