#pragma once

#include "core/checkpoint/Checkpoint.h"
#include "core/checkpoint/FolderListing.h"
#include "core/checkpoint/ShardIndex.h"
#include "core/checkpoint/ZeroTail.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// Which of a folder's files hold the weights, in the order in which from_pretrained looks (MODEL_FACTS 5.4).
struct WeightChoice {
    enum class Kind { None, Single, Index, ShardsWithoutIndex, Several, Torch, OtherFormat };
    Kind kind = Kind::None;
    std::vector<FolderEntry> files; ///< Single, ShardsWithoutIndex (also the absent ones), Several, Torch, OtherFormat.
    FolderEntry index; ///< Index; Torch where there is one. Its name is empty where there is none.
    std::vector<FolderEntry> leftAside; ///< Further weight files and indexes that are not used.
};
WeightChoice chooseWeights(const std::vector<FolderEntry>& entries, const nlohmann::json* config);

/// One safetensors file read: header and a sample of its tail, or why not.
struct LoadedWeights {
    std::shared_ptr<const SafetensorsHeader> header;
    std::optional<Error> error;
    std::optional<TailSample> tail;
};
/// Reads the headers, several at once when it pays. The result is in the order of the files; entries stay empty when
/// stopped.
std::vector<LoadedWeights> loadWeights(const std::vector<std::filesystem::path>& files, const InspectOptions& options);

} // namespace loadlab
