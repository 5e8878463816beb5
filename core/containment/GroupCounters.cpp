#include "core/containment/GroupCounters.h"

#include "core/ClockNs.h"
#include "core/Digest.h"
#include "core/Units.h"
#include "core/telemetry/ProcessReader.h"

#include <algorithm>
#include <unistd.h>

namespace loadlab {
namespace {

constexpr std::int64_t kPausePerCost = 100;

/// CPU time: what the thread waits for on a busy machine costs nobody anything.
std::int64_t threadCpuNs()
{
    return clockNs(CLOCK_THREAD_CPUTIME_ID).value_or(0);
}

/// What the kernel may not have added up yet of a group's memory.stat: 64 pages of each processor.
std::uint64_t batchedBytes()
{
    static const auto bytes
        = 64 * pageBytes() * static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
    return bytes;
}

bool livesOn(pid_t pid)
{
    const auto stat = readProcessStat(pid);
    return stat && !stat->zombie && !stat->exiting;
}

ProcFile openIn(const RunGroup& group, const char* nameV1, const char* nameV2)
{
    return ProcFile((group.folder() / (group.kind() == GroupKind::V1 ? nameV1 : nameV2)).c_str());
}

} // namespace

GroupCounters::GroupCounters(const RunGroup& group)
    : m_kind(group.kind())
    , m_usage(openIn(group, "memory.usage_in_bytes", "memory.current"))
    , m_stat(openIn(group, "memory.stat", "memory.stat"))
    , m_events(openIn(group, "memory.oom_control", "memory.events"))
    , m_membersPath(group.folder() / "cgroup.procs")
{
}

void GroupCounters::sample(Sample& into)
{
    if (const auto bytes = usageBytes())
        into[Column::CgroupUsageBytes] = static_cast<std::int64_t>(*bytes);
    if (const auto text = m_events.read(m_buffer))
        if (const auto kills = procfs::numberAfter(*text, "oom_kill "))
            m_oomKills = static_cast<std::int64_t>(*kills);
    m_pages.reset();
    if (monotonicNs() < m_statDueNs)
        return;
    const auto before = threadCpuNs();
    if (const auto bytes = fileBytes())
        into[Column::CgroupFileBytes] = static_cast<std::int64_t>(*bytes);
    m_statDueNs = monotonicNs() + kPausePerCost * (threadCpuNs() - before);
}

std::optional<std::uint64_t> GroupCounters::usageBytes()
{
    auto text = m_usage.read(m_buffer);
    return text ? procfs::takeNumber(*text) : std::nullopt;
}

std::optional<std::uint64_t> GroupCounters::fileBytes()
{
    const auto text = m_stat.read(m_buffer);
    if (text)
        m_pages = pagesIn(*text);
    return text ? pageCacheIn(m_kind, *text) : std::nullopt;
}

/// Files in a tmpfs that nobody maps are shmem too, and mapped files are no shmem: the lesser of the two.
PagesOnce GroupCounters::pagesIn(std::string_view stat) const
{
    const bool v1 = m_kind == GroupKind::V1;
    const auto bytes = [stat](std::string_view key) { return procfs::numberAfter(stat, key).value_or(0); };
    return {bytes(v1 ? "total_rss " : "anon "),
        std::min(bytes(v1 ? "total_shmem " : "shmem "), bytes(v1 ? "total_mapped_file " : "file_mapped ")),
        batchedBytes()};
}

/// False where they are not all to be had. Opened anew: v1 hands out an old list as long as one reads on.
bool GroupCounters::readMembers()
{
    m_memberCount = readPids(ProcFile(m_membersPath.c_str()), m_buffer, m_members);
    std::ranges::sort(std::span(m_members).first(m_memberCount));
    return m_memberCount < m_members.size();
}

std::optional<PagesOnce> GroupCounters::pagesOf(std::span<const pid_t> tree)
{
    if (!m_pages || !readMembers())
        return std::nullopt;
    const auto members = std::span(m_members).first(m_memberCount);
    const bool allInside = std::ranges::all_of(
        tree, [members](pid_t pid) { return std::ranges::binary_search(members, pid) || !livesOn(pid); });
    return allInside ? m_pages : std::nullopt;
}

std::optional<std::uint64_t> GroupCounters::oomKills() const
{
    const std::int64_t kills = m_oomKills;
    return kills < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(kills));
}

std::string_view groupSourceOf(Column column, GroupKind kind)
{
    const bool v1 = kind == GroupKind::V1;
    if (column == Column::CgroupUsageBytes)
        return v1 ? "cgroup/memory.usage_in_bytes" : "cgroup/memory.current";
    if (column == Column::CgroupFileBytes)
        return v1 ? "cgroup/memory.stat total_cache - total_shmem" : "cgroup/memory.stat file - shmem";
    return {};
}

std::vector<CounterInfo> probeGroupCounters(const Containment& containment)
{
    const bool v1 = containment.kind() == GroupKind::V1;
    std::vector<CounterInfo> counters;
    const auto describe = [&](std::string_view name, std::string_view source, const char* unit, const char* bias) {
        counters.push_back({std::string(name), std::string(source), unit, {}, bias, false, {}});
    };
    const auto describeColumn = [&](Column column, const char* bias) {
        describe(toWireName(column), groupSourceOf(column, containment.kind()), "bytes", bias);
    };
    describeColumn(Column::CgroupUsageBytes,
        "the run's own group: page cache and kernel memory included, charged in batches of up to 64 pages per CPU");
    describeColumn(Column::CgroupFileBytes,
        "page cache is charged to the group that read it first: what was cached before the run is not in it");
    describe("cgroup.highest", v1 ? "cgroup/memory.memsw.max_usage_in_bytes" : "cgroup/memory.peak + memory.swap.peak",
        "bytes",
        "page cache and kernel memory included: what the peak of a run cannot have been above; read after a run");
    describe("cgroup.oom_kill", v1 ? "cgroup/memory.oom_control oom_kill" : "cgroup/memory.events oom_kill", "count",
        "the run's own group only: proof of an out-of-memory kill; read before and after a run");
    describe("cgroup.limit_hits", v1 ? "cgroup/memory.failcnt + memory.memsw.failcnt" : "cgroup/memory.events max",
        "count", "how often the cap made the kernel reclaim; says nothing of a kill; read after a run");
    const auto made = containment.makeGroup(makeUuid(), {});
    if (!made) {
        for (CounterInfo& counter : counters)
            counter.problem = made.error().message;
        return counters;
    }
    const RunGroup& group = **made;
    GroupCounters own(group);
    measureCost(counters[0], [&] { return own.usageBytes().has_value(); });
    measureCost(counters[1], [&] { return own.fileBytes().has_value(); });
    measureCost(counters[2], [&] { return group.read().highestWithSwapBytes.has_value(); });
    measureCost(counters[3], [&] { return group.read().oomKills.has_value(); });
    measureCost(counters[4], [&] { return group.read().limitHits.has_value(); });
    return counters;
}

} // namespace loadlab
