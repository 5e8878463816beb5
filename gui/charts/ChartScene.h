#pragma once

#include "gui/charts/ChartPaint.h"
#include "gui/charts/MemoryChart.h"

#include <array>

namespace loadlab {

/// What a MemoryChart shows, and the plots it is shown in: computes ranges and ticks, hands shapes to the plots, paints
/// around them. Owned by the chart; the plots are the chart's children.
class ChartScene {
public:
    static constexpr std::size_t kLanes = 3;

    ChartScene(const ThemeHolder& theme, MemoryChart& chart);

    ChartDocument document;
    CurveBands bands;
    QString emptyWords = QStringLiteral("No samples yet");
    MemoryChart::Shape shape = MemoryChart::Shape::Stacked;
    bool logScale = false;
    bool compact = false;
    bool lanesVisible = true;
    bool following = true; ///< The range is the whole run, and grows with it.
    double sharpness = 1;
    double fromS = 0;
    double toS = 10;
    std::optional<double> cursor;
    std::optional<std::pair<double, double>> selection;

    PlotView* plot;
    std::array<PlotView*, kLanes> lanes;

    /// Brings range, rooms, ticks and the choice of lanes up to date: what the layout of the plots depends on.
    void refreshRooms();
    /// Then, with the plots laid out: their scales and shapes.
    void refresh();
    /// The whole run, its end rounded up.
    [[nodiscard]] std::pair<double, double> wholeRange() const;
    /// The sample that labels and the end mark speak of: the last while running, else the highest.
    [[nodiscard]] std::size_t spokenSample() const;
    /// Height of the curve's top edge at a sample, as drawn.
    [[nodiscard]] double heightAt(std::size_t sample) const;
    /// One sentence and the phases, for those who cannot see the chart.
    [[nodiscard]] QString accessibleName() const;
    [[nodiscard]] QString accessibleDescription() const;

private:
    [[nodiscard]] std::size_t columnsOf(const PlotView& view) const;
    void refreshPlot();
    void refreshLane(std::size_t index);
    [[nodiscard]] double highestBytes() const;
    /// What the stack holds below the load itself.
    [[nodiscard]] double cacheBytes() const;
    [[nodiscard]] double foreseenBytes() const;
    /// Limits at the height where they are drawn.
    [[nodiscard]] std::vector<ChartLimit> drawnLimits() const;
    [[nodiscard]] double topBytes(double floor) const;
    [[nodiscard]] bool laneShown(std::size_t index) const;
    [[nodiscard]] bool isLastLane(std::size_t index) const;
    void paintBehind(QPainter& painter) const;
    void paintFront(QPainter& painter) const;
    void paintLaneBehind(QPainter& painter, std::size_t index) const;
    void paintLaneFront(QPainter& painter, std::size_t index) const;
    void paintHover(ChartPaint& paint) const;
    [[nodiscard]] std::vector<EdgeLabel> edgeLabels() const;
    [[nodiscard]] QString selectionWords() const;
    [[nodiscard]] ChartPaint paintOn(QPainter& painter, const PlotView& view) const;

    const ThemeHolder& m_theme;
    MemoryChart& m_chart;
    Ticks m_sizes;
    Ticks m_times;
    SizeUnit m_unit;
    double m_top = 1;
    std::array<LaneScale, kLanes> m_laneScale{};
};

} // namespace loadlab
