#include "gui/models/QueueModel.h"

#include "gui/Words.h"
#include "gui/models/RunsModel.h"
#include "gui/widgets/StateLook.h"

#include <algorithm>

namespace loadlab {
namespace {

QString stateOf(const QueuedTrial& trial)
{
    switch (trial.state) {
    case QueuedTrial::State::Waiting:
        return QStringLiteral("queued");
    case QueuedTrial::State::Running:
        return QStringLiteral("loading");
    case QueuedTrial::State::Done:
        return shownMode(trial.mode.value_or(FailureMode::Unknown), !trial.spec.program.empty());
    }
    return {};
}

bool sameTrials(const std::vector<QueuedTrial>& a, const std::vector<QueuedTrial>& b)
{
    return std::equal(
        a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& two) { return one.id == two.id; });
}

} // namespace

QueueModel::QueueModel(const TrialController& controller, QObject* parent)
    : QAbstractTableModel(parent)
    , m_controller(controller)
    , m_shown(controller.queue())
{
    connect(&controller, &TrialController::queueChanged, this, &QueueModel::follow);
}

void QueueModel::follow()
{
    const std::vector<QueuedTrial>& queue = m_controller.queue();
    if (sameTrials(m_shown, queue)) {
        m_shown = queue;
        if (!m_shown.empty())
            Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
        return;
    }
    beginResetModel();
    m_shown = queue;
    endResetModel();
}

int QueueModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_shown.size());
}

int QueueModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant QueueModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    return section == Trial ? QStringLiteral("Trial") : QStringLiteral("State");
}

QVariant QueueModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid())
        return {};
    const QueuedTrial& trial = m_shown[static_cast<std::size_t>(index.row())];
    const bool watched = !trial.spec.program.empty();
    const QString words = variantWords(trial.spec.variant, watched);
    switch (role) {
    case Qt::DisplayRole:
    case Qt::AccessibleTextRole:
        if (index.column() == Trial)
            return trial.name + (watched ? QString() : QStringLiteral(", ") + toQString(trial.spec.variant.dtype));
        return lookOf(stateOf(trial)).words;
    case Qt::ToolTipRole:
        return trial.run ? QStringLiteral("%1\nrun %2").arg(words).arg(trial.run->value) : words;
    case Qt::EditRole:
    case StateRole:
        return stateOf(trial);
    case IdRole:
        return trial.id;
    default:
        return {};
    }
}

} // namespace loadlab
