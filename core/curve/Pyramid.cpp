#include "core/curve/Pyramid.h"

#include "core/curve/PixelGrid.h"

#include <algorithm>
#include <array>

namespace loadlab {

void Pyramid::join(Block& into, const Block& later)
{
    if (later.lowest < into.lowest) {
        into.lowest = later.lowest;
        into.lowestAt = later.lowestAt;
    }
    if (later.highest > into.highest) {
        into.highest = later.highest;
        into.highestAt = later.highestAt;
    }
}

Pyramid::Block Pyramid::blockOf(std::span<const Point> points, std::size_t from, std::size_t to)
{
    const auto [lowest, highest] = extremesOf(points.data() + from, points.data() + to);
    const auto at = [&](const Point* point) { return static_cast<std::uint32_t>(point - points.data()); };
    return {lowest->y, highest->y, at(lowest), at(highest)};
}

void Pyramid::extend(std::span<const Point> points)
{
    if (points.size() < kBase)
        return;
    if (m_levels.empty())
        m_levels.emplace_back();
    while ((m_levels[0].size() + 1) * kBase <= points.size()) {
        const std::size_t from = m_levels[0].size() * kBase;
        m_levels[0].push_back(blockOf(points, from, from + kBase));
    }
    for (std::size_t level = 0; m_levels[level].size() >= kFan; ++level) {
        if (level + 1 == m_levels.size())
            m_levels.emplace_back();
        std::vector<Block>& above = m_levels[level + 1];
        while ((above.size() + 1) * kFan <= m_levels[level].size()) {
            const auto first = m_levels[level].begin() + static_cast<std::ptrdiff_t>(above.size() * kFan);
            Block block = *first;
            for (auto next = first + 1; next != first + static_cast<std::ptrdiff_t>(kFan); ++next)
                join(block, *next);
            above.push_back(block);
        }
    }
}

std::pair<std::size_t, std::size_t> Pyramid::extremes(
    std::span<const Point> points, std::size_t from, std::size_t to) const
{
    Block all{points[from].y, points[from].y, static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(from)};
    std::size_t unit = kBase; // Points of a block.
    std::size_t level = 0;
    // From the left: up to where a block begins, then the largest block that begins here and fits.
    while (from < to) {
        const bool blocks = level < m_levels.size();
        if (blocks && from % unit == 0 && from + unit <= to && from / unit < m_levels[level].size()) {
            if (level + 1 < m_levels.size() && from % (unit * kFan) == 0 && from + unit * kFan <= to
                && from / (unit * kFan) < m_levels[level + 1].size()) {
                ++level;
                unit *= kFan;
                continue;
            }
            join(all, m_levels[level][from / unit]);
            from += unit;
        } else if (level > 0) {
            --level;
            unit /= kFan;
        } else {
            const std::size_t end = std::min(to, (from / kBase + 1) * kBase);
            join(all, blockOf(points, from, end));
            from = end;
        }
    }
    return {all.lowestAt, all.highestAt};
}

Track::Track(std::vector<Point> points)
    : m_points(std::move(points))
{
    m_pyramid.extend(m_points);
}

void Track::push_back(Point point)
{
    m_points.push_back(point);
    m_pyramid.extend(m_points);
}

std::vector<Point> Track::m4(double fromX, double toX, std::size_t columns) const
{
    return decimateColumns(m_points, fromX, toX, columns, [this](const Point* begin, const Point* end) {
        const auto from = static_cast<std::size_t>(begin - m_points.data());
        const auto [lowest, highest] = m_pyramid.extremes(m_points, from, from + static_cast<std::size_t>(end - begin));
        return Extremes{m_points.data() + lowest, m_points.data() + highest};
    });
}

double Track::highestBetween(double fromX, double toX, double none) const
{
    const auto begin = std::ranges::lower_bound(m_points, fromX, {}, &Point::x);
    const auto end = std::ranges::upper_bound(begin, m_points.end(), toX, {}, &Point::x);
    if (begin >= end)
        return none;
    const auto from = static_cast<std::size_t>(begin - m_points.begin());
    return m_points[m_pyramid.extremes(m_points, from, from + static_cast<std::size_t>(end - begin)).second].y;
}

} // namespace loadlab
