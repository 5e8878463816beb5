#pragma once

#include "gui/models/ForecastWords.h"
#include "gui/models/LiveRun.h"
#include "gui/widgets/ThemeHolder.h"

#include <QFrame>

#include <array>
#include <optional>

class QHBoxLayout;
class QLabel;
class QProgressBar;

namespace loadlab {

/// The large figures above the curve: while it loads used, growth, time to limit and guard, progress; afterwards peaks,
/// means, the end.
class ReadoutStrip : public QFrame {
    Q_OBJECT

public:
    explicit ReadoutStrip(const ThemeHolder& theme, QWidget* parent = nullptr);

    void showRunning(const LiveRun& run, const LiveOutlook& look, double elapsedS);
    void showEnded(const RunResult& result);

private:
    struct Cell {
        QWidget* box = nullptr;
        QHBoxLayout* head = nullptr;
        QLabel* name = nullptr;
        QLabel* figure = nullptr;
        QLabel* unit = nullptr;
        QLabel* remark = nullptr;
    };
    Cell makeCell();
    void set(std::size_t cell, const QString& name, const QString& figure, const QString& remark);
    void showLoaded(const RunResult& result);
    void showProgress(const std::optional<protocol::Progress>& progress, const QString& need);

    std::array<Cell, 5> m_cells;
    QLabel* m_count = nullptr; ///< Of the progress cell, at the right of its name.
    QProgressBar* m_bar = nullptr;
};

} // namespace loadlab
