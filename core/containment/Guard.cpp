#include "core/containment/Guard.h"

#include "core/Units.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace loadlab {
namespace {

constexpr double kDrowningLeft = 0.1; ///< Of the machine.
constexpr auto kLeastApartNs = static_cast<std::int64_t>(0.9e9 / Guard::kLeastHz); ///< Ticks are never quite on time.
constexpr std::int64_t kUnarmedApartNs = 450'000'000;

} // namespace

Guard::Guard(std::optional<GuardMargin> margin, std::uint64_t machineBytes, GroupPool group)
    : m_machineBytes(machineBytes)
    , m_groupPool(std::move(group))
    , m_margin(margin)
{
}

void Guard::arm(pid_t group)
{
    const std::lock_guard lock(m_mutex);
    m_group.arm(group);
}

void Guard::disarm()
{
    const std::lock_guard lock(m_mutex);
    m_group.disarm();
}

void Guard::setMargin(std::optional<GuardMargin> margin)
{
    const std::lock_guard lock(m_mutex);
    m_margin = margin;
    m_marginIsNew = true;
}

std::optional<double> Guard::stalledShare(const Sample& sample)
{
    if (!sample.has(Column::SystemPsiFullUs))
        return std::nullopt;
    constexpr auto kWindowNs = static_cast<std::int64_t>(kDrowningOverS * 1e9);
    m_stalls.push_back({sample.monotonicNs, sample[Column::SystemPsiFullUs]});
    while (m_stalls.size() > 2 && sample.monotonicNs - m_stalls[1].monotonicNs >= kWindowNs)
        m_stalls.pop_front();
    const auto spanNs = sample.monotonicNs - m_stalls.front().monotonicNs;
    if (spanNs < kWindowNs)
        return std::nullopt;
    const auto stalledUs = sample[Column::SystemPsiFullUs] - m_stalls.front().fullUs;
    return static_cast<double>(stalledUs) * 1000 / static_cast<double>(spanNs);
}

std::optional<FallWatch::Crossing> Guard::provenCrossing(std::int64_t nowNs)
{
    const auto crossing = m_watch.crossing(0, kAheadS);
    if (!crossing)
        m_foretoldSinceNs.reset();
    else if (!m_foretoldSinceNs)
        m_foretoldSinceNs = nowNs;
    const bool proven
        = crossing && static_cast<double>(nowNs - *m_foretoldSinceNs) / 1e9 >= kForetoldShare * crossing->inS;
    return proven ? crossing : std::nullopt;
}

std::optional<std::uint64_t> Guard::availableAt(const Sample& sample)
{
    const bool told = sample.has(Column::SystemAvailableBytes);
    if (told && sample.has(Column::SystemFreeBytes))
        m_besideFreeBytes = sample[Column::SystemAvailableBytes] - sample[Column::SystemFreeBytes];
    if (!told && !(m_besideFreeBytes && sample.has(Column::SystemFreeBytes)))
        return std::nullopt;
    const auto bytes
        = told ? sample[Column::SystemAvailableBytes] : sample[Column::SystemFreeBytes] + *m_besideFreeBytes;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, bytes));
}

Guard::Look Guard::lookAt(const Sample& sample, std::uint64_t availableBytes)
{
    Look look{sample.monotonicNs, {availableBytes, m_machineBytes}, stalledShare(sample)};
    if (const auto group = m_groupPool ? m_groupPool() : std::nullopt; group && group->leftBytes < look.pool.leftBytes)
        look.pool = *group;
    return look;
}

std::optional<Guard::Stop> Guard::judge(const Look& look, std::uint64_t availableBytes, const GuardMargin& margin)
{
    Stop stop;
    stop.of = look.pool.of;
    stop.leftBytes = look.pool.leftBytes;
    stop.marginBytes = margin.of(look.pool.totalBytes);
    stop.monotonicNs = look.monotonicNs;
    const double above = static_cast<double>(stop.leftBytes) - static_cast<double>(stop.marginBytes);
    m_watch.add(static_cast<double>(look.monotonicNs) / 1e9, above);
    if (above <= 0)
        return stop;
    if (const auto crossing = provenCrossing(look.monotonicNs)) {
        stop.why = Stop::Why::WillFall;
        stop.inS = crossing->inS;
        stop.bytesPerS = crossing->bytesPerS;
        stop.overS = crossing->overS;
        return stop;
    }
    const bool little = static_cast<double>(availableBytes) < kDrowningLeft * static_cast<double>(m_machineBytes);
    if (look.stalledShare.value_or(0) <= kDrowningShare || !little)
        return std::nullopt;
    stop.why = Stop::Why::Drowning;
    stop.stalledShare = *look.stalledShare;
    stop.overS = kDrowningOverS;
    return stop;
}

void Guard::check(const Sample& sample)
{
    std::unique_lock lock(m_mutex);
    if (m_stop && m_group.isArmed())
        m_group.kill();
    const std::optional<GuardMargin> margin = m_margin;
    if (std::exchange(m_marginIsNew, false)) {
        m_watch.clear();
        m_foretoldSinceNs.reset();
    }
    lock.unlock();
    const auto available = availableAt(sample);
    const std::int64_t apartNs = margin ? kLeastApartNs : kUnarmedApartNs;
    if (!available || (m_lookedNs && sample.monotonicNs - *m_lookedNs < apartNs))
        return;
    m_lookedNs = sample.monotonicNs;
    const Look look = lookAt(sample, *available);
    const auto stop = margin ? judge(look, *available, *margin) : std::nullopt;
    lock.lock();
    m_look = look;
    if (!stop || m_stop || !m_group.isArmed())
        return;
    m_group.kill();
    m_stop = stop;
}

std::optional<Guard::Look> Guard::lastLook() const
{
    const std::lock_guard lock(m_mutex);
    return m_look;
}

std::optional<Guard::Stop> Guard::stopped() const
{
    const std::lock_guard lock(m_mutex);
    return m_stop;
}

std::string_view toWords(Guard::Pool::Of of)
{
    switch (of) {
    case Guard::Pool::Of::Machine:
        return "on the machine";
    case Guard::Pool::Of::Cap:
        return "under the cap";
    case Guard::Pool::Of::Group:
        break;
    }
    return "under the limit of a group around it";
}

std::string toWords(const Guard::Stop& stop)
{
    const std::string left = formatSize(stop.leftBytes) + " left " + std::string(toWords(stop.of));
    const std::string margin = "the margin of " + formatSize(stop.marginBytes);
    switch (stop.why) {
    case Guard::Stop::Why::Below:
        return left + ", below " + margin;
    case Guard::Stop::Why::WillFall:
        return left + ", shrinking by " + formatRate(stop.bytesPerS) + ": below " + margin + " in "
            + formatDuration(std::chrono::nanoseconds(static_cast<std::int64_t>(stop.inS * 1e9)));
    case Guard::Stop::Why::Drowning:
        break;
    }
    return left + ", and everything waited for memory for " + std::to_string(static_cast<int>(100 * stop.stalledShare))
        + " % of the last " + std::to_string(static_cast<int>(stop.overS)) + " s";
}

} // namespace loadlab
