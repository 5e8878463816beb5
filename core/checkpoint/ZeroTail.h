#pragma once

#include "core/checkpoint/RegularFile.h"
#include "core/checkpoint/SafetensorsHeader.h"

#include <cstdint>
#include <optional>
#include <string>

namespace loadlab {

/// What a few reads (one for a healthy file, 40 at most) show of the end of a file's data.
struct TailSample {
    std::uint64_t zeroBytes = 0; ///< About so many bytes at the end are zero, as far as sampled. 0: the last are not.
    bool isAllZero = false; ///< Every sample of the data was zero.
};

/// Errors: Io.
Result<TailSample> sampleTail(const RegularFile& file, std::uint64_t dataOffset);

/// Why the zeros at the end look like a download that reserved its room and stopped; nothing where they do not: a cut
/// falls inside a tensor or takes a tenth of the data, and is longer than a page. Small zero tensors at the end and the
/// padded last rows of an embedding (below 3 % of it) are ordinary.
std::optional<std::string> judgeTail(const TailSample& sample, const SafetensorsHeader& header);

} // namespace loadlab
