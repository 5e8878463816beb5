#include "../db/RunBuilder.h"
#include "../db/Take.h"
#include "WindowBench.h"
#include "core/telemetry/ProcessTree.h"
#include "gui/models/RunsModel.h"
#include "gui/pages/FoldingSplitter.h"
#include "gui/pages/LivePage.h"
#include "gui/pages/LogPanel.h"
#include "gui/pages/OptionEditors.h"
#include "gui/pages/ProfileView.h"
#include "gui/pages/RunsPage.h"
#include "gui/pages/TrialForm.h"
#include "gui/pages/TrialsPage.h"
#include "gui/pages/ZooPage.h"
#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/SortHeader.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDropEvent>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QStatusBar>
#include <QTableView>
#include <QTest>
#include <QTreeView>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace loadlab;
using test::take;

/// What the window does when something goes wrong, or in the way.
class TestWindow : public QObject {
    Q_OBJECT

    std::unique_ptr<WindowBench> m_bench;
    static constexpr int kLongMs = 30'000;

    MainWindow& window() const { return m_bench->window(); }
    TrialController& controller() const { return window().controller(); }

    void startFake(const std::string& mode, std::map<std::string, std::string> options = {})
    {
        controller().run(m_bench->bench().fakeTrial(mode, std::move(options)), QStringLiteral("fake"));
        window().showPage(MainWindow::LiveIndex);
    }
    void startLongLoad()
    {
        startFake("slow", {{"seconds", "600"}});
        QTRY_COMPARE_WITH_TIMEOUT(controller().live().state(), TrialState::Loading, kLongMs);
    }

    /// What does not fit into its place: labels, buttons, columns of scroll areas.
    QStringList cutTexts() const
    {
        QStringList cut;
        for (const QLabel* label : window().findChildren<QLabel*>())
            if (label->isVisible() && !label->wordWrap() && !qobject_cast<const ElidedLabel*>(label)
                && label->width() < label->sizeHint().width())
                cut << label->text();
        for (const ElidedLabel* label : window().findChildren<ElidedLabel*>())
            if (const auto* panel = qobject_cast<const Panel*>(label->parent());
                panel && label->isVisible() && label->text() == panel->accessibleName() && label->isElided())
                cut << label->text();
        for (const ProfileView* profile : window().findChildren<ProfileView*>())
            if (profile->isVisible() && profile->horizontalHeader()->length() > profile->viewport()->width())
                cut << QStringLiteral("a column of the profile");
        for (const QPushButton* button : window().findChildren<QPushButton*>())
            if (button->isVisible() && button->width() < button->sizeHint().width())
                cut << button->text();
        for (const QScrollArea* area : window().findChildren<QScrollArea*>())
            if (area->isVisible() && area->widget() && area->widget()->width() > area->viewport()->width())
                cut << QStringLiteral("%1 needs %2, has %3")
                           .arg(QString::fromLatin1(area->widget()->metaObject()->className()))
                           .arg(area->widget()->width())
                           .arg(area->viewport()->width());
        return cut;
    }

private Q_SLOTS:
    void init() { m_bench = std::make_unique<WindowBench>(); }
    void cleanup() { m_bench.reset(); }

    void closingDuringALoadAsksAndStaying()
    {
        m_bench->open();
        startLongLoad();
        QVERIFY2(!window().close(), "it asks first");
        auto* question = window().findChild<QMessageBox*>(QStringLiteral("stopQuestion"));
        QVERIFY(question);
        QVERIFY2(!window().close(), "it asks once");
        QCOMPARE(window().findChildren<QMessageBox*>(QStringLiteral("stopQuestion")).size(), 1);
        QTest::mouseClick(question->findChild<QPushButton*>(QStringLiteral("keepRunning")), Qt::LeftButton);
        QVERIFY(controller().isRunning());
        QVERIFY(window().isVisible());
    }

    void closingDuringALoadCancelsCleanlyAndRecords()
    {
        m_bench->open();
        startLongLoad();
        const std::string uuid = controller().live().started().identity.uuid;
        window().close();
        auto* question = window().findChild<QMessageBox*>(QStringLiteral("stopQuestion"));
        QVERIFY(question);
        QTest::mouseClick(question->findChild<QPushButton*>(QStringLiteral("stopAndClose")), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(!window().isVisible(), kLongMs);
        QVERIFY(findProcessesOfRun(uuid).empty());
        const RunStore store = take(RunStore::open(m_bench->bench().lab().database));
        const std::vector<RunRow> runs = take(store.runs());
        QCOMPARE(runs.size(), std::size_t{1});
        QCOMPARE(*runs[0].mode, FailureMode::Cancelled);
    }

    void quitNeverAsks()
    {
        m_bench->open();
        startLongLoad();
        window().quit();
        QVERIFY(!window().findChild<QMessageBox*>(QStringLiteral("stopQuestion")));
        QTRY_VERIFY_WITH_TIMEOUT(!window().isVisible(), kLongMs);
    }

    void outlivesEveryDeathOfAWorker_data()
    {
        QTest::addColumn<QString>("mode");
        QTest::addColumn<QString>("expected");
        QTest::newRow("crash") << QStringLiteral("crash") << QStringLiteral("native_crash");
        QTest::newRow("crash before hello") << QStringLiteral("crash-early") << QString();
        QTest::newRow("exit") << QStringLiteral("exit") << QString();
        QTest::newRow("garbage") << QStringLiteral("garbage") << QStringLiteral("unknown");
        QTest::newRow("huge line") << QStringLiteral("huge-line") << QStringLiteral("unknown");
        QTest::newRow("half a line") << QStringLiteral("partial-line") << QString();
        QTest::newRow("wrong protocol") << QStringLiteral("wrong-protocol") << QString();
        QTest::newRow("closes stdout") << QStringLiteral("close-stdout") << QString();
        QTest::newRow("burst") << QStringLiteral("burst") << QStringLiteral("ok");
        QTest::newRow("odd bytes in the log") << QStringLiteral("log") << QStringLiteral("ok");
    }
    void outlivesEveryDeathOfAWorker()
    {
        QFETCH(QString, mode);
        QFETCH(QString, expected);
        m_bench->open();
        startFake(mode.toStdString());
        if (mode == QLatin1String("close-stdout"))
            QTimer::singleShot(0, &window(), [this] { controller().stop(); });
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        const std::string got(toWireName(controller().live().result()->verdict->mode));
        if (!expected.isEmpty())
            QCOMPARE(QString::fromStdString(got), expected);
        QVERIFY(window().isVisible());
        QVERIFY(m_bench->find<QPushButton>(QStringLiteral("runAgainButton")).isEnabled());
        window().showPage(MainWindow::RunsIndex);
        auto& table = m_bench->find<QTableView>(QStringLiteral("runsTable"));
        QTRY_COMPARE(table.model()->index(0, RunsModel::Outcome).data(RunsModel::ModeRole).toString(),
            QString::fromStdString(got));
    }

    void ctrlEnterAppliesTheFirstRemedy()
    {
        m_bench->open();
        const std::filesystem::path zoo = m_bench->bench().demoZoo().parent_path();
        TrialSpec spec = m_bench->bench().fakeTrial("ok");
        spec.plugin = *m_bench->bench().lab().findPlugin("libtorch");
        spec.checkpoint = zoo / "qwen2.5-0.5b-dtype-conflict";
        spec.variant.backend = "libtorch";
        spec.variant.dtype = "float16";
        spec.variant.options.clear();
        controller().run(spec, QStringLiteral("conflict"));
        window().showPage(MainWindow::LiveIndex);
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        QCOMPARE(controller().live().result()->verdict->mode, FailureMode::DtypeQuantizationConflict);
        const std::string parent = controller().live().started().identity.uuid;
        m_bench->press(QKeySequence(Qt::CTRL | Qt::Key_Return));
        QTRY_VERIFY_WITH_TIMEOUT(
            controller().live().hasEnded() && controller().live().started().identity.uuid != parent, kLongMs);
        QCOMPARE(controller().live().started().identity.parentUuid, std::optional(parent));
        QCOMPARE(controller().live().started().identity.variant.dtype, std::string("auto"));
        QTRY_VERIFY_WITH_TIMEOUT(!controller().isBusy(), kLongMs);
    }

    void fixAndRunAppliesTheOnlyRepair()
    {
        const std::filesystem::path conflict = m_bench->bench().demoZoo().parent_path() / "qwen2.5-0.5b-dtype-conflict";
        m_bench->open();
        window().trialsPage().draft(
            std::make_shared<const Checkpoint>(take(inspectCheckpoint(conflict, m_bench->bench().lab().families))));
        window().showPage(MainWindow::TrialsIndex);
        auto& backend = m_bench->find<QComboBox>(QStringLiteral("Backend"));
        backend.setCurrentIndex(backend.findData(QStringLiteral("libtorch")));
        m_bench->find<QComboBox>(QStringLiteral("Dtype")).setCurrentText(QStringLiteral("float16"));
        auto* fix = window().findChild<QPushButton*>(QStringLiteral("fixButton"));
        QTRY_VERIFY(fix->isVisible());
        QCOMPARE(m_bench->find<QPushButton>(QStringLiteral("runButton")).text(), QStringLiteral("Run anyway"));
        QTest::mouseClick(fix, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        QCOMPARE(controller().live().started().identity.variant.dtype, std::string("auto"));
        window().showPage(MainWindow::TrialsIndex);
        QTRY_VERIFY(!fix->isVisible());
    }

    void outlivesAKillOfTheWorkerThatItShows()
    {
        m_bench->open();
        startLongLoad();
        QVERIFY(m_bench->find<QPushButton>(QStringLiteral("stopButton")).isVisible());
        const std::string uuid = controller().live().started().identity.uuid;
        const std::vector<int> workers = findProcessesOfRun(uuid);
        QVERIFY(!workers.empty());
        for (const int worker : workers)
            QCOMPARE(::kill(worker, SIGKILL), 0);
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        QVERIFY(window().isVisible());
        QCOMPARE(window().currentPage(), int{MainWindow::LiveIndex});
        QCOMPARE(*controller().live().result()->exitSignal, SIGKILL);
        QVERIFY(controller().live().result()->verdict->mode != FailureMode::Ok);
        QVERIFY(m_bench->find<QPushButton>(QStringLiteral("runAgainButton")).isEnabled());
        QVERIFY(m_bench->find<QPlainTextEdit>(QStringLiteral("logText"))
                    .toPlainText()
                    .contains(QStringLiteral("ended by signal 9")));
        QVERIFY(findProcessesOfRun(uuid).empty());
        startFake("ok");
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        QCOMPARE(controller().live().result()->verdict->mode, FailureMode::Ok);
    }

    void nothingIsCutInTheSmallestWindow_data()
    {
        QTest::addColumn<QString>("mode");
        QTest::newRow("loaded") << QStringLiteral("ok");
        QTest::newRow("failed") << QStringLiteral("crash");
    }
    void nothingIsCutInTheSmallestWindow()
    {
        QFETCH(QString, mode);
        const std::filesystem::path zoo = m_bench->bench().demoZoo().parent_path();
        m_bench->open();
        window().zoo().addFolder(zoo);
        window().trialsPage().draft(made());
        startFake(mode.toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        window().resize(1024, 680);
        for (int page = 0; page < 4; ++page) {
            window().showPage(page);
            QCOMPARE(window().size(), QSize(1024, 680));
            // A text that came just now is laid out one turn later.
            QTRY_VERIFY2(
                cutTexts().isEmpty(), qPrintable(QStringLiteral("page %1: ").arg(page) + cutTexts().join(u'|')));
        }
    }

    void detailsGoBelowTheListInANarrowWindow()
    {
        const std::filesystem::path zoo = m_bench->bench().demoZoo().parent_path();
        m_bench->open();
        window().zoo().addFolder(zoo);
        startFake("ok");
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        QTRY_COMPARE(window().zoo().model().checkpoints().size(), std::size_t{5});
        const auto splitter = [this](int page) {
            window().showPage(page);
            return page == MainWindow::ZooIndex ? window().zooPage().findChild<FoldingSplitter*>()
                                                : window().runsPage().findChild<FoldingSplitter*>();
        };
        for (const auto& [page, table] :
            {std::pair{int{MainWindow::ZooIndex}, "zooTree"}, {int{MainWindow::RunsIndex}, "runsTable"}}) {
            window().resize(1440, 900);
            QVERIFY(!splitter(page)->isFolded());
            if (page == MainWindow::ZooIndex) {
                window().zooPage().select(zoo / "qwen2.5-0.5b-missing-shard");
                QTRY_VERIFY(window().zooPage().selected());
            }
            const QList<int> beside = splitter(page)->sizes();
            window().resize(FoldingSplitter::kFoldBelow, 800);
            QVERIFY(!splitter(page)->isFolded());
            window().resize(1024, 680);
            QVERIFY(splitter(page)->isFolded());
            auto& view = m_bench->find<QAbstractItemView>(QString::fromLatin1(table));
            view.setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
            QVERIFY2(view.height() >= 140, qPrintable(QString::number(view.height())));
            const auto& header = *view.findChild<SortHeader*>();
            QTRY_VERIFY2(header.length() <= view.viewport()->width(),
                qPrintable(QStringLiteral("%1 of %2").arg(view.viewport()->width()).arg(header.length())));
            QCoreApplication::processEvents();
            window().resize(1440, 900);
            QCOMPARE(splitter(page)->sizes(), beside);
        }
    }

    void bothWaysOfTheSplitterAreRemembered()
    {
        m_bench->bench().demoZoo();
        m_bench->open();
        startFake("ok");
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        const auto splitter = [this]() -> QSplitter& {
            window().showPage(MainWindow::RunsIndex);
            return *window().runsPage().findChild<FoldingSplitter*>();
        };
        window().resize(1440, 900);
        splitter().setSizes({700, 600});
        const QList<int> beside = splitter().sizes();
        window().resize(1024, 680);
        splitter().setSizes({190, 360});
        const QList<int> below = splitter().sizes();
        // What stands above and below the splitter may take a line more or less: the choice is what is remembered.
        const auto isNear = [&splitter](const QList<int>& chosen) {
            return std::abs(splitter().sizes().front() - chosen.front()) <= 20;
        };
        QVERIFY(window().close());
        m_bench->open();
        QCOMPARE(splitter().orientation(), Qt::Vertical);
        QTRY_VERIFY(isNear(below));
        window().resize(1440, 900);
        QTRY_VERIFY(isNear(beside));
        window().resize(1024, 680);
        QTRY_VERIFY(isNear(below));
    }

    void aDatabaseThatCannotBeUsedIsToldAndTheTrialRuns()
    {
        const std::filesystem::path file = m_bench->bench().lab().database;
        std::ofstream(file) << std::string(8192, 'x');
        m_bench->open();
        QTRY_COMPARE(window().library().state().kind, DatabaseState::Kind::Unusable);
        QVERIFY(m_bench->find<QAbstractButton>(QStringLiteral("statusDatabase"))
                    .text()
                    .contains(QStringLiteral("cannot be used")));
        window().showPage(MainWindow::RunsIndex);
        QTRY_VERIFY(m_bench->visibleText().contains(QStringLiteral("The run database cannot be used")));
        startFake("ok");
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        QCOMPARE(controller().live().result()->verdict->mode, FailureMode::Ok);
        QVERIFY(m_bench->visibleText().contains(QStringLiteral("This run is not being stored")));
        QVERIFY(m_bench->visibleText().contains(QStringLiteral("not stored")));
        std::ifstream in(file);
        QCOMPARE(std::string(std::istreambuf_iterator<char>(in), {}), std::string(8192, 'x'));
    }

    void aReadOnlyDatabaseIsStillRead()
    {
        const std::filesystem::path file = m_bench->bench().lab().database;
        {
            RunStore store = take(RunStore::open(file));
            const RunStarted begin = test::started("kept");
            take(store.finishRun(take(store.startRun(begin)), test::finished(begin)));
        }
        std::filesystem::permissions(file, std::filesystem::perms(0444));
        std::filesystem::permissions(m_bench->bench().folder(), std::filesystem::perms::all);
        const bool changed = ::geteuid() == 0 && ::seteuid(65534) == 0;
        m_bench->open();
        QTRY_VERIFY(window().library().state().kind != DatabaseState::Kind::Opening);
        if (changed)
            QCOMPARE(::seteuid(0), 0);
        QVERIFY2(window().library().state().kind == DatabaseState::Kind::ReadOnly,
            qPrintable(window().library().state().words));
        QVERIFY(m_bench->find<QAbstractButton>(QStringLiteral("statusDatabase"))
                    .text()
                    .contains(QStringLiteral("read only")));
        window().showPage(MainWindow::RunsIndex);
        QTRY_COMPARE(m_bench->find<QTableView>(QStringLiteral("runsTable")).model()->rowCount(), 1);
    }

    void aRunOfALabThatDiedIsClosedAtTheStart()
    {
        const std::filesystem::path file = m_bench->bench().lab().database;
        RunStarted begin = test::started("lost");
        begin.machine.bootId = m_bench->bench().lab().machine.bootId;
        take(take(RunStore::open(file)).startRun(begin));
        // What it left behind carries the run's mark.
        QProcess leftover;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("LOADLAB_RUN"), QString::fromStdString(begin.identity.uuid));
        leftover.setProcessEnvironment(environment);
        leftover.start(QStringLiteral("sleep"), {QStringLiteral("600")});
        QVERIFY(leftover.waitForStarted());
        QTRY_COMPARE(findProcessesOfRun(begin.identity.uuid).size(), std::size_t{1});
        m_bench->open();
        QTRY_COMPARE_WITH_TIMEOUT(leftover.state(), QProcess::NotRunning, kLongMs);
        QCOMPARE(leftover.exitStatus(), QProcess::CrashExit);
        QTRY_VERIFY(window().statusBar()->currentMessage().contains(QStringLiteral("closed as lost")));
        window().showPage(MainWindow::RunsIndex);
        auto& table = m_bench->find<QTableView>(QStringLiteral("runsTable"));
        QTRY_COMPARE(table.model()->index(0, RunsModel::Outcome).data(RunsModel::ModeRole).toString(),
            QStringLiteral("lab_lost"));
        QTRY_VERIFY(m_bench->visibleText().contains(QStringLiteral("1 of 1 run\n")));
        QVERIFY(window().statusBar()->currentMessage().startsWith(QStringLiteral("1 run that")));
        QVERIFY(window().statusBar()->currentMessage().endsWith(QStringLiteral(", 1 left-over process ended")));
        m_bench->find<QLineEdit>(QStringLiteral("runWords")).setText(QStringLiteral("nothingissuch"));
        QTRY_VERIFY(m_bench->visibleText().contains(QStringLiteral("1 run is stored.")));
    }

    void aFloodOfLogDoesNotHoldUpTheWindow()
    {
        m_bench->open();
        startFake("log", {{"lines", "300000"}, {"text", "a line of some length, again and again"}});
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded(), 60'000);
        auto& text = m_bench->find<QPlainTextEdit>(QStringLiteral("logText"));
        QVERIFY(text.blockCount() <= LogPanel::kMaxLines);
        QVERIFY(text.toPlainText().contains(QStringLiteral("left out here")));
    }

    void exportsARunInProgressAsTheCommandLineDoes()
    {
        m_bench->open();
        startLongLoad();
        QTRY_VERIFY_WITH_TIMEOUT(controller().liveRunId() && !controller().live().curve().samples.empty(), kLongMs);
        const std::filesystem::path file = m_bench->bench().folder() / "live.json";
        m_bench->answers = {QString::fromStdString(file.native())};
        QMenu menu;
        window().livePage().exportMenu(menu);
        actionOf(menu, QStringLiteral("JSON")).trigger();
        QTRY_VERIFY(std::filesystem::exists(file));
        std::ifstream in(file);
        const nlohmann::json exported = nlohmann::json::parse(in);
        const RunStore store = take(RunStore::open(m_bench->bench().lab().database, RunStore::Mode::ReadOnly));
        // What is told after the start is written a little later.
        QTRY_VERIFY(!take(store.run(*controller().liveRunId())).containment.empty());
        const nlohmann::json stored = toJson(take(store.run(*controller().liveRunId())));
        QVERIFY(exported.at("mode").is_null());
        QVERIFY(!exported.at("curve").at("rows").empty());
        for (const char* same : {"run", "uuid", "checkpoint", "variant", "started_utc", "cap"})
            QVERIFY2(exported.at(same) == stored.at(same), same);
        for (const auto& [name, value] : stored.items())
            QVERIFY2(exported.contains(name), name.c_str());
        for (const auto& [name, value] : stored.at("environment").items())
            QVERIFY2(exported.at("environment").contains(name), name.c_str());
    }

    void theLogFollowsUnlessScrolledUp()
    {
        LogPanel log(applicationTheme());
        log.resize(500, 200);
        log.show();
        QVERIFY(QTest::qWaitForWindowExposed(&log));
        const auto lines = [](int from, int count) {
            std::vector<LiveLine> all;
            for (int i = from; i < from + count; ++i)
                all.push_back({double(i), i % 2 ? LogVoice::Stderr : LogVoice::Lab, QStringLiteral("stderr"),
                    QStringLiteral("line %1").arg(i)});
            return all;
        };
        auto& text = *log.findChild<QPlainTextEdit*>(QStringLiteral("logText"));
        log.append(lines(0, 200));
        QCOMPARE(text.verticalScrollBar()->value(), text.verticalScrollBar()->maximum());
        text.verticalScrollBar()->setValue(3);
        log.append(lines(200, 50));
        QCOMPARE(text.verticalScrollBar()->value(), 3);
        text.verticalScrollBar()->setValue(text.verticalScrollBar()->maximum());
        log.append(lines(250, 50));
        QCOMPARE(text.verticalScrollBar()->value(), text.verticalScrollBar()->maximum());
        QCOMPARE(text.blockCount(), 300);
        for (const int height : {120, 300, 90}) {
            log.resize(500, height);
            QCOMPARE(text.verticalScrollBar()->value(), text.verticalScrollBar()->maximum());
        }
        text.verticalScrollBar()->setValue(3);
        log.resize(500, 200);
        QCOMPARE(text.verticalScrollBar()->value(), 3);
        text.verticalScrollBar()->setValue(text.verticalScrollBar()->maximum());
        log.append(lines(300, LogPanel::kMaxLines));
        QCOMPARE(text.blockCount(), LogPanel::kMaxLines);
    }

    void theFormIsBuiltFromTheManifest()
    {
        m_bench->open();
        window().trialsPage().draft(made());
        window().showPage(MainWindow::TrialsIndex);
        auto& backend = m_bench->find<QComboBox>(QStringLiteral("Backend"));
        QVERIFY(backend.findData(QStringLiteral("libtorch")) >= 0);
        backend.setCurrentIndex(backend.findData(QStringLiteral("fake")));
        QTRY_VERIFY(window().findChild<QComboBox*>(QStringLiteral("option_mode")));
        QTRY_VERIFY(window().findChild<QComboBox*>(QStringLiteral("option_mode"))->isVisible());
        QVERIFY(m_bench->find<QComboBox>(QStringLiteral("option_mode")).count() > 20);
        QCOMPARE(m_bench->find<QSpinBox>(QStringLiteral("option_mib")).value(), 8);
        m_bench->find<QSpinBox>(QStringLiteral("option_mib")).setValue(16);
        m_bench->find<QComboBox>(QStringLiteral("option_mode")).setCurrentText(QStringLiteral("crash"));
        const QString line = window().trialsPage().commandLine();
        QVERIFY2(line.contains(QStringLiteral("--backend fake")) && line.contains(QStringLiteral("--option mib=16"))
                && line.contains(QStringLiteral("--option mode=crash")) && !line.contains(QStringLiteral("steps")),
            qPrintable(line));
    }

    void aBrokenBackendStaysInTheListDisabled()
    {
        const std::filesystem::path broken = m_bench->bench().folder() / "plugins" / "odd";
        std::filesystem::create_directories(broken);
        std::ofstream(broken / "plugin.json") << "{ this is no json";
        m_bench->bench().lab().plugins = findPlugins({broken.parent_path(), LOADLAB_BINARY_DIR "/tests/plugins"});
        m_bench->open();
        window().trialsPage().draft(made());
        window().showPage(MainWindow::TrialsIndex);
        auto& backend = m_bench->find<QComboBox>(QStringLiteral("Backend"));
        const int at = backend.findData(QStringLiteral("odd"));
        QVERIFY(at >= 0);
        const QStandardItem* item = qobject_cast<QStandardItemModel*>(backend.model())->item(at);
        QVERIFY(!item->isEnabled());
        QVERIFY(!item->toolTip().isEmpty());
        QCOMPARE(backend.currentData().toString(), QStringLiteral("fake"));
    }

    void aFolderDroppedOnTheWindowJoinsTheZoo()
    {
        const std::filesystem::path zoo = m_bench->bench().demoZoo().parent_path();
        m_bench->open();
        window().showPage(MainWindow::RunsIndex);
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QString::fromStdString(zoo.native()))});
        QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QCoreApplication::sendEvent(&window(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QCoreApplication::sendEvent(&window(), &drop);
        QTRY_COMPARE(window().zoo().model().checkpoints().size(), std::size_t{5});
        // Once the folder is remembered, which may be after the scan.
        QTRY_COMPARE(window().currentPage(), int{MainWindow::ZooIndex});
    }

    void aFolderOfTheCallJoinsTheRememberedOnes()
    {
        const std::filesystem::path zoo = m_bench->bench().demoZoo().parent_path();
        const std::filesystem::path other = m_bench->bench().folder() / "other";
        std::filesystem::create_directory(other);
        const Lab& lab = m_bench->bench().lab();
        take(changeSettings(lab.settingsFile, [&](SharedSettings& settings) { settings.zooFolders = {other}; }));
        m_bench->bench().lab().addedZooFolders = {zoo / ""};
        m_bench->open();
        window().showPage(MainWindow::RunsIndex);
        const std::vector<std::filesystem::path> both{other, zoo};
        QTRY_COMPARE(window().zoo().folders(), both);
        QCOMPARE(take(loadSettings(lab.settingsFile)).zooFolders, both);
        QVERIFY(window().zoo().canRemove(zoo));
        QCOMPARE(window().currentPage(), int{MainWindow::RunsIndex});
        // The next call without it, and the next one with it.
        m_bench->open();
        QTRY_COMPARE(window().zoo().folders(), both);
        m_bench->bench().lab().addedZooFolders.clear();
        m_bench->open();
        QTRY_COMPARE(window().zoo().folders(), both);
    }

    void everyPageIsReachedByKeys()
    {
        m_bench->open();
        for (int page = 3; page >= 0; --page) {
            m_bench->press(QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + page)));
            QCOMPARE(window().currentPage(), page);
        }
        m_bench->press(QKeySequence(Qt::ALT | Qt::Key_Left));
        QCOMPARE(window().currentPage(), 1);
        m_bench->press(QKeySequence(Qt::ALT | Qt::Key_Right));
        QCOMPARE(window().currentPage(), 0);
    }

    void everyButtonAndFieldHasAName()
    {
        m_bench->bench().demoZoo();
        m_bench->open();
        startFake("ok");
        QTRY_VERIFY_WITH_TIMEOUT(!controller().isBusy(), kLongMs);
        QStringList nameless;
        for (const QWidget* widget : window().findChildren<QWidget*>()) {
            const auto* button = qobject_cast<const QAbstractButton*>(widget);
            const bool field = qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QComboBox*>(widget)
                || qobject_cast<const QAbstractItemView*>(widget) || qobject_cast<const QAbstractSpinBox*>(widget);
            const bool inner = widget->objectName().startsWith(QLatin1String("qt_"))
                || qobject_cast<const QComboBox*>(widget->parent())
                || qobject_cast<const QAbstractSpinBox*>(widget->parent()) || widget->inherits("QComboBoxListView")
                || widget->inherits("QTableCornerButton") || widget->inherits("QHeaderView")
                || widget->inherits("QLineEditIconButton");
            if (!inner && !widget->isHidden()
                && ((button && button->text().isEmpty() && widget->accessibleName().isEmpty())
                    || (field && widget->accessibleName().isEmpty())))
                nameless << QString::fromLatin1(widget->metaObject()->className()) + QLatin1Char(' ')
                        + widget->objectName();
        }
        nameless.removeDuplicates();
        QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join(QStringLiteral(", "))));
    }

private:
    std::shared_ptr<const Checkpoint> made()
    {
        return std::make_shared<const Checkpoint>(
            take(inspectCheckpoint(m_bench->bench().demoZoo(), m_bench->bench().lab().families)));
    }
};

QTEST_MAIN(TestWindow)
#include "tst_Window.moc"
