#pragma once

#include "core/checkpoint/Checkpoint.h"
#include "core/worker/PluginManifest.h"

#include <memory>
#include <string>

/// Made-up checkpoints and backends, for models that only look at values.
namespace made {

inline constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

/// Whole, bf16, qwen2, with an estimate for auto and float32 on the cpu.
loadlab::Checkpoint checkpoint(const std::string& path, std::uint64_t bytes = kGiB);
/// The same with int8 packed weights.
loadlab::Checkpoint packedCheckpoint(const std::string& path);
/// Second shard absent.
loadlab::Checkpoint incompleteCheckpoint(const std::string& path);
std::shared_ptr<const loadlab::Checkpoint> shared(loadlab::Checkpoint checkpoint);

/// A backend like libtorch's: four dtypes, cpu and cuda, one option of each type.
loadlab::PluginEntry plugin();

} // namespace made
