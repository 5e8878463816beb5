#pragma once

#include "core/checkpoint/Dtype.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace loadlab {

struct SampledValues {
    std::uint64_t looked = 0;
    std::uint64_t nonFinite = 0; ///< Infinite or not a number.
};

/// Looks at up to `atMost` values (at least the first and the last), in a few runs spread evenly so that few pages are
/// touched. Dtypes without infinities and NaN: nothing is looked at. Values need not be aligned.
SampledValues sampleValues(Dtype dtype, std::span<const std::byte> bytes, std::uint64_t atMost);

} // namespace loadlab
