#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QWidget>

#include <optional>

namespace loadlab {

/// Predicted need against a pool: solid up to the low estimate, hatched up to the high one, a line at the pool's size.
class FitBar : public QWidget {
    Q_OBJECT

public:
    struct Values {
        std::uint64_t otherBytes = 0; ///< Used before the start; drawn first, grey.
        std::uint64_t lowBytes = 0;
        std::uint64_t highBytes = 0;
        std::uint64_t poolBytes = 0;
        std::optional<std::uint64_t> guardBytes;
    };
    explicit FitBar(const ThemeHolder& theme, QWidget* parent = nullptr);

    void setValues(const Values& values);
    /// The tall form of the preflight: 17 px, axis with figures, words at guard and pool.
    void setTall(bool tall);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    [[nodiscard]] QRectF barRect() const;
    void paintMark(QPainter& painter, qreal x, qreal overhang, const QPen& pen) const;
    void paintWords(QPainter& painter) const;

    const ThemeHolder& m_theme;
    Values m_values;
    bool m_tall = false;
};

} // namespace loadlab
