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
    /// Size on disk of the good one. At the default the real shape of Qwen2.5-0.5B (988 MB of bf16, about 1 GiB); below
    /// that layers, then vocabulary shrink.
    std::uint64_t goodSizeBytes = std::uint64_t {1} << 30;
    std::uint64_t seed = 1; ///< Same seed and size: same bytes.
};

struct DemoZooProgress {
    std::string checkpoint; ///< Being written.
    std::uint64_t doneBytes = 0;
    std::uint64_t totalBytes = 0; ///< Of the whole zoo.
};

/// Writes the stand-ins below `folder`: qwen2.5-0.5b-standin (good), …-truncated, …-missing-shard, …-lfs-pointer,
/// …-dtype-conflict (each broken one at most 64 MiB). Written beside and renamed when whole; what is already there and
/// whole is kept. Returns the folders made or kept, the good one first. Errors: Io with path and reason, Cancelled.
Result<std::vector<std::filesystem::path>> makeDemoZoo(const std::filesystem::path& folder, const DemoZooOptions& options,
    const std::function<void(const DemoZooProgress&)>& progress = {}, std::stop_token stop = {});

} // namespace loadlab
