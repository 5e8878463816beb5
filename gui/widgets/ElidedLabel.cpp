#include "gui/widgets/ElidedLabel.h"

#include "gui/widgets/Type.h"

#include <QHelpEvent>
#include <QPainter>
#include <QStyle>
#include <QToolTip>

#include <algorithm>

namespace loadlab {

ElidedLabel::ElidedLabel(const QString& text, QWidget* parent)
    : QLabel(text, parent)
{
    setTextFormat(Qt::PlainText);
}

QSize ElidedLabel::minimumSizeHint() const
{
    const QSize whole = QLabel::minimumSizeHint();
    return {std::min(whole.width(), fontMetrics().averageCharWidth() * 4), whole.height()};
}

bool ElidedLabel::isElided() const
{
    return fontMetrics().horizontalAdvance(text()) > contentsRect().width();
}

bool ElidedLabel::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && toolTip().isEmpty() && isElided()) {
        QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(), text().toHtmlEscaped(), this);
        return true;
    }
    return QLabel::event(event);
}

void ElidedLabel::paintEvent(QPaintEvent* event)
{
    if (!isElided()) {
        QLabel::paintEvent(event);
        return;
    }
    QPainter painter(this);
    const QRect room = contentsRect();
    style()->drawItemText(&painter, room, static_cast<int>(alignment() & ~Qt::AlignHorizontal_Mask) | Qt::AlignLeft,
        palette(), isEnabled(), fontMetrics().elidedText(text(), Qt::ElideRight, room.width()), foregroundRole());
}

ElidedLabel* makeElidedMuted(const QString& text, QWidget* parent)
{
    auto* label = new ElidedLabel(text, parent);
    label->setProperty("role", QStringLiteral("muted"));
    return label;
}

ElidedLabel* makeElidedTitle(const QString& text, QWidget* parent)
{
    auto* label = new ElidedLabel(text, parent);
    label->setFont(type::sized(label->font(), 1.0, true));
    return label;
}

} // namespace loadlab
