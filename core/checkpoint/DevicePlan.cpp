#include "core/checkpoint/DevicePlan.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/ModuleBlocks.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace loadlab {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
constexpr std::string_view kCpu = "cpu";

const std::vector<std::string>& knownWords()
{
    static const std::vector<std::string> words{"cpu", "cuda", "auto", "balanced", "sequential"};
    return words;
}

Error invalid(std::string message)
{
    return {ErrorKind::Invalid, std::move(message)};
}

bool isGpu(std::string_view device)
{
    return device != kCpu;
}

bool isNumber(std::string_view text)
{
    return !text.empty() && text.size() <= 4
        && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "cuda" → "cuda:0", "1" → "cuda:1", "cpu", "cuda:3" as they are; nothing for what names no device.
std::optional<std::string> canonicalDevice(std::string_view word)
{
    constexpr std::string_view cuda = "cuda";
    if (word == kCpu)
        return std::string(kCpu);
    if (isNumber(word))
        return "cuda:" + std::to_string(std::stoul(std::string(word)));
    if (word == cuda)
        return "cuda:0";
    if (word.substr(0, 5) == "cuda:" && isNumber(word.substr(5)))
        return canonicalDevice(word.substr(5));
    return std::nullopt;
}

std::string listOf(std::span<const DeviceSpec> devices)
{
    std::string list;
    for (const DeviceSpec& device : devices)
        list += (list.empty() ? "" : ", ") + device.name;
    return list.empty() ? "none" : list;
}

Result<std::size_t> findDevice(std::string_view word, std::span<const DeviceSpec> devices)
{
    if (word == "disk" || word == "meta")
        return invalid("device '" + std::string(word)
            + "' cannot be used: libtorch offloads nothing; devices here: " + listOf(devices));
    const auto name = canonicalDevice(word);
    if (!name)
        return invalid("'" + toUtf8(word) + "' names no device; devices here: " + listOf(devices));
    const auto found = std::find_if(devices.begin(), devices.end(), [&](const auto& d) { return d.name == *name; });
    if (found == devices.end())
        return invalid("no device '" + *name + "' here; devices here: " + listOf(devices));
    return static_cast<std::size_t>(found - devices.begin());
}

/// Bytes that each device may take: what maxMemory says, else without limit; 0 for what a given maxMemory leaves out.
struct Limits {
    std::vector<std::uint64_t> bytes;
    bool given = false;
};

Result<Limits> limitsFrom(const std::map<std::string, std::uint64_t>& maxMemory, std::span<const DeviceSpec> devices)
{
    Limits limits{std::vector<std::uint64_t>(devices.size(), maxMemory.empty() ? kUnlimited : 0), !maxMemory.empty()};
    for (const auto& [word, bytes] : maxMemory) {
        const auto device = findDevice(word, devices);
        if (!device)
            return Error(device.error()).in("max_memory");
        limits.bytes[*device] = bytes;
    }
    return limits;
}

std::string nameOf(const DeviceSpec& device, std::uint64_t limit)
{
    return device.name + (limit == kUnlimited ? "" : " (" + formatSize(limit) + ")");
}

class Planner {
public:
    Planner(std::span<const PlacedTensor> tensors, std::span<const DeviceSpec> devices, Limits limits)
        : m_tensors(tensors)
        , m_limits(std::move(limits))
    {
        m_plan.devices.assign(devices.begin(), devices.end());
        m_plan.deviceOf.resize(tensors.size());
    }

    Result<DevicePlan> onOne(std::size_t device)
    {
        std::fill(m_plan.deviceOf.begin(), m_plan.deviceOf.end(), device);
        return finished();
    }
    Result<DevicePlan> byMap(const nlohmann::json& map);
    Result<DevicePlan> spread(bool balanced);

private:
    using Budgets = std::vector<std::uint64_t>;

    [[nodiscard]] std::vector<std::size_t> devicesToFill() const;
    [[nodiscard]] Budgets budgetsFor(const std::vector<std::size_t>& order, bool balanced) const;
    void balance(Budgets& budgets, const std::vector<std::size_t>& order) const;
    Result<void> fill(
        const std::vector<ModuleBlock>& blocks, const std::vector<std::size_t>& order, const Budgets& budgets);
    Result<DevicePlan> finished();
    [[nodiscard]] Error noRoom(
        const ModuleBlock& block, const std::vector<std::size_t>& order, const Budgets& budgets) const;

    std::span<const PlacedTensor> m_tensors;
    Limits m_limits;
    DevicePlan m_plan;
};

/// Whether what was placed keeps the limits, and the map in words.
Result<DevicePlan> Planner::finished()
{
    std::vector<std::uint64_t> used(m_plan.devices.size(), 0);
    for (std::size_t i = 0; i < m_tensors.size(); ++i)
        used[m_plan.deviceOf[i]] += m_tensors[i].sizeBytes;
    for (std::size_t d = 0; d < used.size(); ++d)
        if (used[d] > m_limits.bytes[d])
            return invalid("max_memory allows " + formatSize(m_limits.bytes[d]) + " on " + m_plan.devices[d].name
                + ", the device map puts " + formatSize(used[d]) + " there");
    std::vector<std::string_view> names;
    std::vector<std::string> devices;
    for (std::size_t i = 0; i < m_tensors.size(); ++i) {
        names.push_back(m_tensors[i].name);
        devices.push_back(m_plan.devices[m_plan.deviceOf[i]].name);
    }
    m_plan.modules = mergedModules(names, devices);
    return std::move(m_plan);
}

Result<DevicePlan> Planner::byMap(const nlohmann::json& map)
{
    struct Entry {
        std::string prefix;
        std::size_t device = 0;
        bool used = false;
    };
    std::vector<Entry> entries;
    for (const auto& [prefix, value] : map.items()) {
        const std::string word = value.is_string() ? value.get<std::string>() : value.dump();
        const auto device = findDevice(word, m_plan.devices);
        if (!device)
            return Error(device.error()).in("device map entry '" + prefix + "'");
        entries.push_back({prefix, *device, false});
    }
    std::stable_sort(entries.begin(), entries.end(),
        [](const Entry& a, const Entry& b) { return a.prefix.size() > b.prefix.size(); });
    for (std::size_t i = 0; i < m_tensors.size(); ++i) {
        const auto entry = std::find_if(
            entries.begin(), entries.end(), [&](const Entry& e) { return isAtOrBelow(m_tensors[i].name, e.prefix); });
        if (entry == entries.end())
            return invalid("the device map has no entry for tensor '" + toUtf8(m_tensors[i].name)
                + "'; add one for its module, or \"\" for all the rest");
        entry->used = true;
        m_plan.deviceOf[i] = entry->device;
    }
    for (const Entry& entry : entries)
        if (!entry.used)
            m_plan.notes.push_back("device map entry '" + entry.prefix + "' matches no tensor");
    return finished();
}

/// GPUs in order, the CPU last; without what max_memory leaves out.
std::vector<std::size_t> Planner::devicesToFill() const
{
    std::vector<std::size_t> order;
    for (const bool gpus : {true, false})
        for (std::size_t d = 0; d < m_plan.devices.size(); ++d)
            if (isGpu(m_plan.devices[d].name) == gpus && m_limits.bytes[d] > 0)
                order.push_back(d);
    return order;
}

Planner::Budgets Planner::budgetsFor(const std::vector<std::size_t>& order, bool balanced) const
{
    Budgets budgets = m_limits.bytes;
    std::size_t gpus = 0;
    for (const std::size_t d : order) {
        if (!isGpu(m_plan.devices[d].name))
            continue;
        budgets[d] = std::min(budgets[d], m_plan.devices[d].freeBytes);
        ++gpus;
    }
    if (balanced && gpus == 1 && !m_limits.given)
        budgets[order.front()] = budgets[order.front()] / 10 * 9;
    if (balanced && gpus > 1)
        balance(budgets, {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(gpus)});
    return budgets;
}

/// An even share each plus room for the largest block, the last GPU all it has.
void Planner::balance(Budgets& budgets, const std::vector<std::size_t>& gpus) const
{
    std::uint64_t total = 0;
    for (const PlacedTensor& tensor : m_tensors)
        total += tensor.sizeBytes;
    const auto blocks = moduleBlocks(m_tensors);
    std::uint64_t largest = blocks.empty() ? 0 : total / blocks.size();
    for (const ModuleBlock& block : blocks)
        largest = std::max(largest, block.sizeBytes);
    const std::uint64_t share = total / gpus.size() + largest + largest / 4;
    for (std::size_t i = 0; i + 1 < gpus.size(); ++i)
        budgets[gpus[i]] = std::min(budgets[gpus[i]], share);
}

Error Planner::noRoom(const ModuleBlock& block, const std::vector<std::size_t>& order, const Budgets& budgets) const
{
    std::string places;
    for (const std::size_t d : order)
        places += (places.empty() ? "" : ", ") + nameOf(m_plan.devices[d], budgets[d]);
    return invalid("no room for '" + toUtf8(block.name) + "' (" + formatSize(block.sizeBytes) + ") on "
        + (places.empty() ? "any device" : places)
        + "; nothing is offloaded to disk: raise max_memory, add \"cpu\" to it, or take a smaller dtype");
}

Result<void> Planner::fill(
    const std::vector<ModuleBlock>& blocks, const std::vector<std::size_t>& order, const Budgets& budgets)
{
    std::vector<std::uint64_t> largestAfter(blocks.size() + 1, 0);
    for (std::size_t b = blocks.size(); b-- > 0;)
        largestAfter[b] = std::max(largestAfter[b + 1], blocks[b].sizeBytes);
    std::size_t cursor = 0;
    std::uint64_t used = 0;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        for (; cursor < order.size(); ++cursor, used = 0) {
            const bool keepsRoom = cursor == 0 && cursor + 1 < order.size();
            const std::uint64_t reserve = keepsRoom ? largestAfter[b + 1] : 0;
            const std::uint64_t budget = budgets[order[cursor]];
            if (budget >= reserve && used <= budget - reserve && blocks[b].sizeBytes <= budget - reserve - used)
                break;
        }
        if (cursor == order.size())
            return noRoom(blocks[b], order, budgets);
        used += blocks[b].sizeBytes;
        for (const std::size_t t : blocks[b].tensors)
            m_plan.deviceOf[t] = order[cursor];
    }
    return {};
}

Result<DevicePlan> Planner::spread(bool balanced)
{
    const auto order = devicesToFill();
    const auto blocks = moduleBlocks(m_tensors);
    if (auto filled = fill(blocks, order, budgetsFor(order, balanced)); !filled)
        return filled.error();
    return finished();
}

Result<nlohmann::json> parseMap(std::string_view text)
{
    auto map = nlohmann::json::parse(text, nullptr, false);
    if (map.is_discarded() || !map.is_object())
        return invalid("device map is no JSON object: " + toUtf8(text.substr(0, 200)));
    if (map.empty())
        return invalid("device map is empty; {\"\": \"cpu\"} places everything");
    for (const auto& [prefix, value] : map.items()) {
        if (value.is_number_unsigned() && value.get<std::uint64_t>() < 10'000)
            continue;
        if (!value.is_string())
            return invalid("device map entry '" + prefix + "' is "
                + value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                + ", neither a device name nor a GPU's number");
    }
    return map;
}

bool isJson(std::string_view deviceMap)
{
    const std::size_t first = deviceMap.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && (deviceMap[first] == '{' || deviceMap[first] == '[');
}

} // namespace

Result<void> checkDeviceMapWord(std::string_view deviceMap)
{
    if (isJson(deviceMap)) {
        const auto map = parseMap(deviceMap);
        return map ? Result<void>() : Result<void>(map.error());
    }
    const auto& words = knownWords();
    if (std::find(words.begin(), words.end(), deviceMap) != words.end())
        return {};
    if (deviceMap.substr(0, 5) == "cuda:" && isNumber(deviceMap.substr(5)))
        return {};
    const std::string near = nearestWord(deviceMap, words);
    return invalid("'" + toUtf8(deviceMap) + "' is no device map"
        + (near.empty() ? "" : "; did you mean '" + near + "'?")
        + " Known: cpu, cuda, cuda:N, auto, balanced, sequential, or a JSON object of module prefix and device");
}

Result<DevicePlan> planDevices(std::string_view deviceMap, std::span<const PlacedTensor> tensors,
    std::span<const DeviceSpec> devices, const std::map<std::string, std::uint64_t>& maxMemory)
{
    if (auto known = checkDeviceMapWord(deviceMap); !known)
        return known.error();
    auto limits = limitsFrom(maxMemory, devices);
    if (!limits)
        return limits.error();
    Planner planner(tensors, devices, std::move(*limits));
    if (isJson(deviceMap))
        return parseMap(deviceMap).and_then([&](nlohmann::json&& map) { return planner.byMap(map); });
    if (deviceMap == "auto" || deviceMap == "balanced" || deviceMap == "sequential")
        return planner.spread(deviceMap != "sequential");
    const auto device = findDevice(deviceMap, devices);
    if (!device)
        return Error(device.error()).in("device map '" + std::string(deviceMap) + "'");
    return planner.onOne(*device);
}

} // namespace loadlab
