#pragma once

#include "gui/widgets/PaintedDelegate.h"

namespace loadlab {

/// Shows the wire name in `role` (default Qt::EditRole) as a badge. The model answers Qt::AccessibleTextRole and
/// Qt::DisplayRole with the words itself (lookOf().words).
class BadgeDelegate : public PaintedDelegate {
    Q_OBJECT

public:
    explicit BadgeDelegate(const ThemeHolder& theme, int role = Qt::EditRole, QObject* parent = nullptr);

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    int m_role;
};

} // namespace loadlab
