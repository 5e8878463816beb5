#pragma once

#include <QHeaderView>

namespace loadlab {

/// The header of a table that is sorted by a click on it. The style sheet keeps room for the sort arrow beside every
/// title; here only the sorted column gives it away, so that the titles of numbers stand above their numbers.
class SortHeader : public QHeaderView {
public:
    explicit SortHeader(QWidget* parent = nullptr);

    static constexpr int kArrow = 12; ///< Width of the arrow in the style sheet.

protected:
    void paintSection(QPainter* painter, const QRect& rect, int logicalIndex) const override;
};

} // namespace loadlab
