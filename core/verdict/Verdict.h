#pragma once

#include "core/FailureMode.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace loadlab {

/// One fact with its source and how it weighs.
struct Evidence {
    std::string source; ///< "cgroup.oom_kill", "worker.error", "wait status", "checkpoint", "lab", "log", "curve"
    std::string fact; ///< In words, with figures.
    std::string supports; ///< Wire name of the mode it speaks for.
    double weight = 0; ///< 0..1; negative: speaks against.
};

struct Remedy {
    std::string id; ///< Stable, e.g. "fetch-again", "dtype-auto".
    std::string text; ///< One sentence that a person can follow.
    std::string changeJson = "null"; ///< The change to the variant as a JSON object, or "null".
    std::string basis = "rule"; ///< "rule" or "runs"
    std::vector<long long> runs;
};

struct Verdict {
    FailureMode mode = FailureMode::Unknown;
    double confidence = 0; ///< 0..1
    std::string summary; ///< One sentence in plain words.
    std::vector<Evidence> evidence; ///< Strongest first.
    std::vector<Remedy> remedies; ///< Best first.
    std::string rule; ///< Id of the rule that decided.
    int rulesVersion = 0;
};

/// {"mode", "confidence", "summary", "evidence", "remedies", "rule", "rules_version"}
nlohmann::json toJson(const Verdict& verdict);
/// Takes what is there: what is absent or of another type keeps its default, an unknown mode is `unknown`. Never throws.
Verdict verdictFromJson(const nlohmann::json& json);

} // namespace loadlab
