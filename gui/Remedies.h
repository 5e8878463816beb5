#pragma once

#include "core/Result.h"
#include "core/Variant.h"
#include "core/trial/TrialRunner.h"
#include "gui/Lab.h"

#include <string_view>

namespace loadlab {

/// The variant with a remedy's change ({"dtype": "auto", "options": {"k": "v"}}); keys it does not name stay.
Result<Variant> withChange(const Variant& variant, std::string_view changeJson);

/// The same trial once more, with another variant (a remedy's) where one is given. NotFound: its backend is gone;
/// Invalid: what it watched is not known.
Result<TrialSpec> trialOf(const Lab& lab, const RunResult& run, const Variant& variant);

} // namespace loadlab
