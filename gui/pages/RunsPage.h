#pragma once

#include "gui/RunExporter.h"
#include "gui/models/RunsModel.h"
#include "gui/pages/Page.h"

#include <QTimer>

class QMenu;
class QStackedWidget;
class QTableView;

namespace loadlab {

struct Lab;
class ActionButton;
class EmptyState;
class FoldingSplitter;
class PageHeader;
class RunDetails;
class RunFilterBar;

/// Find a run again: every load, whatever came of it.
class RunsPage : public Page {
    Q_OBJECT

public:
    RunsPage(const ThemeHolder& theme, const Lab& lab, RunLibrary& library, RunExporter& exporter,
        QWidget* parent = nullptr);

    /// Selects the run and shows it, also when the filter does not hold it.
    void open(RunId run);
    void copyRows();
    void exportMenu(QMenu& menu);
    /// Of the details; nothing when none is shown.
    [[nodiscard]] std::optional<RunId> shownRun() const;
    void focusLog();
    void applyFirstRemedy();

    [[nodiscard]] QList<QWidget*> panes() const override;
    void focusFind() override;
    void saveTo(QSettings& settings) const override;
    void restoreFrom(const QSettings& settings) override;

Q_SIGNALS:
    void runAgainRequested(const loadlab::RunResult& result);
    void changeRequested(const loadlab::RunResult& result);
    void remedyRequested(const loadlab::RunResult& result, const QString& remedyId, bool atOnce);
    void newTrialRequested();

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void buildHeader();
    void buildTable();
    void wire();
    void takeFilter();
    void refresh();
    void refreshEmpty();
    void refreshChoices();
    void followSelection();
    void askDetails(RunId run);
    void keepSelection();
    void step(int by);
    void openExport(QWidget* below);
    [[nodiscard]] std::vector<int> selectedRows() const;

    const Lab& m_lab;
    RunLibrary& m_library;
    RunExporter& m_exporter;
    RunsModel* m_model;
    PageHeader* m_header;
    ActionButton* m_export;
    RunFilterBar* m_filter;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    FoldingSplitter* m_splitter;
    QTableView* m_table;
    RunDetails* m_details;
    Newest m_detailsNewest = makeNewest();
    std::optional<RunId> m_wanted; ///< Selected, or to be selected when its row is read.
    QTimer m_refreshTimer; ///< Of the details of a run in progress.
};

} // namespace loadlab
