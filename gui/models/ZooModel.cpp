#include "gui/models/ZooModel.h"

#include "core/Text.h"
#include "gui/Words.h"
#include "gui/models/TableHeader.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/StateLook.h"

#include <QFont>

#include <algorithm>
#include <array>

namespace loadlab {
namespace fs = std::filesystem;

struct ZooModel::Row {
    std::shared_ptr<const Checkpoint> checkpoint;
    bool stale = false;
};

struct ZooModel::Folder {
    fs::path path;
    std::vector<Row> rows;
    std::optional<Error> error;
    bool scanned = false;
};

namespace {

constexpr std::array kHeaders{"Checkpoint", "Family", "GiB", "Params", "Weights", "Shards", "State", "Last run"};

bool isNumber(int column)
{
    return column == ZooModel::Size || column == ZooModel::Parameters || column == ZooModel::Shards;
}

QString shardWords(const Checkpoint& checkpoint)
{
    return QStringLiteral("%1 / %2")
        .arg(checkpoint.shardsPresent)
        .arg(std::max(checkpoint.shardsExpected, checkpoint.shardsPresent));
}

} // namespace

QString quantizationWords(const Checkpoint& checkpoint)
{
    if (!checkpoint.quantization)
        return {};
    const Quantization& how = *checkpoint.quantization;
    QString words = toQString(how.method);
    if (how.bits)
        words = (words.contains(QLatin1String("fp")) ? QStringLiteral("fp%1") : QStringLiteral("int%1")).arg(*how.bits);
    return words;
}

QString weightWords(const Checkpoint& checkpoint)
{
    if (const QString quantized = quantizationWords(checkpoint); !quantized.isEmpty())
        return checkpoint.quantization->packed ? quantized + QStringLiteral(" packed") : quantized;
    std::vector<std::pair<std::uint64_t, std::string>> bySize;
    for (const auto& [name, elements] : checkpoint.dtypes)
        bySize.emplace_back(elements, name);
    std::sort(bySize.rbegin(), bySize.rend());
    QStringList names;
    for (const auto& [elements, name] : bySize)
        names << toQString(name);
    if (names.isEmpty())
        return checkpoint.isTorchScript ? QStringLiteral("TorchScript")
            : checkpoint.isPickle       ? QStringLiteral("pickled")
                                        : figures::kNone;
    return names.size() <= 2 ? names.join(QStringLiteral(", "))
                             : QStringLiteral("%1, %2 more").arg(names[0]).arg(names.size() - 1);
}

ZooModel::ZooModel(QObject* parent)
    : QAbstractItemModel(parent)
{
}
ZooModel::~ZooModel() = default;

void ZooModel::beginScan(const std::vector<fs::path>& folders)
{
    for (std::size_t i = m_folders.size(); i-- > 0;) {
        if (std::find(folders.begin(), folders.end(), m_folders[i]->path) != folders.end())
            continue;
        beginRemoveRows({}, static_cast<int>(i), static_cast<int>(i));
        m_folders.erase(m_folders.begin() + static_cast<std::ptrdiff_t>(i));
        endRemoveRows();
    }
    for (const fs::path& path : folders) {
        if (findFolder(path).isValid())
            continue;
        const int row = folderCount();
        beginInsertRows({}, row, row);
        m_folders.push_back(std::make_unique<Folder>(Folder{path, {}, {}, false}));
        endInsertRows();
    }
    for (const auto& folder : m_folders)
        for (Row& row : folder->rows)
            row.stale = true;
}

void ZooModel::add(const std::vector<FoundCheckpoint>& found)
{
    std::map<Folder*, std::vector<Row>> fresh;
    for (const FoundCheckpoint& one : found) {
        const QModelIndex at = findFolder(one.folder);
        if (!at.isValid())
            continue;
        Folder& folder = *m_folders[static_cast<std::size_t>(at.row())];
        const auto known = std::find_if(folder.rows.begin(), folder.rows.end(),
            [&](const Row& row) { return row.checkpoint->path == one.checkpoint->path; });
        if (known == folder.rows.end()) {
            fresh[&folder].push_back({one.checkpoint, false});
            continue;
        }
        *known = {one.checkpoint, false};
        const int row = static_cast<int>(known - folder.rows.begin());
        Q_EMIT dataChanged(index(row, 0, at), index(row, ColumnCount - 1, at));
    }
    for (auto& [folder, rows] : fresh)
        insertRows(*folder, std::move(rows));
}

void ZooModel::insertRows(Folder& folder, std::vector<Row> rows)
{
    const int first = static_cast<int>(folder.rows.size());
    beginInsertRows(index(rowOf(folder), 0), first, first + static_cast<int>(rows.size()) - 1);
    folder.rows.insert(folder.rows.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
    endInsertRows();
    refresh(folder);
}

void ZooModel::endScan(const ScanReport& report)
{
    for (const auto& folder : m_folders) {
        removeStale(*folder);
        folder->scanned = true;
        folder->error.reset();
        for (const auto& [path, error] : report.unreadable)
            if (path == folder->path)
                folder->error = error;
        refresh(*folder);
    }
}

void ZooModel::removeStale(Folder& folder)
{
    for (std::size_t i = folder.rows.size(); i-- > 0;) {
        if (!folder.rows[i].stale)
            continue;
        beginRemoveRows(index(rowOf(folder), 0), static_cast<int>(i), static_cast<int>(i));
        folder.rows.erase(folder.rows.begin() + static_cast<std::ptrdiff_t>(i));
        endRemoveRows();
    }
}

void ZooModel::refresh(const Folder& folder)
{
    const int row = rowOf(folder);
    Q_EMIT dataChanged(index(row, 0), index(row, ColumnCount - 1));
}

void ZooModel::setLastRuns(std::map<std::string, LastRun> byPath)
{
    m_lastRuns = std::move(byPath);
    for (const auto& folder : m_folders)
        if (!folder->rows.empty()) {
            const QModelIndex parent = index(rowOf(*folder), 0);
            Q_EMIT dataChanged(index(0, LastRunColumn, parent),
                index(static_cast<int>(folder->rows.size()) - 1, LastRunColumn, parent));
        }
}

std::optional<LastRun> ZooModel::lastRunOf(const Checkpoint& checkpoint) const
{
    const auto found = m_lastRuns.find(toUtf8(checkpoint.path.native()));
    return found == m_lastRuns.end() ? std::nullopt : std::optional(found->second);
}

int ZooModel::rowOf(const Folder& folder) const
{
    const auto found
        = std::find_if(m_folders.begin(), m_folders.end(), [&](const auto& one) { return one.get() == &folder; });
    return static_cast<int>(found - m_folders.begin());
}

const ZooModel::Row* ZooModel::rowAt(const QModelIndex& index) const
{
    const auto* folder = static_cast<const Folder*>(index.internalPointer());
    return index.isValid() && folder ? &folder->rows[static_cast<std::size_t>(index.row())] : nullptr;
}

std::shared_ptr<const Checkpoint> ZooModel::checkpointAt(const QModelIndex& index) const
{
    const Row* row = rowAt(index);
    return row ? row->checkpoint : nullptr;
}

fs::path ZooModel::folderAt(const QModelIndex& index) const
{
    if (!index.isValid())
        return {};
    const auto* folder = static_cast<const Folder*>(index.internalPointer());
    return folder ? folder->path : m_folders[static_cast<std::size_t>(index.row())]->path;
}

QModelIndex ZooModel::findFolder(const fs::path& path) const
{
    for (std::size_t i = 0; i < m_folders.size(); ++i)
        if (m_folders[i]->path == path)
            return index(static_cast<int>(i), 0);
    return {};
}

QModelIndex ZooModel::findCheckpoint(const fs::path& path) const
{
    for (std::size_t i = 0; i < m_folders.size(); ++i)
        for (std::size_t j = 0; j < m_folders[i]->rows.size(); ++j)
            if (m_folders[i]->rows[j].checkpoint->path == path)
                return index(static_cast<int>(j), 0, index(static_cast<int>(i), 0));
    return {};
}

std::vector<std::shared_ptr<const Checkpoint>> ZooModel::checkpoints() const
{
    std::vector<std::shared_ptr<const Checkpoint>> all;
    for (const auto& folder : m_folders)
        for (const Row& row : folder->rows)
            all.push_back(row.checkpoint);
    return all;
}

QModelIndex ZooModel::index(int row, int column, const QModelIndex& parent) const
{
    if (row < 0 || column < 0 || column >= ColumnCount || row >= rowCount(parent))
        return {};
    return createIndex(
        row, column, parent.isValid() ? m_folders[static_cast<std::size_t>(parent.row())].get() : nullptr);
}

QModelIndex ZooModel::parent(const QModelIndex& child) const
{
    const auto* folder = child.isValid() ? static_cast<const Folder*>(child.internalPointer()) : nullptr;
    return folder ? index(rowOf(*folder), 0) : QModelIndex();
}

int ZooModel::rowCount(const QModelIndex& parent) const
{
    if (!parent.isValid())
        return folderCount();
    if (parent.internalPointer() || parent.column() != 0)
        return 0;
    return static_cast<int>(m_folders[static_cast<std::size_t>(parent.row())]->rows.size());
}

int ZooModel::columnCount(const QModelIndex&) const
{
    return ColumnCount;
}

QVariant ZooModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    return headerOf(kHeaders, section, orientation, role, isNumber(section));
}

Qt::ItemFlags ZooModel::flags(const QModelIndex& index) const
{
    return index.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable : Qt::NoItemFlags;
}

QVariant ZooModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid())
        return {};
    const Row* row = rowAt(index);
    if (!row)
        return folderData(*m_folders[static_cast<std::size_t>(index.row())], index.column(), role);
    const Checkpoint& checkpoint = *row->checkpoint;
    const std::optional<LastRun> lastRun = lastRunOf(checkpoint);
    switch (role) {
    case Qt::DisplayRole:
    case Qt::AccessibleTextRole:
        if (lastRun && role == Qt::AccessibleTextRole && index.column() == LastRunColumn)
            return display(*row, LastRunColumn) + QStringLiteral(", ") + lookOf(lastRun->mode).words;
        return display(*row, index.column());
    case Qt::EditRole:
    case StateRole:
        return toQString(toWireName(checkpoint.state));
    case Qt::ToolTipRole:
        return checkpoint.problems.empty() ? toQString(checkpoint.path.native())
                                           : toQString(checkpoint.problems.front().text);
    case Qt::TextAlignmentRole:
        return alignmentOf(isNumber(index.column()));
    case SortRole:
        return sortKey(*row, index.column());
    case SignRole:
        return lastRun && index.column() == LastRunColumn ? lookOf(lastRun->mode).icon : QString();
    case HasRunRole:
        return lastRun.has_value();
    case IsFolderRole:
        return false;
    default:
        return {};
    }
}

QVariant ZooModel::folderData(const Folder& folder, int column, int role) const
{
    if (role == IsFolderRole)
        return true;
    if (column != 0)
        return {};
    if (role == Qt::FontRole) {
        QFont bold;
        bold.setBold(true);
        return bold;
    }
    if (role == Qt::ToolTipRole)
        return folder.error ? toSentence(*folder.error) : toQString(folder.path.native());
    if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole)
        return {};
    QString words = shownPath(folder.path);
    std::uint64_t bytes = 0;
    for (const Row& row : folder.rows)
        bytes += row.checkpoint->weightBytes;
    if (folder.error)
        words += QStringLiteral("    cannot be read");
    else if (!folder.rows.empty())
        words
            += QStringLiteral("    %1, %2")
                   .arg(figures::count(folder.rows.size(), QStringLiteral("checkpoint"), QStringLiteral("checkpoints")),
                       figures::size(bytes));
    else
        words
            += folder.scanned ? QStringLiteral("    holds no checkpoint") : QStringLiteral("    being looked through");
    return words;
}

QString ZooModel::display(const Row& row, int column) const
{
    const Checkpoint& checkpoint = *row.checkpoint;
    switch (column) {
    case Name:
        return toQString(checkpoint.name);
    case Family:
        return checkpoint.family.empty() ? figures::kNone : toQString(checkpoint.familyTitle);
    case Size:
        return checkpoint.weightBytes == 0 ? figures::kNone : figures::gib(checkpoint.weightBytes);
    case Parameters:
        return checkpoint.parameters == 0 ? figures::kNone : figures::parameters(checkpoint.parameters);
    case Weights:
        return weightWords(checkpoint);
    case Shards:
        return shardWords(checkpoint);
    case State:
        return lookOf(toQString(toWireName(checkpoint.state))).words;
    case LastRunColumn: {
        const std::optional<LastRun> lastRun = lastRunOf(checkpoint);
        return lastRun ? QStringLiteral("run %1").arg(lastRun->run.value) : QStringLiteral("never");
    }
    default:
        return {};
    }
}

QVariant ZooModel::sortKey(const Row& row, int column) const
{
    switch (column) {
    case Size:
        return QVariant::fromValue<qulonglong>(row.checkpoint->weightBytes);
    case Parameters:
        return QVariant::fromValue<qulonglong>(row.checkpoint->parameters);
    case Shards:
        return row.checkpoint->shardsExpected;
    case State:
        return static_cast<int>(row.checkpoint->state);
    case LastRunColumn: {
        const std::optional<LastRun> lastRun = lastRunOf(*row.checkpoint);
        return QVariant::fromValue<qlonglong>(lastRun ? lastRun->run.value : 0);
    }
    default:
        return display(row, column).toCaseFolded();
    }
}

} // namespace loadlab
