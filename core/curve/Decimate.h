#pragma once

#include "core/curve/Sample.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace loadlab {

struct Point {
    double x = 0; ///< Seconds since the run's origin.
    double y = 0;
    bool operator==(const Point&) const = default;
};

/// The points of one column, absent values left out.
std::vector<Point> pointsOf(const Curve& curve, Column column);

/// M4: at most four points per pixel column (first, lowest, highest, last of each of `columns` equal x ranges between
/// fromX and toX), in x order, duplicates removed; plus the nearest point outside on each side, so that a line reaches
/// the edges. The highest point of every column is always among them. `points` sorted by x.
std::vector<Point> decimateM4(std::span<const Point> points, double fromX, double toX, std::size_t columns);

/// The curve in `width` characters of U+2581…U+2588 (UTF-8): highest value per cell against the largest of all; empty
/// cells repeat their left neighbour. Zero baseline.
std::string sparkline(std::span<const Point> points, std::size_t width);

} // namespace loadlab
