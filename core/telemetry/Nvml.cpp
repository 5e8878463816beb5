#include "core/telemetry/Nvml.h"

#include "core/Text.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <dlfcn.h>
#include <limits>
#include <span>

namespace loadlab {
namespace {

// The library's binary interface, as its reference describes it (docs.nvidia.com, "NVML API Reference").
using Return = int;
using Handle = void*;

constexpr Return kSuccess = 0;
constexpr Return kNotSupported = 3;
constexpr Return kInsufficientSize = 7;
constexpr Return kFunctionNotFound = 13;
constexpr unsigned long long kNotAvailable = std::numeric_limits<unsigned long long>::max();

struct Memory {
    unsigned long long total = 0;
    unsigned long long free = 0;
    unsigned long long used = 0;
};
struct Utilization {
    unsigned gpu = 0;
    unsigned memory = 0;
};
struct ProcessInfo { ///< Of the functions with _v2 and _v3 at their end.
    unsigned pid = 0;
    unsigned long long usedBytes = 0;
    unsigned gpuInstance = 0;
    unsigned computeInstance = 0;
};

using ListProcesses = Return (*)(Handle, unsigned*, ProcessInfo*);

struct Functions {
    Return (*init)() = nullptr;
    Return (*shutdown)() = nullptr;
    Return (*count)(unsigned*) = nullptr;
    Return (*handle)(unsigned, Handle*) = nullptr;
    const char* (*words)(Return) = nullptr;
    // Without one of these the library is of use all the same.
    Return (*driverVersion)(char*, unsigned) = nullptr;
    Return (*name)(Handle, char*, unsigned) = nullptr;
    Return (*memory)(Handle, Memory*) = nullptr;
    Return (*utilization)(Handle, Utilization*) = nullptr;
    ListProcesses compute = nullptr;
    ListProcesses graphics = nullptr;
};

template <typename Function> bool find(void* library, Function& into, std::initializer_list<const char*> names)
{
    for (const char* name : names)
        if (void* symbol = ::dlsym(library, name)) {
            into = reinterpret_cast<Function>(symbol);
            return true;
        }
    return false;
}

struct Device {
    Handle handle = nullptr;
    std::string name;
    bool hasMemory = true; ///< Until it said that it has not.
    bool hasUtilization = true;
    bool hasProcesses = true;
};

std::string chosenLibrary(const std::string& asked)
{
    if (!asked.empty())
        return asked;
    const char* other = std::getenv("LOADLAB_NVML");
    return other && *other ? other : "libnvidia-ml.so.1";
}

} // namespace

struct Nvml::State {
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State()
    {
        if (initialised)
            functions.shutdown();
        if (library)
            ::dlclose(library);
    }

    std::string path;
    void* library = nullptr;
    Functions functions;
    bool initialised = false;
    std::string driver;
    std::vector<Device> devices;
    std::vector<ProcessInfo> buffer = std::vector<ProcessInfo>(64);
    std::string problem;

    [[nodiscard]] std::string words(Return code) const
    {
        const char* said = functions.words ? functions.words(code) : nullptr;
        return said ? toUtf8(said) : "error " + std::to_string(code);
    }
    Result<void> findFunctions();
    Result<void> findDevices();
    bool succeeded(Return code, bool& supported);
    bool list(Device& device, ListProcesses list, std::vector<GpuProcess>& into);
};

Result<void> Nvml::State::findFunctions()
{
    auto& f = functions;
    find(library, f.words, {"nvmlErrorString"});
    const auto need = [&](auto& into, std::initializer_list<const char*> names) -> Result<void> {
        if (find(library, into, names))
            return {};
        return Error{ErrorKind::Io, path + " has no " + *names.begin() + ": another library, or too old a driver"};
    };
    Result<void> found = need(f.init, {"nvmlInit_v2", "nvmlInit"});
    if (found)
        found = need(f.shutdown, {"nvmlShutdown"});
    if (found)
        found = need(f.count, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"});
    if (found)
        found = need(f.handle, {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"});
    find(library, f.driverVersion, {"nvmlSystemGetDriverVersion"});
    find(library, f.name, {"nvmlDeviceGetName"});
    find(library, f.memory, {"nvmlDeviceGetMemoryInfo"});
    find(library, f.utilization, {"nvmlDeviceGetUtilizationRates"});
    // The unversioned ones fill a smaller struct: a driver that has nothing newer tells no processes.
    find(library, f.compute, {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"});
    find(library, f.graphics, {"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"});
    return found;
}

Result<void> Nvml::State::findDevices()
{
    if (const Return code = functions.init(); code != kSuccess)
        return Error{ErrorKind::Io, path + ": " + words(code)};
    initialised = true;
    std::array<char, 96> text{};
    if (functions.driverVersion && functions.driverVersion(text.data(), text.size()) == kSuccess)
        driver = toUtf8(text.data());
    unsigned count = 0;
    if (const Return code = functions.count(&count); code != kSuccess)
        return Error{ErrorKind::Io, path + ": cannot count devices: " + words(code)};
    for (unsigned i = 0; i < count; ++i) {
        Device device;
        if (functions.handle(i, &device.handle) != kSuccess)
            continue; // Lost, or given to another user: the others count all the same.
        const bool named = functions.name && functions.name(device.handle, text.data(), text.size()) == kSuccess;
        device.name = named ? toUtf8(text.data()) : "GPU " + std::to_string(i);
        device.hasMemory = functions.memory != nullptr;
        device.hasUtilization = functions.utilization != nullptr;
        device.hasProcesses = functions.compute || functions.graphics;
        devices.push_back(std::move(device));
    }
    return {};
}

bool Nvml::State::succeeded(Return code, bool& supported)
{
    problem = code == kSuccess ? std::string() : words(code);
    if (code == kNotSupported || code == kFunctionNotFound)
        supported = false;
    return code == kSuccess;
}

bool Nvml::State::list(Device& device, ListProcesses listProcesses, std::vector<GpuProcess>& into)
{
    if (!listProcesses)
        return false;
    auto count = static_cast<unsigned>(buffer.size());
    Return code = listProcesses(device.handle, &count, buffer.data());
    for (int tries = 0; code == kInsufficientSize && tries < 3; ++tries) {
        buffer.resize(std::max<std::size_t>(count, buffer.size()) + 64); // More may come meanwhile.
        count = static_cast<unsigned>(buffer.size());
        code = listProcesses(device.handle, &count, buffer.data());
    }
    bool supported = true;
    if (!succeeded(code, supported))
        return false;
    for (const ProcessInfo& info : std::span(buffer).first(std::min<std::size_t>(count, buffer.size()))) {
        const auto bytes
            = info.usedBytes == kNotAvailable ? std::nullopt : std::optional<std::uint64_t>(info.usedBytes);
        const auto pid = static_cast<pid_t>(info.pid);
        const auto same = std::ranges::find(into, pid, &GpuProcess::pid);
        if (same == into.end())
            into.push_back({pid, bytes});
        else if (bytes)
            same->bytes = std::max(same->bytes.value_or(0), *bytes);
    }
    return true;
}

Result<Nvml> Nvml::load(const std::string& library)
{
    auto state = std::make_unique<State>();
    state->path = chosenLibrary(library);
    state->library = ::dlopen(state->path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!state->library) {
        const char* why = ::dlerror();
        return Error{ErrorKind::NotFound, toUtf8(why ? why : state->path + " cannot be loaded")};
    }
    Result<void> ready = state->findFunctions();
    if (ready)
        ready = state->findDevices();
    if (!ready)
        return std::move(ready).error();
    return Nvml(std::move(state));
}

Nvml::Nvml(std::unique_ptr<State> state)
    : m_state(std::move(state))
{
}

Nvml::~Nvml() = default;
Nvml::Nvml(Nvml&&) noexcept = default;
Nvml& Nvml::operator=(Nvml&&) noexcept = default;

const std::string& Nvml::libraryPath() const
{
    return m_state->path;
}

const std::string& Nvml::driverVersion() const
{
    return m_state->driver;
}

std::size_t Nvml::deviceCount() const
{
    return m_state->devices.size();
}

const std::string& Nvml::name(std::size_t device) const
{
    return m_state->devices[device].name;
}

std::optional<GpuMemory> Nvml::memory(std::size_t device)
{
    auto& asked = m_state->devices[device];
    Memory memory;
    if (!asked.hasMemory || !m_state->succeeded(m_state->functions.memory(asked.handle, &memory), asked.hasMemory))
        return std::nullopt;
    if (memory.total == 0) { // No device has none: the figure is a blank.
        m_state->problem = "tells 0 bytes of memory in all";
        return std::nullopt;
    }
    return GpuMemory{memory.total, memory.used, memory.free};
}

std::optional<unsigned> Nvml::busyPercent(std::size_t device)
{
    auto& asked = m_state->devices[device];
    Utilization rates;
    if (!asked.hasUtilization
        || !m_state->succeeded(m_state->functions.utilization(asked.handle, &rates), asked.hasUtilization))
        return std::nullopt;
    return std::min(rates.gpu, 100U);
}

std::optional<std::vector<GpuProcess>> Nvml::processes(std::size_t device)
{
    auto& asked = m_state->devices[device];
    if (!asked.hasProcesses)
        return std::nullopt;
    std::vector<GpuProcess> all;
    const bool compute = m_state->list(asked, m_state->functions.compute, all);
    const std::string problem = m_state->problem;
    const bool graphics = m_state->list(asked, m_state->functions.graphics, all);
    if (compute || graphics) {
        m_state->problem.clear();
        return all;
    }
    if (m_state->functions.compute)
        m_state->problem = problem;
    return std::nullopt;
}

const std::string& Nvml::lastProblem() const
{
    return m_state->problem;
}

} // namespace loadlab
