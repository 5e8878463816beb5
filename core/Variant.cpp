#include "core/Variant.h"

#include "core/Digest.h"
#include "core/OrNull.h"
#include "core/Text.h"
#include "core/Units.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace loadlab {
using nlohmann::json;
namespace {

std::int64_t nanoseconds(std::chrono::nanoseconds value)
{
    return value.count();
}

/// The device map as JSON: an object where the text is one, else the word itself.
json deviceMapJson(const std::string& text)
{
    const json parsed = json::parse(text, nullptr, false);
    return parsed.is_object() ? parsed : json(toUtf8(text));
}

} // namespace

json toJson(const Variant& variant)
{
    json options = json::object();
    for (const auto& [key, value] : variant.options)
        options[toUtf8(key)] = toUtf8(value);
    return {
        {"backend", toUtf8(variant.backend)},
        {"environment", variant.environment ? json(toUtf8(*variant.environment)) : json(nullptr)},
        {"dtype", toUtf8(variant.dtype)},
        {"device_map", deviceMapJson(variant.deviceMap)},
        {"max_memory", variant.maxMemory.empty() ? json(nullptr) : json(variant.maxMemory)},
        {"options", std::move(options)},
    };
}

Result<Variant> variantFromJson(const json& source)
try {
    Variant variant;
    variant.backend = source.at("backend").get<std::string>();
    if (const auto environment = source.find("environment"); environment != source.end() && !environment->is_null())
        variant.environment = environment->get<std::string>();
    variant.dtype = source.value("dtype", variant.dtype);
    if (const auto map = source.find("device_map"); map != source.end() && !map->is_null())
        variant.deviceMap = map->is_string() ? map->get<std::string>() : map->dump();
    if (const auto memory = source.find("max_memory"); memory != source.end() && !memory->is_null())
        variant.maxMemory = memory->get<std::map<std::string, std::uint64_t>>();
    if (const auto options = source.find("options"); options != source.end())
        for (const auto& [key, value] : options->items())
            variant.options[key] = value.is_string() ? value.get<std::string>() : value.dump();
    return variant;
} catch (const json::exception& error) {
    return Error {ErrorKind::Invalid, std::string("variant: ") + error.what()};
}

std::string canonicalHash(const Variant& variant)
{
    return sha256Hex(toJson(variant).dump());
}

Result<std::map<std::string, std::uint64_t>> parseMaxMemory(std::string_view text)
{
    std::map<std::string, std::uint64_t> parsed;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::string_view part = text.substr(at, comma - at);
        const std::size_t equals = part.find('=');
        if (equals == 0 || equals == std::string_view::npos)
            return Error {ErrorKind::Invalid, "'" + std::string(part) + "' is no DEVICE=SIZE (example: 0=20GiB,cpu=60GiB)"};
        Result<std::uint64_t> bytes = parseSize(part.substr(equals + 1));
        if (!bytes)
            return std::move(bytes).error();
        const auto [before, fresh] = parsed.emplace(part.substr(0, equals), *bytes);
        if (!fresh && before->second != *bytes)
            return Error {ErrorKind::Invalid, "'" + std::string(part) + "': device '" + before->first + "' is named twice"};
        at = comma + 1;
    }
    return parsed;
}

std::uint64_t GuardMargin::of(std::uint64_t poolBytes) const
{
    return bytes.value_or(static_cast<std::uint64_t>(percent / 100 * static_cast<double>(poolBytes)));
}

Result<GuardMargin> parseGuardMargin(std::string_view text)
{
    const Result<SizeOrPercent> given = parseSizeOrPercent(text);
    const bool isShare = trimmed(text).ends_with('%');
    if (given && isShare && given->percent > 0 && given->percent < 100)
        return GuardMargin{std::nullopt, given->percent};
    if (given && !isShare && given->bytes > 0)
        return GuardMargin{given->bytes, 0};
    return Error{ErrorKind::Invalid,
        "'" + toUtf8(text) + "' is no "
            + (isShare ? "percentage: above 0 and below 100 (examples: 5%, 2.5%)."
                       : "margin for the guard: so much has to stay free (examples: 2GiB, 5%).")};
}

std::string toWord(const GuardMargin& margin)
{
    if (margin.bytes)
        return exactSize(*margin.bytes);
    std::array<char, 32> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), margin.percent);
    return std::string(buffer.data(), written.ptr) + "%";
}

json toJson(const Limits& limits)
{
    const auto duration = [](const std::optional<std::chrono::nanoseconds>& value) {
        return value ? json(nanoseconds(*value)) : json(nullptr);
    };
    json guard = nullptr;
    if (limits.guard)
        guard = limits.guard->bytes ? json {{"bytes", *limits.guard->bytes}} : json {{"percent", limits.guard->percent}};
    return {
        {"guard", guard},
        {"cap_memory_bytes", orNull(limits.capMemoryBytes)},
        {"cap_swap_bytes", orNull(limits.capSwapBytes)},
        {"timeout_ns", duration(limits.timeout)},
        {"stall_ns", duration(limits.stall)},
        {"sample_hz", limits.sampleHz},
    };
}

Result<Limits> limitsFromJson(const json& source)
try {
    Limits limits;
    const auto read = [&source](const char* key, auto& target) {
        if (const auto found = source.find(key); found != source.end() && !found->is_null())
            target = found->get<std::uint64_t>();
    };
    const auto readDuration = [&source](const char* key, std::optional<std::chrono::nanoseconds>& target) {
        if (const auto found = source.find(key); found != source.end() && !found->is_null())
            target = std::chrono::nanoseconds(found->get<std::int64_t>());
    };
    read("cap_memory_bytes", limits.capMemoryBytes);
    read("cap_swap_bytes", limits.capSwapBytes);
    if (const auto found = source.find("guard"); found != source.end() && found->is_object()) {
        limits.guard.emplace();
        if (found->contains("bytes"))
            limits.guard->bytes = found->at("bytes").get<std::uint64_t>();
        limits.guard->percent = found->value("percent", 0.0);
    }
    readDuration("timeout_ns", limits.timeout);
    readDuration("stall_ns", limits.stall);
    limits.sampleHz = source.value("sample_hz", limits.sampleHz);
    return limits;
} catch (const json::exception& error) {
    return Error {ErrorKind::Invalid, std::string("limits: ") + error.what()};
}

} // namespace loadlab
