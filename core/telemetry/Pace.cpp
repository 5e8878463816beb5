#include "core/telemetry/Pace.h"

#include "core/Units.h"

#include <algorithm>
#include <cstdio>

namespace loadlab {
namespace {

constexpr double kWorthReading = 64 << 10; ///< Bytes a second: below, it is a timer or a log file that is read.
constexpr double kWorthGrowing = 1 << 20;
constexpr double kWorthSwapping = 1 << 20;
constexpr double kCpuCores = 0.02;

/// By how much a column that only grows moved; 0 where it is not told.
double moved(const Sample& from, const Sample& to, Column column)
{
    return from.has(column) && to.has(column) ? static_cast<double>(to[column] - from[column]) : 0;
}

/// Its rates alone.
Pace paceBetween(const Sample& from, const Sample& to)
{
    const double seconds = static_cast<double>(to.monotonicNs - from.monotonicNs) / 1e9;
    const auto rate = [&](Column column) { return moved(from, to, column) / seconds; };
    const bool swaps = to.has(Column::SwapBytes) && to[Column::SwapBytes] > 0;
    Pace pace;
    pace.readBytesPerS = std::max({rate(Column::ReadBytes), rate(Column::ReadCharBytes), rate(Column::FileBytes)});
    pace.growthBytesPerS = rate(Column::TreeBytes);
    pace.swapBytesPerS = swaps ? rate(Column::SystemSwapInBytes) + rate(Column::SystemSwapOutBytes) : 0;
    pace.cpuCores = rate(Column::CpuNs) / 1e9;
    return pace;
}

std::string cores(double number)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f cores", number);
    return text.data();
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
        return "swapping at " + formatRate(pace.swapBytesPerS) + ", " + cores(pace.cpuCores) + " busy";
    case Pace::Kind::Reading:
        return "reading at " + formatRate(pace.readBytesPerS);
    case Pace::Kind::Growing:
        return "growing by " + formatRate(pace.growthBytesPerS) + " without reading";
    case Pace::Kind::Computing:
        return "computing on " + cores(pace.cpuCores);
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
    m_last = sample;
    const auto newest = m_count > 0 ? m_ring[(m_next + kSlots - 1) % kSlots].monotonicNs : 0;
    if (m_count > 0 && sample.monotonicNs - newest < m_windowNs / static_cast<std::int64_t>(kSlots - 2))
        return;
    m_ring[m_next] = sample;
    m_next = (m_next + 1) % kSlots;
    m_count = std::min(m_count + 1, kSlots);
}

const Sample* PaceWatch::oldestWithin(std::int64_t windowNs) const
{
    for (std::size_t i = 0; i < m_count; ++i) {
        const auto& kept = m_ring[(m_next + kSlots - m_count + i) % kSlots];
        if (m_last.monotonicNs - kept.monotonicNs <= windowNs)
            return &kept;
    }
    return nullptr;
}

Pace PaceWatch::pace() const
{
    const Sample* from = oldestWithin(m_windowNs);
    const auto spanNs = from ? m_last.monotonicNs - from->monotonicNs : 0;
    if (spanNs < m_windowNs / 4)
        return {};
    const Sample* later = oldestWithin(spanNs / 2);
    Pace pace = paceBetween(*from, m_last);
    const Pace now = later && later->monotonicNs < m_last.monotonicNs ? paceBetween(*later, m_last) : pace;
    const auto goesOn
        = [](double rate, double laterRate, double worth) { return rate >= worth && laterRate >= worth / 4; };
    if (goesOn(pace.swapBytesPerS, now.swapBytesPerS, kWorthSwapping))
        pace.kind = Pace::Kind::Swapping;
    else if (goesOn(pace.readBytesPerS, now.readBytesPerS, kWorthReading))
        pace.kind = Pace::Kind::Reading;
    else if (goesOn(pace.growthBytesPerS, now.growthBytesPerS, kWorthGrowing))
        pace.kind = Pace::Kind::Growing;
    else if (goesOn(pace.cpuCores, now.cpuCores, kCpuCores))
        pace.kind = Pace::Kind::Computing;
    else
        pace.kind = Pace::Kind::Still;
    return pace;
}

} // namespace loadlab
