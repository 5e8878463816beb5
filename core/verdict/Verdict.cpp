#include "core/verdict/Verdict.h"

#include "core/Text.h"

#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using nlohmann::json;

json toJson(const Evidence& evidence)
{
    return {{"source", toUtf8(evidence.source)}, {"fact", toUtf8(evidence.fact)},
        {"supports", toUtf8(evidence.supports)}, {"weight", evidence.weight}};
}

json toJson(const Remedy& remedy)
{
    auto change = json::parse(remedy.changeJson, nullptr, false);
    if (!change.is_object())
        change = nullptr;
    return {{"id", toUtf8(remedy.id)}, {"text", toUtf8(remedy.text)}, {"change", std::move(change)},
        {"basis", toUtf8(remedy.basis)}, {"runs", remedy.runs}};
}

/// The text under a key, or "" for anything else.
std::string textOf(const json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double numberOf(const json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : 0.0;
}

/// The objects in the array under a key; what is none is passed over.
std::vector<json> objectsOf(const json& object, const char* key)
{
    std::vector<json> objects;
    const auto found = object.find(key);
    if (found != object.end() && found->is_array())
        for (const auto& item : *found)
            if (item.is_object())
                objects.push_back(item);
    return objects;
}

Remedy remedyFrom(const json& object)
{
    Remedy remedy{textOf(object, "id"), textOf(object, "text"), "null", textOf(object, "basis"), {}};
    if (const auto change = object.find("change"); change != object.end() && change->is_object())
        remedy.changeJson = change->dump(-1, ' ', false, json::error_handler_t::replace);
    if (const auto runs = object.find("runs"); runs != object.end() && runs->is_array())
        for (const auto& run : *runs)
            if (run.is_number_integer())
                remedy.runs.push_back(run.get<long long>());
    return remedy;
}

} // namespace

json toJson(const Verdict& verdict)
{
    json evidence = json::array();
    for (const auto& item : verdict.evidence)
        evidence.push_back(toJson(item));
    json remedies = json::array();
    for (const auto& item : verdict.remedies)
        remedies.push_back(toJson(item));
    return {{"mode", std::string(toWireName(verdict.mode))}, {"confidence", verdict.confidence},
        {"summary", toUtf8(verdict.summary)}, {"evidence", std::move(evidence)}, {"remedies", std::move(remedies)},
        {"rule", toUtf8(verdict.rule)}, {"rules_version", verdict.rulesVersion}};
}

Verdict verdictFromJson(const json& json)
{
    Verdict verdict;
    if (!json.is_object())
        return verdict;
    verdict.mode = findFailureMode(textOf(json, "mode")).value_or(FailureMode::Unknown);
    verdict.confidence = numberOf(json, "confidence");
    verdict.summary = textOf(json, "summary");
    for (const auto& item : objectsOf(json, "evidence"))
        verdict.evidence.push_back(
            {textOf(item, "source"), textOf(item, "fact"), textOf(item, "supports"), numberOf(item, "weight")});
    for (const auto& item : objectsOf(json, "remedies"))
        verdict.remedies.push_back(remedyFrom(item));
    verdict.rule = textOf(json, "rule");
    verdict.rulesVersion = static_cast<int>(numberOf(json, "rules_version"));
    return verdict;
}

} // namespace loadlab
