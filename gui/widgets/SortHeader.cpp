#include "gui/widgets/SortHeader.h"

namespace loadlab {

SortHeader::SortHeader(QWidget* parent)
    : QHeaderView(Qt::Horizontal, parent)
{
    setProperty("sortable", true); // the style sheet has an arrow for these alone
    setSectionsClickable(true);
}

void SortHeader::paintSection(QPainter* painter, const QRect& rect, int logicalIndex) const
{
    const auto side = model()->headerData(logicalIndex, Qt::Horizontal, Qt::TextAlignmentRole).value<Qt::Alignment>();
    const bool hasArrow = isSortIndicatorShown() && sortIndicatorSection() == logicalIndex;
    // What goes past the section's end is painted over by the next one.
    const int beyond = (side & Qt::AlignRight) && !hasArrow ? kArrow : 0;
    QHeaderView::paintSection(painter, rect.adjusted(0, 0, beyond, 0), logicalIndex);
}

} // namespace loadlab
