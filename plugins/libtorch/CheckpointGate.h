#pragma once

#include "core/checkpoint/Checkpoint.h"

namespace loadlab {

/// Inspects and lets through what can be loaded. Throws LoadFailure with the mode of what is wrong: nothing there, a
/// pointer, a cut or corrupt file, pickled weights, a format that this backend cannot read; LoadStopped at the token.
/// A checkpoint whose architecture nobody knows passes; unless `strict` also one whose only defect is that tensors and
/// config.json do not agree.
Checkpoint inspectToLoad(
    const std::filesystem::path& path, const FamilyCatalog& families, bool strict, std::stop_token stop);

/// TorchScript runs code: only with consent.
void requireTorchScriptConsent(const Checkpoint& checkpoint, bool consent);

} // namespace loadlab
