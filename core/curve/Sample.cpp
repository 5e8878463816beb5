#include "core/curve/Sample.h"

namespace loadlab {
namespace {

constexpr std::array<std::string_view, kColumnCount> kNames {
    "anon_bytes", "file_bytes", "shmem_bytes", "swap_bytes", "tree_bytes", "rss_bytes", "gpu_bytes", "minor_faults",
    "major_faults", "cpu_ns", "read_bytes", "read_char_bytes", "processes", "threads", "system_available_bytes",
    "system_free_bytes", "system_cache_bytes", "system_swap_used_bytes", "system_psi_some_us", "system_psi_full_us",
    "pss_bytes", "gpu_used_bytes", "gpu_busy_percent", "system_swap_in_bytes", "system_swap_out_bytes",
    "cgroup_usage_bytes", "cgroup_file_bytes",
};

} // namespace

std::string_view toWireName(Column column)
{
    return kNames[static_cast<std::size_t>(column)];
}

std::optional<Column> findColumn(std::string_view wireName)
{
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (kNames[i] == wireName)
            return static_cast<Column>(i);
    return std::nullopt;
}

} // namespace loadlab
