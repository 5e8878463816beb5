#pragma once

#include "core/Result.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace loadlab {

/// A place below a zoo folder that looks like a checkpoint, before anything in it was read.
struct ZooCandidate {
    std::filesystem::path path; ///< A folder, a models--… folder of a hub cache, or a single file.
    std::string name; ///< As inspectCheckpoint will call it.
};

/// What a walk through one zoo folder found.
struct ZooCandidates {
    std::vector<ZooCandidate> found; ///< Sorted by name.
    bool isHubCache = false; ///< It holds models--… folders.
    std::optional<Error> error; ///< The folder itself could not be read.
};

/// Walks at most kZooDepth levels down. Links to folders are followed, each real folder is entered once; hidden folders
/// are left out. A folder is a checkpoint when it holds weights, an index or a config; one that holds only companions
/// (a tokenizer) is one too unless there are checkpoints below it. Weights lying loose in a folder without config and
/// index are checkpoints of their own. An empty folder directly below the zoo counts: a model that was never fetched;
/// so does one that may not be read.
inline constexpr int kZooDepth = 4;
ZooCandidates findCandidates(const std::filesystem::path& folder, const std::stop_token& stop = {});

} // namespace loadlab
