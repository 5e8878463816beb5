#pragma once

#include <cstdint>

namespace loadlab {

/// What a process tree has used that no column of its samples tells. All but grownBytes only ever grows.
struct FurtherUse {
    std::uint64_t writtenBytes = 0; ///< By write calls, to whatever.
    std::uint64_t dirtiedBytes = 0; ///< Clean pages of files that were written to, also through mappings.
    std::uint64_t steadyFaults = 0; ///< As Turnover tells; likewise below.
    std::uint64_t startupReadBytes = 0;
    /// Resident and swapped: what the living processes have more than each had at its least since it was first seen.
    /// Who only comes and goes makes none.
    std::int64_t grownBytes = 0;
};

} // namespace loadlab
