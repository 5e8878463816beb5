#pragma once

#include "gui/RunExporter.h"
#include "gui/RunLibrary.h"
#include "gui/TrialController.h"
#include "gui/models/ProfileModel.h"
#include "gui/pages/Page.h"

#include <QTimer>

class QLabel;
class QMenu;
class QSplitter;
class QStackedWidget;

namespace loadlab {

class ActionButton;
class ChartPanel;
class ElidedLabel;
class EmptyState;
class GuardPanel;
class LogPanel;
class ModeBadge;
class PageHeader;
class Panel;
class ProfileView;
class ReadoutStrip;
class VerdictView;

/// The run in progress, and afterwards the same page with its verdict.
class LivePage : public Page {
    Q_OBJECT

public:
    LivePage(const ThemeHolder& theme, const Lab& lab, TrialController& controller, RunLibrary& library,
        RunExporter& exporter, QWidget* parent = nullptr);

    void focusLog();
    void focusGuard();
    /// Ctrl+Enter: as the button of the first remedy that can be applied; nothing where there is none.
    void applyFirstRemedy();
    /// What Export offers for the run that is shown.
    void exportMenu(QMenu& menu);
    [[nodiscard]] QString title() const;

    [[nodiscard]] QList<QWidget*> panes() const override;
    void focusFind() override;
    void saveTo(QSettings& settings) const override;
    void restoreFrom(const QSettings& settings) override;

Q_SIGNALS:
    void openRunRequested(loadlab::RunId run);
    void runAgainRequested();
    void changeRequested(); ///< Run it again, with changes.
    void newTrialRequested();
    /// Apply a remedy of the run that is shown; `atOnce`: run it, else put it into the form.
    void remedyRequested(const loadlab::RunResult& result, const QString& remedyId, bool atOnce);

private:
    void buildHeader();
    QWidget* buildBody();
    QWidget* buildSide();
    QWidget* buildProfile();
    void wire();
    void begin();
    void take(const LiveUpdate& update);
    void end();
    void refreshHead();
    void refreshFigures();
    void refreshOutlook();
    void refreshVerdictPlace(double elapsedS);
    void refreshProfile();
    void refreshEmpty();
    void refreshBanner();
    void askLastRun();
    [[nodiscard]] QString lastRunWords() const;
    [[nodiscard]] ChartDocument document() const; ///< Of a run that ended.
    [[nodiscard]] const LiveRun& run() const { return m_controller.live(); }

    const Lab& m_lab;
    TrialController& m_controller;
    RunLibrary& m_library;
    RunExporter& m_exporter;
    PageHeader* m_header;
    ModeBadge* m_badge;
    ElidedLabel* m_subject;
    QLabel* m_elapsedWord;
    QLabel* m_elapsed;
    ActionButton* m_stop;
    ActionButton* m_again;
    ActionButton* m_change;
    ActionButton* m_open;
    QLabel* m_banner;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    ReadoutStrip* m_strip;
    ChartPanel* m_chart;
    LogPanel* m_log;
    ProfileModel* m_profile;
    ProfileView* m_profileView;
    Panel* m_profilePanel;
    GuardPanel* m_guard;
    Panel* m_verdictPanel;
    VerdictView* m_verdict;
    QString m_waitingWords; ///< What stands in the verdict's place.
    QSplitter* m_columns;
    QSplitter* m_rows;
    QSplitter* m_side;
    std::optional<RunRow> m_lastRun; ///< Of the database, while nothing was loaded here.
    QTimer m_figuresTimer; ///< 2/s, so that they can be read.
};

} // namespace loadlab
