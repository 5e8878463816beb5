#include "core/trial/LoadTrail.h"

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

constexpr std::size_t kMostPoints = 1024;
constexpr std::size_t kFewest = 5;
constexpr double kWidest = 0.25;

std::optional<double> shareOf(const protocol::Progress& progress)
{
    const bool bytes = progress.totalBytes > 0;
    const auto done = static_cast<double>(bytes ? progress.doneBytes : progress.done);
    const auto total = static_cast<double>(bytes ? progress.totalBytes : progress.total);
    if (!(total > 0) || done > total)
        return std::nullopt;
    return done / total;
}

} // namespace

void LoadTrail::noteTree(double treeBytes)
{
    m_treeBytes = treeBytes;
    m_peakBytes = std::max(m_peakBytes, treeBytes);
}

void LoadTrail::note(const protocol::Progress& progress)
{
    const auto share = shareOf(progress);
    if (!share || !m_treeBytes)
        return;
    m_highestShare = std::max(m_highestShare, *share);
    // Between two samples memory is known once, and belongs to the first progress after it.
    if (!m_points.empty() && m_points.back().treeBytes == *m_treeBytes)
        return;
    m_points.push_back({*share, *m_treeBytes});
    if (m_points.size() < kMostPoints)
        return;
    for (std::size_t i = 0; i < kMostPoints / 2; ++i)
        m_points[i] = m_points[2 * i + 1];
    m_points.resize(kMostPoints / 2);
}

std::optional<ProjectedNeed> LoadTrail::need() const
{
    if (m_points.size() < kFewest || m_highestShare >= 1)
        return std::nullopt;
    auto need = projectedNeed(m_points, m_peakBytes);
    if (!need || need->highBytes - need->lowBytes > 2 * kWidest * need->bytes)
        return std::nullopt;
    return need;
}

std::optional<std::uint64_t> LoadTrail::projectedNeedBytes() const
{
    const auto known = need();
    return known ? std::optional(static_cast<std::uint64_t>(std::llround(known->bytes))) : std::nullopt;
}

} // namespace loadlab
