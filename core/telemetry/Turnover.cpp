#include "core/telemetry/Turnover.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::uint64_t kStartupBytes = 64 << 10;

} // namespace

void Turnover::read(const ProcessUse& before, const ProcessUse& now)
{
    m_faults += now.minorFaults - std::min(now.minorFaults, before.minorFaults);
    m_reapers += now.reapedMinorFaults != before.reapedMinorFaults ? 1 : 0;
}

void Turnover::sampled(std::uint64_t moved, std::uint64_t readCharBytes)
{
    const auto movedOrReaped = std::max(moved, m_reapers);
    const auto read = readCharBytes - std::min(readCharBytes, m_readCharBytes);
    m_startupReadBytes += std::min(read, movedOrReaped * kStartupBytes);
    m_readCharBytes = std::max(m_readCharBytes, readCharBytes);
    if (movedOrReaped == 0 && m_wasSteady)
        m_steadyFaults += m_faults;
    m_wasSteady = movedOrReaped == 0;
    m_faults = 0;
    m_reapers = 0;
}

} // namespace loadlab
