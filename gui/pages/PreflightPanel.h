#pragma once

#include "gui/models/Inspection.h"
#include "gui/widgets/Panel.h"

#include <optional>

class QGridLayout;
class QLabel;
class QVBoxLayout;

namespace loadlab {

class ActionButton;
class FitBar;

/// What is known before anything starts: findings with their repair, the predicted need, and the buttons that start it.
class PreflightPanel : public Panel {
    Q_OBJECT

public:
    explicit PreflightPanel(const ThemeHolder& theme, QWidget* parent = nullptr);

    void show(const TrialInspection& inspection);
    /// Why the form as it stands cannot run; empty: it can.
    void setObstacle(const QString& why);
    void setMemory(std::uint64_t totalBytes, std::uint64_t availableBytes);
    /// A load is under way: Run becomes Add to queue.
    void setBusy(bool busy);

Q_SIGNALS:
    void repairRequested(const loadlab::Variant& variant);
    /// Repair, then run: offered where one repair solves the only problem.
    void fixAndRunRequested(const loadlab::Variant& variant);
    void runRequested();
    void queueRequested();

private:
    QWidget* buildPrediction();
    QWidget* buildButtons();
    void showFindings();
    void addFinding(const Remark& remark);
    void showPrediction();
    void refreshButtons();
    /// The repair that leaves no error behind, if there is one.
    [[nodiscard]] std::optional<Variant> wholeRepair() const;

    const ThemeHolder& m_theme;
    TrialInspection m_inspection;
    QString m_obstacle;
    std::uint64_t m_totalBytes = 0;
    std::uint64_t m_availableBytes = 0;
    bool m_busy = false;
    QVBoxLayout* m_findings;
    QWidget* m_findingsBox;
    QWidget* m_predictionBox;
    QLabel* m_basis;
    FitBar* m_bar;
    QLabel* m_peak;
    QLabel* m_steady;
    QLabel* m_free;
    QLabel* m_note;
    ActionButton* m_queue;
    ActionButton* m_run;
    ActionButton* m_fix;
};

} // namespace loadlab
