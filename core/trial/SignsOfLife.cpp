#include "core/trial/SignsOfLife.h"

#include <algorithm>

namespace loadlab {
namespace {

using namespace std::chrono_literals;

/// Smaller changes are housekeeping: a timer that is read, a page touched while waking up.
constexpr std::int64_t kWorthReading = 64 << 10;
constexpr std::uint64_t kWorthWriting = 64 << 10; ///< A log of what it waits for is less.
constexpr std::int64_t kPollsPerS = 4 << 10; ///< Bytes: who asks the kernel for a status reads so much, at most.
constexpr std::int64_t kWorthGrowing = 1 << 20;
constexpr std::int64_t kFromDisk = 4096;
constexpr std::int64_t kWorthFaulting
    = 16; ///< Major faults: a process that merely wakes up may need its own page or two.
constexpr std::uint64_t kLeastFaults = 16;
constexpr double kFaultsPerS = 8; ///< Each of 4 KiB to 2 MiB: a fault maps all that is near, in the page cache.
constexpr double kCpuShare = 0.02; ///< Of one core.
constexpr std::int64_t kLeastCpuNs = std::chrono::nanoseconds(20ms).count(); ///< Two ticks: the kernel's own precision.
constexpr std::chrono::nanoseconds kShortestWindow = 100ms;
constexpr std::chrono::nanoseconds kLongestWindow = 15s;
constexpr std::int64_t kSamplesLostNs = std::chrono::nanoseconds(3s).count(); ///< They come once a second or oftener.

bool sameProgress(const protocol::Progress& a, const protocol::Progress& b)
{
    return a.done == b.done && a.doneBytes == b.doneBytes && a.what == b.what && a.unit == b.unit;
}

} // namespace

SignsOfLife::SignsOfLife(std::int64_t startNs, std::chrono::nanoseconds limit)
    : m_lastNs(startNs)
    , m_limitNs(limit.count())
    , m_worthReading(std::max(kWorthReading, std::chrono::floor<std::chrono::seconds>(limit).count() * kPollsPerS))
    , m_cpuWindowNs(std::clamp(limit / 4, kShortestWindow, kLongestWindow).count())
    , m_cpuSinceNs(startNs)
    , m_sampledNs(startNs)
    , m_lookedNs(startNs)
{
}

void SignsOfLife::sign(std::int64_t atNs, const char* what)
{
    if (atNs < m_lastNs)
        return;
    m_lastNs = atNs;
    m_lastSign = what;
}

bool SignsOfLife::message(const protocol::Message& message, std::int64_t atNs)
{
    if (const auto* progress = std::get_if<protocol::Progress>(&message.body)) {
        if (m_progress && sameProgress(*m_progress, *progress))
            return false;
        m_progress = *progress;
    }
    sign(atNs, "progress");
    return true;
}

/// Growth adds up from the last sign on, however slow; after a fall it counts from the bottom.
bool SignsOfLife::grew(std::int64_t& anchor, std::int64_t now, std::int64_t byAtLeast)
{
    const bool enough = anchor != kAbsent && now - anchor >= byAtLeast;
    if (anchor == kAbsent || enough || now < anchor)
        anchor = now;
    return enough;
}

bool SignsOfLife::grew(Column column, const Sample& sample, std::int64_t byAtLeast)
{
    return sample.has(column) && grew(m_anchor[column], sample[column], byAtLeast);
}

/// What is read beside the start of programs. That may be told ahead of the sample.
bool SignsOfLife::read(const Sample& sample)
{
    if (!sample.has(Column::ReadCharBytes))
        return false;
    if (m_readBytes != kAbsent && sample[Column::ReadCharBytes] > m_readBytes)
        m_trickledNs = sample.monotonicNs;
    m_readBytes = sample[Column::ReadCharBytes];
    const std::int64_t forWork
        = std::max<std::int64_t>(0, m_readBytes - static_cast<std::int64_t>(m_startupReadBytes));
    std::int64_t& anchor = m_anchor[Column::ReadCharBytes];
    return forWork >= anchor && grew(anchor, forWork, m_worthReading);
}

/// A silence that would be over ends the window early.
bool SignsOfLife::worked(const Sample& sample)
{
    if (!sample.has(Column::CpuNs))
        return false;
    std::int64_t& anchor = m_anchor[Column::CpuNs];
    const std::int64_t windowNs = sample.monotonicNs - m_cpuSinceNs;
    if (anchor != kAbsent && windowNs < m_cpuWindowNs && silence(sample.monotonicNs).count() < m_limitNs)
        return false;
    const std::int64_t usedNs = anchor == kAbsent ? 0 : sample[Column::CpuNs] - anchor;
    anchor = sample[Column::CpuNs];
    m_cpuSinceNs = sample.monotonicNs;
    return usedNs >= kLeastCpuNs && static_cast<double>(usedNs) >= kCpuShare * static_cast<double>(windowNs);
}

void SignsOfLife::sample(const Sample& sample)
{
    // Not short-circuited: every anchor has to move along.
    const bool reading = grew(Column::ReadBytes, sample, kFromDisk) | read(sample);
    const bool growth = grew(Column::GpuBytes, sample, kWorthGrowing);
    const bool faults = grew(Column::MajorFaults, sample, kWorthFaulting);
    const bool cpu = worked(sample);
    if (sample.has(Column::CpuNs))
        m_sampledNs = sample.monotonicNs;
    // What comes back from swap is counted as read, too, unless it was kept compressed in memory.
    if (faults && sample.has(Column::SwapBytes) && sample[Column::SwapBytes] > 0)
        sign(sample.monotonicNs, "swapping");
    else if (reading)
        sign(sample.monotonicNs, "reading");
    else if (growth)
        sign(sample.monotonicNs, "growth");
    else if (cpu)
        sign(sample.monotonicNs, "CPU time");
}

/// Who reads through a mapping and drops it again neither grows nor reads by calls. A process that merely wakes up
/// needs a page or two.
bool SignsOfLife::faulted(std::uint64_t steadyFaults, std::int64_t atNs)
{
    if (m_faultsSeen && steadyFaults > *m_faultsSeen)
        m_faultedNs = atNs;
    m_faultsSeen = steadyFaults;
    const std::int64_t windowNs = atNs - m_faultsSinceNs;
    if (m_faults && windowNs < m_cpuWindowNs && silence(atNs).count() < m_limitNs)
        return false;
    const std::uint64_t faults = m_faults ? steadyFaults - *m_faults : 0;
    m_faults = steadyFaults;
    m_faultsSinceNs = atNs;
    return faults >= kLeastFaults && static_cast<double>(faults) >= kFaultsPerS * static_cast<double>(windowNs) / 1e9;
}

void SignsOfLife::use(const FurtherUse& use, std::int64_t atNs)
{
    m_startupReadBytes = use.startupReadBytes;
    if (faulted(use.steadyFaults, atNs))
        sign(m_faultedNs, "faults");
    if (grew(m_grownBytes, use.grownBytes, kWorthGrowing))
        sign(atNs, "growth");
    const bool wrote = m_used
        && (use.writtenBytes - m_used->writtenBytes >= kWorthWriting
            || use.dirtiedBytes - m_used->dirtiedBytes >= kWorthWriting);
    if (wrote)
        sign(atNs, "writing");
    if (wrote || !m_used)
        m_used = use;
}

bool SignsOfLife::asksForPositions(std::int64_t nowNs) const
{
    return m_trickledNs && *m_trickledNs > m_lastNs
        && (nowNs - m_lookedNs >= m_limitNs / 8 || silence(nowNs).count() >= m_limitNs);
}

void SignsOfLife::positions(bool gotFurther, std::int64_t nowNs)
{
    m_lookedNs = nowNs;
    if (gotFurther)
        sign(*m_trickledNs, "reading");
    m_trickledNs.reset();
}

void SignsOfLife::forgive(std::chrono::nanoseconds gap)
{
    m_lastNs += gap.count();
}

std::chrono::nanoseconds SignsOfLife::silence(std::int64_t nowNs) const
{
    return std::chrono::nanoseconds(std::max<std::int64_t>(0, nowNs - m_lastNs));
}

bool SignsOfLife::isOver(std::chrono::nanoseconds limit, std::int64_t nowNs) const
{
    return silence(std::max(std::min(m_sampledNs, nowNs), nowNs - kSamplesLostNs)) >= limit;
}

std::int64_t SignsOfLife::dueNs(std::chrono::nanoseconds limit, std::int64_t nowNs) const
{
    const std::int64_t dueNs = m_lastNs + limit.count();
    return dueNs > nowNs ? dueNs : dueNs + kSamplesLostNs;
}

} // namespace loadlab
