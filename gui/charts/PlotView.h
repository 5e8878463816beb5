#pragma once

#include "core/curve/Pyramid.h"

#include <QChartView>
#include <QColor>
#include <QPen>

#include <functional>
#include <optional>
#include <vector>

class QAreaSeries;
class QLineSeries;
class QValueAxis;

namespace loadlab {

/// One plot: bands and lines by Qt Charts, everything around them by two painters. Qt Charts' own axes, legend and
/// margins stay off: they elide labels in low plots and leave ticks behind when the plot area is set.
class PlotView : public QChartView {
    Q_OBJECT

public:
    /// A filled band between two lines of points. Tracks are borrowed for the call.
    struct Area {
        const Track* upper;
        const Track* lower; ///< Nothing: the x axis.
        QColor fill;
    };
    struct Line {
        const Track* points;
        QPen pen;
    };
    using Paint = std::function<void(QPainter&)>;

    explicit PlotView(QWidget* parent = nullptr);
    ~PlotView() override;

    /// Room around the plot for words, in pixels.
    void setRoom(const QMargins& room);
    /// `floorY` > 0: values are drawn by their logarithm, none lower than it. 0: linear from zero.
    void setRange(double fromX, double toX, double topY, double floorY = 0);
    /// Points are decimated to that many columns and cut at the plot's edges here.
    void setShapes(const std::vector<Area>& areas, const std::vector<Line>& lines, std::size_t columns);
    void setPainters(Paint behind, Paint front);

    [[nodiscard]] QRectF plotRect() const;
    [[nodiscard]] double X(double x) const;
    [[nodiscard]] double Y(double y) const;
    [[nodiscard]] double xAt(double pixel) const;
    [[nodiscard]] int pointCount() const;

Q_SIGNALS:
    void hovered(std::optional<double> x);
    void zoomRequested(double factor, double aboutX);
    void panRequested(double deltaX);
    void selectionDragged(double fromX, double toX);
    void fitRequested();
    void clicked(double x);

protected:
    void drawBackground(QPainter* painter, const QRectF& rect) override;
    void drawForeground(QPainter* painter, const QRectF& rect) override;
    void resizeEvent(QResizeEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    struct Drag {
        double x = 0; ///< Where it began, or was last, in pixels.
        double startX = 0; ///< On the axis.
        bool selects = false;
        bool moved = false;
    };
    [[nodiscard]] double scaled(double y) const;
    [[nodiscard]] QList<QPointF> pointsFor(const Track& track, std::size_t columns) const;
    void addSeries(std::size_t areas, std::size_t lines);
    void layOut();

    QValueAxis* m_xAxis;
    QValueAxis* m_yAxis;
    std::vector<QAreaSeries*> m_areas;
    std::vector<QLineSeries*> m_lines;
    QMargins m_room;
    double m_fromX = 0, m_toX = 1, m_topY = 1, m_floorY = 0;
    Paint m_behind, m_front;
    std::optional<Drag> m_drag;
};

} // namespace loadlab
