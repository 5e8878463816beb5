#pragma once

#include "gui/Dialogs.h"
#include "gui/TrialController.h"
#include "gui/ZooController.h"
#include "gui/pages/Page.h"

#include <QTimer>

class QLabel;
class QLineEdit;
class QSplitter;
class QStackedWidget;

namespace loadlab {

class EmptyState;
class PageHeader;
class PreflightPanel;
class QueuePanel;
class TrialForm;

/// One variant, checked before it costs anything: queue left, form in the middle, what is known right.
class TrialsPage : public Page {
    Q_OBJECT

public:
    TrialsPage(const ThemeHolder& theme, const Lab& lab, ZooController& zoo, TrialController& controller,
        const Dialogs& dialogs, QWidget* parent = nullptr);

    /// A draft for this checkpoint; the form's other fields stay as they are.
    void draft(std::shared_ptr<const Checkpoint> checkpoint);
    /// The form as a run had it, with another variant (a remedy) when there is one.
    void draft(const TrialIdentity& identity, const Variant& variant, const std::optional<std::string>& remedy);
    void watchProgram(); ///< A draft for a program to watch.
    /// Starts what the form holds, or puts it into the queue while a load is under way.
    void run();
    void addToQueue();
    [[nodiscard]] QString commandLine() const;
    void setMemory(std::uint64_t totalBytes, std::uint64_t availableBytes);

    [[nodiscard]] QList<QWidget*> panes() const override;
    void saveTo(QSettings& settings) const override;
    void restoreFrom(const QSettings& settings) override;

Q_SIGNALS:
    void openRunRequested(loadlab::RunId run);
    void runAsked(); ///< The operator started something: worth looking at.
    void zooRequested();
    void failed(const QString& words);

private:
    void buildHeader();
    QWidget* buildForm();
    QWidget* buildCommandLine();
    void wire();
    void takeCheckpoints();
    void check();
    void refresh();
    void browse();
    void inspectAndDraft(const std::filesystem::path& path, std::function<void()> then);

    const Lab& m_lab;
    ZooController& m_zoo;
    TrialController& m_controller;
    const Dialogs& m_dialogs;
    PageHeader* m_header;
    QStackedWidget* m_stack;
    EmptyState* m_empty;
    QSplitter* m_splitter;
    QueuePanel* m_queue;
    TrialForm* m_form;
    PreflightPanel* m_preflight;
    QLineEdit* m_command;
    QTimer m_checkTimer; ///< 150 ms after the last change.
    QTimer m_checkpointsTimer; ///< The zoo tells of every row.
    std::uint64_t m_availableBytes = 0;
    Background m_background; ///< Inspects folders that are not in the zoo.
};

} // namespace loadlab
