#pragma once

#include "core/FailureMode.h"
#include "core/Result.h"
#include "core/checkpoint/RegularFile.h"

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace loadlab {

/// Limits for files that anybody may have written. A document takes up to 20 times its text in memory; deeper ones
/// could exhaust the stack of whoever prints them.
inline constexpr std::uint64_t kMaxConfigBytes = std::uint64_t{8} << 20;
inline constexpr int kMaxJsonDepth = 200;

/// Why a file of a checkpoint cannot be used. Text without the file's name.
struct FileDefect {
    FailureMode mode = FailureMode::CorruptFile; ///< IncompleteDownload: cut short, empty or a pointer.
    std::string text;
    bool isPointer = false;
};

struct JsonRead {
    std::shared_ptr<const nlohmann::json> document; ///< An object, or null with the defect.
    std::string text; ///< As read.
    std::optional<FileDefect> defect;
    bool hasNonFinite = false; ///< NaN or Infinity, which JSON lacks and Python writes: null in the document.
};

/// Reads a JSON object. Errors: Io. Every other trouble is a defect.
Result<JsonRead> readJsonFile(const RegularFile& file, std::uint64_t limitBytes = kMaxConfigBytes);
/// The same from a text.
JsonRead parseJsonObject(std::string text);

/// Whether a text that ought to be one JSON document begins and ends like one, from its two ends alone (tokenizer.json
/// can have 30 MB). Defects: empty, pointer, begins with something else, cut short. Errors: Io.
Result<std::optional<FileDefect>> checkJsonEnds(const RegularFile& file);
/// Of a file of any format: empty, pointer or zeros. Errors: Io.
Result<std::optional<FileDefect>> checkPointer(const RegularFile& file);

} // namespace loadlab
