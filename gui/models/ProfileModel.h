#pragma once

#include "core/curve/CurveSummary.h"

#include <QAbstractTableModel>
#include <QString>

#include <optional>
#include <vector>

namespace loadlab {

/// The memory profile of a run, a row every few seconds: the table that the notes were written with.
struct ProfileRow {
    enum class Kind { Measured, Forecast, Limit };
    double tS = 0;
    std::uint64_t usedBytes = 0; ///< tree_bytes
    std::optional<std::int64_t> deltaBytes; ///< Against the row before.
    std::optional<double> rateBytesPerS;
    std::uint64_t swapBytes = 0; ///< Of it.
    std::optional<std::uint64_t> availableBytes;
    QString phase;
    Kind kind = Kind::Measured;
    bool operator==(const ProfileRow&) const = default;
};

/// At 0, step, 2·step … each the first sample at or after that time; the last sample always ends it.
std::vector<ProfileRow> profileOf(
    const Curve& curve, const std::vector<Phase>& phases, double stepS, bool ended = false);
/// 5 s; longer for long runs, so that a table has at most 400 rows, and 0.5 or 1 s for loads of a few seconds.
double profileStep(double durationS);

class ProfileModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Time, Used, Swap, Delta, Rate, Available, PhaseColumn, ColumnCount };

    explicit ProfileModel(QObject* parent = nullptr);

    /// Rows that were there stay rows: a profile grows and shrinks at its end, until it is another run's.
    void setRows(std::vector<ProfileRow> rows);
    [[nodiscard]] bool hasSwap() const { return m_hasSwap; } ///< Of any row.
    [[nodiscard]] int measuredRows() const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] QString display(const ProfileRow& row, int column) const;
    std::vector<ProfileRow> m_rows;
    bool m_hasSwap = false;
};

} // namespace loadlab
