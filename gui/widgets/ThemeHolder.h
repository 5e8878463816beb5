#pragma once

#include "gui/widgets/Theme.h"

#include <QObject>

class QApplication;

namespace loadlab {

/// The theme in force. One per application, made in main() and handed by reference to everything that paints; it must
/// outlive them. Widgets take `theme()` when they paint and repaint on `themeChanged()`. GUI thread.
class ThemeHolder : public QObject {
    Q_OBJECT

public:
    enum class Scheme { System, Light, Dark };

    /// Dresses the application: palette and style sheet, now and whenever the platform's palette changes.
    explicit ThemeHolder(QApplication& application);
    /// Dresses nothing: a fixed theme for exports and tests.
    explicit ThemeHolder(const Theme& theme, QObject* parent = nullptr);

    [[nodiscard]] const Theme& theme() const { return m_theme; }
    [[nodiscard]] QColor color(Role role) const { return m_theme.color(role); }
    [[nodiscard]] QIcon icon(const QString& name, Role role = Role::Text) const { return m_theme.icon(name, role); }

    /// The operator's choice (remembered by the caller); System follows the platform. No effect on a fixed theme.
    void setScheme(Scheme scheme);
    [[nodiscard]] Scheme scheme() const { return m_scheme; }

    bool eventFilter(QObject* watched, QEvent* event) override;

Q_SIGNALS:
    void themeChanged();

private:
    void dress();

    QApplication* m_application = nullptr;
    QPalette m_platformPalette;
    bool m_whole = false; ///< Asked before the first sheet: afterwards the style is the sheet's own.
    Scheme m_scheme = Scheme::System;
    bool m_dressing = false;
    Theme m_theme;
};

} // namespace loadlab
