#pragma once

#include "core/checkpoint/DevicePlan.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// What stays together when tensors are placed: a numbered module with all below it ("model.layers.7"), or the module
/// that a tensor belongs to ("lm_head").
struct ModuleBlock {
    std::string_view name; ///< Points into the tensor's name.
    std::uint64_t sizeBytes = 0;
    std::vector<std::size_t> tensors; ///< Indices, in the order given.
};

/// The blocks in the order in which a model is written down, as far as names tell it: embeddings first, numbered layers
/// by their number, what follows them (norms), heads last. Files say nothing about that order.
std::vector<ModuleBlock> moduleBlocks(std::span<const PlacedTensor> tensors);

/// The block of a tensor: up to its first component that is a number, else all but the last component.
std::string_view blockOf(std::string_view tensorName);

/// Whether a name is the prefix itself or goes on after it with a dot. Everything is below "".
bool isAtOrBelow(std::string_view name, std::string_view prefix);

/// Module → device with siblings of one device merged into their parent; {"": device} when all are on one.
std::map<std::string, std::string> mergedModules(
    std::span<const std::string_view> tensorNames, std::span<const std::string> devices);

} // namespace loadlab
