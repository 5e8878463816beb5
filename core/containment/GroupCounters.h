#pragma once

#include "core/containment/Containment.h"
#include "core/curve/Sample.h"
#include "core/telemetry/Counters.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/ProcessTree.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// What a run's group holds, for the sampler: descriptors stay open, reading allocates nothing. Nothing is told once
/// the group is gone; this object may outlive it. One thread at a time.
class GroupCounters {
public:
    explicit GroupCounters(const RunGroup& group);

    /// Fills cgroup_usage_bytes, notes the kernel's kills, and cgroup_file_bytes as often as that is cheap: memory.stat
    /// takes milliseconds where the kernel adds up over many CPUs and dead groups, and gets a hundredth of the thread's
    /// time at most.
    void sample(Sample& into);
    std::optional<std::uint64_t> usageBytes();
    std::optional<std::uint64_t> fileBytes();
    /// What the group's memory of processes takes, each page once, as of the last sample; nothing where that had no
    /// memory.stat, or one of these processes is in another group (also in one below).
    std::optional<PagesOnce> pagesOf(std::span<const pid_t> tree);
    /// Processes that the kernel killed for lack of memory, as of the last sample; nothing: not told. On v1 those in
    /// groups below this one are missing. Any thread.
    [[nodiscard]] std::optional<std::uint64_t> oomKills() const;

private:
    [[nodiscard]] PagesOnce pagesIn(std::string_view stat) const;
    bool readMembers();

    GroupKind m_kind;
    ProcFile m_usage;
    ProcFile m_stat;
    ProcFile m_events;
    std::string m_membersPath;
    std::optional<PagesOnce> m_pages; ///< Of the last sample.
    std::atomic<std::int64_t> m_oomKills = -1;
    std::int64_t m_statDueNs = 0;
    std::array<char, 16384> m_buffer{};
    std::array<pid_t, 4096> m_members{};
    std::size_t m_memberCount = 0;
};

/// "cgroup/memory.current"; empty for a column that no group tells.
std::string_view groupSourceOf(Column column, GroupKind kind);
/// What a run's group tells, as `doctor` shows it; read in a group made for that.
std::vector<CounterInfo> probeGroupCounters(const Containment& containment);

} // namespace loadlab
