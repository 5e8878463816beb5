#pragma once

#include "core/Result.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// A place that can hold tensors, e.g. {"cpu", 20 GiB} or {"cuda:0", 15.5 GiB}.
struct DeviceSpec {
    std::string name;
    std::uint64_t freeBytes = 0;
};

/// One thing to place: a tensor, with the bytes it will take in the requested dtype.
struct PlacedTensor {
    std::string_view name;
    std::uint64_t sizeBytes = 0;
};

struct DevicePlan {
    std::vector<std::size_t> deviceOf; ///< Per tensor: index into devices.
    std::vector<DeviceSpec> devices;
    std::map<std::string, std::string>
        modules; ///< Module → device, as `plan` shows it (merged prefixes; "": everything).
    std::vector<std::string> notes; ///< Entries of an explicit map that match no tensor.
};

/// Decides where each tensor goes. `deviceMap`: "cpu", "cuda", "cuda:N", "auto", "balanced", "sequential", or the text
/// of a JSON object of module prefix → device (longest prefix at a dot wins; "" takes the rest; an int N means cuda:N).
/// `maxMemory` by device ("0" means cuda:0): devices that it does not list are not used.
///
/// auto = balanced: evenly over the GPUs, what they cannot take on the CPU; sequential fills GPU after GPU. A module
/// whose name holds a number ("model.layers.7") is one block and stays whole. Where blocks remain for later, the first
/// GPU keeps room for the largest of them; a single GPU is filled to 90 %, both as accelerate does it (sequential
/// without the 90 %). Without GPUs everything goes to the CPU. The CPU takes any amount unless maxMemory limits it:
/// whether it fits is for the trial to show.
///
/// Errors are all device_map_error, kind Invalid: no such device here, map that is incomplete, limits too small,
/// nothing left to place on ("disk" included: libtorch offloads nothing).
Result<DevicePlan> planDevices(std::string_view deviceMap, std::span<const PlacedTensor> tensors,
    std::span<const DeviceSpec> devices, const std::map<std::string, std::uint64_t>& maxMemory = {});

/// The form of a device map alone: a known word, "cuda:N", or a JSON object of strings and ints. Invalid otherwise.
Result<void> checkDeviceMapWord(std::string_view deviceMap);

} // namespace loadlab
