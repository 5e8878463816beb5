#pragma once

#include "gui/widgets/PaintedDelegate.h"

namespace loadlab {

/// Paints a run's curve in a cell on its own scale, with the end mark that tells the outcome
/// (● loaded, × failed, □ unknown, ○ running). Fixed size hint; the picture is cached by run.
class SparklineDelegate : public PaintedDelegate {
    Q_OBJECT

public:
    /// Model roles. The key names the run and its version ("7", "28:701"): equal keys, equal pictures.
    struct Roles {
        int values = Qt::UserRole; ///< QVector<float>, evenly spaced; NaN is a gap; empty: nothing is painted.
        int state = Qt::UserRole + 1; ///< QString: wire name of the mode, empty while running.
        int key = Qt::UserRole + 2; ///< QString
    };
    SparklineDelegate(const ThemeHolder& theme, Roles roles, QObject* parent = nullptr);

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    Roles m_roles;
};

/// Paints the sparkline itself; also for tooltips and slots.
void paintSparkline(
    QPainter& painter, const QRectF& rect, const QVector<float>& values, const QString& state, const Theme& theme);
/// "rises to 117 GiB in 55.0 s, killed": the cell's accessible text.
QString sparklineWords(std::uint64_t peakBytes, double durationS, const QString& state);

} // namespace loadlab
