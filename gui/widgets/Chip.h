#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QPushButton>

namespace loadlab {

/// A round filter button: checkable, or with a × that removes it. Tab reaches it, a click does not take the focus.
class Chip : public QPushButton {
    Q_OBJECT

public:
    Chip(const ThemeHolder& theme, const QString& text, QWidget* parent = nullptr);

    /// Icon in front, recoloured with the theme.
    void setSign(const QString& icon, Role role = Role::Text);
    /// Shows ×; Delete, Backspace or a click on it emits removeRequested().
    void setRemovable(bool removable);
    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void removeRequested();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    [[nodiscard]] QRect crossRect() const;
    void refreshIcon();

    const ThemeHolder& m_theme;
    QString m_sign;
    Role m_signRole = Role::Text;
    bool m_removable = false;
};

} // namespace loadlab
