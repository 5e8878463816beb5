#pragma once

#include "core/checkpoint/Checkpoint.h"

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace loadlab {

/// A folder that holds checkpoints and what was found below it.
struct ZooFolder {
    std::filesystem::path path;
    bool isHubCache = false;
    std::vector<Checkpoint> checkpoints; ///< Sorted by name; broken ones too.
    std::optional<Error> error; ///< The folder itself could not be read.
};

/// The hub cache of this user: $HF_HUB_CACHE, $HF_HOME/hub, ~/.cache/huggingface/hub. Given whether or not it exists.
std::filesystem::path hubCacheFolder();

/// Finds checkpoints below the folders (at most 4 levels deep, links to folders are followed once, hidden folders are
/// left out), inspects each, and calls `found` for every one as it is ready (on the calling thread or on one of its
/// workers, never two at once). Stops early at the token.
std::vector<ZooFolder> scanZoo(const std::vector<std::filesystem::path>& folders, const FamilyCatalog& families,
    const std::function<void(const std::filesystem::path& folder, const Checkpoint&)>& found = {}, std::stop_token stop = {});

/// CHECKPOINT of the command line: an existing path, or a name in the zoo (unique prefix is enough; "org/name" or its
/// last part). NotFound names the nearest; Invalid lists the candidates of an ambiguous prefix.
Result<std::filesystem::path> findCheckpoint(std::string_view word, const std::vector<std::filesystem::path>& folders);

} // namespace loadlab
