#include "TorchAbilities.h"

#include "TorchTypes.h"

#include <ATen/Context.h>
#include <algorithm>
#include <dlfcn.h>
#include <fstream>
#include <sstream>
#include <torch/version.h>
#include <unistd.h>

namespace loadlab {
namespace {

constexpr int kMaxGpus = 64;

std::string headerVersion()
{
    return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "."
        + std::to_string(TORCH_VERSION_PATCH);
}

/// Debian's 1.13.1 calls itself 1.13.0 in its headers: the package's upstream version is the right one.
std::string libtorchVersion()
{
    const std::string package = LOADLAB_TORCH_PACKAGE_VERSION;
    const std::string upstream = package.substr(0, package.find_first_of("+-~"));
    const std::string series = std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + ".";
    return upstream.rfind(series, 0) == 0 ? upstream : headerVersion();
}

std::uint64_t availableBytes()
{
    std::ifstream meminfo("/proc/meminfo");
    for (std::string line; std::getline(meminfo, line);)
        if (line.rfind("MemAvailable:", 0) == 0)
            return std::strtoull(line.c_str() + 13, nullptr, 10) * 1024;
    return 0;
}

/// cudaMemGetInfo of the runtime that a CUDA libtorch has brought along: a build without CUDA has no such symbol, and
/// one worker source serves both. Makes a context on the device, so only asked when devices are to be shared out.
std::uint64_t freeBytesOfGpu(int gpu)
{
    using SetDevice = int (*)(int);
    using MemGetInfo = int (*)(std::size_t*, std::size_t*);
    const auto setDevice = reinterpret_cast<SetDevice>(::dlsym(RTLD_DEFAULT, "cudaSetDevice"));
    const auto memGetInfo = reinterpret_cast<MemGetInfo>(::dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
    std::size_t freeBytes = 0;
    std::size_t totalBytes = 0;
    if (!setDevice || !memGetInfo || setDevice(gpu) != 0 || memGetInfo(&freeBytes, &totalBytes) != 0)
        return 0;
    return freeBytes;
}

std::string libraryPath()
{
    Dl_info info{};
    const auto* const symbol = reinterpret_cast<const void*>(&at::globalContext);
    return ::dladdr(symbol, &info) != 0 && info.dli_fname ? info.dli_fname : "";
}

} // namespace

TorchAbilities torchAbilities(bool withFreeBytes)
{
    TorchAbilities abilities;
    abilities.version = libtorchVersion();
    abilities.builtWithCuda
        = at::detail::getCUDAHooks().hasCUDA() || ::dlsym(RTLD_DEFAULT, "cudaMemGetInfo") != nullptr;
    abilities.devices.push_back({"cpu", availableBytes()});
    const int gpus = std::min<int>(at::detail::getCUDAHooks().getNumGPUs(), kMaxGpus);
    for (int gpu = 0; gpu < gpus; ++gpu)
        abilities.devices.push_back({"cuda:" + std::to_string(gpu), withFreeBytes ? freeBytesOfGpu(gpu) : 0});
    for (std::size_t i = 0; i < kDtypeCount; ++i)
        abilities.dtypes.set(i, scalarTypeOf(static_cast<Dtype>(i)).has_value());
    return abilities;
}

std::map<std::string, std::string> torchVersions()
{
    std::map<std::string, std::string> versions{
        {"torch", libtorchVersion()}, {"libtorch", libtorchVersion()}, {"compiler", "g++ " __VERSION__}};
    if (const std::string package = LOADLAB_TORCH_PACKAGE_VERSION; !package.empty())
        versions["libtorch-dev"] = package;
    return versions;
}

std::map<std::string, std::string> torchFacts(const TorchAbilities& abilities)
{
    std::string devices;
    for (const DeviceSpec& device : abilities.devices)
        devices += (devices.empty() ? "" : ", ") + device.name;
    return {{"devices", devices}, {"cuda", abilities.builtWithCuda ? "built in" : "not built in"},
        {"library", libraryPath()}};
}

} // namespace loadlab
