#pragma once

#include "core/Result.h"
#include "core/verdict/RunFacts.h"
#include "core/verdict/Verdict.h"

#include <filesystem>
#include <memory>

namespace loadlab {

/// Failure signatures and remedies of resources/rules/*.json (documented in resources/rules/README.md). Immutable, cheap to
/// copy. A broken rule file is an error with file and place; the others count all the same.
class Rules {
public:
    static Rules load(const std::filesystem::path& rulesFolder);
    [[nodiscard]] const std::vector<Error>& errors() const;
    [[nodiscard]] int version() const;

    struct Data;
    Rules();
    std::shared_ptr<const Data> data;
};

/// Pure: same facts and rules, same verdict; any thread; never throws. Order: the lab's own acts → kernel evidence of an
/// OOM kill → the worker's own error → log rules → wait status → unknown, said as unknown. A SIGKILL is an OOM kill only on
/// kernel evidence.
Verdict judge(const RunFacts& facts, const Rules& rules);

} // namespace loadlab
