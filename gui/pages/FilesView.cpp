#include "gui/pages/FilesView.h"

#include "gui/models/FilesModel.h"
#include "gui/widgets/ColumnWidths.h"

#include <QHeaderView>

#include <algorithm>

namespace loadlab {

FilesView::FilesView(QWidget* parent)
    : QTableView(parent)
{
}

void FilesView::shareRoom()
{
    if (!model())
        return;
    QHeaderView& header = *horizontalHeader();
    const int size = loadlab::columnWidth(header, FilesModel::Size, {QStringLiteral("0.842 GiB")});
    const int check
        = loadlab::columnWidth(header, FilesModel::Check, {QStringLiteral("header and size ok"), ColumnSample::kSign});
    const int leastCheck
        = loadlab::columnWidth(header, FilesModel::Check, {QStringLiteral("absent"), ColumnSample::kSign});
    const int room = viewport()->width() - size;
    const int file
        = std::clamp(sizeHintForColumn(FilesModel::File), room - check, std::max(room - check, room - leastCheck));
    header.resizeSection(FilesModel::File, file);
    header.resizeSection(FilesModel::Size, size);
    header.resizeSection(FilesModel::Check, room - file);
}

void FilesView::resizeEvent(QResizeEvent* event)
{
    shareRoom();
    QTableView::resizeEvent(event);
}

} // namespace loadlab
