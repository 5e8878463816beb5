#include "core/verdict/Judge.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/verdict/Finding.h"
#include "core/verdict/Questions.h"
#include "core/verdict/Tracebacks.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace loadlab {
namespace {

/// In the order of FAILURE_MODES: the first that has an answer decides.
constexpr std::array kQuestions{
    questions::labsOwnActs,
    questions::kernelEvidence,
    questions::failedStart,
    questions::workersError,
    questions::nonsense,
    questions::loaded,
    questions::statementInTheLog,
    questions::inspectedDefectAlone,
    questions::endedBySignal,
    questions::endedByItself,
};

Finding nothingKnown(const Case& asked)
{
    Finding finding;
    finding.confidence = 0.5;
    finding.summary = "Nothing is known of how this run ended.";
    finding.rule = "nothing-known";
    finding.evidence.push_back(
        {"lab", asked.facts.hello ? "the worker had said hello" : "no word from the worker", "unknown", 0.2});
    return finding;
}

/// Strongest first, speaking for or against.
void sortByWeight(std::vector<Evidence>& evidence)
{
    std::stable_sort(evidence.begin(), evidence.end(),
        [](const Evidence& a, const Evidence& b) { return std::abs(a.weight) > std::abs(b.weight); });
}

Verdict toVerdict(const Case& asked, Finding finding)
{
    questions::addContext(asked, finding);
    Verdict verdict;
    verdict.remedies = chooseRemedies(asked, finding);
    verdict.mode = finding.mode;
    verdict.confidence = finding.confidence;
    verdict.summary = toUtf8(finding.summary);
    verdict.rule = finding.rule;
    verdict.rulesVersion = asked.rules.version;
    verdict.evidence = std::move(finding.evidence);
    for (auto& item : verdict.evidence)
        item.fact = toUtf8(item.fact);
    sortByWeight(verdict.evidence);
    return verdict;
}

} // namespace

Verdict judge(const RunFacts& facts, const Rules& rules)
{
    Case asked{facts, *rules.data, logLines(facts.logTail)};
    asked.uncaught = markSurvived(asked.log, facts);
    for (const auto question : kQuestions)
        if (auto finding = question(asked))
            return toVerdict(asked, std::move(*finding));
    return toVerdict(asked, nothingKnown(asked));
}

} // namespace loadlab
