#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace loadlab {

/// What is measured at one instant. Sources and biases: docs/ARCHITECTURE.md, "Counters".
/// Tree columns sum over the run's processes; *Count, *Faults, CpuNs and Read* only ever grow within a run: what a
/// process that ended had used stays in the sum.
enum class Column : std::uint8_t {
    AnonBytes, FileBytes, ShmemBytes, SwapBytes, TreeBytes, RssBytes, GpuBytes,
    MinorFaults, MajorFaults, CpuNs, ReadBytes, ReadCharBytes, Processes, Threads,
    SystemAvailableBytes, SystemFreeBytes, SystemCacheBytes, SystemSwapUsedBytes, SystemPsiSomeUs, SystemPsiFullUs,
    PssBytes, GpuUsedBytes, GpuBusyPercent, SystemSwapInBytes, SystemSwapOutBytes, CgroupUsageBytes, CgroupFileBytes
};
inline constexpr std::size_t kColumnCount = static_cast<std::size_t>(Column::CgroupFileBytes) + 1;
inline constexpr std::int64_t kAbsent = std::numeric_limits<std::int64_t>::min();

/// "anon_bytes": in CSV, JSON and the database.
std::string_view toWireName(Column column);
std::optional<Column> findColumn(std::string_view wireName);

struct Sample {
    std::int64_t monotonicNs = 0;
    std::array<std::int64_t, kColumnCount> values = absentValues();

    [[nodiscard]] std::int64_t operator[](Column column) const { return values[static_cast<std::size_t>(column)]; }
    std::int64_t& operator[](Column column) { return values[static_cast<std::size_t>(column)]; }
    [[nodiscard]] bool has(Column column) const { return (*this)[column] != kAbsent; }
    bool operator==(const Sample&) const = default;

    static constexpr std::array<std::int64_t, kColumnCount> absentValues()
    {
        std::array<std::int64_t, kColumnCount> all {};
        all.fill(kAbsent);
        return all;
    }
};

/// A run's samples in time order. `originNs` is the run's zero: t_s = (monotonicNs − originNs) / 1e9.
struct Curve {
    std::int64_t originNs = 0;
    std::vector<Sample> samples;
};

} // namespace loadlab
