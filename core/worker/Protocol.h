#pragma once

#include "core/Result.h"
#include "core/Variant.h"

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The worker protocol as values; docs/PROTOCOL.md is its home. JSON Lines: the job and commands go to the worker's
/// stdin, events leave on its stdout. All times are CLOCK_MONOTONIC nanoseconds.
namespace loadlab::protocol {

inline constexpr int kVersion = 1;
/// Longest line a reader accepts; a longer one is nonsense.
inline constexpr std::size_t kMaxLineBytes = std::size_t{8} << 20;

/// First line on stdin.
struct Job {
    std::string run; ///< Uuid.
    std::string
        checkpoint; ///< Path as bytes; on the wire "checkpoint" (UTF-8) and, where that loses bytes, "checkpoint_hex".
    Variant variant;
    std::string resources; ///< Folder with families/.
};

/// Later lines on stdin. A worker answers a command it does not know with a `warning`.
struct Exercise {
    std::string kind; ///< "load" does nothing more; others come with later backends.
    std::string argument;
};
struct Cancel { };
struct Unload { };
using Command = std::variant<Exercise, Cancel, Unload>;

struct Hello {
    int protocol = kVersion;
    std::string backend;
    std::map<std::string, std::string> versions; ///< Of everything that matters: {"libtorch": "1.13.1", …}
    std::map<std::string, std::string> facts; ///< Devices, build flags: {"devices": "cpu"}
};
struct PhaseEntered {
    std::string name; ///< "inspecting", "reading", "checking", "holding"
};
struct Progress {
    std::string unit; ///< "tensors"
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    std::uint64_t doneBytes = 0;
    std::uint64_t totalBytes = 0;
    std::string what; ///< The tensor or file at hand.
};
/// What was really loaded.
struct Loaded {
    std::uint64_t parameters = 0;
    std::map<std::string, std::uint64_t> dtypes; ///< Safetensors name of the dtype in memory → elements.
    std::map<std::string, std::uint64_t> devices; ///< Device → bytes.
    std::uint64_t tensors = 0;
    std::vector<std::string> missing; ///< Expected by the family, absent; at most 100 names, `missingCount` counts all.
    std::vector<std::string> unexpected;
    std::vector<std::string> misshaped; ///< "name: expected [a, b], stored [c, d]"
    std::uint64_t missingCount = 0;
    std::uint64_t unexpectedCount = 0;
    std::uint64_t misshapedCount = 0;
    bool familyKnown = false; ///< False: nothing was expected, nothing was compared.
    std::uint64_t nonFiniteTensors = 0; ///< Among the sampled values.
    std::vector<std::string> nonFinite; ///< At most 100 names.
    std::uint64_t sampledValues = 0;
    std::map<std::string, std::string> facts; ///< "reader": "mapped views" …
};
struct Turn {
    std::string text; ///< The event's JSON as it came: later backends give it meaning.
};
struct Warning {
    std::string code; ///< "dtype_kept_raw", "unknown_command" …
    std::string message;
};
/// The load failed and says why. `type` is a failure mode's wire name where the worker knows it, else the exception's
/// class.
struct WorkerError {
    std::string type;
    std::string message;
    std::string traceback;
    std::string file; ///< May be empty.
    std::string remedy; ///< The way out in words; may be empty.
};
struct Bye {
    int code = 0;
};

using Body = std::variant<Hello, PhaseEntered, Progress, Loaded, Turn, Warning, WorkerError, Bye>;
struct Message {
    std::int64_t monotonicNs = 0;
    Body body;
};

/// Wire name of the event: "hello", "phase", "progress", "loaded", "turn", "warning", "error", "bye".
std::string_view typeOf(const Message& message);
/// {"event": …, "t_ns": …, fields}; job and commands {"command": …, fields}. Always valid UTF-8.
nlohmann::json toJson(const Message& message);
nlohmann::json toJson(const Job& job);
nlohmann::json toJson(const Command& command);
/// Invalid: no such type, a missing field, a wrong type; a number of another protocol is named. Unknown fields are
/// ignored.
Result<Message> messageFromJson(const nlohmann::json& json);
Result<Job> jobFromJson(const nlohmann::json& json);
Result<Command> commandFromJson(const nlohmann::json& json);

} // namespace loadlab::protocol
