#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QFrame>
#include <QToolButton>

#include <vector>

class QButtonGroup;
class QVBoxLayout;

namespace loadlab {

/// One entry of the rail: icon over word, a bar at the left while it is the page in front, a dot while it has news.
class RailButton : public QToolButton {
    Q_OBJECT

public:
    RailButton(const ThemeHolder& theme, const QString& icon, const QString& words, QWidget* parent = nullptr);

    /// `why` becomes part of the accessible name: "Live, a load is running".
    void setDot(bool on, const QString& why);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const ThemeHolder& m_theme;
    QString m_icon;
    bool m_dot = false;
};

/// The pages on the left.
class Rail : public QFrame {
    Q_OBJECT

public:
    explicit Rail(const ThemeHolder& theme, QWidget* parent = nullptr);

    RailButton& add(const QString& icon, const QString& words);
    void setCurrent(int index);

Q_SIGNALS:
    void pageRequested(int index);

private:
    const ThemeHolder& m_theme;
    QVBoxLayout* m_column;
    QButtonGroup* m_group;
};

} // namespace loadlab
