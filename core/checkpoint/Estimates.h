#pragma once

#include "core/checkpoint/Checkpoint.h"

#include <vector>

namespace loadlab {

/// What loading on the CPU will take, from headers alone, in the terms of `peak_tree_bytes`: anonymous and shared
/// memory of the worker, never file pages. Basis: a dtype that stays is a view of the mapped file and takes nothing; a
/// converted or unaligned tensor takes its destination; an idle worker takes 58 MB; conversion holds 16 MiB of buffers.
/// Packed weights are estimated as they are ("auto") only. Empty without tensors.
std::vector<Estimate> estimateLibtorch(const Checkpoint& checkpoint);

} // namespace loadlab
