#pragma once

#include "EventChannel.h"
#include "HeldModel.h"
#include "LoadPlan.h"

#include <memory>
#include <stop_token>

namespace loadlab {

/// Loads a TorchScript file, which runs code in it: only after consent. The program stays in one piece, so the device
/// map must name one device. Sends its phases, progress (one step: libtorch shows none) and `loaded`. Throws
/// LoadFailure (corrupt_file, device_map_error), LoadStopped, and what libtorch throws.
std::unique_ptr<HeldModel> loadTorchScript(const Checkpoint& checkpoint, const Variant& variant,
    const LoadOptions& options, EventChannel& events, std::stop_token leave);

} // namespace loadlab
