#include "gui/charts/ChartPaint.h"

#include <QPainter>
#include <QPolygonF>

#include <algorithm>

// What is drawn right of "now".

namespace loadlab {
namespace {

constexpr float kConeShare = 0.15F;
constexpr double kArrowHead = 6;

} // namespace

void ChartPaint::forecast(const ChartForecast& forecast, double lift)
{
    if (forecast.course.size() < 2)
        return;
    QPolygonF line, cone, back;
    for (const ChartForecast::Moment& moment : forecast.course) {
        const double x = m_plot.X(moment.atS);
        line << QPointF(x, m_plot.Y(moment.bytes + lift));
        cone << QPointF(x, m_plot.Y(moment.highBytes + lift));
        back.prepend(QPointF(x, m_plot.Y(moment.lowBytes + lift)));
    }
    QColor fill = m_theme.color(Role::Resident);
    fill.setAlphaF(kConeShare);
    m_painter.setPen(Qt::NoPen);
    m_painter.setBrush(fill);
    // Cut by hand: Qt's SVG knows no clipping.
    m_painter.drawPolygon(QPolygonF(cone + back).intersected(m_rect));
    m_painter.setBrush(Qt::NoBrush);
    QPen pen(m_theme.color(Role::Resident), 1.8);
    pen.setDashPattern({4, 2.5});
    m_painter.setPen(pen);
    QPolygonF shown;
    for (qsizetype i = 0; i < line.size(); ++i) {
        if (m_rect.contains(line[i])) {
            shown << line[i];
        } else if (!shown.isEmpty()) {
            const QPointF from = shown.last();
            const QPointF step = line[i] - from;
            double share = step.x() > 0 ? std::min(1.0, (m_rect.right() - from.x()) / step.x()) : 1.0;
            if (step.y() < 0)
                share = std::min(share, (m_rect.top() - from.y()) / step.y());
            shown << from + share * step;
            break;
        }
    }
    m_painter.drawPolyline(shown);
}

void ChartPaint::arrow(double fromX, double y, const ChartForecast::Arrow& arrow, double lift)
{
    const double x = m_plot.X(arrow.atS);
    const bool inSight = x <= m_rect.right();
    const double tip = inSight ? x : m_rect.right();
    const QColor color = m_theme.color(arrow.kind == ChartLimit::Kind::Guard ? Role::Info : Role::Fail);
    m_painter.setPen(QPen(color, 1.2));
    if (inSight)
        m_painter.drawLine(QPointF(x, std::max(m_rect.top(), m_plot.Y(arrow.bytes + lift))), QPointF(x, y));
    m_painter.drawLine(QPointF(fromX, y), QPointF(tip, y));
    m_painter.setBrush(color);
    m_painter.drawPolygon(QPolygonF{{tip, y}, {tip - kArrowHead, y - 3}, {tip - kArrowHead, y + 3}});
    m_painter.setBrush(Qt::NoBrush);
    const double needed = width(arrow.words, true) + 4;
    const bool fits = needed + 2 * kArrowHead <= tip - fromX;
    const double right = tip + 3 + needed <= m_rect.right() ? tip + 3 : fromX - 3 - needed;
    backedText({fits ? fromX + kArrowHead : right, fits ? y - line() - 1 : y - line() / 2.0}, arrow.words, color, true);
}

void ChartPaint::arrows(const ChartForecast& forecast, double nowS, double lift)
{
    if (forecast.course.empty() || m_compact)
        return;
    const double fromX = m_plot.X(nowS);
    if (fromX < m_rect.left() || fromX >= m_rect.right())
        return;
    double y = m_rect.bottom() - 1.2 * line();
    for (const ChartForecast::Arrow& one : forecast.arrows) {
        arrow(fromX, y, one, lift);
        y -= 1.7 * line();
    }
}

} // namespace loadlab
