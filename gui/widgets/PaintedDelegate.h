#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QStyledItemDelegate>

namespace loadlab {

/// A delegate that paints into the cell itself, over what the style draws for an empty one (selection, focus).
class PaintedDelegate : public QStyledItemDelegate {
    Q_OBJECT

public:
    explicit PaintedDelegate(const ThemeHolder& theme, QObject* parent = nullptr);

protected:
    [[nodiscard]] const Theme& theme() const { return m_theme.theme(); }
    void paintEmptyCell(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index) const;

private:
    const ThemeHolder& m_theme;
};

} // namespace loadlab
