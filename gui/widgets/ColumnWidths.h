#pragma once

#include <QObject>
#include <QString>

#include <vector>

class QHeaderView;

namespace loadlab {

/// The widest usual content of a column; no text: the header decides alone.
struct ColumnSample {
    static constexpr int kSign = 22; ///< An icon before the text.
    static constexpr int kBadge = 44; ///< A badge around it.
    QString text;
    int besidePx = 0; ///< Width of what stands beside the text.
};

/// Width in px at which the header's words with its sort arrow, and the sample, stand uncut.
int columnWidth(const QHeaderView& header, int column, const ColumnSample& sample);

/// Gives every column such a width; the visually last one takes what is left of the view, and never less than its own.
/// The user may drag the others; QHeaderView::restoreState() brings those widths back. One sample per column.
void fitColumns(QHeaderView& header, const std::vector<ColumnSample>& samples);

/// Keeps the last column as wide as the view leaves room for. Lives with its header; made by fitColumns().
class LastColumn : public QObject {
    Q_OBJECT

public:
    LastColumn(QHeaderView& header, std::vector<int> leastWidths);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fill();

    QHeaderView& m_header;
    std::vector<int> m_least;
    bool m_filling = false;
};

} // namespace loadlab
