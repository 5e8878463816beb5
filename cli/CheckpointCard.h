#pragma once

#include "cli/Output.h"
#include "core/checkpoint/Checkpoint.h"

namespace loadlab::cli {

/// A checkpoint in words: what it is, its state and problems, components, dtypes, files, estimates.
void printCheckpoint(Output& out, const Checkpoint& checkpoint);

Paint paintOf(CheckpointState state);

} // namespace loadlab::cli
