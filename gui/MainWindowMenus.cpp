#include "gui/MainWindow.h"

#include "core/Version.h"
#include "gui/Words.h"
#include "gui/pages/LivePage.h"
#include "gui/pages/RunsPage.h"
#include "gui/pages/TrialsPage.h"
#include "gui/pages/ZooPage.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QLineEdit>
#include <QMenuBar>
#include <QMessageBox>
#include <QPlainTextEdit>

namespace loadlab {
namespace {

constexpr const char* kKeys = R"(<table cellspacing="6">
<tr><td>Ctrl+1 … 4</td><td>page</td><td>&nbsp;&nbsp;F6, Shift+F6</td><td>next, previous pane</td></tr>
<tr><td>Ctrl+F, Esc</td><td>find; leave, then drop filters</td><td>&nbsp;&nbsp;Alt+Left, Right</td><td>back, forward</td></tr>
<tr><td>Ctrl+O, F5</td><td>add folder, rescan</td><td>&nbsp;&nbsp;Ctrl+N</td><td>new trial</td></tr>
<tr><td>Ctrl+R</td><td>run</td><td>&nbsp;&nbsp;Ctrl+.</td><td>stop; again within 10 s: kill</td></tr>
<tr><td>Ctrl+L</td><td>log</td><td>&nbsp;&nbsp;Ctrl+E</td><td>export</td></tr>
<tr><td>Ctrl+Enter</td><td>apply the first remedy and run</td><td>&nbsp;&nbsp;F1</td><td>keys</td></tr>
<tr><td>Ctrl+C</td><td>rows as a table</td><td>&nbsp;&nbsp;Ctrl+Shift+V</td><td>verify every byte of a checkpoint</td></tr>
<tr><td>Ctrl+Q</td><td>quit</td><td>&nbsp;&nbsp;Ctrl+G</td><td>margin of the guard</td></tr>
<tr><td colspan="4">In a chart: ← → cursor, + − zoom, 0 fit, S stacked or total, L log scale</td></tr>
</table>)";

} // namespace

QAction* MainWindow::add(QMenu& menu, const QString& words, const QKeySequence& keys, std::function<void()> act)
{
    QAction* action = menu.addAction(words);
    action->setShortcut(keys);
    connect(action, &QAction::triggered, this, [act = std::move(act)] { act(); });
    return action;
}

void MainWindow::buildMenus()
{
    buildFileMenu();
    buildEditMenu();
    buildViewMenu();
    buildTrialMenus();
    buildHelpMenu();
}

void MainWindow::buildFileMenu()
{
    QMenu& file = *menuBar()->addMenu(QStringLiteral("&File"));
    add(file, QStringLiteral("Add &folder…"), Qt::CTRL | Qt::Key_O, [this] { m_zooPage->addFolder(); });
    add(file, QStringLiteral("&Rescan"), Qt::Key_F5, [this] {
        if (currentPage() == RunsIndex)
            m_library.noteChange();
        else
            m_zoo.rescan();
    });
    add(file, QStringLiteral("&Verify every byte"), Qt::CTRL | Qt::SHIFT | Qt::Key_V, [this] {
        if (currentPage() == ZooIndex)
            m_zooPage->verify();
    });
    file.addSeparator();
    QMenu* exports = file.addMenu(QStringLiteral("&Export"));
    connect(exports, &QMenu::aboutToShow, this, [this, exports] { fillExportMenu(*exports); });
    add(file, QStringLiteral("Export…"), Qt::CTRL | Qt::Key_E, [this] {
        auto* menu = new QMenu(this);
        menu->setObjectName(QStringLiteral("exportMenu"));
        menu->setAttribute(Qt::WA_DeleteOnClose);
        fillExportMenu(*menu);
        menu->popup(mapToGlobal(rect().center()));
    });
    file.addSeparator();
    add(file, QStringLiteral("&Quit"), Qt::CTRL | Qt::Key_Q, [this] { close(); });
}

void MainWindow::buildEditMenu()
{
    QMenu& edit = *menuBar()->addMenu(QStringLiteral("&Edit"));
    add(edit, QStringLiteral("&Copy"), QKeySequence::Copy, [this] {
        if (auto* line = qobject_cast<QLineEdit*>(focusWidget()))
            line->copy();
        else if (auto* text = qobject_cast<QPlainTextEdit*>(focusWidget()))
            text->copy();
        else if (currentPage() == RunsIndex)
            m_runsPage->copyRows();
    });
    add(edit, QStringLiteral("Copy command &line"), QKeySequence(),
        [this] { QApplication::clipboard()->setText(m_trialsPage->commandLine()); });
    edit.addSeparator();
    add(edit, QStringLiteral("&Find"), QKeySequence::Find, [this] { focusFind(); });
}

void MainWindow::buildViewMenu()
{
    QMenu& view = *menuBar()->addMenu(QStringLiteral("&View"));
    int index = 0;
    for (const char* name : {"&Zoo", "&Trials", "&Live", "&Runs"}) {
        add(view, QString::fromUtf8(name), QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + index)),
            [this, index] { showPage(index); });
        ++index;
    }
    view.addSeparator();
    add(view, QStringLiteral("Lo&g"), Qt::CTRL | Qt::Key_L, [this] { focusLog(); });
    add(view, QStringLiteral("&Guard"), Qt::CTRL | Qt::Key_G, [this] {
        showPage(LiveIndex);
        m_livePage->focusGuard();
    });
    add(view, QStringLiteral("&Next pane"), Qt::Key_F6, [this] { focusPane(1); });
    add(view, QStringLiteral("&Previous pane"), Qt::SHIFT | Qt::Key_F6, [this] { focusPane(-1); });
    add(view, QStringLiteral("&Back"), Qt::ALT | Qt::Key_Left, [this] { goBack(-1); });
    add(view, QStringLiteral("For&ward"), Qt::ALT | Qt::Key_Right, [this] { goBack(1); });
    view.addSeparator();
    QMenu& colours = *view.addMenu(QStringLiteral("&Colours"));
    auto* group = new QActionGroup(this);
    const auto addScheme = [&](const QString& words, ThemeHolder::Scheme scheme) {
        QAction* action = add(colours, words, {}, [this, scheme] { m_theme.setScheme(scheme); });
        action->setCheckable(true);
        group->addAction(action);
        connect(&colours, &QMenu::aboutToShow, action,
            [this, action, scheme] { action->setChecked(m_theme.scheme() == scheme); });
    };
    addScheme(QStringLiteral("As the &system"), ThemeHolder::Scheme::System);
    addScheme(QStringLiteral("&Light"), ThemeHolder::Scheme::Light);
    addScheme(QStringLiteral("&Dark"), ThemeHolder::Scheme::Dark);
}

void MainWindow::buildTrialMenus()
{
    QMenu& trial = *menuBar()->addMenu(QStringLiteral("&Trial"));
    add(trial, QStringLiteral("&New trial"), Qt::CTRL | Qt::Key_N, [this] { newTrial(); });
    add(trial, QStringLiteral("&Watch a program"), QKeySequence(), [this] {
        showPage(TrialsIndex);
        m_trialsPage->watchProgram();
    });
    add(trial, QStringLiteral("Add to &queue"), QKeySequence(), [this] { m_trialsPage->addToQueue(); });
    add(trial, QStringLiteral("Start the ne&xt in the queue"), QKeySequence(), [this] { m_controller.startNext(); });
    add(trial, QStringLiteral("&Clear what is done"), QKeySequence(), [this] { m_controller.clearDone(); });
    QMenu& run = *menuBar()->addMenu(QStringLiteral("&Run"));
    QAction* start = add(run, QStringLiteral("&Run"), Qt::CTRL | Qt::Key_R, [this] { this->run(); });
    QAction* stop = add(run, QStringLiteral("&Stop"), Qt::CTRL | Qt::Key_Period, [this] { m_controller.stop(); });
    add(run, QStringLiteral("&Apply the first remedy and run"), Qt::CTRL | Qt::Key_Return,
        [this] { applyFirstRemedy(); });
    QAction* open = add(run, QStringLiteral("Show in R&uns"), QKeySequence(), [this] {
        if (m_controller.liveRunId())
            openRun(*m_controller.liveRunId());
    });
    connect(&run, &QMenu::aboutToShow, this, [this, start, stop, open] {
        start->setText(m_controller.isBusy() ? QStringLiteral("Add to queue") : QStringLiteral("&Run"));
        stop->setText(m_controller.live().stopAsked() && m_controller.isRunning() ? QStringLiteral("&Kill")
                                                                                  : QStringLiteral("&Stop"));
        open->setEnabled(m_controller.liveRunId().has_value());
    });
}

void MainWindow::buildHelpMenu()
{
    QMenu& help = *menuBar()->addMenu(QStringLiteral("&Help"));
    const auto show = [this](const QString& title, const QString& words) {
        auto* box = new QMessageBox(QMessageBox::NoIcon, title, words, QMessageBox::Close, this);
        box->setAttribute(Qt::WA_DeleteOnClose);
        box->setTextFormat(Qt::RichText);
        box->open();
    };
    add(help, QStringLiteral("&Keys"), QKeySequence::HelpContents,
        [show] { show(QStringLiteral("Keys"), QString::fromUtf8(kKeys)); });
    add(help, QStringLiteral("&About LoadLab"), QKeySequence(), [this, show] {
        show(QStringLiteral("About LoadLab"),
            QStringLiteral("<b>LoadLab %1</b> (%2)<br>A test lab for model loads.<br><br>Database: %3<br>Licence: "
                           "GPL-3.0-or-later")
                .arg(toQString(loadlabVersion()), toQString(gitRevision()), shownPath(m_lab.database).toHtmlEscaped()));
    });
}

} // namespace loadlab
