#pragma once

#include "core/verdict/LogLines.h"
#include "core/verdict/RulesData.h"
#include "core/verdict/RunFacts.h"

#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// What is asked about: the facts, the rules and the log split once.
struct Case {
    const RunFacts& facts;
    const Rules::Data& rules;
    std::vector<LogLine> log;
    std::optional<std::size_t> uncaught = {}; ///< The line of the log that names the exception which ended it.
};

/// An answer to one of the questions in their order; the first one becomes the verdict.
struct Finding {
    FailureMode mode = FailureMode::Unknown;
    double confidence = 0;
    std::string summary;
    std::string rule;
    std::vector<Evidence> evidence;
    std::string file; ///< For the remedies' words.
};
using Answer = std::optional<Finding>;

/// A signature that fits, and where.
struct TextMatch {
    const TextRule* rule = nullptr;
    std::string line;
    const TextRule* rival = nullptr; ///< Another mode that explains the text equally well.
};
/// The best fit in the worker's error, the log, or a start error: the most specific, then by the order of causes
/// (source, consent, file, packages, memory, placement, device, use), then the first.
std::optional<TextMatch> matchError(const Case& asked);
std::optional<TextMatch> matchLog(const Case& asked);
std::optional<TextMatch> matchStart(const Case& asked);

/// What inspecting the checkpoint found that forbids a load, if anything.
struct InspectedDefect {
    FailureMode mode = FailureMode::Unknown;
    std::string file;
    std::string text;
};
std::optional<InspectedDefect> inspectedDefect(const RunFacts& facts);

/// In which ways that which was loaded differs from what was asked; empty: in none.
std::vector<Evidence> loadedFaults(const RunFacts& facts);

/// Remedies for a verdict, best first.
std::vector<Remedy> chooseRemedies(const Case& asked, const Finding& finding);

/// "SIGSEGV"; "signal 63" for one without a name.
std::string signalName(int signal);

} // namespace loadlab
