#pragma once

#include "core/curve/Sample.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// Where a column comes from, as a pattern: "/proc/PID/status RssAnon". Of the run's group: groupSourceOf().
std::string_view sourceOf(Column column);
/// The same for samples that have few columns (see Sampler); empty for a column that those lack.
std::string_view fastSourceOf(Column column);

/// One thing the lab can measure, for `doctor`.
struct CounterInfo {
    std::string name;
    std::string source;
    std::string unit;
    std::string cost; ///< Measured now: "6.1 us"
    std::string bias; ///< In words.
    bool available = false;
    std::string problem; ///< Why not.
};
/// Reads every counter of processes, the machine and its GPUs a few times and says what it costs here. A run's own
/// group: probeGroupCounters().
std::vector<CounterInfo> probeCounters();
/// Reads a few times; fills in the median cost, and whether the counter is available or why not.
void measureCost(CounterInfo& info, const std::function<bool()>& read);

} // namespace loadlab
