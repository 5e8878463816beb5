#include "gui/widgets/SegmentBar.h"

#include "gui/widgets/Figures.h"
#include "gui/widgets/Type.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include <array>

namespace loadlab {
namespace {

constexpr int kBarHeight = 20;
constexpr int kLegendTop = kBarHeight + 6;
constexpr int kSwatch = 10;
constexpr qreal kLeast = 2; ///< A part is never thinner, or it would not be seen.

int rowHeight(const QFont& font)
{
    return QFontMetrics(font).height() + 4;
}

QString partWords(const Segment& segment)
{
    return QStringLiteral("%1, %2").arg(segment.name, figures::size(segment.bytes));
}

} // namespace

Role segmentRole(int index)
{
    constexpr std::array roles{Role::Resident, Role::Series4, Role::Gpu, Role::Swap, Role::Cache, Role::Other};
    return roles[static_cast<std::size_t>(std::min(index, static_cast<int>(roles.size()) - 1))];
}

SegmentBar::SegmentBar(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    connect(&theme, &ThemeHolder::themeChanged, this, qOverload<>(&QWidget::update));
}

void SegmentBar::setSegments(QVector<Segment> segments)
{
    segments.removeIf([](const Segment& segment) { return segment.bytes == 0; });
    m_segments = std::move(segments);
    QStringList words;
    for (const Segment& segment : m_segments)
        words << partWords(segment);
    setAccessibleName(QStringLiteral("Components"));
    setAccessibleDescription(words.join(QStringLiteral("; ")));
    updateGeometry();
    update();
}

void SegmentBar::setLegendVisible(bool visible)
{
    m_legend = visible;
    updateGeometry();
    update();
}

QSize SegmentBar::sizeHint() const
{
    const auto rows = static_cast<int>((m_segments.size() + 1) / 2);
    return {320, m_legend && rows ? kLegendTop + rows * rowHeight(font()) : kBarHeight};
}

QSize SegmentBar::minimumSizeHint() const
{
    return {120, sizeHint().height()};
}

QVector<QRectF> SegmentBar::barRects() const
{
    double total = 0;
    for (const Segment& segment : m_segments)
        total += static_cast<double>(segment.bytes);
    QVector<QRectF> rects;
    const qreal gaps = 2 * static_cast<qreal>(std::max<qsizetype>(0, m_segments.size() - 1));
    const qreal room = std::max<qreal>(0, width() - gaps - kLeast * static_cast<qreal>(m_segments.size()));
    qreal x = 0;
    for (const Segment& segment : m_segments) {
        const qreal w = kLeast + room * static_cast<double>(segment.bytes) / total;
        rects << QRectF(x, 0, w, kBarHeight);
        x += w + 2;
    }
    return rects;
}

void SegmentBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const QVector<QRectF> rects = barRects();
    const int column = width() / 2 + 8;
    const int row = rowHeight(font());
    for (qsizetype i = 0; i < m_segments.size(); ++i) {
        const Segment& segment = m_segments[i];
        const QColor color = m_theme.color(segment.role);
        painter.fillRect(rects[i], color);
        if (!m_legend)
            continue;
        const auto rows = (m_segments.size() + 1) / 2;
        const QRect cell(i < rows ? 0 : column, kLegendTop + static_cast<int>(i % rows) * row, width() - column, row);
        painter.fillRect(QRect(cell.left(), cell.top() + (row - kSwatch) / 2, kSwatch, kSwatch), color);
        const QString figure = figures::size(segment.bytes);
        const int figureWidth = fontMetrics().horizontalAdvance(figure) + 6;
        const QRect name = cell.adjusted(kSwatch + 9, 0, -figureWidth, 0);
        painter.setPen(m_theme.color(Role::Text));
        painter.drawText(name, Qt::AlignVCenter | Qt::AlignLeft,
            fontMetrics().elidedText(segment.name, Qt::ElideRight, name.width()));
        painter.setPen(m_theme.color(Role::Muted));
        painter.drawText(cell, Qt::AlignVCenter | Qt::AlignRight, figure);
    }
}

bool SegmentBar::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const QVector<QRectF> rects = barRects();
        for (qsizetype i = 0; i < rects.size(); ++i)
            if (rects[i].adjusted(-1, 0, 1, 0).contains(help->pos())) {
                QToolTip::showText(help->globalPos(), partWords(m_segments[i]), this);
                return true;
            }
        QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

} // namespace loadlab
