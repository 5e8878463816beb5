#pragma once

#include "core/Result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// A device's own memory. On unified memory the library tells none (NVML_ERROR_NOT_SUPPORTED): that is not 0.
struct GpuMemory {
    std::uint64_t totalBytes = 0;
    std::uint64_t usedBytes = 0;
    std::uint64_t freeBytes = 0;
};

/// What one process has on one device; bytes are absent where the driver does not tell (NVML_VALUE_NOT_AVAILABLE).
struct GpuProcess {
    pid_t pid = 0;
    std::optional<std::uint64_t> bytes;
};

/// NVIDIA's management library, loaded at run time: building needs nothing of it, and a machine without it does
/// without. Costs (RTX 4090, PERFORMANCE.md 2.6): memory 12 us, utilisation 3 us, processes 4.5 ms under a lock of the
/// whole driver: those at most once a second. One thread at a time. What a device or driver does not support is asked
/// for once and then left alone.
class Nvml {
public:
    /// `library`: another file than $LOADLAB_NVML or libnvidia-ml.so.1. NotFound: no such library; Io: it is there and
    /// cannot be used (a symbol is missing, the driver is not loaded): the message says which and why.
    static Result<Nvml> load(const std::string& library = {});
    ~Nvml();
    Nvml(Nvml&&) noexcept;
    Nvml& operator=(Nvml&&) noexcept;

    [[nodiscard]] const std::string& libraryPath() const;
    [[nodiscard]] const std::string& driverVersion() const; ///< May be empty.
    [[nodiscard]] std::size_t deviceCount() const;
    [[nodiscard]] const std::string& name(std::size_t device) const; ///< "NVIDIA H200"
    std::optional<GpuMemory> memory(std::size_t device);
    std::optional<unsigned> busyPercent(std::size_t device); ///< Share of the last sample period with a kernel running.
    /// Compute and graphics together, each process once with the larger of its figures. Nothing: not supported.
    std::optional<std::vector<GpuProcess>> processes(std::size_t device);
    /// Why the last call gave nothing, in the library's own words; empty after one that gave something.
    [[nodiscard]] const std::string& lastProblem() const;

private:
    struct State;
    explicit Nvml(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
