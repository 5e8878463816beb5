#include "core/telemetry/ReapedUse.h"

#include <algorithm>

namespace loadlab {

void add(ProcessUse& sum, const ProcessUse& more)
{
    sum.minorFaults += more.minorFaults;
    sum.majorFaults += more.majorFaults;
    sum.cpuNs += more.cpuNs;
    sum.reapedMinorFaults += more.reapedMinorFaults;
    sum.reapedMajorFaults += more.reapedMajorFaults;
    sum.reapedCpuNs += more.reapedCpuNs;
    sum.readBytes += more.readBytes;
    sum.readCharBytes += more.readCharBytes;
    sum.writtenBytes += more.writtenBytes;
    sum.dirtiedBytes += more.dirtiedBytes;
}

void ReapedUse::ended(const ProcessUse& last, pid_t heir, std::uint64_t heirReapedFaultsBefore)
{
    if (heir == 0)
        keep(last);
    else
        m_open.push_back({heir, heirReapedFaultsBefore, last, 0});
}

void ReapedUse::heirSeen(pid_t heir, std::uint64_t reapedFaults)
{
    std::uint64_t owed = 0;
    std::uint64_t before = reapedFaults;
    bool lookedTwice = false;
    for (auto& estate : m_open) {
        if (estate.heir != heir)
            continue;
        owed += estate.use.minorFaults + estate.use.reapedMinorFaults;
        before = std::min(before, estate.faultsBefore);
        // The first look may have come before the heir's wait: then the next one tells.
        lookedTwice = ++estate.looks >= 2 || lookedTwice;
    }
    const bool inherited = reapedFaults - before >= owed;
    if (!inherited && !lookedTwice)
        return;
    const auto settled = [&](const Estate& estate) { return estate.heir == heir && (inherited || estate.looks >= 2); };
    for (const auto& estate : m_open)
        if (settled(estate) && !inherited)
            keep(estate.use);
    m_open.erase(std::remove_if(m_open.begin(), m_open.end(), settled), m_open.end());
}

void ReapedUse::heirGone(pid_t heir, pid_t next, std::uint64_t nextReapedFaultsBefore)
{
    for (auto& estate : m_open)
        if (estate.heir == heir) {
            estate.heir = next;
            estate.faultsBefore = nextReapedFaultsBefore;
            if (next == 0)
                keep(estate.use);
        }
    m_open.erase(
        std::remove_if(m_open.begin(), m_open.end(), [](const Estate& e) { return e.heir == 0; }), m_open.end());
}

ProcessUse ReapedUse::lost() const
{
    auto sum = m_kept;
    for (const auto& estate : m_open)
        add(sum, estate.use);
    return sum;
}

void ReapedUse::keep(const ProcessUse& use)
{
    add(m_kept, use);
}

} // namespace loadlab
