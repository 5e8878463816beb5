#include "core/Units.h"
#include "core/verdict/Finding.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

namespace loadlab {
namespace {

Evidence fault(std::string fact, double weight)
{
    return {"loaded", std::move(fact), std::string(toWireName(FailureMode::LoadedButWrong)), weight};
}

/// "3 tensors are missing: a, b, c", with the first names.
std::string listed(std::uint64_t count, const char* what, const std::vector<std::string>& names)
{
    auto text = formatCount(count, "tensor") + " " + what;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 3); ++i)
        text += (i == 0 ? ": " : ", ") + names[i];
    return text + (count > 3 && !names.empty() ? ", …" : "");
}

void checkNames(const protocol::Loaded& loaded, std::vector<Evidence>& faults)
{
    if (loaded.missingCount != 0)
        faults.push_back(fault(listed(loaded.missingCount, "expected and missing", loaded.missing), 0.97));
    if (loaded.misshapedCount != 0)
        faults.push_back(fault(listed(loaded.misshapedCount, "of another shape", loaded.misshaped), 0.97));
    if (loaded.unexpectedCount != 0)
        faults.push_back(fault(listed(loaded.unexpectedCount, "that the model does not have", loaded.unexpected), 0.9));
}

void checkValues(const protocol::Loaded& loaded, std::vector<Evidence>& faults)
{
    if (loaded.nonFiniteTensors != 0)
        faults.push_back(
            fault(listed(loaded.nonFiniteTensors, "with infinite or not-a-number values", loaded.nonFinite), 0.97));
    if (loaded.tensors == 0 && loaded.parameters == 0)
        faults.push_back(fault("not one tensor was loaded", 0.97));
}

/// Floats take the dtype that was asked for; integers, booleans and kept raw dtypes do not.
void checkDtypes(const RunFacts& facts, std::vector<Evidence>& faults)
{
    struct Names {
        std::string_view asked;
        std::string_view header;
    };
    static constexpr std::array<Names, 4> kFloats{{
        {"float64", "F64"},
        {"float32", "F32"},
        {"float16", "F16"},
        {"bfloat16", "BF16"},
    }};
    const auto asked = std::find_if(
        kFloats.begin(), kFloats.end(), [&facts](const Names& names) { return names.asked == facts.variant.dtype; });
    if (asked == kFloats.end())
        return;
    for (const auto& names : kFloats) {
        const auto found = facts.loaded->dtypes.find(std::string(names.header));
        if (names.header != asked->header && found != facts.loaded->dtypes.end() && found->second != 0)
            faults.push_back(fault(formatCount(found->second) + " parameters are " + found->first + " though "
                    + facts.variant.dtype + " was asked for",
                0.95));
    }
}

/// The devices that a device map allows; empty: any.
std::set<std::string> allowedDevices(const std::string& deviceMap)
{
    if (deviceMap == "cpu" || deviceMap.rfind("cuda", 0) == 0 || deviceMap.rfind("mps", 0) == 0)
        return {deviceMap};
    std::set<std::string> devices;
    const auto map = nlohmann::json::parse(deviceMap, nullptr, false);
    if (!map.is_object())
        return {};
    for (const auto& [module, device] : map.items()) {
        if (device.is_string())
            devices.insert(device.get<std::string>());
        else if (device.is_number_integer())
            devices.insert("cuda:" + std::to_string(device.get<long long>()));
    }
    return devices;
}

/// "cuda" means any of its devices, or the first.
bool isAllowed(const std::set<std::string>& allowed, const std::string& device)
{
    if (allowed.empty() || allowed.count(device) != 0)
        return true;
    const auto kind = device.substr(0, device.find(':'));
    return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& one) {
        return one == kind || (one == kind + ":0" && device == kind)
            || (!one.empty() && one.find_first_not_of("0123456789") == one.npos && device == "cuda:" + one);
    });
}

void checkDevices(const RunFacts& facts, std::vector<Evidence>& faults)
{
    const auto allowed = allowedDevices(facts.variant.deviceMap);
    for (const auto& [device, bytes] : facts.loaded->devices)
        if (bytes != 0 && !isAllowed(allowed, device))
            faults.push_back(
                fault(formatSize(bytes) + " are on " + device + " though " + facts.variant.deviceMap + " was asked for",
                    0.95));
}

} // namespace

std::vector<Evidence> loadedFaults(const RunFacts& facts)
{
    std::vector<Evidence> faults;
    checkNames(*facts.loaded, faults);
    checkValues(*facts.loaded, faults);
    checkDtypes(facts, faults);
    checkDevices(facts, faults);
    return faults;
}

} // namespace loadlab
