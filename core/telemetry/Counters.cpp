#include "core/telemetry/Counters.h"

#include "core/ClockNs.h"
#include "core/telemetry/Machine.h"
#include "core/telemetry/Nvml.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/SystemCounters.h"

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

/// In the order of Column.
constexpr std::array<std::string_view, kColumnCount> kSources{
    "/proc/PID/status RssAnon",
    "/proc/PID/status RssFile",
    "/proc/PID/status RssShmem",
    "/proc/PID/status VmSwap",
    "anon_bytes + shmem_bytes + swap_bytes",
    "anon_bytes + file_bytes + shmem_bytes",
    "NVML running processes",
    "/proc/PID/stat minflt",
    "/proc/PID/stat majflt",
    "clock_getcpuclockid(PID)",
    "/proc/PID/io read_bytes",
    "/proc/PID/io rchar",
    "/proc/PID/task/*/children",
    "/proc/PID/stat num_threads",
    "/proc/meminfo MemAvailable",
    "/proc/meminfo MemFree",
    "/proc/meminfo Cached + Buffers + SReclaimable - Shmem",
    "/proc/meminfo SwapTotal - SwapFree",
    "/proc/pressure/memory some",
    "/proc/pressure/memory full",
    "/proc/PID/smaps_rollup Pss_Anon + Pss_Shmem + SwapPss",
    "NVML memory info",
    "NVML utilization",
    "/proc/vmstat pswpin",
    "/proc/vmstat pswpout",
    "cgroup usage",
    "cgroup/memory.stat",
};

CounterInfo described(std::string_view name, std::string_view source, const char* unit, const char* bias)
{
    return {std::string(name), std::string(source), unit, {}, bias, false, {}};
}

CounterInfo described(Column column, const char* unit, const char* bias)
{
    return described(toWireName(column), sourceOf(column), unit, bias);
}

/// A counter in a file that stays open; available when the file holds `key`.
CounterInfo inFile(CounterInfo info, const char* path, std::string_view key = {})
{
    const ProcFile file(path);
    std::array<char, 16384> buffer{};
    measureCost(info, [&] {
        const auto text = file.read(buffer);
        return text && text->find(key) != text->npos;
    });
    return info;
}

CounterInfo inStatus(Column column, const char* key, const char* bias)
{
    return inFile(described(column, "bytes", bias), "/proc/self/status", key);
}

CounterInfo inMeminfo(Column column, const char* key, const char* bias)
{
    return inFile(described(column, "bytes", bias), "/proc/meminfo", key);
}

CounterInfo measured(CounterInfo info, const std::function<bool()>& read)
{
    measureCost(info, read);
    return info;
}

bool readOwnClock()
{
    clockid_t clock{};
    return ::clock_getcpuclockid(::getpid(), &clock) == 0 && clockNs(clock);
}

void addProcessCounters(std::vector<CounterInfo>& into)
{
    constexpr const char* inherited = "of children when a parent in the tree waits for them";
    into.push_back(inStatus(Column::AnonBytes, "RssAnon:",
        "pages of forks count once, as the run's cgroup or PSS tells, else as their faults do; some kernels (6.2 and "
        "later) lag by up to about 1 MiB on a dozen "
        "CPUs, "
        "more on hundreds"));
    into.push_back(inStatus(Column::FileBytes,
        "RssFile:", "file pages that several processes map count in each; never part of tree_bytes"));
    into.push_back(inStatus(Column::ShmemBytes, "RssShmem:",
        "mapped pages, each once, as the run's cgroup or PSS tells; until then as if all were the same; files "
        "written to a tmpfs are in cgroup_usage_bytes alone"));
    into.push_back(inStatus(Column::SwapBytes, "VmSwap:", "without swapped shared memory"));
    into.push_back(inStatus(Column::TreeBytes, "RssAnon:", "as its summands; never file pages"));
    into.push_back(inStatus(Column::RssBytes, "RssAnon:", "as its summands: shared pages count in each process"));
    into.push_back(inFile(described("hwm_bytes", "/proc/PID/status VmHWM", "bytes",
                              "the largest RSS of one process, file pages included; begins anew at exec"),
        "/proc/self/status", "VmHWM:"));
    into.push_back(inFile(described("anon_bytes, rss_bytes above 50 Hz", "/proc/PID/statm", "bytes",
                              "resident less file and shared pages, as of the same instant"),
        "/proc/self/statm"));
    into.push_back(inFile(described(Column::MinorFaults, "count", inherited), "/proc/self/stat"));
    into.push_back(inFile(described(Column::MajorFaults, "count", inherited), "/proc/self/stat"));
    into.push_back(inFile(described(Column::Threads, "count", "of processes that run"), "/proc/self/stat"));
    into.push_back(measured(described(Column::CpuNs, "ns",
                                "user and system time of all threads, also of those that ended; of children when a "
                                "parent in the tree waits for them"),
        readOwnClock));
    into.push_back(
        inFile(described(Column::ReadBytes, "bytes",
                   "from storage, swap included: what comes back from swap counts, what the page cache holds does not"),
            "/proc/self/io", "read_bytes:"));
    into.push_back(inFile(
        described(Column::ReadCharBytes, "bytes", "read calls, also from the page cache; mapped files are not in it"),
        "/proc/self/io", "rchar:"));
    into.push_back(inFile(described(Column::Processes, "count",
                              "a child that lives less than one sample is only seen through what its parent's counters "
                              "inherit"),
        ("/proc/self/task/" + std::to_string(::getpid()) + "/children").c_str()));
    into.push_back(inFile(described(Column::PssBytes, "bytes",
                              "shared pages once, one process read after the other; takes the target's mmap lock and "
                              "up to 22 ms per GiB of "
                              "small pages: once a second below 1 GiB resident and at marks, more often where nothing "
                              "else tells what is shared, not above 32 GiB"),
        "/proc/self/smaps_rollup", "Pss_Anon:"));
}

void addMachineCounters(std::vector<CounterInfo>& into)
{
    constexpr const char* stalls = "stall time of the whole machine since boot";
    constexpr const char* traffic = "of the whole machine since boot, zswap's pages too";
    into.push_back(inMeminfo(Column::SystemAvailableBytes,
        "MemAvailable:", "the kernel's estimate of what can be had without swapping; page cache counts as free"));
    into.push_back(inMeminfo(Column::SystemFreeBytes, "MemFree:", "page cache does not count as free"));
    into.push_back(inMeminfo(Column::SystemCacheBytes, "Cached:", "of whoever read it; without shared memory"));
    into.push_back(inMeminfo(Column::SystemSwapUsedBytes, "SwapTotal:", "of the whole machine"));
    into.push_back(measured(described("system_free_bytes above 50 Hz", fastSourceOf(Column::SystemFreeBytes), "bytes",
                                "page cache does not count as free"),
        [] {
            Sample sample;
            SystemCounters::sampleFree(sample);
            return sample.has(Column::SystemFreeBytes);
        }));
    into.push_back(inFile(described(Column::SystemPsiSomeUs, "us", stalls), "/proc/pressure/memory", "some"));
    into.push_back(inFile(described(Column::SystemPsiFullUs, "us", stalls), "/proc/pressure/memory", "full"));
    into.push_back(inFile(described(Column::SystemSwapInBytes, "bytes", traffic), "/proc/vmstat", "pswpin"));
    into.push_back(inFile(described(Column::SystemSwapOutBytes, "bytes", traffic), "/proc/vmstat", "pswpout"));
    into.push_back(
        measured(described("vmstat.oom_kill", "/proc/vmstat oom_kill", "count",
                     "of the whole machine, names no victim: a hint, never proof; read before and after a run"),
            [] { return readKernelCounters().vmstatOomKill.has_value(); }));
}

void addGpuCounters(std::vector<CounterInfo>& into)
{
    Result<Nvml> nvml = Nvml::load();
    std::string problem = nvml ? std::string() : nvml.error().message;
    std::string where;
    if (nvml) {
        where = ", " + nvml->libraryPath() + ", driver " + nvml->driverVersion();
        for (std::size_t i = 0; i < nvml->deviceCount(); ++i)
            where += ", " + nvml->name(i);
        if (nvml->deviceCount() == 0)
            problem = nvml->libraryPath() + " knows no device";
    }
    const auto add = [&](Column column, const char* unit, const char* bias, const std::function<bool()>& read) {
        CounterInfo& info = into.emplace_back(described(column, unit, bias));
        info.source += where;
        info.problem = problem;
        if (!problem.empty())
            return;
        measureCost(info, read);
        if (!info.available && !nvml->lastProblem().empty())
            info.problem = nvml->lastProblem();
    };
    add(Column::GpuBytes, "bytes",
        "of the run's processes, once a second at most; tree_bytes never holds it. On unified memory it takes from the "
        "one pool, and chart and forecast add the two; elsewhere each stands for itself",
        [&nvml] { return nvml->processes(0).has_value(); });
    add(Column::GpuUsedBytes, "bytes", "of the devices, 20 times a second at most; unified memory has none of its own",
        [&nvml] { return nvml->memory(0).has_value(); });
    add(Column::GpuBusyPercent, "percent", "of the busiest device: the share of time in which anything ran on it",
        [&nvml] { return nvml->busyPercent(0).has_value(); });
}

} // namespace

std::string_view sourceOf(Column column)
{
    return kSources[static_cast<std::size_t>(column)];
}

std::string_view fastSourceOf(Column column)
{
    switch (column) {
    case Column::AnonBytes:
    case Column::RssBytes:
    case Column::TreeBytes:
        return "/proc/PID/statm";
    case Column::SystemFreeBytes:
        return "sysinfo(2)";
    default:
        return {};
    }
}

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
    std::vector<CounterInfo> counters;
    addProcessCounters(counters);
    addMachineCounters(counters);
    addGpuCounters(counters);
    return counters;
}

} // namespace loadlab
