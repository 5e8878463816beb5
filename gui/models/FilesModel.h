#pragma once

#include "core/checkpoint/Checkpoint.h"

#include <QAbstractTableModel>

#include <memory>

namespace loadlab {

/// The files of one checkpoint with what a look at each one gave.
class FilesModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { File, Size, Check, ColumnCount };
    enum Role {
        SignRole = Qt::UserRole, ///< Icon name: "ok", "warn", "fail", "unk".
    };

    explicit FilesModel(QObject* parent = nullptr);

    void setCheckpoint(std::shared_ptr<const Checkpoint> checkpoint);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::shared_ptr<const Checkpoint> m_checkpoint;
};

} // namespace loadlab
