#include "core/curve/Decimate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace loadlab {
namespace {

constexpr std::array<std::string_view, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::string_view barOf(double value, double largest)
{
    if (!(value > 0) || !(largest > 0))
        return kBars.front();
    const auto level = std::ceil(value / largest * static_cast<double>(kBars.size())) - 1;
    return kBars[static_cast<std::size_t>(std::clamp(level, 0.0, static_cast<double>(kBars.size() - 1)))];
}

} // namespace

std::string sparkline(std::span<const Point> points, std::size_t width)
{
    if (points.empty() || width == 0)
        return {};
    const auto from = points.front().x;
    const auto span = points.back().x - from;
    std::vector<std::optional<double>> cells(width);
    double largest = 0;
    for (const auto& point : points) {
        const auto share = span > 0 ? (point.x - from) / span : 0.0;
        const auto cell = std::clamp(share * static_cast<double>(width), 0.0, static_cast<double>(width - 1));
        auto& highest = cells[static_cast<std::size_t>(cell)];
        highest = std::max(highest.value_or(point.y), point.y);
        largest = std::max(largest, point.y);
    }
    std::string text;
    double left = points.front().y;
    for (const auto& cell : cells) {
        left = cell.value_or(left);
        text += barOf(left, largest);
    }
    return text;
}

} // namespace loadlab
