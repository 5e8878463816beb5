#pragma once

#include "core/Result.h"
#include "core/trial/TrialRunner.h"

#include <cstdint>

namespace loadlab::cli {

class Lab;
class Words;

/// What `loadlab run` was asked for, ready to start.
struct TrialOrder {
    TrialSpec spec;
    std::uint64_t times = 1;
    bool repeated = false; ///< --repeat was given: the JSON is an array.
    bool follow = false;
};

/// Judges the words that only manifests and zoo can judge. Starts and makes nothing. Errors: Invalid is wrong usage (an
/// unknown backend, dtype, device map or option; an ambiguous name), NotFound a known backend that is not installed.
/// Wrong usage is found first. A checkpoint that cannot be found is none: its run ends as model_missing.
Result<TrialOrder> makeTrialOrder(Lab& lab, const Words& words);

} // namespace loadlab::cli
