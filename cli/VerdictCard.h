#pragma once

#include "cli/Output.h"
#include "core/curve/Decimate.h"
#include "core/trial/RunResult.h"

#include <span>

namespace loadlab::cli {

/// A run in words: verdict, evidence, remedies, figures, curve, phases. On a terminal the curve is a sparkline,
/// elsewhere a few of its points as figures. `tree`: tree_bytes over seconds. With quiet the verdict's line alone.
void printRun(Output& out, const RunResult& result, std::span<const Point> tree);

/// Green for ok, yellow for what the operator did, red for failures.
Paint paintOf(const std::optional<FailureMode>& mode);

} // namespace loadlab::cli
