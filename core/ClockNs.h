#pragma once

#include <cstdint>
#include <ctime>
#include <optional>

namespace loadlab {

/// What a clock of the kernel shows, in nanoseconds; nothing when there is none of that id (of a process: it is gone).
std::optional<std::int64_t> clockNs(clockid_t clock);

} // namespace loadlab
