#include "core/Text.h"
#include "core/worker/PluginManifest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

// How the words of a variant, as typed, become the words of a manifest.

namespace loadlab {
using nlohmann::json;
namespace {

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool sameWord(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool isNumber(std::string_view text)
{
    constexpr std::size_t mostDigits = 4;
    return !text.empty() && text.size() <= mostDigits
        && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

/// "'bflaot16' is no dtype of libtorch (did you mean bfloat16? known: auto, …)"
Error unknownWord(std::string_view typed, std::string_view what, const std::vector<std::string>& known,
    const std::vector<std::string>& alsoNear = {})
{
    std::vector<std::string> candidates = known;
    candidates.insert(candidates.end(), alsoNear.begin(), alsoNear.end());
    const std::string nearest = nearestWord(typed, candidates);
    std::string message = "'" + toUtf8(typed) + "' is no " + std::string(what);
    if (!nearest.empty())
        message += ": did you mean '" + nearest + "'?";
    if (!known.empty())
        message += (nearest.empty() ? ": " : " ") + std::string("known: ") + joined(known);
    return {ErrorKind::Invalid, std::move(message)};
}

/// "cuda:N" of a manifest stands for cuda:0, cuda:1 …
bool fitsNumbered(std::string_view pattern, std::string_view typed)
{
    if (!pattern.ends_with(":N"))
        return false;
    const std::string_view stem = pattern.substr(0, pattern.size() - 1);
    return typed.size() > stem.size() && sameWord(typed.substr(0, stem.size()), stem)
        && isNumber(typed.substr(stem.size()));
}

Result<std::string> findWord(std::string_view typed, const std::vector<PluginWord>& words, const std::string& what)
{
    std::vector<std::string> names;
    std::vector<std::string> synonyms;
    for (const PluginWord& word : words) {
        if (sameWord(typed, word.name) && !word.name.ends_with(":N"))
            return word.name;
        if (fitsNumbered(word.name, typed)) {
            std::string numbered(typed);
            std::ranges::transform(numbered, numbered.begin(), lower);
            return numbered;
        }
        for (const std::string& synonym : word.synonyms)
            if (sameWord(typed, synonym))
                return word.name;
        names.push_back(word.name);
        synonyms.insert(synonyms.end(), word.synonyms.begin(), word.synonyms.end());
    }
    return unknownWord(typed, what, names, synonyms);
}

/// A device as JSON maps and --max-memory name it: "cpu", "cuda:1", "disk", or N for cuda:N.
Result<std::string> deviceName(std::string_view typed)
{
    if (isNumber(typed))
        return "cuda:" + std::string(typed);
    const std::size_t colon = typed.find(':');
    const std::string_view kind = typed.substr(0, colon);
    const bool letters = !kind.empty() && std::ranges::all_of(kind, [](char c) { return c >= 'a' && c <= 'z'; });
    if (!letters || (colon != std::string_view::npos && !isNumber(typed.substr(colon + 1))))
        return Error{ErrorKind::Invalid, "'" + toUtf8(typed) + "' is no device (cpu, cuda:0, or 0 for cuda:0)"};
    return std::string(typed);
}

Result<std::string> jsonDeviceMap(std::string_view typed)
{
    json map = json::parse(typed, nullptr, false);
    if (!map.is_object() || map.empty())
        return Error{ErrorKind::Invalid,
            "'" + toUtf8(typed) + R"(' is no device map (a JSON object such as {"model.layers.0": "cpu", "": 0}))"};
    for (auto& [module, device] : map.items()) {
        if (!device.is_string() && !device.is_number_unsigned())
            return Error{ErrorKind::Invalid,
                "device map: '" + module + "' should be sent to a device, but the value is " + device.dump()};
        Result<std::string> name = deviceName(device.is_string() ? device.get<std::string>() : device.dump());
        if (!name)
            return std::move(name).error().in("device map, '" + module + "'");
        if (device.is_string())
            device = *std::move(name);
    }
    return map.dump();
}

Result<std::string> boolValue(const std::string& typed)
{
    for (const std::string_view yes : {"true", "1", "yes", "on"})
        if (sameWord(typed, yes))
            return std::string("true");
    for (const std::string_view no : {"false", "0", "no", "off"})
        if (sameWord(typed, no))
            return std::string("false");
    return Error{ErrorKind::Invalid, "'" + toUtf8(typed) + "' is neither true nor false"};
}

Result<std::string> intValue(const std::string& typed)
{
    long long number = 0;
    const char* end = typed.data() + typed.size();
    const auto [stop, error] = std::from_chars(typed.data(), end, number);
    if (error != std::errc{} || stop != end)
        return Error{ErrorKind::Invalid, "'" + toUtf8(typed) + "' is no whole number"};
    return std::to_string(number);
}

Result<std::string> numberValue(const std::string& typed)
{
    double number = 0;
    const char* end = typed.data() + typed.size();
    const auto [stop, error] = std::from_chars(typed.data(), end, number);
    if (error != std::errc{} || stop != end || !std::isfinite(number))
        return Error{ErrorKind::Invalid, "'" + toUtf8(typed) + "' is no number"};
    std::array<char, 64> shortest{};
    const auto written = std::to_chars(shortest.data(), shortest.data() + shortest.size(), number);
    return std::string(shortest.data(), written.ptr);
}

Result<std::string> normaliseDtype(const PluginManifest& manifest, const std::string& typed)
{
    if (manifest.dtypes.empty()) {
        if (typed.empty() || typed == "auto")
            return std::string("auto");
        return Error{
            ErrorKind::Invalid, "backend '" + manifest.name + "' takes no dtype, '" + toUtf8(typed) + "' was given"};
    }
    return typed.empty() ? manifest.dtypes.front().name
                         : findWord(typed, manifest.dtypes, "dtype of backend '" + manifest.name + "'");
}

Result<std::string> normaliseDeviceMap(const PluginManifest& manifest, const std::string& typed)
{
    const std::string what = "device map of backend '" + manifest.name + "'";
    const std::size_t first = typed.find_first_not_of(" \t\n");
    if (first != std::string::npos && (typed[first] == '{' || typed[first] == '[')) {
        if (manifest.takesJsonDeviceMap)
            return jsonDeviceMap(typed);
        return Error{ErrorKind::Invalid, "backend '" + manifest.name + "' takes no JSON device map"};
    }
    if (manifest.deviceMaps.empty()) {
        if (typed.empty() || typed == "cpu" || typed == "auto")
            return std::string("cpu");
        return Error{ErrorKind::Invalid,
            "backend '" + manifest.name + "' takes no device map, '" + toUtf8(typed) + "' was given"};
    }
    return typed.empty() ? manifest.deviceMaps.front().name : findWord(typed, manifest.deviceMaps, what);
}

Result<std::map<std::string, std::uint64_t>> normaliseMaxMemory(
    const PluginManifest& manifest, const std::map<std::string, std::uint64_t>& asked)
{
    std::map<std::string, std::uint64_t> limits;
    if (!asked.empty() && !manifest.takesMaxMemory)
        return Error{ErrorKind::Invalid, "backend '" + manifest.name + "' takes no max_memory"};
    for (const auto& [device, bytes] : asked) {
        Result<std::string> name = deviceName(device);
        if (!name)
            return std::move(name).error().in("max_memory");
        if (!limits.emplace(*name, bytes).second)
            return Error{ErrorKind::Invalid, "max_memory names " + *name + " twice"};
    }
    return limits;
}

Result<std::map<std::string, std::string>> normaliseOptions(
    const PluginManifest& manifest, const std::map<std::string, std::string>& asked)
{
    std::map<std::string, std::string> options;
    for (const auto& [name, typed] : asked) {
        const auto option = std::ranges::find(manifest.options, name, &PluginOption::name);
        if (option == manifest.options.end()) {
            std::vector<std::string> known;
            std::ranges::transform(manifest.options, std::back_inserter(known), &PluginOption::name);
            return unknownWord(name, "option of backend '" + manifest.name + "'", known);
        }
        Result<std::string> value = normaliseOption(*option, typed);
        if (!value)
            return std::move(value).error().in("option '" + name + "'");
        if (*value != option->defaultValue)
            options[name] = *std::move(value);
    }
    return options;
}

} // namespace

Result<std::string> normaliseOption(const PluginOption& option, const std::string& typed)
{
    switch (option.type) {
    case OptionType::Bool:
        return boolValue(typed);
    case OptionType::Int:
        return intValue(typed);
    case OptionType::Number:
        return numberValue(typed);
    case OptionType::Choice:
        if (std::ranges::find(option.choices, typed) == option.choices.end())
            return unknownWord(typed, "choice", option.choices);
        return typed;
    case OptionType::Text:
        break;
    }
    return typed;
}

Result<Variant> PluginManifest::normalise(const Variant& asked) const
{
    if (asked.backend != name)
        return Error{
            ErrorKind::Invalid, "the variant is for backend '" + toUtf8(asked.backend) + "', not '" + name + "'"};
    if (asked.environment && !takesEnvironment)
        return Error{ErrorKind::Invalid,
            "backend '" + name + "' takes no environment, '" + toUtf8(*asked.environment) + "' was given"};
    Result<std::string> dtype = normaliseDtype(*this, asked.dtype);
    if (!dtype)
        return std::move(dtype).error();
    Result<std::string> map = normaliseDeviceMap(*this, asked.deviceMap);
    if (!map)
        return std::move(map).error();
    Result<std::map<std::string, std::uint64_t>> memory = normaliseMaxMemory(*this, asked.maxMemory);
    if (!memory)
        return std::move(memory).error();
    Result<std::map<std::string, std::string>> checked = normaliseOptions(*this, asked.options);
    if (!checked)
        return std::move(checked).error();
    return Variant{
        name, asked.environment, *std::move(dtype), *std::move(map), *std::move(memory), *std::move(checked)};
}

} // namespace loadlab
