#include "core/telemetry/CountedOnce.h"

#include <algorithm>

namespace loadlab {
namespace {

std::uint64_t within(std::int64_t bytes, const Held& held)
{
    const auto least = static_cast<std::int64_t>(held.largest);
    return static_cast<std::uint64_t>(std::clamp(bytes, least, std::max(least, static_cast<std::int64_t>(held.sum))));
}

std::int64_t difference(std::uint64_t left, std::uint64_t right)
{
    return static_cast<std::int64_t>(left) - static_cast<std::int64_t>(right);
}

} // namespace

std::uint64_t PrivateOnce::count(const Held& held, std::uint64_t estimate, std::uint64_t ofForks)
{
    m_held = held;
    m_estimate = estimate;
    m_ofForks = ofForks;
    // Who was counted too high or too low is gone: others may fork later.
    if ((m_correction < 0 && ofForks == 0) || (m_correction > 0 && held.sum <= estimate))
        m_correction = 0;
    return counted();
}

std::uint64_t PrivateOnce::counted() const
{
    return within(
        static_cast<std::int64_t>(m_estimate) + std::max(m_correction, -static_cast<std::int64_t>(m_ofForks)), m_held);
}

std::uint64_t PrivateOnce::correct(std::uint64_t bytes, std::uint64_t error)
{
    if (std::abs(difference(bytes, counted())) > static_cast<std::int64_t>(error))
        m_correction = difference(within(static_cast<std::int64_t>(bytes), m_held), m_estimate);
    m_toldShared = shared();
    m_toldError = 0;
    return counted();
}

std::uint64_t PrivateOnce::correctTwice(std::uint64_t bytes, std::uint64_t error)
{
    const auto& [held, estimate] = m_asked;
    m_correction = difference(within(difference(held.sum, bytes + error), held), estimate);
    m_toldShared = difference(held.sum, estimate);
    m_toldError = error;
    return counted();
}

std::int64_t PrivateOnce::shared() const
{
    return difference(m_held.sum, m_estimate);
}

std::uint64_t PrivateOnce::unsure() const
{
    return static_cast<std::uint64_t>(std::abs(shared() - m_toldShared)) + m_toldError;
}

std::uint64_t SharedOnce::count(const Held& held)
{
    m_held = held;
    return counted();
}

/// What the processes touch more is taken for the same pages, but for what the largest grew by; what less for a share.
std::uint64_t SharedOnce::counted() const
{
    if (m_toldSum == 0)
        return m_held.largest;
    const auto left = static_cast<double>(std::min(m_held.sum, m_toldSum)) / static_cast<double>(m_toldSum);
    const auto grown = m_held.largest - std::min(m_held.largest, m_toldLargest);
    return within(
        static_cast<std::int64_t>(static_cast<double>(m_told) * left) + static_cast<std::int64_t>(grown), m_held);
}

std::uint64_t SharedOnce::correct(std::uint64_t bytes, std::uint64_t ofSum)
{
    m_told = bytes;
    m_toldSum = ofSum;
    m_toldLargest = m_held.largest;
    return counted();
}

std::uint64_t SharedOnce::unsure() const
{
    return static_cast<std::uint64_t>(
        std::abs(difference(m_held.sum, m_held.largest) - difference(m_toldSum, m_toldLargest)));
}

} // namespace loadlab
