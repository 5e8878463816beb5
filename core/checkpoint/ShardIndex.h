#pragma once

#include "core/checkpoint/JsonFile.h"
#include "core/checkpoint/RegularFile.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// model.safetensors.index.json (MODEL_FACTS 5.3): which tensor is in which file. Names are views into memory that the
/// object owns.
struct ShardIndex {
    struct Entry {
        std::string_view tensor;
        std::uint32_t file = 0; ///< Index into files.
    };
    std::vector<std::string> files; ///< Sorted; any text that the index holds, see lookUp.
    std::vector<Entry> entries;
    std::optional<std::uint64_t> totalSizeBytes;
    bool hasMetadata = false;
    std::optional<FileDefect> defect; ///< Files and entries are then empty.
    std::shared_ptr<const char[]> text; ///< Behind the names.
};

/// Files that an index may name; the largest models have a few hundred.
inline constexpr std::size_t kMaxShards = 10'000;
/// Largest index that is read; the one of 28,010 tensors has 3 MB.
inline constexpr std::uint64_t kMaxIndexBytes = 100'000'000;

/// Errors: Io.
Result<ShardIndex> readShardIndex(const RegularFile& file);

} // namespace loadlab
