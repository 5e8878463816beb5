#pragma once

#include "core/Result.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace loadlab {

/// How a checkpoint is to be loaded: backend + environment + dtype + device map + options.
/// All words are as the backend's manifest spells them, after translation of synonyms ("bf16" → "bfloat16").
struct Variant {
    std::string backend = "libtorch";
    std::optional<std::string> environment; ///< A Python environment; nothing for native backends.
    std::string dtype = "auto";
    std::string deviceMap = "cpu"; ///< A word of the manifest, or the text of a JSON object (module prefix → device).
    std::map<std::string, std::uint64_t> maxMemory; ///< Device ("0", "cuda:0", "cpu") → bytes; empty: not limited.
    std::map<std::string, std::string> options; ///< By the manifest's names; values as text, booleans "true" / "false".

    bool operator==(const Variant&) const = default;
};

/// {"backend", "environment", "dtype", "device_map" (string, or object when it is a JSON map), "max_memory", "options"}
nlohmann::json toJson(const Variant& variant);
Result<Variant> variantFromJson(const nlohmann::json& json);
/// SHA-256 of the canonical JSON (sorted keys, no spaces): equal variants have equal hashes, on every machine.
std::string canonicalHash(const Variant& variant);
/// "cpu=60GiB,0=20GiB" as --max-memory takes it.
Result<std::map<std::string, std::uint64_t>> parseMaxMemory(std::string_view text);

/// How little may be left before a load is stopped: so many bytes, else so many percent of the pool.
struct GuardMargin {
    std::optional<std::uint64_t> bytes;
    double percent = 0;
    bool operator==(const GuardMargin&) const = default;
    [[nodiscard]] std::uint64_t of(std::uint64_t poolBytes) const;
};
/// A size above 0, or a percentage above 0 and below 100 ("2GiB", "5%"); and as that is written, without loss.
Result<GuardMargin> parseGuardMargin(std::string_view text);
std::string toWord(const GuardMargin& margin);

/// What may end or contain a run. Absent: the lab never does.
struct Limits {
    std::optional<std::uint64_t> capMemoryBytes;
    std::optional<std::uint64_t> capSwapBytes;
    std::optional<GuardMargin> guard; ///< → guard_stopped.
    std::optional<std::chrono::nanoseconds> timeout; ///< From the start of the worker to the end of the exercise → timed_out.
    std::optional<std::chrono::nanoseconds> stall; ///< Without a sign of life → hang.
    double sampleHz = 20.0; ///< 1 … 1000.
};
nlohmann::json toJson(const Limits& limits);
Result<Limits> limitsFromJson(const nlohmann::json& json);

} // namespace loadlab
