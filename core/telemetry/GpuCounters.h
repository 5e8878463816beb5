#pragma once

#include "core/curve/Sample.h"

#include <memory>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// The GPUs as NVML tells them, read on a thread of their own: a query may take milliseconds under a lock of the whole
/// driver, and a sampler must never wait for that. Device memory and utilisation at most 20 times a second, processes
/// at most once a second (PERFORMANCE.md 2.6). On unified memory the device tells no memory of its own: its columns
/// stay absent, what processes have is part of the machine's one pool, and free is MemAvailable.
class GpuCounters {
public:
    static constexpr double kDevicesHz = 20; ///< At most.
    static constexpr double kProcessesHz = 1;

    /// Starts the thread, which loads the library (`library` as for Nvml::load()).
    explicit GpuCounters(std::string library = {});
    /// Waits 100 ms at most: a thread that the driver does not let go ends by itself, later or never.
    ~GpuCounters();
    GpuCounters(const GpuCounters&) = delete;
    GpuCounters& operator=(const GpuCounters&) = delete;

    /// Fills gpu_bytes (what these processes have, all devices together), gpu_used_bytes and gpu_busy_percent from the
    /// newest reading; what was not told stays absent. Allocates nothing and waits for no driver. Any thread.
    void sample(Sample& into, std::span<const pid_t> tree) const;
    /// Waits (at most 200 ms) until everything was read anew. Any thread but the sampler's.
    void refresh();

    struct Report {
        std::string problem; ///< Why there is nothing; empty: there is.
        std::string library;
        std::string driver;
        std::vector<std::string> devices;
        bool unifiedMemory = false; ///< A device that is there tells no memory of its own.
        double devicesHz = 0; ///< Readings a second; 0 before the second one.
        double processesHz = 0;
    };
    /// Waits until the library was loaded or could not be (at most 3 s). Any thread.
    [[nodiscard]] Report report() const;
    /// Waits for nothing. Any thread.
    [[nodiscard]] Report reportSoFar() const;

private:
    struct State;
    std::shared_ptr<State> m_state; ///< The thread's as well.
};

} // namespace loadlab
