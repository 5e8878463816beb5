#include "gui/widgets/SparklineDelegate.h"

#include "gui/widgets/Figures.h"
#include "gui/widgets/StateLook.h"

#include <QPainter>
#include <QPainterPath>
#include <QPixmapCache>

#include <algorithm>
#include <cmath>

namespace loadlab {
namespace {

constexpr QSize kHint{64, 24};

/// The end mark: its shape tells the outcome, its colour repeats it.
void paintMark(QPainter& painter, const QPointF& at, const QString& state, const Theme& theme)
{
    const QColor color = theme.color(lookOf(state).role);
    painter.setBrush(theme.color(Role::Base));
    switch (outcomeOf(state)) {
    case Outcome::Running:
        painter.setPen(QPen(color, 1.4));
        painter.drawEllipse(at, 2.6, 2.6);
        break;
    case Outcome::Loaded:
        painter.setPen(Qt::NoPen);
        painter.setBrush(color);
        painter.drawEllipse(at, 2.6, 2.6);
        break;
    case Outcome::Unknown:
        painter.setPen(QPen(theme.color(Role::Text), 1.2));
        painter.drawRect(QRectF(at.x() - 2.3, at.y() - 2.3, 4.6, 4.6));
        break;
    case Outcome::Failed:
        painter.setPen(QPen(theme.color(Role::Fail), 1.6));
        painter.drawLine(at + QPointF(-2.8, -2.8), at + QPointF(2.8, 2.8));
        painter.drawLine(at + QPointF(-2.8, 2.8), at + QPointF(2.8, -2.8));
        break;
    }
}

/// Fills below each stretch without gaps and strokes its edge; gives the last point drawn.
std::optional<QPointF> paintCurve(
    QPainter& painter, const QRectF& plot, const QVector<float>& values, double top, const Theme& theme)
{
    const double step = values.size() > 1 ? plot.width() / static_cast<double>(values.size() - 1) : 0;
    std::optional<QPointF> last;
    QPolygonF stretch;
    const auto finish = [&] {
        if (stretch.size() > 1) {
            QPolygonF area = stretch;
            area << QPointF(stretch.last().x(), plot.bottom()) << QPointF(stretch.first().x(), plot.bottom());
            QColor fill = theme.color(Role::Resident);
            fill.setAlphaF(0.16F);
            painter.setPen(Qt::NoPen);
            painter.setBrush(fill);
            painter.drawPolygon(area);
            painter.setPen(QPen(theme.color(Role::Resident), 1.3));
            painter.drawPolyline(stretch);
        }
        stretch.clear();
    };
    for (qsizetype i = 0; i < values.size(); ++i) {
        const auto value = static_cast<double>(values[i]);
        if (!std::isfinite(value)) {
            finish();
            continue;
        }
        last = QPointF(
            plot.left() + step * static_cast<double>(i), plot.bottom() - plot.height() * std::max(0.0, value) / top);
        stretch << *last;
    }
    finish();
    return last;
}

} // namespace

void paintSparkline(
    QPainter& painter, const QRectF& rect, const QVector<float>& values, const QString& state, const Theme& theme)
{
    if (values.isEmpty())
        return;
    double top = 0;
    for (const float value : values)
        if (std::isfinite(value))
            top = std::max(top, static_cast<double>(value));
    if (top <= 0)
        top = 1;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF plot = rect.adjusted(2, 5, -5, -3);
    painter.setPen(QPen(theme.color(Role::Border), 1));
    painter.drawLine(plot.bottomLeft(), plot.bottomRight());
    if (const std::optional<QPointF> end = paintCurve(painter, plot, values, top, theme))
        paintMark(painter, *end, state, theme);
    painter.restore();
}

QString sparklineWords(std::uint64_t peakBytes, double durationS, const QString& state)
{
    return QStringLiteral("rises to %1 in %2, %3")
        .arg(figures::size(peakBytes), figures::seconds(durationS), lookOf(state).words.toLower());
}

SparklineDelegate::SparklineDelegate(const ThemeHolder& theme, Roles roles, QObject* parent)
    : PaintedDelegate(theme, parent)
    , m_roles(roles)
{
}

void SparklineDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    paintEmptyCell(*painter, option, index);
    const auto values = index.data(m_roles.values).value<QVector<float>>();
    if (values.isEmpty())
        return;

    const QRect box(
        option.rect.topLeft() + QPoint(4, 0), QSize(std::min(option.rect.width() - 8, 90), option.rect.height()));
    const qreal ratio = painter->device()->devicePixelRatioF();
    const QString key = QStringLiteral("loadlab/spark/%1/%2x%3@%4/%5")
                            .arg(index.data(m_roles.key).toString())
                            .arg(box.width())
                            .arg(box.height())
                            .arg(ratio)
                            .arg(theme().color(Role::Resident).rgba());
    QPixmap picture;
    if (!QPixmapCache::find(key, &picture)) {
        picture = QPixmap((QSizeF(box.size()) * ratio).toSize());
        picture.setDevicePixelRatio(ratio);
        picture.fill(Qt::transparent);
        QPainter own(&picture);
        paintSparkline(own, QRectF(QPointF(), QSizeF(box.size())), values, index.data(m_roles.state).toString(), theme());
        own.end();
        QPixmapCache::insert(key, picture);
    }
    painter->drawPixmap(box.topLeft(), picture);
}

QSize SparklineDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const
{
    return kHint;
}

} // namespace loadlab
