#include "gui/pages/ColumnScroll.h"

#include <QEvent>
#include <QScrollBar>

namespace loadlab {

ColumnScroll::ColumnScroll(QWidget* column, QWidget* parent)
    : QScrollArea(parent)
{
    column->setObjectName(QStringLiteral("scrolled")); // the style sheet lets the panel shine through
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    setWidget(column);
    column->installEventFilter(this);
}

QSize ColumnScroll::minimumSizeHint() const
{
    constexpr int kLeastHeight = 60;
    return {widget()->minimumSizeHint().width() + verticalScrollBar()->sizeHint().width(), kLeastHeight};
}

bool ColumnScroll::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == widget() && event->type() == QEvent::LayoutRequest)
        updateGeometry();
    return QScrollArea::eventFilter(watched, event);
}

} // namespace loadlab
