#pragma once

#include "core/telemetry/HostClock.h"
#include "core/telemetry/Machine.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {
class JsonFields;

/// The machine around a run, and what the run left on it.
struct HostTraces {
    struct File {
        std::string name; ///< Below /dev/shm.
        std::uint64_t bytes = 0;
    };
    std::optional<SystemMemory> before;
    std::optional<SystemMemory> after; ///< Once settled. Nothing: nobody looked what the run left.
    std::vector<File> shmFiles; ///< That appeared or grew during the run: of whom, only shmBytes tells.
    std::optional<std::uint64_t> shmBytes; ///< Charged to the run's own group after its last process ended.
    std::optional<std::uint64_t> cacheBytes; ///< Page cache that the run left.
    bool cacheIsOwn = false; ///< As charged to the run's group; else the growth of the whole machine's.
    std::optional<std::uint64_t> groupHighestBytes; ///< The group's highest usage, page cache included.
    std::optional<std::uint64_t> groupHighestWithSwapBytes; ///< At least what memory and swap together ever were.
    std::optional<std::uint64_t> groupLimitHits;
    /// Processes that left the run's group: no cap of it held for them. Nothing: no group, or not told.
    std::optional<std::vector<std::string>> outsideGroup;
    std::optional<std::uint64_t> bornOutside; ///< Descendants of those, born outside the group.
    std::vector<std::string> processes; ///< That outlived the worker and were killed.
    /// The run before in the same queue had not given back so much when this one started.
    std::optional<std::uint64_t> dirtyStartBytes;
    std::vector<Pause> pauses; ///< The first 100.
};

/// {"total_bytes", "available_bytes", "free_bytes", "cache_bytes", "swap_total_bytes", "swap_used_bytes"}
nlohmann::json toJson(const SystemMemory& memory);
SystemMemory systemMemoryFrom(const JsonFields& fields);

/// {"before": {…}, "after": {…}, "left": {…}, "group": {…}, "dirty_start_bytes", "pauses": […]}
nlohmann::json toJson(const HostTraces& traces);
/// Takes what is there.
HostTraces hostTracesFromJson(const nlohmann::json& json);

} // namespace loadlab
