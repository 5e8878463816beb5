#include "core/telemetry/Turnover.h"

#include <algorithm>
#include <utility>

namespace loadlab {
namespace {

constexpr std::int64_t kGrownNs = 1'000'000'000;
constexpr int kSamplesToSettle = 2; ///< A parent may be read before its child has ended, and wait for it after that.

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
    of.childBytesFor = kSamplesToSettle;
}

bool Turnover::isGrown(const ProcessTurnover& of, std::int64_t nowNs)
{
    return nowNs - of.beganNs >= kGrownNs;
}

void Turnover::count(ProcessTurnover& of, std::int64_t nowNs)
{
    if (of.reaped && of.childBytes == 0) { // One that nobody saw.
        of.childBytes = ProcessTurnover::kStartupBytes;
        of.childBytesFor = kSamplesToSettle;
    }
    if (std::exchange(of.reaped, false))
        of.calmFor = 0;
    m_workReadBytes += settle(settle(of.readBytes, of.childBytes), of.startupLeft);
    if (of.calmFor >= kSamplesToSettle && isGrown(of, nowNs))
        m_steadyFaults += of.faults;
    ++of.calmFor;
    if (--of.childBytesFor <= 0)
        of.childBytes = 0;
    of.readBytes = 0;
    of.faults = 0;
}

void Turnover::sampled(std::uint64_t readCharBytes)
{
    m_startupReadBytes = std::max(m_startupReadBytes, without(readCharBytes, m_workReadBytes));
}

} // namespace loadlab
