#include "core/trial/HostTraces.h"

#include "core/OrNull.h"
#include "core/worker/JsonFields.h"

#include <nlohmann/json.hpp>

namespace loadlab {
using nlohmann::json;
namespace {

constexpr std::size_t kMostFiles = 20;
constexpr std::size_t kMostPauses = 100;

json memoryJson(const std::optional<SystemMemory>& memory)
{
    return memory ? toJson(*memory) : json(nullptr);
}

json pausesJson(const std::vector<Pause>& pauses)
{
    json list = json::array();
    for (const Pause& pause : pauses)
        if (list.size() < kMostPauses)
            list.push_back({{"of", pause.ofMachine ? "machine" : "lab"}, {"at_s", pause.atS},
                {"for_s", std::chrono::duration<double>(pause.length).count()}});
    return list;
}

std::vector<Pause> pausesFrom(const JsonFields& fields)
{
    std::vector<Pause> pauses;
    if (const json* list = fields.find("pauses"); list && list->is_array())
        for (const json& entry : *list) {
            const JsonFields pause(entry, fields.place("pauses"));
            const std::chrono::duration<double> length(pause.value<double>("for_s"));
            pauses.push_back({pause.value<std::string>("of") == "machine", pause.value<double>("at_s"),
                std::chrono::round<std::chrono::nanoseconds>(length)});
        }
    return pauses;
}

std::optional<SystemMemory> memoryFrom(const JsonFields& fields, const char* key)
{
    if (!fields.has(key))
        return std::nullopt;
    return systemMemoryFrom({fields.need(key), fields.place(key)});
}

void readLeft(const JsonFields& left, HostTraces& into)
{
    into.shmBytes = left.optional<std::uint64_t>("shm_bytes");
    into.cacheBytes = left.optional<std::uint64_t>("cache_bytes");
    into.cacheIsOwn = left.value<std::string>("cache_of") == "run";
    into.processes = left.value<std::vector<std::string>>("processes");
    if (const json* files = left.find("shm_files"); files && files->is_array())
        for (const json& file : *files) {
            const JsonFields fields(file, left.place("shm_files"));
            into.shmFiles.push_back({fields.value<std::string>("name"), fields.value<std::uint64_t>("bytes")});
        }
}

} // namespace

json toJson(const SystemMemory& memory)
{
    return {{"total_bytes", memory.totalBytes}, {"available_bytes", memory.availableBytes},
        {"free_bytes", memory.freeBytes}, {"cache_bytes", memory.cacheBytes},
        {"swap_total_bytes", memory.swapTotalBytes}, {"swap_used_bytes", memory.swapUsedBytes}};
}

SystemMemory systemMemoryFrom(const JsonFields& fields)
{
    SystemMemory memory;
    memory.totalBytes = fields.value<std::uint64_t>("total_bytes");
    memory.availableBytes = fields.value<std::uint64_t>("available_bytes");
    memory.freeBytes = fields.value<std::uint64_t>("free_bytes");
    memory.cacheBytes = fields.value<std::uint64_t>("cache_bytes");
    memory.swapTotalBytes = fields.value<std::uint64_t>("swap_total_bytes");
    memory.swapUsedBytes = fields.value<std::uint64_t>("swap_used_bytes");
    return memory;
}

json toJson(const HostTraces& traces)
{
    json files = json::array();
    for (const HostTraces::File& file : traces.shmFiles)
        if (files.size() < kMostFiles)
            files.push_back({{"name", file.name}, {"bytes", file.bytes}});
    const auto ifLooked = [&traces](json value) { return traces.after ? std::move(value) : json(nullptr); };
    return {{"before", memoryJson(traces.before)}, {"after", memoryJson(traces.after)},
        {"left",
            {{"processes", ifLooked(traces.processes)}, {"shm_files", ifLooked(std::move(files))},
                {"shm_bytes", orNull(traces.shmBytes)}, {"cache_bytes", orNull(traces.cacheBytes)},
                {"cache_of", ifLooked(traces.cacheIsOwn ? "run" : "machine")}}},
        {"group",
            {{"highest_usage_bytes", orNull(traces.groupHighestBytes)},
                {"highest_with_swap_bytes", orNull(traces.groupHighestWithSwapBytes)},
                {"limit_hits", orNull(traces.groupLimitHits)}, {"left_by", orNull(traces.outsideGroup)},
                {"born_outside", orNull(traces.bornOutside)}}},
        {"dirty_start_bytes", orNull(traces.dirtyStartBytes)}, {"pauses", ifLooked(pausesJson(traces.pauses))}};
}

HostTraces hostTracesFromJson(const json& source)
try {
    HostTraces traces;
    const JsonFields fields(source, "host");
    traces.before = memoryFrom(fields, "before");
    traces.after = memoryFrom(fields, "after");
    traces.pauses = pausesFrom(fields);
    traces.dirtyStartBytes = fields.optional<std::uint64_t>("dirty_start_bytes");
    if (fields.has("left"))
        readLeft(JsonFields(fields.need("left"), fields.place("left")), traces);
    if (fields.has("group")) {
        const JsonFields group(fields.need("group"), fields.place("group"));
        traces.groupHighestBytes = group.optional<std::uint64_t>("highest_usage_bytes");
        traces.groupHighestWithSwapBytes = group.optional<std::uint64_t>("highest_with_swap_bytes");
        traces.groupLimitHits = group.optional<std::uint64_t>("limit_hits");
        traces.outsideGroup = group.optional<std::vector<std::string>>("left_by");
        traces.bornOutside = group.optional<std::uint64_t>("born_outside");
    }
    return traces;
} catch (const FieldError&) {
    return {};
}

} // namespace loadlab
