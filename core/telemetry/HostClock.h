#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace loadlab {

/// CLOCK_BOOTTIME − CLOCK_MONOTONIC: for how long the machine has been suspended since its start.
std::int64_t suspendedNs();

/// What a run asks beside CLOCK_MONOTONIC, its one time axis, which stands still while the machine is suspended and
/// takes no notice of the calendar being set. A test has clocks of its own.
struct HostClock {
    std::function<std::chrono::system_clock::time_point()> utc = [] { return std::chrono::system_clock::now(); };
    std::function<std::int64_t()> suspendedNs = loadlab::suspendedNs;
};

/// Time in which nobody watched a run.
struct Pause {
    bool ofMachine = false; ///< Suspended; else the lab alone did not run: stopped, or without a processor.
    double atS = 0; ///< Since the run's origin.
    std::chrono::nanoseconds length{};
};
/// "the machine was suspended for 2 h 05 min", "the lab itself did not run for 3.00 s"
std::string toWords(const Pause& pause);

} // namespace loadlab
