#pragma once

#include "gui/RunLibrary.h"

#include <QAbstractTableModel>

#include <list>
#include <unordered_map>

namespace loadlab {

/// "transformers · auto · cuda"; of a watched program, which has neither dtype nor map, only "command".
QString variantWords(const Variant& variant, bool watched);
/// As shownMode(); empty: in progress.
QString shownModeOf(const RunRow& row);
/// Rows as tab-separated text with a header, figures with a point whatever the locale.
QString toTsv(const std::vector<RunRow>& rows);

/// The run database as a table of any length: SQL filters and sorts, pages are read when they are looked at and the
/// least recently seen ones are forgotten. Rows not read yet show "…". GUI thread.
class RunsModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Run, Started, Checkpoint, Backend, Dtype, Map, CurveColumn, Peak, Duration, Outcome, ColumnCount };
    enum Role {
        ModeRole = Qt::UserRole, ///< As shownModeOf().
        RunIdRole, ///< qint64; 0 while the row is not read.
        SparkValuesRole, ///< QVector<float>
        SparkKeyRole, ///< QString, grows with what was measured.
    };
    static constexpr int kRowsPerPage = 128;

    explicit RunsModel(RunLibrary& library, QObject* parent = nullptr);

    /// Order, limit and offset of the filter are the model's own. The old rows stay until the answer is there.
    void setFilter(const RunFilter& filter);
    [[nodiscard]] const RunFilter& filter() const { return m_filter; }
    /// Asks again: a run began, went on or ended. Rows keep their place where they can.
    void refresh();

    /// Nothing while the row is not read.
    [[nodiscard]] const RunRow* rowAt(int row) const;
    /// Among the rows that are read.
    [[nodiscard]] int findRow(RunId run) const; ///< -1: not there.
    [[nodiscard]] std::uint64_t matching() const { return m_matching; }
    [[nodiscard]] std::uint64_t stored() const { return m_stored; }
    [[nodiscard]] const std::optional<Error>& error() const { return m_error; }
    /// The first answer is there.
    [[nodiscard]] bool isReady() const { return m_ready; }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;
    /// The store's order for a column; nothing for one that cannot be sorted by.
    struct Order {
        RunOrder order = RunOrder::Newest;
        bool backwards = false; ///< From its end: words have one order in the store.
    };
    [[nodiscard]] static std::optional<Order> orderOf(int column, Qt::SortOrder order);

Q_SIGNALS:
    /// An answer came: rows, counts or error may differ.
    void answered();

private:
    using Page = std::vector<RunRow>;
    void ask(std::size_t page);
    void take(std::size_t page, std::uint64_t number, Result<RunPage> answer);
    void takeFirst(RunPage answer);
    bool growAtTop(const RunPage& answer);
    void replaceAll(RunPage answer);
    void forgetOldPages();
    const RunRow* touch(int row) const;
    [[nodiscard]] QString display(const RunRow& row, int column) const;

    RunLibrary& m_library;
    RunFilter m_filter;
    bool m_backwards = false;
    Newest m_newest = makeNewest();
    std::unordered_map<std::size_t, Page> m_pages;
    mutable std::list<std::size_t> m_recent; ///< Most recently seen first.
    mutable std::vector<std::size_t> m_asked;
    std::uint64_t m_matching = 0;
    std::uint64_t m_stored = 0;
    bool m_filterChanged = true; ///< The rows shown belong to another filter.
    bool m_ready = false;
    std::optional<Error> m_error;
};

} // namespace loadlab
