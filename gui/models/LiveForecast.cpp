#include "gui/models/LiveForecast.h"

#include "core/Units.h"
#include "gui/charts/ShownPhases.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace loadlab {
namespace {

constexpr double kLookEveryS = 0.5;
constexpr double kTellEveryS = 5;
constexpr double kSteadyForS = 3; ///< Growth that is worth a line in the log.
constexpr double kOtherRate = 0.25;
constexpr std::int64_t kLoadsNs = 2'000'000'000;

std::uint64_t less(std::uint64_t whole, std::uint64_t part)
{
    return whole - std::min(whole, part);
}

std::uint64_t valueOf(const Sample& sample, Column column)
{
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, sample.has(column) ? sample[column] : 0));
}

MemoryPool::Kind kindOf(Guard::Pool::Of of)
{
    switch (of) {
    case Guard::Pool::Of::Machine:
        return MemoryPool::Kind::Machine;
    case Guard::Pool::Of::Cap:
        return MemoryPool::Kind::Cap;
    case Guard::Pool::Of::Group:
        break;
    }
    return MemoryPool::Kind::Group;
}

std::string duration(double seconds)
{
    return formatDuration(std::chrono::nanoseconds(std::llround(std::max(0.0, seconds) * 1e9)));
}

} // namespace

void LiveForecast::apply(const RunEvent& event)
{
    if (const auto* started = std::get_if<RunStarted>(&event.body)) {
        *this = LiveForecast();
        m_started = *started;
        m_outlook.margin = started->identity.limits.guard;
    } else if (const auto* samples = std::get_if<SamplesTaken>(&event.body)) {
        m_pace.use(samples->use);
        for (const Sample& sample : samples->samples)
            take(sample);
    } else if (const auto* seen = std::get_if<GuardLooked>(&event.body)) {
        m_seen = *seen;
    } else if (const auto* message = std::get_if<protocol::Message>(&event.body)) {
        m_outlook.lastWordS = secondsOf(event.monotonicNs);
        m_pace.output("\n");
        if (const auto* progress = std::get_if<protocol::Progress>(&message->body))
            m_trail.note(*progress);
    } else if (const auto* log = std::get_if<LogText>(&event.body)) {
        m_outlook.lastWordS = secondsOf(event.monotonicNs);
        if (log->stream != LogStream::Lab)
            m_pace.output(log->bytes);
    } else if (std::holds_alternative<WorkerStarted>(event.body)) {
        m_outlook.lastWordS = secondsOf(event.monotonicNs);
    }
}

void LiveForecast::setMargin(std::optional<GuardMargin> margin)
{
    m_outlook.margin = margin;
    m_lookedAtS = -1e9;
}

double LiveForecast::secondsOf(std::int64_t monotonicNs) const
{
    return static_cast<double>(monotonicNs - m_started.originNs) / 1e9;
}

void LiveForecast::take(const Sample& sample)
{
    m_pace.sample(sample);
    m_last.monotonicNs = sample.monotonicNs;
    for (std::size_t i = 0; i < kColumnCount; ++i)
        if (sample.values[i] != kAbsent)
            m_last.values[i] = sample.values[i];
    const double atS = secondsOf(sample.monotonicNs);
    m_outlook.swapBytes = valueOf(m_last, Column::SwapBytes);
    if (m_outlook.swapBytes > 0 && !m_outlook.swapBeganS)
        m_outlook.swapBeganS = atS;
    if (!sample.has(Column::TreeBytes))
        return;
    m_outlook.atS = atS;
    m_outlook.loadBytes = static_cast<double>(valueOf(sample, Column::TreeBytes));
    if (m_started.machine.unifiedMemory)
        m_outlook.loadBytes += static_cast<double>(valueOf(m_last, Column::GpuBytes));
    m_curve.add({atS, m_outlook.loadBytes});
    m_loads.push_back({sample.monotonicNs, m_outlook.loadBytes});
    while (sample.monotonicNs - m_loads.front().monotonicNs > kLoadsNs)
        m_loads.pop_front();
    m_trail.noteTree(m_outlook.loadBytes);
}

/// The guard's pool, brought from the moment of its look to the last sample.
std::optional<MemoryPool> LiveForecast::memoryPool() const
{
    if (!m_seen || m_loads.empty())
        return std::nullopt;
    const Guard::Pool& pool = m_seen->look.pool;
    const auto later = std::ranges::find_if(
        m_loads, [this](const Load& load) { return load.monotonicNs > m_seen->look.monotonicNs; });
    const double then = later == m_loads.begin() ? later->bytes : std::prev(later)->bytes;
    const double left = static_cast<double>(pool.leftBytes) + then - m_outlook.loadBytes;
    return MemoryPool{kindOf(pool.of), static_cast<std::uint64_t>(std::max(0.0, left)), pool.totalBytes};
}

MemoryPool LiveForecast::withSwap(MemoryPool memory) const
{
    std::uint64_t left = less(m_started.machine.swapBytes, valueOf(m_last, Column::SystemSwapUsedBytes));
    if (const auto& cap = m_started.identity.limits.capSwapBytes)
        left = std::min(left, less(*cap, m_outlook.swapBytes));
    return {MemoryPool::Kind::WithSwap, memory.leftBytes + left, memory.totalBytes + left + m_outlook.swapBytes};
}

void LiveForecast::lookAtPools()
{
    LiveOutlook& look = m_outlook;
    look.memory = memoryPool();
    look.limit = look.memory && look.swapBytes > 0 ? withSwap(*look.memory) : look.memory;
    look.limitBytes = look.limit ? look.loadBytes + static_cast<double>(look.limit->leftBytes)
                                 : std::numeric_limits<double>::infinity();
    look.guardBytes.reset();
    if (look.memory && look.margin)
        look.guardBytes = look.loadBytes + static_cast<double>(look.memory->leftBytes)
            - static_cast<double>(look.margin->of(look.memory->totalBytes));
}

bool LiveForecast::refresh()
{
    LiveOutlook& look = m_outlook;
    if (m_curve.isEmpty() || look.atS - m_lookedAtS < kLookEveryS)
        return false;
    m_lookedAtS = look.atS;
    lookAtPools();
    CalmCurve calm = calmCurve(m_curve);
    look.found = std::move(calm.phases);
    look.toLimit = forecast(calm.curve, look.found, look.limitBytes);
    look.toGuard = look.guardBytes ? std::optional(forecast(calm.curve, look.found, *look.guardBytes)) : std::nullopt;
    look.need = m_trail.need();
    look.pace = m_pace.pace();
    look.stalledShare = m_seen ? m_seen->look.stalledShare : std::nullopt;
    look.oomKills = m_seen ? m_seen->oomKills : std::nullopt;
    return true;
}

std::optional<std::string> LiveForecast::newsOfGrowth()
{
    const LiveOutlook& look = m_outlook;
    if (look.found.empty() || look.growsForS() < kSteadyForS || look.atS - m_told.growthAtS < kTellEveryS)
        return std::nullopt;
    const FoundPhase& phase = look.found.back();
    const double rate = phase.rateBytesPerS;
    const bool grows = phase.kind == PhaseKind::Growth || phase.kind == PhaseKind::SlowGrowth;
    const bool steady = std::fabs(rate) > 4 * phase.rateErrorBytesPerS;
    if (!grows || !steady || std::fabs(rate - m_told.rateBytesPerS) < kOtherRate * std::max(rate, m_told.rateBytesPerS))
        return std::nullopt;
    const bool first = m_told.rateBytesPerS == 0;
    const std::string from = formatRate(m_told.rateBytesPerS);
    m_told.growthAtS = look.atS;
    m_told.rateBytesPerS = rate;
    return first ? "growth became linear, " + formatRate(rate)
                 : "growth went from " + from + " to " + formatRate(rate) + " at " + duration(phase.fromS);
}

std::optional<std::string> LiveForecast::newsOfLimit()
{
    const Forecast& limit = m_outlook.toLimit;
    if (m_outlook.atS - m_told.limitAtS < kTellEveryS)
        return std::nullopt;
    const bool foretold = limit.why == Forecast::Why::Foretold;
    const auto& told = m_told.limitBetweenS;
    const bool changed = foretold ? !told || *limit.limitReachedS < told->first || *limit.limitReachedS > told->second
                                  : told && limit.why != Forecast::Why::Reached;
    if (!changed)
        return std::nullopt;
    m_told.limitAtS = m_outlook.atS;
    m_told.limitBetweenS.reset();
    if (!foretold)
        return "forecast: the limit is in sight no more: " + toWords(limit.why);
    const double never = std::numeric_limits<double>::infinity();
    m_told.limitBetweenS = {*limit.lowS, limit.highS.value_or(never)};
    std::string words = "forecast: limit in " + duration(*limit.limitReachedS - limit.atS) + " (from "
        + duration(*limit.lowS - limit.atS) + (limit.highS ? " to " + duration(*limit.highS - limit.atS) : ", or never")
        + ")";
    if (const auto& guard = m_outlook.toGuard; guard && guard->why == Forecast::Why::Foretold)
        words += ", guard in " + duration(*guard->limitReachedS - guard->atS);
    return words;
}

std::vector<std::string> LiveForecast::takeNews()
{
    std::vector<std::string> news;
    if (auto growth = newsOfGrowth())
        news.push_back(*std::move(growth));
    if (auto limit = newsOfLimit())
        news.push_back(*std::move(limit));
    if (m_outlook.swapBeganS && !std::exchange(m_told.swap, true))
        news.push_back("swap in use from " + duration(*m_outlook.swapBeganS) + " on");
    return news;
}

} // namespace loadlab
