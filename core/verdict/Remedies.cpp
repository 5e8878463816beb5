#include "core/verdict/Finding.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using nlohmann::json;

bool isIn(const std::vector<std::string>& words, const std::string& word)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool anySaid(const std::vector<Pattern>& patterns, const std::string& lowered)
{
    return std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(lowered); });
}

/// Everything that was said about the case, one text in lower case.
std::string allSaid(const Case& asked, const Finding& finding)
{
    std::string said;
    for (const auto& item : finding.evidence)
        said += item.fact + "\n";
    if (asked.facts.error)
        said += asked.facts.error->type + ": " + asked.facts.error->message + "\n";
    for (const auto& problem : asked.facts.problems)
        said += problem.text + "\n";
    return toLowerAscii(said);
}

bool applies(const RemedyRule& rule, const Variant& variant, FailureMode mode, const std::string& said)
{
    return std::find(rule.modes.begin(), rule.modes.end(), mode) != rule.modes.end()
        && (rule.backends.empty() || isIn(rule.backends, variant.backend)) && !isIn(rule.notBackends, variant.backend)
        && (rule.dtypes.empty() || isIn(rule.dtypes, variant.dtype)) && !isIn(rule.notDtypes, variant.dtype)
        && (rule.said.empty() || anySaid(rule.said, said)) && !anySaid(rule.notSaid, said);
}

/// Whether the variant has it all already. "options" are taken one by one: a change adds to them.
bool changesNothing(const json& change, const json& variant)
{
    return std::all_of(change.items().begin(), change.items().end(), [&variant](const auto& item) {
        const auto here = variant.find(item.key());
        if (here == variant.end())
            return false;
        if (item.key() != "options" || !item.value().is_object() || !here->is_object())
            return item.value() == *here;
        return changesNothing(item.value(), *here);
    });
}

void replaceAll(std::string& text, std::string_view place, const std::string& value)
{
    for (auto at = text.find(place); at != text.npos; at = text.find(place, at + value.size()))
        text.replace(at, place.size(), value);
}

/// Without the parts in brackets that name what is not known; the others lose their brackets.
std::string withoutUnknown(std::string text, std::string_view place)
{
    for (auto open = text.find('['); open != text.npos; open = text.find('[', open + 1)) {
        const auto close = text.find(']', open);
        if (close == text.npos)
            break;
        const auto length = close - open + 1;
        if (text.substr(open, length).find(place) != text.npos)
            text.erase(open--, length);
    }
    return text;
}

/// Whether a name can stand in a command line as it is, and names a file of the checkpoint: names come from indexes and
/// folders that a stranger made.
bool isHarmless(std::string_view file)
{
    const bool plain = std::ranges::all_of(file, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || std::string_view("-_./+").find(c) != std::string_view::npos;
    });
    return plain && !file.empty() && file.front() != '-' && file.front() != '/' && file.find("..") == file.npos;
}

std::string filledIn(std::string text, const std::string& file, const std::string& model)
{
    if (!isHarmless(file))
        text = withoutUnknown(std::move(text), "{file}");
    if (model.empty())
        text = withoutUnknown(std::move(text), "{model}");
    std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
    replaceAll(text, "{file}", file.empty() ? "the files named above" : file);
    replaceAll(text, "{model}", model.empty() ? "the model" : model);
    return text;
}

} // namespace

std::vector<Remedy> chooseRemedies(const Case& asked, const Finding& finding)
{
    const auto said = allSaid(asked, finding);
    const auto variant = toJson(asked.facts.variant);
    std::vector<Remedy> withChange;
    std::vector<Remedy> words;
    for (const auto& rule : asked.rules.remedies) {
        if (!applies(rule, asked.facts.variant, finding.mode, said))
            continue;
        const auto change = json::parse(rule.changeJson, nullptr, false);
        if (change.is_object() && changesNothing(change, variant))
            continue;
        auto& list = change.is_object() ? withChange : words;
        list.push_back({rule.id, filledIn(rule.text, finding.file, asked.facts.model), rule.changeJson, "rule", {}});
    }
    const bool failed = finding.mode != FailureMode::Ok && finding.mode != FailureMode::Cancelled;
    if (failed && asked.facts.error && !asked.facts.error->remedy.empty())
        withChange.push_back({"worker-advice", excerpt(asked.facts.error->remedy), "null", "rule", {}});
    withChange.insert(withChange.end(), words.begin(), words.end());
    return withChange;
}

} // namespace loadlab
