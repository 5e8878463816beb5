#include "core/telemetry/Counters.h"

#include "core/telemetry/Machine.h"
#include "core/telemetry/Nvml.h"
#include "core/telemetry/ProcFile.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <unistd.h>

namespace loadlab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kReads = 25;

/// The median cost of a read in words, "6.1 us"; an empty text when it fails.
std::string costOf(const std::function<bool()>& read)
{
    std::array<double, kReads> times{};
    for (auto& time : times) {
        const auto before = Clock::now();
        if (!read())
            return {};
        time = std::chrono::duration<double, std::micro>(Clock::now() - before).count();
    }
    std::nth_element(times.begin(), times.begin() + kReads / 2, times.end());
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f us", times[kReads / 2]);
    return text.data();
}

CounterInfo described(const char* name, std::string source, const char* unit, const char* bias)
{
    CounterInfo info;
    info.name = name;
    info.source = std::move(source);
    info.unit = unit;
    info.bias = bias;
    return info;
}

/// A counter in a file that stays open; available when the file holds `key`.
CounterInfo inFile(const char* name, const std::string& path, const char* key, const char* unit, const char* bias)
{
    auto info = described(name, path + (*key ? std::string(" ") + key : ""), unit, bias);
    const ProcFile file(path.c_str());
    std::array<char, 16384> buffer{};
    measureCost(info, [&] {
        const auto text = file.read(buffer);
        return text && text->find(key) != text->npos;
    });
    return info;
}

CounterInfo cpuClock()
{
    auto info = described("cpu_ns", "clock_getcpuclockid(PID)", "ns",
        "user and system time of all threads, also of those that ended; of children when a parent in the tree waits "
        "for them");
    measureCost(info, [] {
        clockid_t clock{};
        timespec time{};
        return ::clock_getcpuclockid(::getpid(), &clock) == 0 && ::clock_gettime(clock, &time) == 0;
    });
    return info;
}

CounterInfo childrenOfProcess()
{
    const auto pid = std::to_string(::getpid());
    return inFile("processes", "/proc/self/task/" + pid + "/children", "", "count",
        "of every thread; a child that lives less than one sample is only seen through what its parent's counters "
        "inherit");
}

CounterInfo pss()
{
    auto info = inFile("pss_tree_bytes", "/proc/self/smaps_rollup", "Pss_Anon:", "bytes",
        "shared pages once; takes the target's mmap lock and up to 10 ms per GiB of small pages: once a second below "
        "1 GiB resident, else at marks only, not above 32 GiB");
    info.source = "/proc/PID/smaps_rollup Pss_Anon + Pss_Shmem + SwapPss";
    return info;
}

CounterInfo machineOomKills()
{
    auto info = described("vmstat.oom_kill", "/proc/vmstat oom_kill", "count",
        "of the whole machine, names no victim: a hint, never proof; read before and after a run");
    measureCost(info, [] { return readKernelCounters().vmstatOomKill.has_value(); });
    return info;
}

CounterInfo gpu()
{
    auto info = described("gpu_bytes, gpu_used_bytes, gpu_busy_percent", "NVML", "bytes",
        "per process once a second at most, a device 20 times; memory that a program shares with the host is in "
        "neither; "
        "on unified memory host and GPU are one pool: never added");
    Result<Nvml> nvml = Nvml::load();
    if (!nvml || nvml->deviceCount() == 0) {
        info.problem = nvml ? nvml->libraryPath() + " knows no device" : nvml.error().message;
        return info;
    }
    info.source = nvml->libraryPath() + ", driver " + nvml->driverVersion();
    for (std::size_t i = 0; i < nvml->deviceCount(); ++i)
        info.source += ", " + nvml->name(i);
    measureCost(info, [&nvml] { return nvml->memory(0) || nvml->processes(0); });
    if (!info.available)
        info.problem = nvml->lastProblem();
    return info;
}

CounterInfo inStatus(const char* name, const char* key, const char* bias)
{
    auto info = inFile(name, "/proc/self/status", key, "bytes", bias);
    info.source = std::string("/proc/PID/status ") + key;
    return info;
}

CounterInfo inProcess(const char* name, const char* file, const char* key, const char* unit, const char* bias)
{
    auto info = inFile(name, std::string("/proc/self/") + file, key, unit, bias);
    info.source = std::string("/proc/PID/") + file + (*key ? std::string(" ") + key : "");
    return info;
}

} // namespace

void measureCost(CounterInfo& info, const std::function<bool()>& read)
{
    errno = 0;
    info.cost = costOf(read);
    info.available = !info.cost.empty();
    if (!info.available)
        info.problem = errno != 0 ? std::strerror(errno) : "this kernel does not tell";
}

std::vector<CounterInfo> probeCounters()
{
    return {
        inStatus("anon_bytes", "RssAnon:",
            "a fork's pages count once until an exec; some kernels (6.2 and later) lag by up to about 1 MiB on a dozen "
            "CPUs, "
            "more on hundreds"),
        inStatus(
            "file_bytes", "RssFile:", "file pages that several processes map count in each; never part of tree_bytes"),
        inStatus("shmem_bytes", "RssShmem:", "pages that several processes touched count in each; PSS at marks tells"),
        inStatus("swap_bytes", "VmSwap:", "without swapped shared memory"),
        inStatus("hwm_bytes", "VmHWM:", "the largest RSS of one process, file pages included; begins anew at exec"),
        inProcess("anon_bytes above 50 Hz", "statm", "", "bytes",
            "resident less file and shared pages, as of the same instant"),
        inProcess(
            "minor_faults, major_faults", "stat", "", "count", "of children when a parent in the tree waits for them"),
        cpuClock(),
        inProcess("read_bytes", "io", "read_bytes:", "bytes",
            "from storage only: what the page cache holds costs nothing here"),
        inProcess("read_char_bytes", "io", "rchar:", "bytes",
            "read calls, also from the page cache; mapped files are not in it"),
        childrenOfProcess(),
        pss(),
        inFile("system_available_bytes", "/proc/meminfo", "MemAvailable:", "bytes",
            "the kernel's estimate of what can be had without swapping; page cache counts as free"),
        inFile("system_swap_used_bytes", "/proc/meminfo", "SwapTotal:", "bytes", "of the whole machine"),
        inFile(
            "system_psi_some_us", "/proc/pressure/memory", "some", "us", "stall time of the whole machine since boot"),
        inFile("system_swap_in_bytes, system_swap_out_bytes", "/proc/vmstat", "pswpin", "bytes",
            "of the whole machine since boot, zswap's pages too"),
        machineOomKills(),
        gpu(),
    };
}

} // namespace loadlab
