#pragma once

#include "core/containment/RunGroup.h"
#include "core/curve/ColumnRates.h"
#include "core/telemetry/GpuCounters.h"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// Where one column of a run's samples came from.
struct RunCounter {
    Column column{};
    std::string source; ///< A pattern: "/proc/PID/status RssAnon"
    std::optional<double> rateHz; ///< Fresh readings a second; nothing with fewer than two.
    std::string problem; ///< Why there were none; empty: there were.
    bool operator==(const RunCounter&) const = default;
};

/// What there was to read from.
struct CounterOrigins {
    double sampledHz = 0; ///< Asked of the sampler: what comes on top of it comes from marks.
    GroupKind group = GroupKind::None;
    std::string noGroup; ///< Why there was none.
    GpuCounters::Report gpu;
};

/// One for every column, in their order.
std::vector<RunCounter> describeCounters(const ColumnRates& rates, const CounterOrigins& origins);

/// [{"column", "source", "rate_hz", "problem"}]
nlohmann::json toJson(const std::vector<RunCounter>& counters);
/// Takes what is there; columns that this version does not know are left out.
std::vector<RunCounter> countersFromJson(const nlohmann::json& json);

} // namespace loadlab
