#include "gui/pages/ProfileView.h"

#include "gui/models/ProfileModel.h"
#include "gui/widgets/ColumnWidths.h"
#include "gui/widgets/Figures.h"

#include <QHeaderView>
#include <QScrollBar>

#include <numeric>

namespace loadlab {

ProfileView::ProfileView(ProfileModel& model, QWidget* parent)
    : QTableView(parent)
    , m_model(model)
{
    setModel(&model);
    setAccessibleName(QStringLiteral("Memory profile"));
    setShowGrid(false);
    setFrameShape(QFrame::NoFrame);
    setSelectionBehavior(QAbstractItemView::SelectRows);
    setFont(figures::tabular(font()));
    setWordWrap(false);
    setHorizontalScrollMode(ScrollPerPixel);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
    QHeaderView& header = *horizontalHeader();
    header.setHighlightSections(false);
    header.setSectionResizeMode(QHeaderView::Fixed);
    const QString figure = QStringLiteral("−0.842");
    fitColumns(header,
        {{QStringLiteral("1,234")}, {QStringLiteral("(0.842)")}, {QStringLiteral("0.842")}, {figure},
            {QStringLiteral("−12.34")}, {QStringLiteral("0.842")}, {QStringLiteral("Silent loading")}});
    for (int column = 0; column < model.columnCount(); ++column)
        m_widths.push_back(header.sectionSize(column));
    constexpr int kAlways[] = {ProfileModel::Time, ProfileModel::Used, ProfileModel::Rate, ProfileModel::PhaseColumn};
    int least = verticalScrollBar()->sizeHint().width();
    for (const int column : kAlways)
        least += m_widths[static_cast<std::size_t>(column)];
    setMinimumWidth(least);
    connect(&model, &QAbstractItemModel::dataChanged, this, &ProfileView::chooseColumns);
    connect(&model, &QAbstractItemModel::modelReset, this, &ProfileView::chooseColumns);
}

void ProfileView::resizeEvent(QResizeEvent* event)
{
    chooseColumns();
    QTableView::resizeEvent(event);
}

void ProfileView::chooseColumns()
{
    const int swapWidth = m_widths[ProfileModel::Swap];
    int wanted = std::accumulate(m_widths.begin(), m_widths.end(), m_model.hasSwap() ? 0 : -swapWidth);
    for (const int column : {int{ProfileModel::Available}, int{ProfileModel::Delta}, int{ProfileModel::Swap}}) {
        const bool none = column == ProfileModel::Swap && !m_model.hasSwap();
        const bool hidden = none || wanted > viewport()->width();
        if (isColumnHidden(column) != hidden)
            setColumnHidden(column, hidden);
        if (hidden && !none)
            wanted -= m_widths[static_cast<std::size_t>(column)];
    }
}

} // namespace loadlab
