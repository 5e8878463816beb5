#include "core/ClockNs.h"

namespace loadlab {

std::optional<std::int64_t> clockNs(clockid_t clock)
{
    timespec now{};
    if (::clock_gettime(clock, &now) != 0)
        return std::nullopt;
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

} // namespace loadlab
