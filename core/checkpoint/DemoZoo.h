#pragma once

#include "core/Result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace loadlab {

struct DemoZooOptions {
    /// Most that the good one's weights take on disk. At the default the real shape of Qwen2.5-0.5B (988 MB of
    /// bfloat16, about 1 GiB); below that layers, then vocabulary, then width shrink, and config.json follows. Nothing
    /// is smaller than about 1 MiB.
    std::uint64_t goodSizeBytes = std::uint64_t{1} << 30;
    std::uint64_t seed = 1; ///< Same seed and size: same bytes.
};

struct DemoZooProgress {
    std::string checkpoint; ///< Being written.
    std::uint64_t doneBytes = 0;
    std::uint64_t totalBytes = 0; ///< Of the whole zoo.
};

/// Writes the stand-ins below `folder`, which is made: the good qwen2.5-0.5b-standin, and four that a load ends on,
/// each at most 64 MiB and no larger than the good one:
///   qwen2.5-0.5b-truncated      incomplete_download: the weights break off after three fifths
///   qwen2.5-0.5b-missing-shard  incomplete_download: of three shards that the index names the second is absent
///   qwen2.5-0.5b-lfs-pointer    incomplete_download: a git-lfs pointer stands for the weights
///   qwen2.5-0.5b-dtype-conflict dtype_quantization_conflict: 8 bit weights packed by compressed-tensors, which
///   libtorch
///                               has no kernels for; loads with --dtype auto --option packed_weights=keep
/// Each is written beside its place and renamed when whole. What is there, whole and of the asked size and seed is
/// kept; what this function made otherwise is replaced; a folder of such a name that it did not make is an error
/// (Invalid) and is left alone. Returns the folders, the good one first. Other errors: Io with path and reason (a full
/// disk leaves nothing behind), Cancelled. `progress` comes on the calling thread, after every 8 MiB at most.
Result<std::vector<std::filesystem::path>> makeDemoZoo(const std::filesystem::path& folder,
    const DemoZooOptions& options, const std::function<void(const DemoZooProgress&)>& progress = {},
    std::stop_token stop = {});

} // namespace loadlab
