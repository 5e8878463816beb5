#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// This machine and this boot: stored with every run. Read once (a few files of /proc and /sys, /etc/machine-id).
struct MachineInfo {
    std::string hostName;
    std::string machineId; ///< HMAC-SHA256 of "loadlab" keyed by /etc/machine-id, 32 hex digits; "" where there is none.
    std::string bootId; ///< /proc/sys/kernel/random/boot_id
    std::string kernel; ///< "6.1.0-18-amd64 x86_64"
    std::string distribution; ///< PRETTY_NAME of os-release
    std::string cpuModel;
    unsigned cpuCount = 0; ///< Online.
    std::uint64_t memoryBytes = 0; ///< MemTotal.
    std::uint64_t swapBytes = 0; ///< SwapTotal.
    std::string gpu; ///< Names as the driver gives them, else vendor and device number; empty: none seen.
    bool unifiedMemory = false; ///< Host and GPU share one pool: never add them.
};
MachineInfo readMachine();
/// The same with files below another root ("" is this machine); what comes from system calls stays this machine's.
MachineInfo readMachineBelow(const std::string& root);
nlohmann::json toJson(const MachineInfo& machine);

/// The machine's memory now; absent fields are nullopt (no PSI in this kernel).
struct SystemMemory {
    std::uint64_t totalBytes = 0;
    std::uint64_t availableBytes = 0;
    std::uint64_t freeBytes = 0;
    std::uint64_t cacheBytes = 0; ///< Cached + Buffers + SReclaimable − Shmem.
    std::uint64_t swapTotalBytes = 0;
    std::uint64_t swapUsedBytes = 0;
    std::optional<std::uint64_t> psiSomeUs; ///< Total stall time of /proc/pressure/memory.
    std::optional<std::uint64_t> psiFullUs;
    std::optional<std::uint64_t> swapInBytes; ///< Since boot.
    std::optional<std::uint64_t> swapOutBytes;
};
SystemMemory readSystemMemory();

/// Kernel counters around a run, for verdicts.
struct KernelCounters {
    std::optional<std::uint64_t> vmstatOomKill; ///< Whole machine, since boot.
    std::optional<std::uint64_t> cgroupOomKill; ///< Of the run's own cgroup.
};
KernelCounters readKernelCounters();

} // namespace loadlab
