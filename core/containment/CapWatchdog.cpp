#include "core/containment/CapWatchdog.h"

#include <algorithm>

namespace loadlab {

void CapWatchdog::keep(const Caps& caps)
{
    const std::lock_guard lock(m_mutex);
    m_caps = caps;
}

bool CapWatchdog::hasCaps() const
{
    const std::lock_guard lock(m_mutex);
    return m_caps.memoryBytes || m_caps.swapBytes;
}

void CapWatchdog::arm(pid_t group)
{
    const std::lock_guard lock(m_mutex);
    m_group.arm(group);
}

void CapWatchdog::disarm()
{
    const std::lock_guard lock(m_mutex);
    m_group.disarm();
}

void CapWatchdog::check(const Sample& sample)
{
    const std::lock_guard lock(m_mutex);
    if (!sample.has(Column::TreeBytes))
        return;
    if (sample.has(Column::SwapBytes))
        m_swapBytes = sample[Column::SwapBytes];
    const auto swap = static_cast<std::uint64_t>(std::max<std::int64_t>(0, m_swapBytes));
    m_heldBytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, sample[Column::TreeBytes] - m_swapBytes));
    const bool memoryOver = m_caps.memoryBytes && m_heldBytes > *m_caps.memoryBytes;
    const bool swapOver = m_caps.swapBytes && swap > *m_caps.swapBytes;
    if (!m_group.isArmed() || (!memoryOver && !swapOver))
        return;
    m_group.kill();
    if (!m_breach)
        m_breach = memoryOver ? Breach{false, m_heldBytes, *m_caps.memoryBytes, sample.monotonicNs}
                              : Breach{true, swap, *m_caps.swapBytes, sample.monotonicNs};
}

std::optional<std::uint64_t> CapWatchdog::leftBytes() const
{
    const std::lock_guard lock(m_mutex);
    if (!m_caps.memoryBytes)
        return std::nullopt;
    return *m_caps.memoryBytes - std::min(*m_caps.memoryBytes, m_heldBytes);
}

std::optional<CapWatchdog::Breach> CapWatchdog::breach() const
{
    const std::lock_guard lock(m_mutex);
    return m_breach;
}

} // namespace loadlab
