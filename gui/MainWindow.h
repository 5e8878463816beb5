#pragma once

#include "gui/Dialogs.h"
#include "gui/Lab.h"
#include "gui/MachineWatch.h"
#include "gui/RunExporter.h"
#include "gui/RunLibrary.h"
#include "gui/TrialController.h"
#include "gui/ZooController.h"
#include "gui/widgets/ThemeHolder.h"

#include <QMainWindow>

#include <vector>

class QMenu;
class QStackedWidget;

namespace loadlab {

class LabStatusBar;
class LivePage;
class Page;
class Rail;
class RailButton;
class RunsPage;
class TrialsPage;
class ZooPage;

/// The window: rail, pages, status bar, and the wiring between pages that do not know each other.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    enum PageIndex { ZooIndex, TrialsIndex, LiveIndex, RunsIndex };

    /// `theme` and `lab` outlive the window.
    MainWindow(ThemeHolder& theme, const Lab& lab, Dialogs dialogs = Dialogs::ofSystem(), QWidget* parent = nullptr);
    ~MainWindow() override;

    /// Opens the database, reads the zoo, begins to watch the machine.
    void start();
    void showPage(int index);
    [[nodiscard]] int currentPage() const;
    void openRun(RunId run);
    /// Ends a running load, waits for its record and closes; asked again: kills at once. Never asks.
    void quit();

    [[nodiscard]] ZooPage& zooPage() const { return *m_zooPage; }
    [[nodiscard]] TrialsPage& trialsPage() const { return *m_trialsPage; }
    [[nodiscard]] LivePage& livePage() const { return *m_livePage; }
    [[nodiscard]] RunsPage& runsPage() const { return *m_runsPage; }
    [[nodiscard]] TrialController& controller() { return m_controller; }
    [[nodiscard]] RunLibrary& library() { return m_library; }
    [[nodiscard]] ZooController& zoo() { return m_zoo; }

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void buildPages();
    void buildMenus();
    void buildFileMenu();
    void buildEditMenu();
    void buildViewMenu();
    void buildTrialMenus();
    void buildHelpMenu();
    void wire();
    void wirePages();
    void wireController();
    void restore();
    void save() const;
    void newTrial();
    void run();
    void change(const RunResult& result);
    void runAgain(const RunResult& result);
    void applyRemedy(const RunResult& result, const QString& remedyId, bool atOnce);
    void start(const Result<TrialSpec>& spec, const QString& name);
    void focusPane(int by);
    void goBack(int by);
    void focusFind();
    void focusLog();
    void applyFirstRemedy();
    void fillExportMenu(QMenu& menu);
    void askWhetherToStop();
    void tell(const QString& words);
    [[nodiscard]] Page& page() const;
    QAction* add(QMenu& menu, const QString& words, const QKeySequence& keys, std::function<void()> act);

    ThemeHolder& m_theme;
    const Lab& m_lab;
    const Dialogs m_dialogs;
    RunLibrary m_library;
    TrialController m_controller;
    ZooController m_zoo;
    RunExporter m_exporter;
    MachineWatch m_watch;
    Rail* m_rail;
    QStackedWidget* m_stack;
    ZooPage* m_zooPage;
    TrialsPage* m_trialsPage;
    LivePage* m_livePage;
    RunsPage* m_runsPage;
    LabStatusBar* m_status;
    RailButton* m_liveButton = nullptr;
    std::vector<int> m_history;
    std::size_t m_historyAt = 0;
    bool m_stepping = false; ///< Through the history: it does not grow.
    bool m_quitting = false;
};

} // namespace loadlab
