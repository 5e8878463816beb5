#include "../db/Take.h"
#include "Shots.h"
#include "WindowBench.h"
#include "gui/charts/ChartPanel.h"
#include "gui/models/FilesModel.h"
#include "gui/models/RunsModel.h"
#include "gui/models/ZooModel.h"
#include "gui/pages/FilesView.h"
#include "gui/pages/LivePage.h"
#include "gui/pages/RunsPage.h"
#include "gui/pages/TrialsPage.h"
#include "gui/pages/ZooPage.h"
#include "gui/widgets/VerdictView.h"

#include <QComboBox>
#include <QFile>
#include <QHeaderView>
#include <QImage>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QProcess>
#include <QPushButton>
#include <QSettings>
#include <QSplitter>
#include <QStatusBar>
#include <QTableView>
#include <QTest>
#include <QTreeView>
#include <QXmlStreamReader>
#include <nlohmann/json.hpp>

using namespace loadlab;
using test::take;

/// A person's way through the real window with the real libtorch worker, offscreen. With $LOADLAB_SHOTS it leaves
/// pictures of every page there, and works on a larger stand-in, so that the curves have something to show.
class TestTour : public QObject {
    Q_OBJECT

    std::unique_ptr<WindowBench> m_tour;
    static constexpr int kLoadMs = 120'000;

    static bool takesShots() { return qEnvironmentVariableIsSet("LOADLAB_SHOTS"); }

    MainWindow& window() const { return m_tour->window(); }

    QModelIndex zooRow(const QString& name) const
    {
        const QAbstractItemModel& model = *window().findChild<QTreeView*>(QStringLiteral("zooTree"))->model();
        for (int folder = 0; folder < model.rowCount(); ++folder)
            for (int row = 0; row < model.rowCount(model.index(folder, 0)); ++row)
                if (const QModelIndex index = model.index(row, 0, model.index(folder, 0));
                    index.data().toString() == name)
                    return index;
        return {};
    }

    void pick(const QString& name)
    {
        window().showPage(MainWindow::ZooIndex);
        QTRY_VERIFY(zooRow(name).isValid());
        m_tour->find<QTreeView>(QStringLiteral("zooTree")).setCurrentIndex(zooRow(name));
        QVERIFY(window().zooPage().selected());
        m_tour->press(QKeySequence(Qt::CTRL | Qt::Key_N));
        QCOMPARE(window().currentPage(), int{MainWindow::TrialsIndex});
    }

    void setDtype(const QString& dtype)
    {
        m_tour->find<QComboBox>(QStringLiteral("Dtype")).setCurrentText(dtype);
        QTRY_VERIFY(window().trialsPage().commandLine().contains(QStringLiteral("--dtype ") + dtype));
    }

    const RunResult& runToTheEnd()
    {
        m_tour->press(QKeySequence(Qt::CTRL | Qt::Key_R));
        [this] {
            QTRY_VERIFY_WITH_TIMEOUT(
                window().controller().live().hasEnded() && !window().controller().isBusy(), kLoadMs);
        }();
        return *window().controller().live().result();
    }

    QByteArray exported(const QString& action, const QString& fileName)
    {
        const QString file = QString::fromStdString((m_tour->bench().folder() / fileName.toStdString()).native());
        m_tour->answers = {file};
        QMenu menu;
        window().runsPage().exportMenu(menu);
        actionOf(menu, action).trigger();
        QByteArray bytes;
        [&] { QTRY_VERIFY(QFile::exists(file)); }();
        QFile in(file);
        if (in.open(QIODevice::ReadOnly))
            bytes = in.readAll();
        return bytes;
    }

private Q_SLOTS:
    void initTestCase()
    {
        m_tour = std::make_unique<WindowBench>();
        m_tour->open().resize(1440, 900);
    }
    void cleanupTestCase() { m_tour.reset(); }

    void anEmptyLabSaysWhatToDoNext()
    {
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("No checkpoints yet")));
        QVERIFY(!m_tour->visibleText().contains(QStringLiteral("scanned in")));
        m_tour->shoot(QStringLiteral("empty-zoo"));
        m_tour->press(QKeySequence(Qt::CTRL | Qt::Key_2));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("Choose what to load")));
        m_tour->press(QKeySequence(Qt::CTRL | Qt::Key_3));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("Nothing is loading")));
        m_tour->press(QKeySequence(Qt::CTRL | Qt::Key_4));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("No runs yet")));
        m_tour->shoot(QStringLiteral("empty-runs"));
    }

    void addsAFolderAndFindsWhatIsInIt()
    {
        m_tour->bench().goodSizeBytes = std::uint64_t{takesShots() ? 640u : 16u} << 20;
        const std::filesystem::path good = m_tour->bench().demoZoo();
        m_tour->answers = {QString::fromStdString(good.parent_path().native())};
        m_tour->press(QKeySequence(Qt::CTRL | Qt::Key_O));
        QTRY_VERIFY(zooRow(QStringLiteral("qwen2.5-0.5b-standin")).isValid());
        QTRY_VERIFY(!window().zoo().isScanning());
        QCOMPARE(window().currentPage(), int{MainWindow::ZooIndex});
        QCOMPARE(window().zoo().model().checkpoints().size(), std::size_t{5});
        const SharedSettings remembered = take(loadSettings(m_tour->bench().lab().settingsFile));
        QCOMPARE(remembered.zooFolders, std::vector<std::filesystem::path>{good.parent_path()});
    }

    void seesWhyACheckpointIsNotComplete()
    {
        auto& tree = m_tour->find<QTreeView>(QStringLiteral("zooTree"));
        tree.setCurrentIndex(zooRow(QStringLiteral("qwen2.5-0.5b-missing-shard")));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("model-00002-of-00003.safetensors")));
        m_tour->shoot(QStringLiteral("zoo-incomplete"));
        // Shards can be told apart in the smallest window too.
        window().resize(1024, 680);
        const auto& files = *window().zooPage().findChild<FilesView*>();
        const auto widthOf
            = [&files](const char* words) { return files.fontMetrics().horizontalAdvance(QString::fromUtf8(words)); };
        QTRY_VERIFY(files.columnWidth(FilesModel::File) >= widthOf("model-0000…nsors") + 8);
        QVERIFY(files.columnWidth(FilesModel::Check) >= widthOf("absent") + 24);
        QVERIFY(files.horizontalHeader()->length() <= files.viewport()->width());
        window().resize(1440, 900);
        tree.setCurrentIndex(zooRow(QStringLiteral("qwen2.5-0.5b-standin")));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("Qwen2ForCausalLM")));
        m_tour->shoot(QStringLiteral("zoo"));
    }

    void isToldOfAConflictBeforeItCosts()
    {
        pick(QStringLiteral("qwen2.5-0.5b-dtype-conflict"));
        setDtype(QStringLiteral("float16"));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("conflicts with")));
        m_tour->shoot(QStringLiteral("trials-conflict"));
        QCOMPARE(runToTheEnd().verdict->mode, FailureMode::DtypeQuantizationConflict);
        QCOMPARE(window().currentPage(), int{MainWindow::LiveIndex});
        m_tour->shoot(QStringLiteral("live-failed"));
    }

    void runsTheGoodOneAndSeesItsVerdict()
    {
        pick(QStringLiteral("qwen2.5-0.5b-standin"));
        setDtype(QStringLiteral("float32"));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("converted from BF16")));
        m_tour->shoot(QStringLiteral("trials"));
        m_tour->press(QKeySequence(Qt::CTRL | Qt::Key_R));
        QCOMPARE(window().currentPage(), int{MainWindow::LiveIndex});
        if (takesShots()) {
            QTRY_VERIFY_WITH_TIMEOUT(window().controller().live().progress()
                    && window().controller().live().progress()->done * 3
                        > window().controller().live().progress()->total,
                kLoadMs);
            window().livePage().findChild<ChartPanel*>()->chart().flush();
            QCoreApplication::processEvents();
            shots::keep(QStringLiteral("live-running-light-1440"), window());
        }
        QTRY_VERIFY_WITH_TIMEOUT(!window().controller().isBusy(), kLoadMs);
        QVERIFY(window().controller().live().hasEnded());
        QCOMPARE(window().controller().live().result()->verdict->mode, FailureMode::Ok);
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("Run 2")));
        const QList<VerdictView*> verdicts = window().livePage().findChildren<VerdictView*>();
        QCOMPARE(verdicts.size(), 1);
        QVERIFY(verdicts.front()->accessibleName().startsWith(QStringLiteral("Loaded")));
        m_tour->shoot(QStringLiteral("live"));
    }

    void findsItAgainInRuns()
    {
        m_tour->press(QKeySequence(Qt::CTRL | Qt::Key_4));
        auto& table = m_tour->find<QTableView>(QStringLiteral("runsTable"));
        QTRY_COMPARE(table.model()->rowCount(), 2);
        QTRY_COMPARE(
            table.model()->index(0, RunsModel::Outcome).data(RunsModel::ModeRole).toString(), QStringLiteral("ok"));
        table.selectRow(0);
        QTRY_COMPARE(m_tour->labelText(QStringLiteral("runTitle")), QStringLiteral("Run 2"));
        m_tour->shoot(QStringLiteral("runs-first"));
        auto& words = m_tour->find<QLineEdit>(QStringLiteral("runWords"));
        m_tour->press(QKeySequence::Find);
        QVERIFY(words.hasFocus());
        words.setText(QStringLiteral("conflict"));
        QTRY_COMPARE(table.model()->rowCount(), 1);
        words.setText(QStringLiteral("nothingissuch"));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("No run matches")));
        m_tour->shoot(QStringLiteral("runs-no-match"));
        words.clear();
        QTRY_COMPARE(table.model()->rowCount(), 2);
    }

    void exportsInEveryFormat()
    {
        window().openRun(RunId{2});
        QTRY_COMPARE(window().runsPage().shownRun(), std::optional(RunId{2}));
        const RunStore store = take(RunStore::open(m_tour->bench().lab().database, RunStore::Mode::ReadOnly));
        const std::size_t samples = take(store.curve(RunId{2})).samples.size();
        QVERIFY(samples > 0);

        const QImage once = QImage::fromData(exported(QStringLiteral("PNG…"), QStringLiteral("run.png")));
        const QImage twice = QImage::fromData(exported(QStringLiteral("PNG, twice"), QStringLiteral("run2.png")));
        QVERIFY(!once.isNull());
        QCOMPARE(twice.width(), 2 * once.width());

        const QByteArray svg = exported(QStringLiteral("SVG"), QStringLiteral("run.svg"));
        QXmlStreamReader xml(svg);
        while (!xml.atEnd())
            xml.readNext();
        QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
        QVERIFY(svg.contains("Run 2"));

        const QByteArray csv = exported(QStringLiteral("CSV"), QStringLiteral("run.csv"));
        QVERIFY(csv.startsWith(
            "t_s,anon_bytes,file_bytes,shmem_bytes,swap_bytes,tree_bytes,gpu_bytes,system_available_bytes"));
        QCOMPARE(static_cast<std::size_t>(csv.count('\n')), samples + 1);

        const nlohmann::json json
            = nlohmann::json::parse(exported(QStringLiteral("JSON"), QStringLiteral("run.json")).toStdString());
        QCOMPARE(json.at("run").get<int>(), 2);
        QCOMPARE(json.at("mode").get<std::string>(), std::string("ok"));
        QCOMPARE(json.at("curve").at("rows").size(), samples);
        QVERIFY(m_tour->asked.contains(QStringLiteral("run-2-qwen2.5-0.5b-standin.svg")));
    }

    void exportsWhatTheCommandLineExports()
    {
        const QString loadlab = QStringLiteral(LOADLAB_BINARY_DIR "/bin/loadlab");
        if (!QFile::exists(loadlab))
            QSKIP("the command line is not built");
        const std::filesystem::path& folder = m_tour->bench().folder();
        for (const auto& [action, ending] : {std::pair{"CSV", "csv"}, {"JSON", "json"}}) {
            const QByteArray ours
                = exported(QString::fromLatin1(action), QStringLiteral("window.%1").arg(QLatin1String(ending)));
            const QString theirs = QString::fromStdString((folder / "commandline.").native()) + QLatin1String(ending);
            QProcess process;
            process.start(loadlab,
                {QStringLiteral("--db"), QString::fromStdString(m_tour->bench().lab().database.native()),
                    QStringLiteral("export"), QStringLiteral("2"), QStringLiteral("--out"), theirs});
            QVERIFY(process.waitForFinished(kLoadMs));
            QVERIFY2(process.exitCode() == 0, process.readAllStandardError().constData());
            QFile file(theirs);
            QVERIFY(file.open(QIODevice::ReadOnly));
            QVERIFY(!ours.isEmpty());
            QVERIFY2(ours == file.readAll(), ending);
        }
    }

    void tellsWhenAnExportCannotBeWritten()
    {
        m_tour->answers = {QStringLiteral("/proc/no/such/run.csv")};
        QMenu menu;
        window().runsPage().exportMenu(menu);
        actionOf(menu, QStringLiteral("CSV")).trigger();
        QTRY_VERIFY(window().statusBar()->currentMessage().contains(QStringLiteral("/proc/no/such/run.csv")));
    }

    void aCutFileEndsWithItsOwnVerdict()
    {
        pick(QStringLiteral("qwen2.5-0.5b-truncated"));
        setDtype(QStringLiteral("auto"));
        QTRY_VERIFY(m_tour->visibleText().contains(QStringLiteral("Run anyway")));
        QCOMPARE(runToTheEnd().verdict->mode, FailureMode::IncompleteDownload);
        const auto* verdict = window().livePage().findChild<VerdictView*>();
        QVERIFY(verdict->accessibleName().startsWith(QStringLiteral("Incomplete download")));
    }

    void theCommandLineDoesTheSame()
    {
        const QString loadlab = QStringLiteral(LOADLAB_BINARY_DIR "/bin/loadlab");
        if (!QFile::exists(loadlab))
            QSKIP("the command line is not built");
        pick(QStringLiteral("qwen2.5-0.5b-standin"));
        setDtype(QStringLiteral("bfloat16"));
        QProcess shell;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("PATH"),
            QStringLiteral(LOADLAB_BINARY_DIR "/bin:") + environment.value(QStringLiteral("PATH")));
        shell.setProcessEnvironment(environment);
        shell.start(QStringLiteral("sh"), {QStringLiteral("-c"), window().trialsPage().commandLine()});
        QVERIFY(shell.waitForFinished(kLoadMs));
        QVERIFY2(shell.exitCode() == 0, shell.readAllStandardError().constData());
        const RunStore store = take(RunStore::open(m_tour->bench().lab().database, RunStore::Mode::ReadOnly));
        const RunResult run = take(store.run(take(store.findRun("last"))));
        QCOMPARE(run.identity.variant.dtype, std::string("bfloat16"));
        QCOMPARE(run.verdict->mode, FailureMode::Ok);
    }

    /// Only for the pictures: a table of two runs shows little.
    void aHistoryForThePicture()
    {
        if (!takesShots())
            return;
        for (const auto& [name, dtype] : {std::pair{"qwen2.5-0.5b-missing-shard", "auto"},
                 {"qwen2.5-0.5b-lfs-pointer", "float16"}, {"qwen2.5-0.5b-standin", "float16"},
                 {"qwen2.5-0.5b-dtype-conflict", "auto"}, {"qwen2.5-0.5b-standin", "auto"}}) {
            pick(QString::fromLatin1(name));
            setDtype(QString::fromLatin1(dtype));
            runToTheEnd();
        }
        window().openRun(RunId{1});
        QTRY_COMPARE(m_tour->labelText(QStringLiteral("runTitle")), QStringLiteral("Run 1"));
        auto& table = m_tour->find<QTableView>(QStringLiteral("runsTable"));
        QTRY_COMPARE(table.model()->rowCount(), 9);
        table.setFocus();
        window().statusBar()->clearMessage();
        m_tour->shoot(QStringLiteral("runs"));
    }

    void comesBackAsItWasLeft()
    {
        window().showPage(MainWindow::RunsIndex);
        window().resize(1200, 800);
        m_tour->find<QTableView>(QStringLiteral("runsTable")).setColumnWidth(RunsModel::Backend, 137);
        auto& splitter = *window().runsPage().findChild<QSplitter*>();
        splitter.setSizes({600, 480});
        const QList<int> sizes = splitter.sizes();
        QVERIFY(window().close());
        m_tour->open();
        QCOMPARE(window().currentPage(), int{MainWindow::RunsIndex});
        QCOMPARE(window().size(), QSize(1200, 800));
        QTRY_COMPARE(window().runsPage().findChild<QSplitter*>()->sizes(), sizes);
        QTRY_VERIFY(window().library().state().kind == DatabaseState::Kind::Ready);
        auto& table = m_tour->find<QTableView>(QStringLiteral("runsTable"));
        QCOMPARE(table.columnWidth(RunsModel::Backend), 137);
        QTRY_VERIFY(table.model()->rowCount() >= 3);
        QTRY_COMPARE(window().zoo().model().checkpoints().size(), std::size_t{5});
        QTRY_VERIFY(window().zoo().model().lastRunOf(*window().zoo().model().checkpoints().front()).has_value());
    }
};

QTEST_MAIN(TestTour)
#include "tst_Tour.moc"
