#include "core/telemetry/HostClock.h"

#include "core/ClockNs.h"
#include "core/Units.h"

namespace loadlab {

std::int64_t suspendedNs()
{
    constexpr std::int64_t together = 1'000'000;
    std::int64_t suspended = 0;
    for (int tries = 0; tries < 10; ++tries) { // The thread may be kept from running between the two readings.
        const std::int64_t before = monotonicNs();
        suspended = clockNs(CLOCK_BOOTTIME).value_or(before) - before;
        if (monotonicNs() - before < together)
            break;
    }
    return suspended;
}

std::string toWords(const Pause& pause)
{
    return (pause.ofMachine ? "the machine was suspended for " : "the lab itself did not run for ")
        + formatDuration(pause.length);
}

} // namespace loadlab
