#include "gui/widgets/ThemeHolder.h"

#include <QApplication>
#include <QEvent>
#include <QStyle>

namespace loadlab {
namespace {

/// Styles that are ours to dress; any other belongs to a desktop and keeps its own face.
bool dressesWholly(const QApplication& application)
{
    const QString style = application.style()->name();
    return style == QLatin1String("fusion") || style == QLatin1String("windows");
}

} // namespace

ThemeHolder::ThemeHolder(QApplication& application)
    : QObject(&application)
    , m_application(&application)
    , m_platformPalette(QApplication::palette())
    , m_whole(dressesWholly(application))
    , m_theme(Theme::current())
{
    application.installEventFilter(this);
    dress();
}

ThemeHolder::ThemeHolder(const Theme& theme, QObject* parent)
    : QObject(parent)
    , m_theme(theme)
{
}

void ThemeHolder::setScheme(Scheme scheme)
{
    m_scheme = scheme;
    if (m_application)
        dress();
}

bool ThemeHolder::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::ApplicationPaletteChange && watched == m_application && !m_dressing) {
        m_platformPalette = QApplication::palette();
        dress();
    }
    return QObject::eventFilter(watched, event);
}

void ThemeHolder::dress()
{
    m_dressing = true;
    const Theme before = m_theme;
    const QPalette standard = m_application->style()->standardPalette();
    const bool platformGivesNone = m_platformPalette == standard;
    switch (m_scheme) {
    case Scheme::Light:
        m_theme = Theme::light();
        break;
    case Scheme::Dark:
        m_theme = Theme::dark();
        break;
    case Scheme::System:
        m_theme = platformGivesNone ? Theme::light() : Theme::fromPalette(m_platformPalette);
        break;
    }
    const bool ownPalette = m_scheme != Scheme::System || platformGivesNone;
    QApplication::setPalette(ownPalette ? m_theme.palette() : m_platformPalette);
    m_application->setStyleSheet(m_theme.styleSheet(m_whole));
    m_dressing = false;
    if (!(before == m_theme))
        Q_EMIT themeChanged();
}

} // namespace loadlab
