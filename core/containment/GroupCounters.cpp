#include "core/containment/GroupCounters.h"

#include "core/Digest.h"
#include "core/Units.h"

#include <ctime>

namespace loadlab {
namespace {

constexpr std::int64_t kPausePerCost = 100;

/// CPU time: what the thread waits for on a busy machine costs nobody anything.
std::int64_t threadCpuNs()
{
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * 1'000'000'000 + used.tv_nsec;
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
{
}

void GroupCounters::sample(Sample& into)
{
    if (const auto bytes = usageBytes())
        into[Column::CgroupUsageBytes] = static_cast<std::int64_t>(*bytes);
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
    return text ? pageCacheIn(m_kind, *text) : std::nullopt;
}

std::vector<CounterInfo> probeGroupCounters(const Containment& containment)
{
    const bool v2 = containment.kind() == GroupKind::V2;
    std::vector<CounterInfo> counters(4);
    const auto describe
        = [&](std::size_t i, const char* name, const char* v1File, const char* v2File, const char* bias) {
              counters[i].name = name;
              counters[i].source = std::string("cgroup/") + (v2 ? v2File : v1File);
              counters[i].unit = i < 2 ? "bytes" : "count";
              counters[i].bias = bias;
          };
    describe(0, "cgroup_usage_bytes", "memory.usage_in_bytes", "memory.current",
        "the run's own group: page cache and kernel memory included, charged in batches of up to 64 pages per CPU");
    describe(1, "cgroup_file_bytes", "memory.stat total_cache - total_shmem", "memory.stat file - shmem",
        "page cache is charged to the group that read it first: what was cached before the run is not in it");
    describe(2, "cgroup.oom_kill", "memory.oom_control oom_kill", "memory.events oom_kill",
        "the run's own group only: proof of an out-of-memory kill; read before and after a run");
    describe(3, "cgroup.limit_hits", "memory.failcnt + memory.memsw.failcnt", "memory.events max",
        "how often the cap made the kernel reclaim; says nothing of a kill; read after a run");
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
    measureCost(counters[2], [&] { return group.read().oomKills.has_value(); });
    measureCost(counters[3], [&] { return group.read().limitHits.has_value(); });
    return counters;
}

} // namespace loadlab
