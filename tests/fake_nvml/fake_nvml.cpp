// A library with NVML's names that says what a script tells it to: $LOADLAB_FAKE_NVML names a file of lines, read anew
// at every call.
//   init CODE                       what nvmlInit_v2 returns
//   device NAME                     the next device; what follows is about it
//   memory TOTAL USED | memory CODE bytes, or the code to return ("memory !3")
//   memory stuck                    does not return as long as the script says so
//   busy PERCENT | busy !CODE
//   process PID BYTES|na            of the compute list
//   graphics PID BYTES|na
//   processes !CODE
// Built in variants that lack functions (WITHOUT_...), as older drivers do.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

struct Process {
    unsigned pid;
    unsigned long long bytes;
};
struct Device {
    std::string name;
    int memoryCode = 0;
    bool stuck = false;
    unsigned long long total = 0;
    unsigned long long used = 0;
    int busyCode = 0;
    unsigned busy = 0;
    int processesCode = 0;
    std::vector<Process> compute;
    std::vector<Process> graphics;
};
struct Script {
    int init = 0;
    std::vector<Device> devices;
};

unsigned long long bytesOf(const std::string& word)
{
    return word == "na" ? ~0ULL : std::stoull(word);
}

Script script()
{
    Script all;
    const char* name = std::getenv("LOADLAB_FAKE_NVML");
    std::ifstream file(name ? name : "");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string what;
        std::string first;
        std::string second;
        words >> what;
        if (what == "device") {
            std::getline(words >> std::ws, first);
            all.devices.emplace_back().name = first;
            continue;
        }
        words >> first >> second;
        const int code = first.rfind('!', 0) == 0 ? std::stoi(first.substr(1)) : 0;
        if (what == "init")
            all.init = std::stoi(first);
        if (all.devices.empty())
            continue;
        auto& device = all.devices.back();
        if (what == "memory" && first == "stuck") {
            device.stuck = true;
        } else if (what == "memory" && code != 0) {
            device.memoryCode = code;
        } else if (what == "memory") {
            device.total = bytesOf(first);
            device.used = bytesOf(second);
        } else if (what == "busy" && code != 0) {
            device.busyCode = code;
        } else if (what == "busy") {
            device.busy = static_cast<unsigned>(std::stoul(first));
        } else if (what == "processes") {
            device.processesCode = code;
        } else if (what == "process" || what == "graphics") {
            auto& list = what == "process" ? device.compute : device.graphics;
            list.push_back({static_cast<unsigned>(std::stoul(first)), bytesOf(second)});
        }
    }
    return all;
}

/// Handles are device numbers from 1 on.
Device deviceOf(void* handle)
{
    const auto devices = script().devices;
    const auto index = reinterpret_cast<std::size_t>(handle) - 1;
    return index < devices.size() ? devices[index] : Device{};
}

int copyText(const std::string& text, char* into, unsigned size)
{
    std::snprintf(into, size, "%s", text.c_str());
    return 0;
}

struct ProcessInfo {
    unsigned pid;
    unsigned long long usedBytes;
    unsigned gpuInstance;
    unsigned computeInstance;
};

[[maybe_unused]] int copyProcesses(
    const Device& device, const std::vector<Process>& list, unsigned* count, ProcessInfo* into)
{
    if (device.processesCode != 0)
        return device.processesCode;
    const unsigned room = *count;
    *count = static_cast<unsigned>(list.size());
    if (room < list.size())
        return 7;
    for (std::size_t i = 0; i < list.size(); ++i)
        into[i] = {list[i].pid, list[i].bytes, 0, 0};
    return 0;
}

} // namespace

extern "C" {

int nvmlInit_v2()
{
    return script().init;
}
int nvmlShutdown()
{
    return 0;
}
const char* nvmlErrorString(int code)
{
    return code == 3 ? "Not Supported" : code == 9 ? "Driver Not Loaded" : code == 15 ? "GPU is lost" : "Unknown Error";
}
int nvmlSystemGetDriverVersion(char* into, unsigned size)
{
    return copyText("580.12 (fake)", into, size);
}
#ifndef WITHOUT_COUNT
int nvmlDeviceGetCount_v2(unsigned* count)
{
    *count = static_cast<unsigned>(script().devices.size());
    return 0;
}
#endif
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle)
{
    *handle = reinterpret_cast<void*>(std::size_t{index} + 1);
    return 0;
}
int nvmlDeviceGetName(void* handle, char* into, unsigned size)
{
    return copyText(deviceOf(handle).name, into, size);
}
#ifndef WITHOUT_MEMORY
int nvmlDeviceGetMemoryInfo(void* handle, unsigned long long* into)
{
    auto device = deviceOf(handle);
    for (; device.stuck; device = deviceOf(handle))
        ::usleep(1000);
    if (device.memoryCode != 0)
        return device.memoryCode;
    into[0] = device.total;
    into[1] = device.total - device.used;
    into[2] = device.used;
    return 0;
}
#endif
#ifndef WITHOUT_BUSY
int nvmlDeviceGetUtilizationRates(void* handle, unsigned* into)
{
    const auto device = deviceOf(handle);
    into[0] = device.busy;
    into[1] = 0;
    return device.busyCode;
}
#endif
#ifndef WITHOUT_PROCESSES
int nvmlDeviceGetComputeRunningProcesses_v3(void* handle, unsigned* count, ProcessInfo* into)
{
    const auto device = deviceOf(handle);
    return copyProcesses(device, device.compute, count, into);
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(void* handle, unsigned* count, ProcessInfo* into)
{
    const auto device = deviceOf(handle);
    return copyProcesses(device, device.graphics, count, into);
}
#endif
}
