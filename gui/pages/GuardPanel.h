#pragma once

#include "gui/models/LiveForecast.h"
#include "gui/models/LiveRun.h"
#include "gui/widgets/Panel.h"

#include <array>

class QCheckBox;
class QLineEdit;

namespace loadlab {

class ElidedLabel;

/// The guard of the load in progress, to be armed and changed while it runs, and beside it what tells slow from hung.
class GuardPanel : public Panel {
    Q_OBJECT

public:
    explicit GuardPanel(const ThemeHolder& theme, QWidget* parent = nullptr);

    /// A run begins or is over: its limits, and whether the guard can still be changed.
    void setRun(const Limits& limits, bool changeable);
    /// Twice a second at most.
    void showOutlook(const LiveOutlook& look, double nowS);
    /// Who keeps the cap of a run that has one, and what left its group.
    void showCap(const LiveRun& run);
    void focusMargin();

Q_SIGNALS:
    /// Nothing: disarmed. Only margins that can be.
    void marginChanged(std::optional<loadlab::GuardMargin> margin);

private:
    struct Row {
        QWidget* box = nullptr;
        QLabel* sign = nullptr;
        ElidedLabel* words = nullptr;
        QLabel* remark = nullptr;
    };
    QWidget* buildMargin();
    Row addRow();
    void show(const Row& row, const QString& icon, Role role, const QString& words, const QString& remark);
    void take();

    const ThemeHolder& m_theme;
    QCheckBox* m_armed;
    QLineEdit* m_margin;
    QLabel* m_problem;
    std::array<Row, 4> m_rows;
    Row m_cap; ///< Only of a run with a cap on memory.
    Limits m_limits;
    std::optional<GuardMargin> m_asked;
};

} // namespace loadlab
