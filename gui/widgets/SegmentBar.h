#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QVector>
#include <QWidget>

namespace loadlab {

/// One part of a whole.
struct Segment {
    QString name;
    std::uint64_t bytes = 0;
    Role role = Role::Other;
};

/// A bar divided by size with a legend in two columns below (components of a checkpoint).
class SegmentBar : public QWidget {
    Q_OBJECT

public:
    explicit SegmentBar(const ThemeHolder& theme, QWidget* parent = nullptr);

    /// Largest first or in the caller's order; parts of 0 bytes are left out. Roles are used as given.
    void setSegments(QVector<Segment> segments);
    void setLegendVisible(bool visible);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    [[nodiscard]] QVector<QRectF> barRects() const;

    const ThemeHolder& m_theme;
    QVector<Segment> m_segments;
    bool m_legend = true;
};

/// The roles that segments take in turn.
Role segmentRole(int index);

} // namespace loadlab
