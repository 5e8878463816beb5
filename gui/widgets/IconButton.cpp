#include "gui/widgets/IconButton.h"

#include <QStyle>

namespace loadlab {
namespace {

Role roleOfKind(const QString& kind)
{
    if (kind == QLatin1String("primary"))
        return Role::OnAccent;
    if (kind == QLatin1String("danger"))
        return Role::Fail;
    return kind == QLatin1String("link") ? Role::Accent : Role::Text;
}

} // namespace

ActionButton::ActionButton(
    const ThemeHolder& theme, const QString& text, const QString& icon, const QString& kind, QWidget* parent)
    : QPushButton(text, parent)
    , m_theme(theme)
    , m_sign(icon)
{
    setIconSize({16, 16});
    setAutoDefault(false);
    connect(&theme, &ThemeHolder::themeChanged, this, &ActionButton::refreshIcon);
    setKind(kind);
    if (kind == QLatin1String("link"))
        setCursor(Qt::PointingHandCursor);
}

void ActionButton::setKind(const QString& kind)
{
    setProperty("kind", kind);
    style()->unpolish(this);
    style()->polish(this);
    refreshIcon();
}

void ActionButton::setSign(const QString& icon)
{
    m_sign = icon;
    refreshIcon();
}

void ActionButton::refreshIcon()
{
    setIcon(m_sign.isEmpty() ? QIcon() : m_theme.icon(m_sign, roleOfKind(property("kind").toString())));
}

IconButton::IconButton(const ThemeHolder& theme, const QString& icon, const QString& words, QWidget* parent)
    : QToolButton(parent)
    , m_theme(theme)
    , m_sign(icon)
{
    setIconSize({16, 16});
    setToolTip(words);
    setAccessibleName(words);
    setFocusPolicy(Qt::TabFocus);
    connect(&theme, &ThemeHolder::themeChanged, this, &IconButton::refreshIcon);
    refreshIcon();
}

void IconButton::setSign(const QString& icon)
{
    m_sign = icon;
    refreshIcon();
}

void IconButton::refreshIcon()
{
    setIcon(m_theme.icon(m_sign));
}

} // namespace loadlab
