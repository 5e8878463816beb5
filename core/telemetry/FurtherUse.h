#pragma once

#include <cstdint>

namespace loadlab {

/// What a process tree has used that no column of its samples tells; only ever grows.
struct FurtherUse {
    std::uint64_t writtenBytes = 0; ///< By write calls, to whatever.
    std::uint64_t dirtiedBytes = 0; ///< Clean pages of files that were written to, also through mappings.
};

} // namespace loadlab
