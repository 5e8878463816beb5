#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QWidget>

namespace loadlab {

/// Icon and words of a state on its tint.
class ModeBadge : public QWidget {
    Q_OBJECT

public:
    explicit ModeBadge(const ThemeHolder& theme, QWidget* parent = nullptr);

    /// A wire name as lookOf() takes it; accessible name becomes its words.
    void setState(const QString& wireName);
    [[nodiscard]] QString state() const { return m_state; }
    /// The larger form of a verdict's head: bold, 20 px icon.
    void setLarge(bool large);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    [[nodiscard]] QFont badgeFont() const;

    const ThemeHolder& m_theme;
    QString m_state;
    bool m_large = false;
};

/// Paints a badge into a rectangle (left aligned, vertically centred); what ModeBadge and BadgeDelegate share.
void paintBadge(QPainter& painter, const QRect& rect, const QString& wireName, const Theme& theme, const QFont& font,
    int iconSize = 16, bool enabled = true);
/// Room the badge takes.
QSize badgeSize(const QString& wireName, const QFont& font, int iconSize = 16);

} // namespace loadlab
