#include "core/telemetry/TreeMember.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::uint64_t kPagesPerFileFault = 16; ///< The kernel's fault-around.

} // namespace

/// Its faults on shared memory and files are no anonymous pages.
std::uint64_t ownAnon(const TreeMember& member, std::uint64_t whole)
{
    const auto grown = whole > member.inheritedAnon ? whole - member.inheritedAnon : 0;
    const auto faulted = member.minorFaults * pageBytes();
    const auto others = member.now.shmemBytes + member.now.fileBytes / kPagesPerFileFault + member.sharedSince;
    return std::min(whole, std::max(grown, faulted - std::min(faulted, others)));
}

std::uint64_t ownSwap(const TreeMember& member, std::uint64_t whole)
{
    return whole > member.inheritedSwap ? whole - member.inheritedSwap : 0;
}

/// File pages come and go between two readings as well: those that are read come sixteen at a fault, while every small
/// page of memory takes one of its own; those that are written do too, but the kernel counts them as written, whatever
/// the process has done with them.
std::uint64_t provenBetween(const TreeMember& member, const ProcessReading& before)
{
    const auto& now = member.now;
    const auto ofFiles = member.mostFileBytes + now.use.dirtiedBytes;
    const auto notFile = now.highWaterBytes - std::min(now.highWaterBytes, ofFiles);
    const auto faults
        = now.use.minorFaults - (member.fresh ? 0 : std::min(now.use.minorFaults, before.use.minorFaults));
    const auto held = member.fresh ? 0 : before.anonBytes + before.shmemBytes;
    return std::min(notFile, held + faults * pageBytes());
}

std::int64_t grownBy(TreeMember& member, std::int64_t nowNs)
{
    const auto& now = member.now;
    if (!Turnover::isGrown(member.turnover, nowNs))
        member.leastBytes.reset();
    if (now.zombie || !Turnover::isGrown(member.turnover, nowNs)) // A zombie has nothing any more.
        return 0;
    const auto held = now.anonBytes + now.fileBytes + now.shmemBytes + now.swapBytes;
    member.leastBytes = std::min(held, member.leastBytes.value_or(held));
    return static_cast<std::int64_t>(held - *member.leastBytes);
}

} // namespace loadlab
