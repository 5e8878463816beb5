#pragma once

#include "gui/charts/ChartDocument.h"
#include "gui/charts/CurveBands.h"
#include "gui/charts/PlotView.h"
#include "gui/charts/Ticks.h"

#include <QFont>

#include <functional>

namespace loadlab {

/// Series' words at the right edge, in the series' colour.
struct EdgeLabel {
    QString name; ///< "Resident 29.0"
    QString remark; ///< "anonymous"; dropped where there is no room.
    QColor color;
    double y = 0; ///< Wanted middle, in pixels.
};

/// Draws around the curves of one plot, in its pixels. All words are text, so that SVG keeps them as text.
class ChartPaint {
public:
    ChartPaint(QPainter& painter, const PlotView& plot, const Theme& theme, const QFont& font, bool compact);

    void phaseBands(const std::vector<Phase>& phases);
    /// Name and rate on top of each phase; nothing where the phase is narrower than the words. Before end().
    void phaseWords(const std::vector<Phase>& phases);
    void grid(const Ticks& sizes);
    void sizeAxis(const Ticks& sizes, bool logScale);
    void timeAxis(const Ticks& times, bool words = true);
    void limits(const std::vector<ChartLimit>& limits, double topBytes, const SizeUnit& unit);
    void marks(const std::vector<ChartMark>& marks);
    /// The mark at the curve's end and its words; for a running load the line "now" with the value.
    /// `highest` gives the top of the curve between two times, so that words stand clear of it and of the limits.
    using Highest = std::function<double(double fromS, double toS)>;
    void end(const ChartEnd& end, double bytes, const QString& value, const Highest& highest,
        const std::vector<ChartLimit>& limits);
    /// Cone and dashed line; `lift` is added to all bytes.
    void forecast(const ChartForecast& forecast, double lift);
    /// From `nowS` to where limits are met, with how long that takes.
    void arrows(const ChartForecast& forecast, double nowS, double lift);
    void labels(std::vector<EdgeLabel> labels);
    void selection(double fromS, double toS, const QString& words);
    void cursorLine(double atS);

    struct BoxRow {
        QColor color;
        QString name;
        QString value;
    };
    void hoverBox(
        double atS, const QString& title, const QString& value, const QString& remark, const QVector<BoxRow>& rows);
    /// Words in the middle of an empty plot.
    void emptyWords(const QString& words);

    /// Line height of small type: the unit of all room around a plot.
    [[nodiscard]] int line() const { return m_metrics.height(); }

private:
    void text(const QRectF& rect, int flags, const QString& words, const QColor& color, bool bold = false);
    void endWords(const QPointF& at, const QString& words, const QColor& color, const Highest& highest,
        const std::vector<ChartLimit>& limits);
    void arrow(double fromX, double y, const ChartForecast::Arrow& arrow, double lift);
    void backedText(const QPointF& leftBaselineTop, const QString& words, const QColor& color, bool bold = false);
    [[nodiscard]] std::pair<double, double> extentOf(const Phase& phase) const; ///< In pixels, within the plot.
    [[nodiscard]] double width(const QString& words, bool bold = false) const;

    QPainter& m_painter;
    const PlotView& m_plot;
    const Theme& m_theme;
    QFont m_font;
    QFont m_boldFont;
    QFontMetrics m_metrics;
    QRectF m_rect;
    QVector<QRectF> m_phaseWords; ///< Where names and rates of phases stand.
    bool m_compact;
};

/// "1.20 GiB/s"; "flat" below half a MiB/s.
QString rateWords(double bytesPerS);

/// Moves labels of the given heights apart: none overlaps, none leaves [top, bottom] while there is room, order kept.
/// `middles` in pixels, sorted; returns the new middles.
QVector<double> spread(const QVector<double>& middles, const QVector<double>& heights, double top, double bottom);

} // namespace loadlab
