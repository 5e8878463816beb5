#pragma once

#include "gui/RunLibrary.h"
#include "gui/charts/ChartDocument.h"
#include "gui/models/ProfileModel.h"
#include "gui/widgets/Panel.h"

#include <optional>

class QBoxLayout;
class QLabel;
class QTabWidget;

namespace loadlab {

struct Lab;
class ActionButton;
class IconButton;
class LogPanel;
class MemoryChart;
class VerdictView;

/// One stored run: curve, verdict with evidence and remedies, profile, settings, log.
class RunDetails : public Panel {
    Q_OBJECT

public:
    RunDetails(const ThemeHolder& theme, const Lab& lab, QWidget* parent = nullptr);

    void showRun(OpenedRun run);
    /// Words instead of a run: none selected, or why it cannot be read.
    void showWords(const QString& words);
    [[nodiscard]] const std::optional<OpenedRun>& run() const { return m_run; }
    [[nodiscard]] ChartDocument document() const; ///< Only while a run is shown.
    /// Curve and tabs beside each other: there is width, and little height.
    void setFolded(bool folded);
    [[nodiscard]] QList<QWidget*> panes() const;
    void focusLog();
    void applyFirstRemedy();

Q_SIGNALS:
    void previousRequested();
    void nextRequested();
    void openRunRequested(loadlab::RunId run);
    void runAgainRequested();
    void changeRequested(); ///< Run it again, with changes.
    void exportRequested(QWidget* below);
    void remedyRequested(const loadlab::RunResult& result, const QString& remedyId, bool atOnce);

private:
    QWidget* buildHead();
    QWidget* buildSummary();
    QWidget* buildSettings();
    QWidget* buildProfile();
    QWidget* buildButtons();
    void showSettings(const RunResult& result);

    const ThemeHolder& m_theme;
    const Lab& m_lab;
    std::optional<OpenedRun> m_run;
    QLabel* m_words;
    QWidget* m_content;
    QLabel* m_title;
    QLabel* m_name;
    QLabel* m_subject;
    QBoxLayout* m_middle; ///< Curve and tabs.
    QTabWidget* m_tabs;
    MemoryChart* m_chart;
    VerdictView* m_verdict;
    ProfileModel* m_profile;
    QWidget* m_settings;
    LogPanel* m_log;
    ActionButton* m_export;
};

} // namespace loadlab
