#pragma once

#include "core/Result.h"
#include "core/curve/Sample.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

inline constexpr std::size_t kMaxChunkSamples = std::size_t{1} << 20;

/// Samples as one compressed blob. Lossless for any values, also times that run backwards. At most kMaxChunkSamples
/// (more is a bug: asserted, and an empty blob that no reader accepts).
///
/// Format 1 (the home of this text is docs/SCHEMA.md, "Sample chunks"):
/// - Byte 0: format number, 1. The rest: one zstd frame with checksum; what follows is its content.
/// - varint = unsigned LEB128; zigzag = varint of (n << 1) ^ (n >> 63). All arithmetic is modulo 2^64.
/// - varint: number of samples n; 0 ends the payload. Then the times (CLOCK_MONOTONIC, ns) as a *values* block of n.
/// - varint: bit mask of the columns that hold anything; bit i = i-th Column of core/curve/Sample.h. Columns are only
/// ever
///   appended to that list; a bit that the reader does not know means a newer LoadLab, and the chunk is refused.
/// - Per column of the mask, lowest bit first: *runs*, then a *values* block of the present values.
/// - *runs*: lengths of alternating runs of present and absent samples, as varints, present first (the first may be 0),
///   until n samples are told.
/// - *values* of m numbers: varint predictor, varint unit, m zigzag residuals. The first residual counts as it is, each
///   further one times the unit. Value i = residual + prediction: predictor 0: the value before (0 for the first); 1:
///   the value before plus the last step (as 0 for the first two); 2: for tree_bytes the sum of anon, shmem and swap of
///   the same sample, for rss_bytes of anon, file and shmem, for any other column 0; an absent summand counts 0.
std::string encodeChunk(std::span<const Sample> samples);
/// Invalid when the blob is cut, altered, from a newer codec, or claims more than kMaxChunkSamples. Never reads out of
/// bounds; memory stays in proportion to what the blob really holds.
Result<std::vector<Sample>> decodeChunk(std::string_view blob);

} // namespace loadlab
