#pragma once

#include <QScrollArea>

namespace loadlab {

/// Scrolls a column up and down and is never narrower than the column can be: nothing is cut off at the right.
class ColumnScroll : public QScrollArea {
    Q_OBJECT

public:
    explicit ColumnScroll(QWidget* column, QWidget* parent = nullptr);

    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
};

} // namespace loadlab
