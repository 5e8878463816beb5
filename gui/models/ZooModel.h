#pragma once

#include "gui/RunLibrary.h"
#include "gui/ZooScanner.h"

#include <QAbstractItemModel>
#include <QSortFilterProxyModel>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace loadlab {

/// "BF16", "BF16, F32", "int8 packed": how the weights are stored, in few words.
QString weightWords(const Checkpoint& checkpoint);
/// "int8", "fp4", "4 bit": the quantization alone; empty where there is none.
QString quantizationWords(const Checkpoint& checkpoint);

/// The newest run of a checkpoint.
struct LastRun {
    RunId run;
    QString mode; ///< Wire name; empty: in progress.
};

/// Zoo folders with their checkpoints below: a tree of two levels over immutable snapshots.
class ZooModel : public QAbstractItemModel {
    Q_OBJECT

public:
    enum Column { Name, Family, Size, Parameters, Weights, Shards, State, LastRunColumn, ColumnCount };
    enum Role {
        SortRole = Qt::UserRole, ///< Comparable within a column.
        StateRole, ///< Wire name of the checkpoint's state.
        IsFolderRole,
        HasRunRole,
        SignRole, ///< Icon of the last run's mode.
    };

    explicit ZooModel(QObject* parent = nullptr);
    ~ZooModel() override;

    /// What is there stays until the scan is over; folders that are not listed go at once.
    void beginScan(const std::vector<std::filesystem::path>& folders);
    void add(const std::vector<FoundCheckpoint>& found);
    /// Takes away what was not found again.
    void endScan(const ScanReport& report);
    void setLastRuns(std::map<std::string, LastRun> byPath);

    [[nodiscard]] std::shared_ptr<const Checkpoint> checkpointAt(
        const QModelIndex& index) const; ///< Null for a folder.
    [[nodiscard]] std::filesystem::path folderAt(
        const QModelIndex& index) const; ///< Of the folder or of its checkpoint.
    [[nodiscard]] QModelIndex findCheckpoint(const std::filesystem::path& path) const;
    [[nodiscard]] QModelIndex findFolder(const std::filesystem::path& path) const;
    [[nodiscard]] std::vector<std::shared_ptr<const Checkpoint>> checkpoints() const;
    [[nodiscard]] std::optional<LastRun> lastRunOf(const Checkpoint& checkpoint) const;
    [[nodiscard]] int folderCount() const { return static_cast<int>(m_folders.size()); }

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& child) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

private:
    struct Row;
    struct Folder;
    [[nodiscard]] int rowOf(const Folder& folder) const;
    [[nodiscard]] const Row* rowAt(const QModelIndex& index) const;
    void insertRows(Folder& folder, std::vector<Row> rows);
    void removeStale(Folder& folder);
    void refresh(const Folder& folder);
    [[nodiscard]] QVariant folderData(const Folder& folder, int column, int role) const;
    [[nodiscard]] QString display(const Row& row, int column) const;
    [[nodiscard]] QVariant sortKey(const Row& row, int column) const;

    std::vector<std::unique_ptr<Folder>> m_folders;
    std::map<std::string, LastRun> m_lastRuns;
};

/// Filters by state, by never having run, and by words; folders keep their order whatever the sorting.
class ZooFilter : public QSortFilterProxyModel {
    Q_OBJECT

public:
    enum class Kind { All, Complete, NeedsAttention, NeverRun };

    explicit ZooFilter(QObject* parent = nullptr);

    void setKind(Kind kind);
    [[nodiscard]] Kind kind() const { return m_kind; }
    /// Every word must occur in name, family, weights or state.
    void setWords(const QString& words);
    /// How many checkpoints of the source are of this kind, whatever the words.
    [[nodiscard]] int count(Kind kind) const;

protected:
    [[nodiscard]] bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
    [[nodiscard]] bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

private:
    [[nodiscard]] bool accepts(const QModelIndex& checkpoint) const;

    Kind m_kind = Kind::All;
    QStringList m_words;
};

} // namespace loadlab
