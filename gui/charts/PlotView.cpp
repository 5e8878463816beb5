#include "gui/charts/PlotView.h"

#include <QAreaSeries>
#include <QChart>
#include <QGraphicsLayout>
#include <QLineSeries>
#include <QMouseEvent>
#include <QPainter>
#include <QValueAxis>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>
#include <map>

namespace loadlab {
namespace {

/// Below this a press and release is a click.
constexpr double kDragPixels = 4;

/// The point of the line from a to b at x.
QPointF between(const QPointF& a, const QPointF& b, double x)
{
    const double share = b.x() > a.x() ? (x - a.x()) / (b.x() - a.x()) : 0.0;
    return {x, a.y() + share * (b.y() - a.y())};
}

/// Moves an outer neighbour onto the edge: SVG knows no clipping in Qt, and nothing may leave the plot.
void cutAtEdges(QList<QPointF>& points, double fromX, double toX)
{
    if (points.size() > 1 && points[0].x() < fromX)
        points[0] = between(points[0], points[1], fromX);
    const qsizetype last = points.size() - 1;
    if (points.size() > 1 && points[last].x() > toX)
        points[last] = between(points[last - 1], points[last], toX);
    points.removeIf([&](const QPointF& point) { return point.x() < fromX || point.x() > toX; });
}

/// The highest point of every column: what a fill needs where the line itself covers the column from lowest to highest.
/// Filling the zigzag costs Qt's rasterizer the square of its crossings (0.8 s for 5,000 points of noise; 11 ms so).
QList<QPointF> highestOfColumns(const QList<QPointF>& points, double fromX, double toX, std::size_t columns)
{
    QList<QPointF> highest;
    double last = -1;
    const double perColumn = static_cast<double>(columns) / (toX - fromX);
    for (const QPointF& point : points) {
        const double column = std::floor((point.x() - fromX) * perColumn);
        if (column != last || highest.isEmpty())
            highest.append(point);
        else if (point.y() > highest.last().y())
            highest.last() = point;
        last = column;
    }
    // The fill ends where the line ends.
    if (highest.first().x() > points.first().x())
        highest.prepend(points.first());
    if (highest.last().x() < points.last().x())
        highest.append(points.last());
    return highest;
}

} // namespace

PlotView::PlotView(QWidget* parent)
    : QChartView(new QChart, parent)
    , m_xAxis(new QValueAxis(this))
    , m_yAxis(new QValueAxis(this))
{
    chart()->legend()->hide();
    chart()->setMargins({});
    chart()->layout()->setContentsMargins(0, 0, 0, 0);
    chart()->setBackgroundVisible(false);
    chart()->setAnimationOptions(QChart::NoAnimation);
    chart()->addAxis(m_xAxis, Qt::AlignBottom);
    chart()->addAxis(m_yAxis, Qt::AlignLeft);
    m_xAxis->setVisible(false);
    m_yAxis->setVisible(false);
    setFrameShape(QFrame::NoFrame);
    setRenderHint(QPainter::Antialiasing);
    setViewportUpdateMode(QGraphicsView::FullViewportUpdate);
    setFocusPolicy(Qt::NoFocus);
    setMouseTracking(true);
    viewport()->setMouseTracking(true);
    // The chart around fills the ground.
    viewport()->setAutoFillBackground(false);
}

PlotView::~PlotView() = default;

void PlotView::setRoom(const QMargins& room)
{
    m_room = room;
    layOut();
}

void PlotView::setRange(double fromX, double toX, double topY, double floorY)
{
    m_fromX = fromX;
    m_toX = toX > fromX ? toX : fromX + 1;
    m_topY = topY > 0 ? topY : 1;
    m_floorY = floorY > 0 && floorY < m_topY ? floorY : 0;
    m_xAxis->setRange(m_fromX, m_toX);
    m_yAxis->setRange(scaled(m_floorY), scaled(m_topY));
}

double PlotView::scaled(double y) const
{
    return m_floorY > 0 ? std::log10(std::max(y, m_floorY)) : y;
}

QList<QPointF> PlotView::pointsFor(const Track& track, std::size_t columns) const
{
    const std::vector<Point> few = track.m4(m_fromX, m_toX, columns);
    QList<QPointF> shown;
    shown.reserve(static_cast<qsizetype>(few.size()));
    for (const Point& point : few)
        shown.append({point.x, scaled(point.y)});
    cutAtEdges(shown, m_fromX, m_toX);
    return shown;
}

void PlotView::addSeries(std::size_t areas, std::size_t lines)
{
    // Made anew only when their number changes: attaching costs more than replacing points.
    if (m_areas.size() == areas && m_lines.size() == lines)
        return;
    chart()->removeAllSeries();
    m_areas.clear();
    m_lines.clear();
    const auto attach = [this](QAbstractSeries* series) {
        chart()->addSeries(series);
        series->attachAxis(m_xAxis);
        series->attachAxis(m_yAxis);
    };
    for (std::size_t i = 0; i < areas; ++i) {
        auto* area = new QAreaSeries;
        area->setUpperSeries(new QLineSeries(area));
        area->setLowerSeries(new QLineSeries(area));
        area->setPen(Qt::NoPen);
        attach(area);
        m_areas.push_back(area);
    }
    for (std::size_t i = 0; i < lines; ++i) {
        m_lines.push_back(new QLineSeries);
        attach(m_lines.back());
    }
}

void PlotView::setShapes(const std::vector<Area>& areas, const std::vector<Line>& lines, std::size_t columns)
{
    // An edge is the top of one band, the bottom of the next and a line: decimated once for all three.
    std::map<const Track*, QList<QPointF>> known;
    const auto shown = [&](const Track* track) {
        const auto [entry, isNew] = known.try_emplace(track);
        if (isNew)
            entry->second = pointsFor(*track, columns);
        return entry->second;
    };
    const auto filled = [&](const Track* track) {
        const QList<QPointF> edge = shown(track);
        return static_cast<std::size_t>(edge.size()) > 2 * columns ? highestOfColumns(edge, m_fromX, m_toX, columns)
                                                                   : edge;
    };
    addSeries(areas.size(), lines.size());
    for (std::size_t i = 0; i < areas.size(); ++i) {
        const QList<QPointF> upper = filled(areas[i].upper);
        QList<QPointF> lower = areas[i].lower ? filled(areas[i].lower) : QList<QPointF>();
        if (lower.isEmpty() && !upper.isEmpty())
            lower = {{upper.first().x(), scaled(m_floorY)}, {upper.last().x(), scaled(m_floorY)}};
        m_areas[i]->setBrush(areas[i].fill);
        m_areas[i]->upperSeries()->replace(upper);
        m_areas[i]->lowerSeries()->replace(lower);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        m_lines[i]->setPen(lines[i].pen);
        m_lines[i]->replace(shown(lines[i].points));
    }
}

void PlotView::setPainters(Paint behind, Paint front)
{
    m_behind = std::move(behind);
    m_front = std::move(front);
}

QRectF PlotView::plotRect() const
{
    const QRectF inner = QRectF(rect()).marginsRemoved(m_room);
    return {inner.left(), inner.top(), std::max(1.0, inner.width()), std::max(1.0, inner.height())};
}

double PlotView::X(double x) const
{
    const QRectF plot = plotRect();
    return plot.left() + plot.width() * (x - m_fromX) / (m_toX - m_fromX);
}

double PlotView::Y(double y) const
{
    const QRectF plot = plotRect();
    const double low = scaled(m_floorY);
    return plot.bottom() - plot.height() * (scaled(y) - low) / (scaled(m_topY) - low);
}

double PlotView::xAt(double pixel) const
{
    const QRectF plot = plotRect();
    return m_fromX + (m_toX - m_fromX) * (pixel - plot.left()) / plot.width();
}

int PlotView::pointCount() const
{
    int count = 0;
    for (const QAreaSeries* area : m_areas)
        count += area->upperSeries()->count() + area->lowerSeries()->count();
    for (const QLineSeries* line : m_lines)
        count += line->count();
    return count;
}

void PlotView::layOut()
{
    chart()->setPlotArea(plotRect());
}

void PlotView::resizeEvent(QResizeEvent* event)
{
    QChartView::resizeEvent(event);
    layOut();
}

void PlotView::drawBackground(QPainter* painter, const QRectF&)
{
    if (m_behind)
        m_behind(*painter);
}

void PlotView::drawForeground(QPainter* painter, const QRectF&)
{
    if (m_front)
        m_front(*painter);
}

void PlotView::wheelEvent(QWheelEvent* event)
{
    const QPointF at = event->position();
    if (event->angleDelta().y() == 0 || !plotRect().contains(at)) {
        event->ignore();
        return;
    }
    Q_EMIT zoomRequested(std::pow(1.25, event->angleDelta().y() / 120.0), xAt(at.x()));
    event->accept();
}

void PlotView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton) {
        event->ignore();
        return;
    }
    const double x = event->position().x();
    m_drag = Drag{x, xAt(x), event->modifiers().testFlag(Qt::ShiftModifier), false};
    // Passed on as well, so that the chart around takes the focus.
    event->ignore();
}

void PlotView::mouseMoveEvent(QMouseEvent* event)
{
    const double x = event->position().x();
    if (m_drag && event->buttons().testFlag(Qt::LeftButton)) {
        if (!m_drag->moved && std::fabs(x - m_drag->x) < kDragPixels)
            return;
        m_drag->moved = true;
        if (m_drag->selects)
            Q_EMIT selectionDragged(m_drag->startX, xAt(x));
        else
            Q_EMIT panRequested(xAt(m_drag->x) - xAt(x));
        m_drag->x = x;
        return;
    }
    const QRectF plot = plotRect();
    const bool inside = x >= plot.left() && x <= plot.right();
    Q_EMIT hovered(inside ? std::optional(xAt(x)) : std::nullopt);
}

void PlotView::mouseReleaseEvent(QMouseEvent* event)
{
    if (m_drag && !m_drag->moved)
        Q_EMIT clicked(m_drag->startX);
    m_drag.reset();
    event->accept();
}

void PlotView::mouseDoubleClickEvent(QMouseEvent* event)
{
    Q_EMIT fitRequested();
    event->accept();
}

void PlotView::leaveEvent(QEvent* event)
{
    QChartView::leaveEvent(event);
    Q_EMIT hovered(std::nullopt);
}

} // namespace loadlab
