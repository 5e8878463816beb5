#pragma once

#include "gui/TrialController.h"

#include <QAbstractTableModel>

namespace loadlab {

/// The controller's queue as a table: what is to be loaded and how it stands. Row i is queue()[i].
class QueueModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { Trial, State, ColumnCount };
    enum Role {
        StateRole = Qt::UserRole, ///< Wire name for the badge: a failure mode, "loading" or "queued".
        IdRole, ///< quint64
    };

    explicit QueueModel(const TrialController& controller, QObject* parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void follow();

    const TrialController& m_controller;
    std::vector<QueuedTrial> m_shown;
};

} // namespace loadlab
