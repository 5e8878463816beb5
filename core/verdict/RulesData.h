#pragma once

#include "core/FailureMode.h"
#include "core/verdict/Judge.h"
#include "core/verdict/Pattern.h"

#include <string>
#include <vector>

namespace loadlab {

/// A failure signature: what a text says when a mode is the cause.
struct TextRule {
    std::string id;
    FailureMode mode = FailureMode::Unknown;
    std::vector<std::string> types; ///< Exception classes, lower case; with patterns too, both must hold.
    std::vector<Pattern> match; ///< One of them.
    std::vector<Pattern> unless; ///< None of them.
    bool inError = true; ///< The worker's own error event.
    bool inLog = true; ///< Lines on stderr.
    bool atStart = false; ///< Why a worker could not be started.
    double weight = 0.9; ///< How specific: the confidence that it alone gives to a worker's error.
};

/// What is known to help.
struct RemedyRule {
    std::string id;
    std::vector<FailureMode> modes;
    std::string text; ///< "{file}", "{model}": what is named; a part in [] (a command) is left out when one of its own
                      ///< is not known, or could not be typed as it is.
    std::string changeJson = "null";
    // When it applies; empty: always.
    std::vector<std::string> backends;
    std::vector<std::string> notBackends;
    std::vector<std::string> dtypes;
    std::vector<std::string> notDtypes;
    std::vector<Pattern> said; ///< One of them, in what the worker, the log or the inspection said.
    std::vector<Pattern> notSaid;
};

struct Rules::Data {
    std::vector<TextRule> texts;
    std::vector<RemedyRule> remedies;
    std::vector<Error> errors;
    int version = 0;
};

} // namespace loadlab
