#pragma once

#include "core/checkpoint/DevicePlan.h"
#include "core/checkpoint/Dtype.h"

#include <bitset>
#include <map>
#include <string>
#include <vector>

namespace loadlab {

/// What the libtorch of this build can do on this machine. A value: plans are made and tested without libtorch.
struct TorchAbilities {
    std::string version; ///< "1.13.1"
    bool builtWithCuda = false;
    std::vector<DeviceSpec> devices; ///< "cpu" first, then "cuda:0" … with what is free now.
    std::bitset<kDtypeCount> dtypes; ///< Those that a tensor can have.

    [[nodiscard]] bool has(Dtype dtype) const { return dtypes.test(static_cast<std::size_t>(dtype)); }
};

/// Asks libtorch and the devices. What is free on a GPU costs a context there, so it is asked only where it matters;
/// else freeBytes is 0.
TorchAbilities torchAbilities(bool withFreeBytes);
/// For `hello`: versions of everything that matters, and what else tells builds apart.
std::map<std::string, std::string> torchVersions();
std::map<std::string, std::string> torchFacts(const TorchAbilities& abilities);

} // namespace loadlab
