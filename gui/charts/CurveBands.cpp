#include "gui/charts/CurveBands.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

/// Rates over shorter stretches show the counters' own steps (10 ms of CPU time) instead of the load.
constexpr double kRateWindowS = 0.25;
constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

CurveBands::Band band(Column column, const char* name, const char* shortName, const char* remark, Role role)
{
    return {column, QString::fromLatin1(name), QString::fromLatin1(shortName), QString::fromLatin1(remark), role, false,
        0, {}};
}

CurveBands::Lane lane(const char* name, const char* unit, Role role, Column column, double perSecond)
{
    return {QString::fromLatin1(name), QString::fromLatin1(unit), role, column, perSecond, 0, {}, {}};
}

bool hasTree(const Sample& sample)
{
    constexpr std::array columns{Column::AnonBytes, Column::FileBytes, Column::ShmemBytes, Column::SwapBytes,
        Column::TreeBytes, Column::GpuBytes};
    return std::any_of(columns.begin(), columns.end(), [&](Column column) { return sample.has(column); });
}

double valueOr0(const Sample& sample, Column column)
{
    return sample.has(column) ? std::max(0.0, static_cast<double>(sample[column])) : 0.0;
}

double treeOf(const Sample& sample)
{
    if (sample.has(Column::TreeBytes))
        return valueOr0(sample, Column::TreeBytes);
    return valueOr0(sample, Column::AnonBytes) + valueOr0(sample, Column::ShmemBytes)
        + valueOr0(sample, Column::SwapBytes);
}

} // namespace

CurveBands::CurveBands(bool gpuInPool)
    : m_gpuInPool(gpuInPool)
{
    m_bands.push_back(band(Column::FileBytes, "Page cache", "Cache", "files, mapped", Role::Cache));
    if (gpuInPool)
        m_bands.push_back(band(Column::GpuBytes, "GPU", "GPU", "same pool", Role::Gpu));
    m_bands.push_back(band(Column::AnonBytes, "Resident", "Res.", "anonymous", Role::Resident));
    m_bands.push_back(band(Column::ShmemBytes, "Shared", "Shm.", "shared memory", Role::Series4));
    m_bands.push_back(band(Column::SwapBytes, "Swap", "Swap", "swapped out", Role::Swap));
    m_lanes.push_back(lane("Disk read", "GiB/s", Role::Series4, Column::ReadBytes, 1 / kGiB));
    m_lanes.push_back(lane("CPU", "cores", Role::Gpu, Column::CpuNs, 1e-9));
    m_lanes.push_back(lane("Pressure (PSI)", "%", Role::Swap, Column::SystemPsiSomeUs, 1e-4));
}

void CurveBands::append(std::span<const Sample> samples, std::int64_t originNs)
{
    for (const Sample& sample : samples) {
        const double seconds = static_cast<double>(sample.monotonicNs - originNs) / 1e9;
        if (hasTree(sample) && (m_times.empty() || seconds >= m_times.back()))
            appendBands(sample, seconds);
        for (Lane& lane : m_lanes)
            appendRate(lane, sample, seconds);
    }
}

const Track* CurveBands::edgeBelow(std::size_t band) const
{
    while (band-- > 0)
        if (!m_bands[band].edge.empty())
            return &m_bands[band].edge;
    return nullptr;
}

void CurveBands::appendBands(const Sample& sample, double seconds)
{
    double edge = 0;
    for (std::size_t i = 0; i < m_bands.size(); ++i) {
        Band& band = m_bands[i];
        const double value = valueOr0(sample, band.column);
        band.seen = band.seen || sample.has(band.column);
        band.peak = std::max(band.peak, value);
        edge += value;
        if (band.peak <= 0)
            continue;
        // The first time it holds anything: until now it lay flat on the band below.
        if (band.edge.empty()) {
            const Track* below = edgeBelow(i);
            for (std::size_t past = 0; past < m_times.size(); ++past)
                band.edge.push_back({m_times[past], below ? (*below)[past].y : 0.0});
        }
        band.edge.push_back({seconds, edge});
    }
    m_times.push_back(seconds);
    m_total.push_back({seconds, treeOf(sample)});
    if (!m_gpuInPool && sample.has(Column::GpuBytes))
        m_gpu.push_back({seconds, valueOr0(sample, Column::GpuBytes)});
    const std::size_t last = m_times.size() - 1;
    if (edge > stackAt(m_highestStack))
        m_highestStack = last;
    if (m_total[last].y > m_total[m_highestTotal].y)
        m_highestTotal = last;
}

void CurveBands::appendRate(Lane& lane, const Sample& sample, double seconds)
{
    if (!sample.has(lane.column) || (!lane.window.empty() && seconds <= lane.window.back().x))
        return;
    const auto value = static_cast<double>(sample[lane.column]);
    // A counter that went down was started anew: the step says nothing.
    if (!lane.window.empty() && value < lane.window.back().y)
        lane.window.clear();
    lane.window.push_back({seconds, value});
    while (lane.window.size() > 2 && lane.window[1].x <= seconds - kRateWindowS)
        lane.window.pop_front();
    // Before the window is full a single step would count as a burst that never was.
    const Point& from = lane.window.front();
    if (from.x > seconds - kRateWindowS)
        return;
    lane.points.push_back({seconds, (value - from.y) / (seconds - from.x) * lane.perSecond});
    lane.peak = std::max(lane.peak, lane.points.back().y);
}

std::optional<double> CurveBands::Lane::rateAt(double seconds) const
{
    const auto after = std::upper_bound(
        points.begin(), points.end(), seconds, [](double x, const Point& point) { return x < point.x; });
    if (after == points.begin() || std::prev(after)->x < seconds - kRateWindowS)
        return std::nullopt;
    return std::prev(after)->y;
}

std::size_t CurveBands::nearest(double seconds) const
{
    const auto after = std::lower_bound(m_times.begin(), m_times.end(), seconds);
    const auto index = static_cast<std::size_t>(after - m_times.begin());
    if (index == m_times.size())
        return m_times.size() - 1;
    return index > 0 && seconds - m_times[index - 1] < m_times[index] - seconds ? index - 1 : index;
}

std::size_t CurveBands::lastUpTo(double seconds) const
{
    const auto after = std::upper_bound(m_times.begin(), m_times.end(), seconds);
    return after == m_times.begin() ? 0 : static_cast<std::size_t>(after - m_times.begin()) - 1;
}

double CurveBands::valueOf(std::size_t band, std::size_t sample) const
{
    if (m_bands[band].edge.empty())
        return 0;
    const Track* below = edgeBelow(band);
    return m_bands[band].edge[sample].y - (below ? (*below)[sample].y : 0.0);
}

double CurveBands::stackAt(std::size_t sample) const
{
    const Track* top = edgeBelow(m_bands.size());
    return top ? (*top)[sample].y : 0.0;
}

double CurveBands::highestBetween(double fromS, double toS, bool stacked) const
{
    const Track* line = stacked ? edgeBelow(m_bands.size()) : &m_total;
    return line ? std::max(0.0, line->highestBetween(fromS, toS, 0)) : 0.0;
}

} // namespace loadlab
