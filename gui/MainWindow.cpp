#include "gui/MainWindow.h"

#include "gui/LabStatusBar.h"
#include "gui/Rail.h"
#include "gui/Remedies.h"
#include "gui/Words.h"
#include "gui/charts/ChartPanel.h"
#include "gui/pages/LivePage.h"
#include "gui/pages/RunsPage.h"
#include "gui/pages/TrialsPage.h"
#include "gui/pages/ZooPage.h"
#include "gui/widgets/Figures.h"

#include <QCloseEvent>
#include <QDropEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

constexpr QSize kSmallest{1024, 680};
constexpr QSize kFirstSize{1440, 900};
constexpr std::array kGroups{"zoo", "trials", "live", "runs"};

} // namespace

MainWindow::MainWindow(ThemeHolder& theme, const Lab& lab, Dialogs dialogs, QWidget* parent)
    : QMainWindow(parent)
    , m_theme(theme)
    , m_lab(lab)
    , m_dialogs(std::move(dialogs))
    , m_library(lab.database)
    , m_controller(lab)
    , m_zoo(lab, m_library)
    , m_exporter(m_dialogs)
{
    setWindowTitle(QStringLiteral("LoadLab"));
    setObjectName(QStringLiteral("mainWindow"));
    setMinimumSize(kSmallest);
    setAcceptDrops(true);
    buildPages();
    buildMenus();
    wire();
    restore();
}

MainWindow::~MainWindow() = default;

void MainWindow::buildPages()
{
    auto* central = new QWidget(this);
    auto* row = new QHBoxLayout(central);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    m_rail = new Rail(m_theme, central);
    m_stack = new QStackedWidget(central);
    m_zooPage = new ZooPage(m_theme, m_zoo, m_dialogs, m_stack);
    m_trialsPage = new TrialsPage(m_theme, m_lab, m_zoo, m_controller, m_dialogs, m_stack);
    m_livePage = new LivePage(m_theme, m_lab, m_controller, m_library, m_exporter, m_stack);
    m_runsPage = new RunsPage(m_theme, m_lab, m_library, m_exporter, m_stack);
    for (Page* one : {static_cast<Page*>(m_zooPage), static_cast<Page*>(m_trialsPage), static_cast<Page*>(m_livePage),
             static_cast<Page*>(m_runsPage)})
        m_stack->addWidget(one);
    m_rail->add(QStringLiteral("zoo"), QStringLiteral("Zoo"));
    m_rail->add(QStringLiteral("trials"), QStringLiteral("Trials"));
    m_liveButton = &m_rail->add(QStringLiteral("live"), QStringLiteral("Live"));
    m_rail->add(QStringLiteral("runs"), QStringLiteral("Runs"));
    row->addWidget(m_rail);
    row->addWidget(m_stack, 1);
    setCentralWidget(central);
    m_status = new LabStatusBar(m_theme, m_lab, m_controller, m_library, this);
    setStatusBar(m_status);
}

void MainWindow::wire()
{
    connect(m_rail, &Rail::pageRequested, this, &MainWindow::showPage);
    connect(m_status, &LabStatusBar::liveRequested, this, [this] { showPage(LiveIndex); });
    connect(m_status, &LabStatusBar::runsRequested, this, [this] { showPage(RunsIndex); });
    connect(&m_watch, &MachineWatch::readingTaken, this, [this](const MachineReading& reading) {
        m_status->showReading(reading);
        m_zooPage->setMemory(reading.memory.totalBytes, reading.memory.availableBytes);
        m_trialsPage->setMemory(reading.memory.totalBytes, reading.memory.availableBytes);
    });
    connect(&m_exporter, &RunExporter::exported, this,
        [this](const QString& file) { tell(QStringLiteral("Exported to %1").arg(shownPath(toPath(file)))); });
    connect(&m_exporter, &RunExporter::failed, this, &MainWindow::tell);
    connect(&m_zoo, &ZooController::failed, this, &MainWindow::tell);
    connect(&m_zoo, &ZooController::folderAdded, this, [this] { showPage(ZooIndex); });
    connect(&m_library, &RunLibrary::lostRunsClosed, this, [this](int count, int ended) {
        tell(
            QStringLiteral("%1 that LoadLab did not live to see the end of: closed as lost%2")
                .arg(figures::count(static_cast<std::uint64_t>(count), QStringLiteral("run"), QStringLiteral("runs")),
                    ended == 0 ? QString()
                               : QStringLiteral(", %1 ended")
                                     .arg(figures::count(static_cast<std::uint64_t>(ended),
                                         QStringLiteral("left-over process"), QStringLiteral("left-over processes")))));
    });
    wirePages();
    wireController();
}

void MainWindow::wirePages()
{
    connect(m_zooPage, &ZooPage::newTrialRequested, this, [this](const std::shared_ptr<const Checkpoint>& checkpoint) {
        m_trialsPage->draft(checkpoint);
        showPage(TrialsIndex);
    });
    connect(m_zooPage, &ZooPage::openRunRequested, this, &MainWindow::openRun);
    connect(m_trialsPage, &TrialsPage::openRunRequested, this, &MainWindow::openRun);
    connect(m_trialsPage, &TrialsPage::runAsked, this, [this] { showPage(LiveIndex); });
    connect(m_trialsPage, &TrialsPage::zooRequested, this, [this] { showPage(ZooIndex); });
    connect(m_trialsPage, &TrialsPage::failed, this, &MainWindow::tell);
    connect(m_livePage, &LivePage::openRunRequested, this, &MainWindow::openRun);
    connect(m_livePage, &LivePage::newTrialRequested, this, &MainWindow::newTrial);
    connect(m_livePage, &LivePage::runAgainRequested, this, [this] { runAgain(*m_controller.live().result()); });
    connect(m_livePage, &LivePage::changeRequested, this, [this] { change(*m_controller.live().result()); });
    connect(m_livePage, &LivePage::remedyRequested, this, &MainWindow::applyRemedy);
    connect(m_runsPage, &RunsPage::runAgainRequested, this, &MainWindow::runAgain);
    connect(m_runsPage, &RunsPage::changeRequested, this, &MainWindow::change);
    connect(m_runsPage, &RunsPage::remedyRequested, this, &MainWindow::applyRemedy);
    connect(m_runsPage, &RunsPage::newTrialRequested, this, &MainWindow::newTrial);
}

void MainWindow::wireController()
{
    for (const auto signal : {&TrialController::runCommitted, &TrialController::runNumbered})
        connect(&m_controller, signal, &m_library, &RunLibrary::noteChange);
    connect(&m_controller, &TrialController::runRecorded, &m_library, &RunLibrary::noteChange);
    for (const auto signal : {&TrialController::runStarted, &TrialController::runRecorded})
        connect(&m_controller, signal, this,
            [this] { m_liveButton->setDot(m_controller.isBusy(), QStringLiteral("a load is running")); });
    connect(&m_controller, &TrialController::becameIdle, this, [this] {
        if (m_quitting)
            close();
    });
}

void MainWindow::start()
{
    m_library.open(m_lab.machine.bootId);
    m_zoo.start();
}

Page& MainWindow::page() const
{
    return *static_cast<Page*>(m_stack->currentWidget());
}

int MainWindow::currentPage() const
{
    return m_stack->currentIndex();
}

void MainWindow::showPage(int index)
{
    m_stack->setCurrentIndex(index);
    m_rail->setCurrent(index);
    if (m_stepping || (!m_history.empty() && m_history[m_historyAt] == index))
        return;
    if (!m_history.empty())
        m_history.resize(m_historyAt + 1);
    m_history.push_back(index);
    m_historyAt = m_history.size() - 1;
}

void MainWindow::goBack(int by)
{
    const auto to = static_cast<std::ptrdiff_t>(m_historyAt) + by;
    if (to < 0 || to >= std::ssize(m_history))
        return;
    m_historyAt = static_cast<std::size_t>(to);
    m_stepping = true;
    showPage(m_history[m_historyAt]);
    m_stepping = false;
}

void MainWindow::openRun(RunId run)
{
    m_runsPage->open(run);
    showPage(RunsIndex);
}

void MainWindow::newTrial()
{
    if (const auto checkpoint = m_zooPage->selected(); checkpoint && currentPage() == ZooIndex)
        m_trialsPage->draft(checkpoint);
    showPage(TrialsIndex);
}

/// Ctrl+R: what the page in front would run.
void MainWindow::run()
{
    if (currentPage() == LiveIndex && m_controller.waitingCount() > 0)
        m_controller.startNext();
    else if (currentPage() == LiveIndex && m_controller.live().hasEnded() && !m_controller.isBusy())
        runAgain(*m_controller.live().result());
    else
        m_trialsPage->run();
}

void MainWindow::runAgain(const RunResult& result)
{
    start(trialOf(m_lab, m_controller.withSecrets(result), result.identity.variant),
        toQString(subjectOf(result.identity)));
}

/// Run again, with changes.
void MainWindow::change(const RunResult& result)
{
    m_trialsPage->draft(m_controller.withSecrets(result).identity, result.identity.variant, std::nullopt);
    showPage(TrialsIndex);
}

void MainWindow::applyRemedy(const RunResult& result, const QString& remedyId, bool atOnce)
{
    if (!result.verdict)
        return;
    const std::vector<Remedy>& remedies = result.verdict->remedies;
    const auto remedy = std::find_if(
        remedies.begin(), remedies.end(), [&](const Remedy& one) { return one.id == remedyId.toStdString(); });
    if (remedy == remedies.end())
        return;
    const Result<Variant> variant = withChange(result.identity.variant, remedy->changeJson);
    if (!variant) {
        tell(toSentence(variant.error()));
        return;
    }
    if (!atOnce) {
        m_trialsPage->draft(m_controller.withSecrets(result).identity, *variant, remedy->id);
        showPage(TrialsIndex);
        return;
    }
    Result<TrialSpec> spec = trialOf(m_lab, m_controller.withSecrets(result), *variant);
    if (spec)
        spec->remedyApplied = remedy->id;
    start(spec, toQString(subjectOf(result.identity)));
}

void MainWindow::start(const Result<TrialSpec>& spec, const QString& name)
{
    if (!spec) {
        tell(toSentence(spec.error()));
        return;
    }
    if (m_controller.isBusy())
        tell(QStringLiteral("Added to the queue: a load is under way"));
    m_controller.run(*spec, name);
    showPage(LiveIndex);
}

void MainWindow::tell(const QString& words)
{
    constexpr int kShownMs = 8000;
    m_status->showMessage(words, kShownMs);
}

void MainWindow::focusFind()
{
    page().focusFind();
}

void MainWindow::applyFirstRemedy()
{
    if (currentPage() == RunsIndex)
        m_runsPage->applyFirstRemedy();
    else if (currentPage() == LiveIndex)
        m_livePage->applyFirstRemedy();
}

void MainWindow::focusLog()
{
    if (currentPage() == RunsIndex) {
        m_runsPage->focusLog();
        return;
    }
    showPage(LiveIndex);
    m_livePage->focusLog();
}

void MainWindow::focusPane(int by)
{
    QList<QWidget*> panes = page().panes();
    panes.removeIf([](const QWidget* pane) { return !pane->isVisible() || !pane->isEnabled(); });
    if (panes.isEmpty())
        return;
    const QWidget* focused = focusWidget();
    const auto at = std::find_if(panes.begin(), panes.end(),
        [focused](const QWidget* pane) { return focused && (pane == focused || pane->isAncestorOf(focused)); });
    const qsizetype count = panes.size();
    const qsizetype next = at == panes.end() ? (by > 0 ? 0 : count - 1) : (at - panes.begin() + by + count) % count;
    QWidget* pane = panes[next];
    if (pane->focusPolicy() != Qt::NoFocus)
        pane->setFocus(Qt::TabFocusReason);
    else if (QWidget* first = pane->nextInFocusChain())
        first->setFocus(Qt::TabFocusReason);
}

void MainWindow::fillExportMenu(QMenu& menu)
{
    menu.clear();
    if (currentPage() == LiveIndex && !m_controller.live().isEmpty())
        m_livePage->exportMenu(menu);
    else
        m_runsPage->exportMenu(menu);
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (!m_controller.isBusy()) {
        save();
        event->accept();
        return;
    }
    event->ignore();
    if (!m_quitting)
        askWhetherToStop();
}

/// Not modal to the event loop: the load goes on and may end while the question stands.
void MainWindow::askWhetherToStop()
{
    if (findChild<QMessageBox*>(QStringLiteral("stopQuestion")))
        return;
    auto* question = new QMessageBox(QMessageBox::Question, QStringLiteral("LoadLab"),
        QStringLiteral("%1 is under way.").arg(m_livePage->title()), QMessageBox::NoButton, this);
    question->setObjectName(QStringLiteral("stopQuestion"));
    question->setAttribute(Qt::WA_DeleteOnClose);
    question->setInformativeText(
        QStringLiteral("The load would be stopped in good order and its run kept as cancelled."));
    QAbstractButton* stop = question->addButton(QStringLiteral("Stop it and close"), QMessageBox::AcceptRole);
    stop->setObjectName(QStringLiteral("stopAndClose"));
    QPushButton* stay = question->addButton(QStringLiteral("Keep running"), QMessageBox::RejectRole);
    stay->setObjectName(QStringLiteral("keepRunning"));
    question->setDefaultButton(stay);
    question->setEscapeButton(stay);
    connect(question, &QMessageBox::buttonClicked, this, [this, stop](const QAbstractButton* clicked) {
        if (clicked == stop)
            quit();
    });
    question->open();
}

void MainWindow::quit()
{
    const bool again = std::exchange(m_quitting, true);
    setEnabled(false);
    m_controller.stopForGood(again);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event)
{
    for (const QUrl& url : event->mimeData()->urls()) {
        if (!url.isLocalFile())
            continue;
        const QFileInfo dropped(url.toLocalFile());
        m_zoo.addFolder(toPath(dropped.isDir() ? dropped.absoluteFilePath() : dropped.absolutePath()));
    }
    event->acceptProposedAction();
}

void MainWindow::restore()
{
    QSettings settings(m_lab.windowSettingsFile, QSettings::IniFormat);
    if (!restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray()))
        resize(kFirstSize);
    m_theme.setScheme(
        static_cast<ThemeHolder::Scheme>(std::clamp(settings.value(QStringLiteral("scheme")).toInt(), 0, 2)));
    for (int i = 0; i < m_stack->count(); ++i) {
        settings.beginGroup(QString::fromUtf8(kGroups[static_cast<std::size_t>(i)]));
        static_cast<Page*>(m_stack->widget(i))->restoreFrom(settings);
        settings.endGroup();
    }
    showPage(std::clamp(settings.value(QStringLiteral("page")).toInt(), 0, m_stack->count() - 1));
}

void MainWindow::save() const
{
    QSettings settings(m_lab.windowSettingsFile, QSettings::IniFormat);
    settings.setValue(QStringLiteral("geometry"), saveGeometry());
    settings.setValue(QStringLiteral("page"), currentPage());
    settings.setValue(QStringLiteral("scheme"), static_cast<int>(m_theme.scheme()));
    for (int i = 0; i < m_stack->count(); ++i) {
        settings.beginGroup(QString::fromUtf8(kGroups[static_cast<std::size_t>(i)]));
        static_cast<const Page*>(m_stack->widget(i))->saveTo(settings);
        settings.endGroup();
    }
}

} // namespace loadlab
