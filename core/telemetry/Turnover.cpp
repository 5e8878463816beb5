#include "core/telemetry/Turnover.h"

#include <algorithm>
#include <utility>

namespace loadlab {
namespace {

constexpr std::int64_t kGrownNs = 1'000'000'000;
constexpr int kSamplesToSettle = 2; ///< A parent may be read before its child has ended, and wait for it after that.
constexpr std::uint64_t kFaultsOfFork = 32;

std::uint64_t without(std::uint64_t number, std::uint64_t less)
{
    return number - std::min(number, less);
}

/// Takes from `left` what `bytes` has of it, and returns the rest of those.
std::uint64_t settle(std::uint64_t bytes, std::uint64_t& left)
{
    const auto settled = std::min(bytes, left);
    left -= settled;
    return bytes - settled;
}

/// What it read itself since the last sample, and its children more than they take to start. A child that nobody saw
/// may have read so much.
std::uint64_t readForWork(ProcessTurnover& of, std::optional<std::uint64_t> threadReadBytes)
{
    if (of.reaped && of.childBytes + of.childBytesBefore == 0)
        of.childBytes = ProcessTurnover::kStartupBytes;
    auto expected = std::exchange(of.childBytesBefore, std::exchange(of.childBytes, 0));
    auto own = of.threaded ? 0 : of.readBytes;
    if (threadReadBytes)
        own = without(*threadReadBytes, of.ownBytes);
    of.ownBytes = threadReadBytes.value_or(of.ownBytes + own);
    return own + settle(settle(without(of.readBytes, own), expected), of.childBytesBefore);
}

} // namespace

void Turnover::read(
    ProcessTurnover& of, const ProcessUse& before, const ProcessUse& now, bool began, std::int64_t nowNs)
{
    if (began) {
        of.beganNs = nowNs;
        of.startupLeft = ProcessTurnover::kStartupBytes;
    }
    of.readBytes += without(now.readCharBytes, before.readCharBytes);
    of.faults += without(now.minorFaults, before.minorFaults);
    of.reaped = of.reaped || now.reapedMinorFaults != before.reapedMinorFaults;
}

void Turnover::lostChild(ProcessTurnover& of, const ProcessTurnover& child, const ProcessUse& last)
{
    of.calmFor = 0;
    of.childBytes += last.readCharBytes + child.startupLeft;
}

bool Turnover::isGrown(const ProcessTurnover& of, std::int64_t nowNs)
{
    return nowNs - of.beganNs >= kGrownNs;
}

void Turnover::count(ProcessTurnover& of, std::int64_t nowNs, std::optional<std::uint64_t> threadReadBytes)
{
    m_workReadBytes += settle(readForWork(of, threadReadBytes), of.startupLeft);
    if (std::exchange(of.reaped, false))
        of.calmFor = 0;
    const bool calm = of.calmFor >= kSamplesToSettle;
    if (isGrown(of, nowNs))
        m_steadyFaults += calm ? of.faults : without(of.faults, kFaultsOfFork);
    ++of.calmFor;
    of.readBytes = 0;
    of.faults = 0;
}

void Turnover::sampled(std::uint64_t readCharBytes)
{
    m_startupReadBytes = std::max(m_startupReadBytes, without(readCharBytes, m_workReadBytes));
}

} // namespace loadlab
