#include "gui/widgets/Chip.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

namespace loadlab {
namespace {

constexpr int kCross = 14;

} // namespace

Chip::Chip(const ThemeHolder& theme, const QString& text, QWidget* parent)
    : QPushButton(text, parent)
    , m_theme(theme)
{
    setProperty("kind", QStringLiteral("chip"));
    setFocusPolicy(Qt::TabFocus);
    setAutoDefault(false);
    setIconSize({16, 16});
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(&theme, &ThemeHolder::themeChanged, this, &Chip::refreshIcon);
}

void Chip::setSign(const QString& icon, Role role)
{
    m_sign = icon;
    m_signRole = role;
    refreshIcon();
}

void Chip::refreshIcon()
{
    setIcon(m_sign.isEmpty() ? QIcon() : m_theme.icon(m_sign, m_signRole));
}

void Chip::setRemovable(bool removable)
{
    m_removable = removable;
    // Room for the cross is part of the text's own width: the style sheet centres text and leaves no place of its own.
    setStyleSheet(removable ? QStringLiteral("padding-right:%1px; text-align:left").arg(kCross + 8) : QString());
    setAccessibleDescription(removable ? QStringLiteral("Delete removes this filter") : QString());
    updateGeometry();
}

QSize Chip::sizeHint() const
{
    return QPushButton::sizeHint();
}

QRect Chip::crossRect() const
{
    return {width() - kCross - 6, (height() - kCross) / 2, kCross, kCross};
}

void Chip::keyPressEvent(QKeyEvent* event)
{
    if (m_removable && (event->key() == Qt::Key_Delete || event->key() == Qt::Key_Backspace)) {
        Q_EMIT removeRequested();
        return;
    }
    QPushButton::keyPressEvent(event);
}

void Chip::mouseReleaseEvent(QMouseEvent* event)
{
    if (m_removable && isDown() && crossRect().adjusted(-3, -3, 6, 3).contains(event->position().toPoint())) {
        setDown(false);
        Q_EMIT removeRequested();
        return;
    }
    QPushButton::mouseReleaseEvent(event);
}

void Chip::paintEvent(QPaintEvent* event)
{
    QPushButton::paintEvent(event);
    if (!m_removable)
        return;
    QPainter painter(this);
    painter.drawPixmap(
        crossRect(), m_theme.theme().pixmap(QStringLiteral("x"), Role::Text, kCross, devicePixelRatioF()));
}

} // namespace loadlab
