#pragma once

#include <QTableView>

namespace loadlab {

/// The files of a checkpoint. Shards differ in the middle of their names: where room is short the words of the check
/// give way first, the sign before them stays.
class FilesView : public QTableView {
    Q_OBJECT

public:
    explicit FilesView(QWidget* parent = nullptr);

    /// Gives every column its width; after the files have changed.
    void shareRoom();

protected:
    void resizeEvent(QResizeEvent* event) override;
};

} // namespace loadlab
