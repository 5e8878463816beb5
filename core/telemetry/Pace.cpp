#include "core/telemetry/Pace.h"

#include "core/Units.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace loadlab {
namespace {

constexpr double kWorthReading = 64 << 10; ///< Bytes a second: below, it is a timer or a log file that is read.
constexpr double kWorthWriting = kWorthReading;
constexpr double kSlow = 1 << 20; ///< Below, a rate in MiB would be 0.00.
constexpr double kWorthGrowing = 1 << 20;
constexpr double kWorthSwapping = 1 << 20; ///< Anybody's, while the tree has swap.
constexpr double kWorthFaulting = 8; ///< Major faults a second: then it is the tree that waits for those pages.
constexpr double kPageBytes = 4096;
constexpr double kPagesPerFault = 8; ///< From swap the kernel reads so many together (vm.page-cluster is 3).
constexpr double kCpuCores = 0.02;

/// By how much a column that only grows moved; 0 where it is not told.
double moved(const Sample& from, const Sample& to, Column column)
{
    return from.has(column) && to.has(column) ? static_cast<double>(to[column] - from[column]) : 0;
}

struct Swapped {
    double in = 0;
    double out = 0;
};

/// What the machine swapped, as far as it can be the tree's. What comes back takes a major fault, at least for the
/// first of the pages that are read together, or lessens what it has in swap; what went out came back, or is there
/// still.
Swapped swappedBetween(const Sample& from, const Sample& to)
{
    const auto inSwap
        = [](const Sample& sample) { return sample.has(Column::SwapBytes) ? sample[Column::SwapBytes] : 0; };
    if (inSwap(from) <= 0 && inSwap(to) <= 0)
        return {};
    const auto more = static_cast<double>(inSwap(to) - inSwap(from));
    const double faulted = moved(from, to, Column::MajorFaults) * kPagesPerFault * kPageBytes;
    Swapped swapped;
    swapped.in = moved(from, to, Column::SystemSwapInBytes);
    if (to.has(Column::MajorFaults))
        swapped.in = std::min(swapped.in, std::max(faulted, -more));
    swapped.out = std::min(moved(from, to, Column::SystemSwapOutBytes), swapped.in + std::max(0.0, more));
    return swapped;
}

/// Its rates alone. `startupReadBytes`: of what was read; `mapsMore`: that more of files is mapped tells of reading.
Pace paceBetween(const Sample& from, const Sample& to, double startupReadBytes, bool mapsMore)
{
    const double seconds = static_cast<double>(to.monotonicNs - from.monotonicNs) / 1e9;
    const auto rate = [&](Column column) { return moved(from, to, column) / seconds; };
    const Swapped swapped = swappedBetween(from, to);
    Pace pace;
    // The kernel counts what comes back from swap as read from storage.
    const double stored = std::max(0.0, rate(Column::ReadBytes) - swapped.in / seconds);
    const double called = std::max(0.0, rate(Column::ReadCharBytes) - startupReadBytes / seconds);
    pace.readBytesPerS = std::max({stored, called, mapsMore ? rate(Column::FileBytes) : 0});
    pace.growthBytesPerS = rate(Column::TreeBytes);
    pace.swapBytesPerS = (swapped.in + swapped.out) / seconds;
    pace.majorFaultsPerS = rate(Column::MajorFaults);
    pace.cpuCores = rate(Column::CpuNs) / 1e9;
    return pace;
}

std::string rateWords(double bytesPerS)
{
    return bytesPerS < kSlow ? formatSize(static_cast<std::uint64_t>(bytesPerS)) + "/s" : formatRate(bytesPerS);
}

std::string cores(double number)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), number >= 0.005 && number < 0.095 ? "%.2f cores" : "%.1f cores", number);
    return text.data();
}

/// A progress bar may end no line for minutes.
std::string printed(const Pace& pace)
{
    if (pace.printedLines == 0)
        return formatSize(pace.printedBytes);
    return formatCount(pace.printedLines) + (pace.printedLines == 1 ? " line" : " lines");
}

} // namespace

std::string toWords(const Pace& pace)
{
    switch (pace.kind) {
    case Pace::Kind::Unknown:
        return "not known yet";
    case Pace::Kind::Still:
        return "standing still";
    case Pace::Kind::Swapping:
        return "swapping at " + rateWords(pace.swapBytesPerS) + ", " + cores(pace.cpuCores) + " busy";
    case Pace::Kind::Reading:
        return pace.readBytesPerS < 1 ? "reading a little" : "reading at " + rateWords(pace.readBytesPerS);
    case Pace::Kind::Writing:
        return "writing at " + rateWords(pace.writtenBytesPerS);
    case Pace::Kind::Growing:
        return "growing by " + formatRate(pace.growthBytesPerS) + " without reading";
    case Pace::Kind::Computing:
        return "computing on " + cores(pace.cpuCores);
    case Pace::Kind::Printing:
        return "printing, " + printed(pace) + " in the last " + std::to_string(std::max(1L, std::lround(pace.spanS)))
            + " s";
    }
    return {};
}

PaceWatch::PaceWatch(std::chrono::nanoseconds window)
    : m_windowNs(window.count())
{
}

void PaceWatch::sample(const Sample& sample)
{
    if (!sample.has(Column::CpuNs)) // One of those between, with anonymous memory alone.
        return;
    m_now.sample = sample;
    const auto newest = m_count > 0 ? m_ring[(m_next + kSlots - 1) % kSlots].sample.monotonicNs : 0;
    if (m_count > 0 && sample.monotonicNs - newest < m_windowNs / static_cast<std::int64_t>(kSlots - 2))
        return;
    m_ring[m_next] = m_now;
    m_next = (m_next + 1) % kSlots;
    m_count = std::min(m_count + 1, kSlots);
}

void PaceWatch::output(std::string_view bytes)
{
    m_now.bytes += bytes.size();
    m_now.lines += static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
}

const PaceWatch::Moment* PaceWatch::oldestWithin(std::int64_t windowNs) const
{
    for (std::size_t i = 0; i < m_count; ++i) {
        const auto& kept = m_ring[(m_next + kSlots - m_count + i) % kSlots];
        if (m_now.sample.monotonicNs - kept.sample.monotonicNs <= windowNs)
            return &kept;
    }
    return nullptr;
}

/// What is read through mappings adds up; those of children that come and go only look so between two samples.
bool PaceWatch::mapsMore(std::int64_t spanNs) const
{
    const std::int64_t lastNs = m_now.sample.monotonicNs;
    std::int64_t mostBefore = 0;
    std::int64_t leastSince = m_now.sample[Column::FileBytes];
    for (std::size_t i = 0; i < m_count; ++i) {
        const Sample& kept = m_ring[i].sample;
        if (lastNs - kept.monotonicNs > spanNs)
            continue;
        if (lastNs - kept.monotonicNs > spanNs / 2)
            mostBefore = std::max(mostBefore, kept[Column::FileBytes]);
        else
            leastSince = std::min(leastSince, kept[Column::FileBytes]);
    }
    return mostBefore < leastSince;
}

double PaceWatch::writtenPerS(const Moment& from, const Moment& to)
{
    const auto grown = [](std::uint64_t before, std::uint64_t after) { return static_cast<double>(after - before); };
    const double printed = grown(from.bytes, to.bytes);
    const double called = grown(from.use.writtenBytes, to.use.writtenBytes) - printed;
    const double seconds = static_cast<double>(to.sample.monotonicNs - from.sample.monotonicNs) / 1e9;
    return std::max(called, grown(from.use.dirtiedBytes, to.use.dirtiedBytes)) / seconds;
}

Pace PaceWatch::pace() const
{
    const Sample& last = m_now.sample;
    const Moment* from = oldestWithin(m_windowNs);
    const auto spanNs = from ? last.monotonicNs - from->sample.monotonicNs : 0;
    if (spanNs < m_windowNs / 4)
        return {};
    const Moment* later = oldestWithin(spanNs / 2);
    const bool mapping = mapsMore(spanNs);
    const auto paceSince = [&](const Moment& moment) {
        const auto startup = m_now.use.startupReadBytes - moment.use.startupReadBytes;
        Pace since = paceBetween(moment.sample, last, static_cast<double>(startup), mapping);
        since.writtenBytesPerS = writtenPerS(moment, m_now);
        return since;
    };
    Pace pace = paceSince(*from);
    const Pace now = later && later->sample.monotonicNs < last.monotonicNs ? paceSince(*later) : pace;
    pace.printedLines = m_now.lines - from->lines;
    pace.printedBytes = m_now.bytes - from->bytes;
    pace.spanS = static_cast<double>(spanNs) / 1e9;
    const auto goesOn
        = [](double rate, double laterRate, double worth) { return rate >= worth && laterRate >= worth / 4; };
    const bool waitsForSwap
        = goesOn(pace.majorFaultsPerS, now.majorFaultsPerS, kWorthFaulting) && pace.swapBytesPerS > pace.readBytesPerS;
    const double worthSwapping = waitsForSwap ? kWorthFaulting * kPageBytes : kWorthSwapping;
    if (goesOn(pace.swapBytesPerS, now.swapBytesPerS, worthSwapping))
        pace.kind = Pace::Kind::Swapping;
    else if (goesOn(pace.readBytesPerS, now.readBytesPerS, kWorthReading))
        pace.kind = Pace::Kind::Reading;
    else if (pace.writtenBytesPerS > pace.growthBytesPerS
        && goesOn(pace.writtenBytesPerS, now.writtenBytesPerS, kWorthWriting))
        pace.kind = Pace::Kind::Writing;
    else if (goesOn(pace.growthBytesPerS, now.growthBytesPerS, kWorthGrowing))
        pace.kind = Pace::Kind::Growing;
    else if (goesOn(pace.cpuCores, now.cpuCores, kCpuCores))
        pace.kind = Pace::Kind::Computing;
    else if (pace.printedBytes > 0)
        pace.kind = Pace::Kind::Printing;
    else
        pace.kind = Pace::Kind::Still;
    return pace;
}

} // namespace loadlab
