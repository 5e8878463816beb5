#pragma once

#include "core/curve/Decimate.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace loadlab {

/// The lowest and highest points of blocks of 64, of 64 · 16, … points: extremes of any stretch of a long curve without
/// reading it. 0.4 bytes per point; grows with a live curve, constant time per point.
///
/// It holds no points: whoever owns them passes all of them, unchanged but for those at the end (a Track does so).
/// Values are numbers (no NaN), x is sorted. At most 2^32 − 1 points.
class Pyramid {
public:
    /// Takes in what came since the last call.
    void extend(std::span<const Point> points);
    void clear() { m_levels.clear(); }

    /// Indices of the lowest and the highest point of [from, to), the first of equal ones; from < to.
    [[nodiscard]] std::pair<std::size_t, std::size_t> extremes(
        std::span<const Point> points, std::size_t from, std::size_t to) const;

private:
    struct Block {
        double lowest = 0;
        double highest = 0;
        std::uint32_t lowestAt = 0;
        std::uint32_t highestAt = 0;
    };
    static constexpr std::size_t kBase = 64; ///< Points of a block of the first level.
    static constexpr std::size_t kFan = 16; ///< Blocks of the level below in a block.

    static void join(Block& into, const Block& later);
    static Block blockOf(std::span<const Point> points, std::size_t from, std::size_t to);

    std::vector<std::vector<Block>> m_levels; ///< Full blocks only.
};

/// Points of a line that only ever grows, together with their pyramid. Reads like a vector of points.
class Track {
public:
    Track() = default;
    explicit Track(std::vector<Point> points);

    void push_back(Point point); ///< x not before the last one's.
    [[nodiscard]] bool empty() const { return m_points.empty(); }
    [[nodiscard]] std::size_t size() const { return m_points.size(); }
    [[nodiscard]] const Point* data() const { return m_points.data(); }
    [[nodiscard]] const Point& operator[](std::size_t index) const { return m_points[index]; }
    [[nodiscard]] const Point& front() const { return m_points.front(); }
    [[nodiscard]] const Point& back() const { return m_points.back(); }
    [[nodiscard]] auto begin() const { return m_points.begin(); }
    [[nodiscard]] auto end() const { return m_points.end(); }
    [[nodiscard]] const std::vector<Point>& points() const { return m_points; }
    [[nodiscard]] const Pyramid& pyramid() const { return m_pyramid; }

    /// The same points as decimateM4() of these ones, in a time that hardly depends on how many there are.
    [[nodiscard]] std::vector<Point> m4(double fromX, double toX, std::size_t columns) const;
    /// The highest y between two times; `none` where no point lies there.
    [[nodiscard]] double highestBetween(double fromX, double toX, double none) const;

private:
    std::vector<Point> m_points;
    Pyramid m_pyramid;
};

} // namespace loadlab
