#include "core/trial/RunCounters.h"

#include "core/Text.h"
#include "core/containment/GroupCounters.h"
#include "core/telemetry/Counters.h"
#include "core/telemetry/Sampler.h"
#include "core/worker/JsonFields.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace loadlab {
using nlohmann::json;
namespace {

bool isOfGroup(Column column)
{
    return column == Column::CgroupUsageBytes || column == Column::CgroupFileBytes;
}

bool isOfGpu(Column column)
{
    return column == Column::GpuBytes || column == Column::GpuUsedBytes || column == Column::GpuBusyPercent;
}

std::string sourceIn(Column column, const CounterOrigins& origins)
{
    if (isOfGroup(column) && origins.group != GroupKind::None)
        return std::string(groupSourceOf(column, origins.group));
    std::string source(sourceOf(column));
    if (const auto fast = fastSourceOf(column); !fast.empty() && origins.sampledHz > Sampler::kAllEveryTickHz)
        source += "; between " + std::string(fast);
    return source;
}

/// Two decimals; a GPU is read by a thread of its own, and its samples between two readings repeat the last.
std::optional<double> rateIn(Column column, const ColumnRates& rates, const CounterOrigins& origins)
{
    const auto found = rates.hz(column);
    if (!found)
        return found;
    double most = origins.sampledHz;
    if (isOfGpu(column))
        most = std::min(most, column == Column::GpuBytes ? origins.gpu.processesHz : origins.gpu.devicesHz);
    return most > 0 ? std::optional(std::round(std::min(*found, most) * 100) / 100) : std::nullopt;
}

std::string whyAbsent(Column column, const ColumnRates& rates, const CounterOrigins& origins)
{
    if (isOfGroup(column) && origins.group == GroupKind::None)
        return origins.noGroup;
    if (isOfGpu(column) && !origins.gpu.problem.empty())
        return origins.gpu.problem;
    if (toWireName(column).starts_with("system_"))
        return "this kernel does not tell";
    if (!rates.has(Column::TreeBytes))
        return "no process was measured";
    if (column == Column::GpuUsedBytes && origins.gpu.unifiedMemory)
        return "unified memory: the device tells none of its own";
    if (column == Column::PssBytes)
        return "never due: the run was too short, more was resident than is cheap to read, or it may not be read";
    return isOfGpu(column) ? "the driver does not tell" : "it may not be read, or this kernel does not tell";
}

} // namespace

std::vector<RunCounter> describeCounters(const ColumnRates& rates, const CounterOrigins& origins)
{
    std::vector<RunCounter> counters;
    for (std::size_t i = 0; i < kColumnCount; ++i) {
        const auto column = static_cast<Column>(i);
        counters.push_back({column, sourceIn(column, origins), rateIn(column, rates, origins),
            rates.has(column) ? std::string() : whyAbsent(column, rates, origins)});
    }
    return counters;
}

json toJson(const std::vector<RunCounter>& counters)
{
    json list = json::array();
    for (const RunCounter& counter : counters)
        list.push_back({{"column", toWireName(counter.column)}, {"source", toUtf8(counter.source)},
            {"rate_hz", counter.rateHz ? json(*counter.rateHz) : json(nullptr)},
            {"problem", counter.problem.empty() ? json(nullptr) : json(toUtf8(counter.problem))}});
    return list;
}

std::vector<RunCounter> countersFromJson(const json& source)
try {
    std::vector<RunCounter> counters;
    if (source.is_array())
        for (const json& entry : source) {
            const JsonFields fields(entry, "counters");
            if (const auto column = findColumn(fields.value<std::string>("column")))
                counters.push_back({*column, fields.value<std::string>("source"), fields.optional<double>("rate_hz"),
                    fields.value<std::string>("problem")});
        }
    return counters;
} catch (const FieldError&) { // Stored by another version: the run's figures stand without it.
    return {};
}

} // namespace loadlab
