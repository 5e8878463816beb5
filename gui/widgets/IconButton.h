#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QPushButton>
#include <QToolButton>

namespace loadlab {

/// A push button whose icon follows the theme. Kind: "" ordinary, "primary", "danger", "link".
class ActionButton : public QPushButton {
    Q_OBJECT

public:
    ActionButton(const ThemeHolder& theme, const QString& text, const QString& icon = {}, const QString& kind = {},
        QWidget* parent = nullptr);

    void setKind(const QString& kind);
    void setSign(const QString& icon);

private:
    void refreshIcon();

    const ThemeHolder& m_theme;
    QString m_sign;
};

/// An icon-only button: its words are tooltip and accessible name.
class IconButton : public QToolButton {
    Q_OBJECT

public:
    IconButton(const ThemeHolder& theme, const QString& icon, const QString& words, QWidget* parent = nullptr);

    void setSign(const QString& icon);

private:
    void refreshIcon();

    const ThemeHolder& m_theme;
    QString m_sign;
};

} // namespace loadlab
