#pragma once

#include "core/Result.h"
#include "core/curve/Sample.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// Samples as one compressed blob: per column delta-of-delta (time) or delta (values), zigzag varints, zstd. Lossless.
/// Columns absent in every sample take no room; absences inside a column are kept as runs. Starts with a format byte, so
/// later codecs can be told apart. Documented in docs/SCHEMA.md.
std::string encodeChunk(std::span<const Sample> samples);
/// Invalid when the blob is cut, from a newer codec, or claims more than 2^20 samples. Never reads out of bounds.
Result<std::vector<Sample>> decodeChunk(std::string_view blob);

} // namespace loadlab
