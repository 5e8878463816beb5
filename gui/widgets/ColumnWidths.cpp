#include "gui/widgets/ColumnWidths.h"

#include "gui/widgets/SortHeader.h"

#include <QAbstractItemModel>
#include <QEvent>
#include <QHeaderView>
#include <QStyle>

#include <algorithm>

namespace loadlab {
namespace {

/// The style sheet's padding on both sides, that of cells. Room for the sort arrow is kept, shown or not.
constexpr int kHeaderPadding = 2 * 3;
constexpr int kBesideTitle = 2;

} // namespace

int columnWidth(const QHeaderView& header, int column, const ColumnSample& sample)
{
    const QString words = header.model()->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
    const QFontMetrics metrics(header.font());
    const int arrow = header.property("sortable").toBool() ? SortHeader::kArrow : 0;
    const int headerPx = metrics.horizontalAdvance(words) + kHeaderPadding + kBesideTitle + arrow;
    const int margin = header.style()->pixelMetric(QStyle::PM_FocusFrameHMargin, nullptr, &header) + 1;
    const int samplePx
        = metrics.horizontalAdvance(sample.text) + 2 * margin + sample.besidePx + (sample.text.isEmpty() ? 0 : 2);
    return std::max(headerPx, samplePx);
}

void fitColumns(QHeaderView& header, const std::vector<ColumnSample>& samples)
{
    std::vector<int> widths;
    for (int column = 0; column < header.count(); ++column) {
        const auto at = static_cast<std::size_t>(column);
        widths.push_back(columnWidth(header, column, at < samples.size() ? samples[at] : ColumnSample()));
        header.resizeSection(column, widths.back());
    }
    header.setStretchLastSection(false);
    new LastColumn(header, std::move(widths));
}

LastColumn::LastColumn(QHeaderView& header, std::vector<int> leastWidths)
    : QObject(&header)
    , m_header(header)
    , m_least(std::move(leastWidths))
{
    header.viewport()->installEventFilter(this);
    connect(&header, &QHeaderView::sectionResized, this, &LastColumn::fill);
    connect(&header, &QHeaderView::sectionMoved, this, [this](int logical) {
        m_header.resizeSection(logical, m_least[static_cast<std::size_t>(logical)]);
        fill();
    });
    fill();
}

bool LastColumn::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize)
        fill();
    return QObject::eventFilter(watched, event);
}

void LastColumn::fill()
{
    int visual = m_header.count() - 1;
    while (visual >= 0 && m_header.isSectionHidden(m_header.logicalIndex(visual)))
        --visual;
    if (m_filling || visual < 0)
        return;
    const int last = m_header.logicalIndex(visual);
    const int left = m_header.viewport()->width() - (m_header.length() - m_header.sectionSize(last));
    const int wanted = std::max(left, m_least[static_cast<std::size_t>(last)]);
    if (wanted == m_header.sectionSize(last))
        return;
    m_filling = true;
    m_header.resizeSection(last, wanted);
    m_filling = false;
}

} // namespace loadlab
