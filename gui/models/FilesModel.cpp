#include "gui/models/FilesModel.h"

#include "gui/Words.h"
#include "gui/widgets/Figures.h"

#include <algorithm>

namespace loadlab {
namespace {

/// The problem that names this file, if any: its words say more than a check's.
const Problem* findProblem(const Checkpoint& checkpoint, const CheckpointFile& file)
{
    const auto found = std::find_if(checkpoint.problems.begin(), checkpoint.problems.end(),
        [&](const Problem& problem) { return !problem.file.empty() && problem.file == file.name; });
    return found == checkpoint.problems.end() ? nullptr : &*found;
}

QString signOf(const Problem* problem, const CheckpointFile& file)
{
    if (problem)
        return problem->mode == FailureMode::CorruptFile ? QStringLiteral("fail") : QStringLiteral("warn");
    return file.present ? QStringLiteral("ok") : QStringLiteral("unk");
}

} // namespace

FilesModel::FilesModel(QObject* parent)
    : QAbstractTableModel(parent)
{
}

void FilesModel::setCheckpoint(std::shared_ptr<const Checkpoint> checkpoint)
{
    beginResetModel();
    m_checkpoint = std::move(checkpoint);
    endResetModel();
}

int FilesModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() || !m_checkpoint ? 0 : static_cast<int>(m_checkpoint->files.size());
}

int FilesModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant FilesModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::DisplayRole)
        return section == File ? QStringLiteral("File")
            : section == Size  ? QStringLiteral("Size")
                               : QStringLiteral("Check");
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((section == Size ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    return {};
}

QVariant FilesModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || !m_checkpoint)
        return {};
    const CheckpointFile& file = m_checkpoint->files[static_cast<std::size_t>(index.row())];
    const Problem* problem = findProblem(*m_checkpoint, file);
    switch (role) {
    case Qt::DisplayRole:
    case Qt::AccessibleTextRole:
        if (index.column() == File)
            return toQString(file.name);
        if (index.column() == Size)
            return file.present ? figures::size(file.sizeBytes) : figures::kNone;
        return toQString(file.check);
    case Qt::ToolTipRole:
        return problem ? toQString(problem->text) : toQString(file.role);
    case Qt::TextAlignmentRole:
        return headerData(index.column(), Qt::Horizontal, role);
    case SignRole:
        return signOf(problem, file);
    default:
        return {};
    }
}

} // namespace loadlab
