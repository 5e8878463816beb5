#include "core/telemetry/Machine.h"

#include "core/Digest.h"
#include "core/Text.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/SystemCounters.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>
#include <unistd.h>

namespace loadlab {
namespace {

namespace fs = std::filesystem;

/// HMAC-SHA256 with the machine id as the key, as machine-id(5) asks: the id itself never leaves the machine.
std::string hashedMachineId(const std::string& machineId)
{
    if (machineId.empty())
        return {};
    constexpr std::size_t kBlock = 64;
    const auto padded = [&](char with) {
        std::string key = machineId.size() > kBlock ? fromHex(sha256Hex(machineId)) : machineId;
        key.resize(kBlock, '\0');
        for (auto& c : key)
            c = static_cast<char>(c ^ with);
        return key;
    };
    const auto inner = fromHex(sha256Hex(padded('\x36') + "loadlab"));
    return sha256Hex(padded('\x5c') + inner).substr(0, 32);
}

/// The value of KEY="value" or KEY=value in os-release.
std::string osReleaseValue(const std::string& text, std::string_view key)
{
    for (std::size_t at = 0; at < text.size();) {
        auto line = std::string_view(text).substr(at, text.find('\n', at) - at);
        at += line.size() + 1;
        if (line.substr(0, key.size()) != key || line.size() <= key.size() || line[key.size()] != '=')
            continue;
        line.remove_prefix(key.size() + 1);
        if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'') && line.back() == line.front())
            line = line.substr(1, line.size() - 2);
        return std::string(line);
    }
    return {};
}

/// What follows "key   : " in the first such line of cpuinfo.
std::string cpuinfoValue(const std::string& text, std::string_view key)
{
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
        if (at != 0 && text[at - 1] != '\n')
            continue;
        const auto end = std::min(text.find('\n', at), text.size());
        const auto colon = text.find(':', at);
        if (colon >= end)
            continue;
        const auto value = text.find_first_not_of(" \t", colon + 1);
        return value < end ? text.substr(value, end - value) : std::string();
    }
    return {};
}

std::string cpuModelBelow(const std::string& root)
{
    const auto cpuinfo = readSmallFile(root + "/proc/cpuinfo");
    for (const auto* key : {"model name", "Model", "Hardware", "cpu model", "uarch"})
        if (auto value = cpuinfoValue(cpuinfo, key); !value.empty())
            return value;
    return readSmallFile(root + "/proc/device-tree/model");
}

std::vector<fs::path> entriesOf(const fs::path& folder)
{
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        entries.push_back(it->path());
    std::sort(entries.begin(), entries.end());
    return entries;
}

/// "2x NVIDIA H200" of the models in the order found.
std::string joined(const std::vector<std::string>& models)
{
    std::string text;
    for (std::size_t i = 0; i < models.size();) {
        const auto next = std::find_if(models.begin() + static_cast<std::ptrdiff_t>(i), models.end(),
            [&](const std::string& other) { return other != models[i]; });
        const auto same = static_cast<std::size_t>(next - models.begin()) - i;
        text += (text.empty() ? "" : ", ") + (same > 1 ? std::to_string(same) + "x " : std::string()) + models[i];
        i += same;
    }
    return text;
}

std::vector<std::string> nvidiaModelsBelow(const std::string& root)
{
    std::vector<std::string> models;
    for (const auto& gpu : entriesOf(root + "/proc/driver/nvidia/gpus"))
        if (auto model = cpuinfoValue(readSmallFile((gpu / "information").string()), "Model"); !model.empty())
            models.push_back(std::move(model));
    return models;
}

/// Cards that show themselves in sysfs; without the PCI id list all that is known is the vendor and the device number.
std::vector<std::string> cardsBelow(const std::string& root)
{
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kVendors{{
        {"0x10de", "NVIDIA"},
        {"0x1002", "AMD"},
        {"0x8086", "Intel"},
    }};
    std::vector<std::string> cards;
    for (const auto& card : entriesOf(root + "/sys/class/drm")) {
        const auto name = card.filename().string();
        if (name.rfind("card", 0) != 0 || name.find('-') != std::string::npos)
            continue;
        const auto vendor = readSmallFile((card / "device/vendor").string());
        for (const auto& [id, words] : kVendors)
            if (vendor == id)
                cards.push_back(std::string(words) + " " + readSmallFile((card / "device/device").string()));
    }
    return cards;
}

bool holdsAny(std::string_view text, std::initializer_list<std::string_view> words)
{
    return std::any_of(words.begin(), words.end(), [text](auto word) { return text.find(word) != text.npos; });
}

/// Host and GPU share one pool: the Tegra family by its device tree, the desktop superchip by its GPU's name.
bool looksUnified(const std::string& deviceTree, const std::string& compatible, const std::string& gpu)
{
    return holdsAny(compatible, {"nvidia,tegra"}) || holdsAny(deviceTree, {"Jetson", "Tegra", "Thor", "Orin"})
        || holdsAny(gpu, {"GB10", "Thor", "Orin", "nvgpu"});
}

std::string kernelWords()
{
    utsname names{};
    if (::uname(&names) != 0)
        return {};
    return std::string(names.release) + " " + names.machine;
}

std::string hostName()
{
    utsname names{};
    return ::uname(&names) == 0 ? names.nodename : "";
}

} // namespace

MachineInfo readMachine()
{
    return readMachineBelow("");
}

MachineInfo readMachineBelow(const std::string& root)
{
    MachineInfo machine;
    machine.hostName = toUtf8(hostName());
    machine.machineId = hashedMachineId(readSmallFile(root + "/etc/machine-id"));
    machine.bootId = toUtf8(readSmallFile(root + "/proc/sys/kernel/random/boot_id"));
    machine.kernel = toUtf8(kernelWords());
    auto release = readSmallFile(root + "/etc/os-release");
    if (release.empty())
        release = readSmallFile(root + "/usr/lib/os-release");
    machine.distribution = toUtf8(osReleaseValue(release, "PRETTY_NAME"));
    machine.cpuModel = toUtf8(cpuModelBelow(root));
    machine.cpuCount = static_cast<unsigned>(std::max(0L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    const auto meminfo = readSmallFile(root + "/proc/meminfo");
    machine.memoryBytes = procfs::numberAfter(meminfo, "MemTotal:").value_or(0) * 1024;
    machine.swapBytes = procfs::numberAfter(meminfo, "SwapTotal:").value_or(0) * 1024;
    const auto deviceTree = readSmallFile(root + "/proc/device-tree/model");
    auto gpus = nvidiaModelsBelow(root);
    if (gpus.empty())
        gpus = cardsBelow(root);
    machine.gpu = toUtf8(joined(gpus));
    machine.unifiedMemory = looksUnified(deviceTree, readSmallFile(root + "/proc/device-tree/compatible"), machine.gpu);
    if (machine.gpu.empty() && machine.unifiedMemory)
        machine.gpu = toUtf8(deviceTree);
    return machine;
}

nlohmann::json toJson(const MachineInfo& machine)
{
    return {{"host_name", machine.hostName}, {"machine_id", machine.machineId}, {"boot_id", machine.bootId},
        {"kernel", machine.kernel}, {"distribution", machine.distribution}, {"cpu_model", machine.cpuModel},
        {"cpu_count", machine.cpuCount}, {"memory_bytes", machine.memoryBytes}, {"swap_bytes", machine.swapBytes},
        {"gpu", machine.gpu}, {"unified_memory", machine.unifiedMemory}};
}

SystemMemory readSystemMemory()
{
    return SystemCounters().read();
}

KernelCounters readKernelCounters()
{
    return {procfs::numberAfter(readSmallFile("/proc/vmstat"), "oom_kill "), std::nullopt};
}

} // namespace loadlab
