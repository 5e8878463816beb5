#pragma once

#include "core/checkpoint/SafetensorsWriter.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace loadlab {

/// The shape of a Qwen2 model with tied embeddings; the defaults are Qwen2.5-0.5B's.
struct DemoShape {
    std::uint64_t hidden = 896;
    std::uint64_t intermediate = 4864;
    std::uint64_t layers = 24;
    std::uint64_t heads = 14; ///< Of 64 values each.
    std::uint64_t kvHeads = 2;
    std::uint64_t vocabulary = 151936;

    /// The largest shape whose weights take at most so many bytes as bfloat16: fewer layers, then a smaller vocabulary,
    /// then narrower. Never smaller than one layer of 128 (about 1 MiB).
    static DemoShape within(std::uint64_t bytes);

    [[nodiscard]] std::vector<TensorSpec> tensors() const;
    /// The same weights as compressed-tensors packs 8 bit integers in groups of 128.
    [[nodiscard]] std::vector<TensorSpec> packedTensors() const;
    [[nodiscard]] nlohmann::json config() const;
    [[nodiscard]] nlohmann::json packedConfig() const;
    static nlohmann::json generationConfig();
    [[nodiscard]] std::uint64_t weightBytes() const; ///< Of tensors().
};

/// Seeded values for the tensors of a DemoShape, of any block in any order: normally distributed weights of deviation
/// 0.02, norms around 1, packed integers and their scales. Same seed, name and offset: same bytes. About 1 GB/s.
class DemoValues {
public:
    DemoValues(std::uint64_t seed, const DemoShape& shape);
    void fill(const TensorSpec& tensor, std::uint64_t offset, std::span<std::byte> into) const;

private:
    std::uint64_t m_seed;
    DemoShape m_shape;
    std::vector<std::uint16_t> m_normal; ///< BF16 of the normal distribution's quantiles, for each 16 bit number.
};

} // namespace loadlab
