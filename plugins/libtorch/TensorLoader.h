#pragma once

#include "HeldModel.h"
#include "LoadPlan.h"
#include "core/checkpoint/Checkpoint.h"

#include <functional>
#include <memory>
#include <stop_token>

namespace loadlab {

using ProgressSink = std::function<void(const protocol::Progress&)>;

/// Carries out a plan: two threads read the files in pieces of at most 8 MiB, each piece going straight to its place,
/// so that beside the tensors themselves at most two pieces are in memory. Reports at most 20 times a second, on the
/// calling thread. The checkpoint must outlive the model.
///
/// Throws LoadFailure, LoadStopped (between two pieces), and what libtorch throws (see failureOfTorch).
std::unique_ptr<HeldModel> loadTensors(
    const Checkpoint& checkpoint, const LoadPlan& plan, const ProgressSink& progress, std::stop_token stop);

} // namespace loadlab
