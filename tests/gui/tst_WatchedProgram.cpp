#include "WindowBench.h"
#include "gui/Words.h"
#include "gui/models/RunsModel.h"
#include "gui/pages/LivePage.h"
#include "gui/pages/RemarkLabel.h"
#include "gui/pages/RunsPage.h"
#include "gui/pages/TrialsPage.h"
#include "gui/widgets/Figures.h"

#include <QComboBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStatusBar>
#include <QTabWidget>
#include <QTableView>
#include <QTest>

#include <filesystem>

using namespace loadlab;
namespace fs = std::filesystem;

/// Real programs, watched from the real window. With $LOADLAB_SHOTS it leaves pictures of every page that shows one.
class TestWatchedProgram : public QObject {
    Q_OBJECT

    std::unique_ptr<WindowBench> m_bench;
    static constexpr int kLongMs = 30'000;

    MainWindow& window() const { return m_bench->window(); }
    TrialController& controller() const { return window().controller(); }
    QLineEdit& line() const { return m_bench->find<QLineEdit>(QStringLiteral("Program")); }
    QLineEdit& folderLine() const { return m_bench->find<QLineEdit>(QStringLiteral("Working folder")); }
    QLineEdit& variablesLine() const { return m_bench->find<QLineEdit>(QStringLiteral("Variables")); }
    QPushButton& button(const char* name) const { return m_bench->find<QPushButton>(QString::fromLatin1(name)); }
    QString words() const { return m_bench->labelText(QStringLiteral("programWords")).simplified(); }
    const RunResult& resultOfRun(std::size_t number)
    {
        const auto ended = [&] { return controller().queue().size() == number && !controller().isBusy(); };
        if (!QTest::qWaitFor(ended, kLongMs))
            qFatal("run %zu does not end", number);
        return *controller().live().result();
    }
    QString log() const { return m_bench->find<QPlainTextEdit>(QStringLiteral("logText")).toPlainText(); }

private Q_SLOTS:
    void init()
    {
        m_bench = std::make_unique<WindowBench>();
        m_bench->open().resize(1440, 900);
        window().showPage(MainWindow::TrialsIndex);
        m_bench->click(QStringLiteral("watchButton"));
    }
    void cleanup() { m_bench.reset(); }

    void theFormAsksForNothingThatDoesNotApply()
    {
        QVERIFY(line().hasFocus());
        for (const char* name : {"Checkpoint", "Dtype", "Device map"}) {
            const auto* combo = window().trialsPage().findChild<QComboBox*>(QString::fromLatin1(name));
            QVERIFY2(combo && !combo->isVisible(), name);
        }
        QVERIFY(!m_bench->visibleText().contains(QStringLiteral("Dtype")));
        QVERIFY(!m_bench->visibleText().contains(QStringLiteral("Prediction")));
        QVERIFY(!button("runButton").isEnabled());
        QCOMPARE(m_bench->labelText(QStringLiteral("obstacle")),
            QStringLiteral("Type the program to watch, with its arguments."));
    }

    void showsWhatTheProgramGets()
    {
        line().setText(QStringLiteral("sh -c 'echo \"$0\"' two\\ words '' \"it is\""));
        QCOMPARE(words(), QStringLiteral("program sh 1 -c 2 echo \"$0\" 3 two words 4 '' 5 it is"));
        QTRY_VERIFY(button("runButton").isEnabled());
        QTRY_VERIFY(m_bench->visibleText().contains(QStringLiteral("/sh\n")));
        m_bench->shoot(QStringLiteral("trials-program"));
        line().setText(QStringLiteral("cat *.txt | wc"));
        QTRY_VERIFY(m_bench->visibleText().contains(QStringLiteral("no shell runs: *, | handed on as typed")));
    }

    void anErrorStandsInItsPlace_data()
    {
        QTest::addColumn<QString>("program");
        QTest::addColumn<QString>("folder");
        QTest::addColumn<QString>("words");
        QTest::addColumn<bool>("mayRun");
        QTest::newRow("quote") << "sh -c 'echo"
                               << ""
                               << "The quote ' is not closed, at character 7." << false;
        QTest::newRow("absent") << "no-such-program-anywhere x"
                                << ""
                                << "No such program in PATH: 'no-such-program-anywhere'" << true;
        QTest::newRow("no right") << "/etc/passwd"
                                  << ""
                                  << "/etc/passwd is there, but without the right to execute it." << true;
        QTest::newRow("a folder") << "/tmp"
                                  << ""
                                  << "/tmp is a folder, not a program." << true;
        QTest::newRow("starts nowhere") << "true"
                                        << "/no/such/folder"
                                        << "/no/such/folder is no folder." << false;
        QTest::newRow("not seen from there") << "./true"
                                             << "/usr"
                                             << "No such program: /usr/./true." << true;
    }
    void anErrorStandsInItsPlace()
    {
        QFETCH(QString, program);
        QFETCH(QString, folder);
        QFETCH(QString, words);
        QFETCH(bool, mayRun);
        line().setText(program);
        folderLine().setText(folder);
        QTRY_VERIFY2(m_bench->visibleText().contains(words), qPrintable(m_bench->visibleText()));
        QVERIFY((folder.startsWith(QStringLiteral("/no")) ? folderLine() : line()).property("bad").toBool());
        QCOMPARE(button("runButton").isEnabled(), mayRun);
        QCOMPARE(window().trialsPage().commandLine().isEmpty(), !mayRun);
        m_bench->shoot(QStringLiteral("trials-program-") + QString::fromLatin1(QTest::currentDataTag()));
    }

    void isWatchedAndRunAgainAndWithChanges()
    {
        const fs::path folder = m_bench->bench().folder() / "its place";
        fs::create_directories(folder);
        line().setText(QStringLiteral("sh -c 'echo \"$0\" in \"$PWD\"; exec sleep 1' 'two words'"));
        folderLine().setText(QString::fromStdString(folder.string()));
        QTRY_VERIFY(button("runButton").isEnabled());
        QCOMPARE(window().trialsPage().commandLine().section(QStringLiteral(" && "), 0, 0),
            QStringLiteral("cd '%1'").arg(QString::fromStdString(folder.string())));
        QVERIFY(window().trialsPage().commandLine().endsWith(
            QStringLiteral(" --backend command -- sh -c 'echo \"$0\" in \"$PWD\"; exec sleep 1' 'two words'")));
        m_bench->click(QStringLiteral("runButton"));
        QCOMPARE(window().currentPage(), int(MainWindow::LiveIndex));

        const RunResult first = resultOfRun(1);
        QCOMPARE(first.verdict->mode, FailureMode::Ok);
        const QString said = QStringLiteral("two words in %1").arg(QString::fromStdString(folder.string()));
        QTRY_VERIFY2(log().contains(said), qPrintable(log()));
        QVERIFY(m_bench->visibleText().contains(QStringLiteral("sh -c 'echo")));
        for (const char* word : {"auto", "Loaded", "tensor"})
            QVERIFY2(!m_bench->visibleText().contains(QLatin1String(word)), word);
        QVERIFY(m_bench->visibleText().contains(QStringLiteral("Largest process")));
        QVERIFY(
            m_bench->visibleText().contains(QStringLiteral("%1 Hz · ").arg(figures::threeDigits(first.curve.rateHz))));
        m_bench->shoot(QStringLiteral("live-program"));

        m_bench->click(QStringLiteral("runAgainButton"));
        const RunResult second = resultOfRun(2);
        QCOMPARE(second.identity.program, first.identity.program);
        QCOMPARE(second.identity.workingFolder, first.identity.workingFolder);
        QCOMPARE(second.identity.parentUuid.value_or(""), first.identity.uuid);
        QCOMPARE(log().count(said), 1);

        window().openRun(controller().liveRunId().value());
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(QStringLiteral("Run 2")), kLongMs);
        m_bench->click(QStringLiteral("detailsChange"));
        QCOMPARE(window().currentPage(), int(MainWindow::TrialsIndex));
        QCOMPARE(words(), QStringLiteral("program sh 1 -c 2 echo \"$0\" in \"$PWD\"; exec sleep 1 3 two words"));
        QCOMPARE(folderLine().text(), shownPath(folder));
        line().setText(QStringLiteral("sh -c 'exit 7'"));
        QTRY_VERIFY(window().trialsPage().commandLine().endsWith(QStringLiteral("-- sh -c 'exit 7'")));
        m_bench->click(QStringLiteral("runButton"));
        const RunResult third = resultOfRun(3);
        QCOMPARE(third.exitCode, std::optional(7));
        QCOMPARE(third.identity.parentUuid.value_or(""), second.identity.uuid);
        theListTellsThem();
    }

    void aBadVariableIsToldInItsPlace_data()
    {
        QTest::addColumn<QString>("variables");
        QTest::addColumn<QString>("words");
        QTest::newRow("no sign") << "DEBUG"
                                 << "'DEBUG' has no '='";
        QTest::newRow("no name") << "=1"
                                 << "the name is missing";
        QTest::newRow("NUL") << QStringLiteral("A=1") + QChar(0) << "'A' holds a NUL";
        QTest::newRow("quote") << "A='two words"
                               << "The quote ' is not closed, at character 3.";
        QTest::newRow("masked") << "HF_TOKEN=***"
                                << "The value of 'HF_TOKEN' is not stored";
    }
    void aBadVariableIsToldInItsPlace()
    {
        QFETCH(QString, variables);
        QFETCH(QString, words);
        line().setText(QStringLiteral("true"));
        QTRY_VERIFY(button("runButton").isEnabled());
        variablesLine().setText(variables);
        QTRY_VERIFY2(m_bench->visibleText().contains(words, Qt::CaseInsensitive), qPrintable(m_bench->visibleText()));
        QVERIFY(variablesLine().property("bad").toBool());
        QVERIFY(!button("runButton").isEnabled());
        m_bench->shoot(QStringLiteral("trials-variables-") + QString::fromLatin1(QTest::currentDataTag()));
        window().resize(1024, 680);
        QTRY_VERIFY2(isInSight(words), "the remark has a place in a small window");
        variablesLine().setText(QStringLiteral("A=1"));
        QTRY_VERIFY(button("runButton").isEnabled());
        QVERIFY(!variablesLine().property("bad").toBool());
    }

    void variablesSurviveAndSecretsAreNotShown()
    {
        const QString secret = QStringLiteral("a-value-nobody-may-see");
        const QString shown = QStringLiteral("'API_TOKEN=***' 'DB=redis://:***@host' 'GREETING=good day'");
        line().setText(QStringLiteral("sh -c 'echo \"$GREETING, ${#API_TOKEN}\"'"));
        variablesLine().setText(QStringLiteral("GREETING='good day' API_TOKEN=%1 DB=redis://:%1@host").arg(secret));
        QTRY_VERIFY(button("runButton").isEnabled());
        QVERIFY(window().trialsPage().commandLine().contains(
            QStringLiteral(" --env API_TOKEN=\"$API_TOKEN\" --env DB=\"$DB\" --env 'GREETING=good day' -- sh")));
        m_bench->click(QStringLiteral("runButton"));
        QCOMPARE(resultOfRun(1).verdict->mode, FailureMode::Ok);
        const QString said = QStringLiteral("good day, %1").arg(secret.size());
        QTRY_VERIFY2(log().contains(said), qPrintable(log()));
        m_bench->click(QStringLiteral("runAgainButton"));
        resultOfRun(2);
        QTRY_COMPARE(log().count(said), 1);

        window().openRun(controller().liveRunId().value());
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(QStringLiteral("Run 2")), kLongMs);
        m_bench->find<QTabWidget>(QStringLiteral("detailsTabs")).setCurrentIndex(2);
        QTRY_VERIFY(m_bench->visibleText().contains(shown));
        QVERIFY(!m_bench->visibleText().contains(secret));
        m_bench->shoot(QStringLiteral("runs-variables"));
        m_bench->click(QStringLiteral("detailsAgain"));
        resultOfRun(3);
        QTRY_COMPARE(log().count(said), 1);
        m_bench->click(QStringLiteral("changeButton"));
        QCOMPARE(variablesLine().text(), shown);
        m_bench->shoot(QStringLiteral("trials-variables"));
        QTRY_VERIFY(button("runButton").isEnabled());
        m_bench->click(QStringLiteral("runButton"));
        resultOfRun(4);
        QTRY_COMPARE(log().count(said), 1);
        aSecretHasToBeTypedAgainAfterARestart();
    }

    void aTrialOfACheckpointGoesBackToALoader()
    {
        m_bench->bench().demoZoo();
        window().showPage(MainWindow::TrialsIndex);
        const auto checkpoint = inspectCheckpoint(m_bench->bench().demoZoo(), m_bench->bench().lab().families);
        window().trialsPage().draft(std::make_shared<const Checkpoint>(*checkpoint));
        QVERIFY(m_bench->find<QComboBox>(QStringLiteral("Dtype")).isVisible());
        QVERIFY(!window().trialsPage().commandLine().contains(QStringLiteral("--backend command")));
    }

private:
    /// The form's words, as far as they go from side to side.
    bool isInSight(const QString& words) const
    {
        for (const RemarkLabel* label : window().findChildren<RemarkLabel*>())
            if (label->words().contains(words, Qt::CaseInsensitive))
                return label->visibleRegion().boundingRect().width() == label->width();
        return false;
    }
    void aSecretHasToBeTypedAgainAfterARestart()
    {
        const RunId run = controller().liveRunId().value();
        m_bench->open();
        window().openRun(run);
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(QStringLiteral("Run 4")), kLongMs);
        m_bench->click(QStringLiteral("detailsAgain"));
        QVERIFY(window().statusBar()->currentMessage().contains(QStringLiteral("'API_TOKEN' is not stored")));
        QVERIFY(!controller().isBusy());
        m_bench->click(QStringLiteral("detailsChange"));
        QTRY_VERIFY(variablesLine().property("bad").toBool());
        QVERIFY(!button("runButton").isEnabled());
    }
    void theListTellsThem()
    {
        window().showPage(MainWindow::RunsIndex);
        const auto& table = m_bench->find<QTableView>(QStringLiteral("runsTable"));
        const QAbstractItemModel& model = *table.model();
        QTRY_COMPARE_WITH_TIMEOUT(model.rowCount(), 3, kLongMs);
        const auto cell = [&model](int row, int column) { return model.index(row, column).data().toString(); };
        QTRY_COMPARE_WITH_TIMEOUT(cell(0, RunsModel::Checkpoint), QStringLiteral("sh -c 'exit 7'"), kLongMs);
        QCOMPARE(cell(2, RunsModel::Checkpoint),
            QStringLiteral("sh -c 'echo \"$0\" in \"$PWD\"; exec sleep 1' 'two words'"));
        QCOMPARE(cell(2, RunsModel::Outcome), QStringLiteral("Ended"));
        for (const int column : {RunsModel::Dtype, RunsModel::Map})
            QCOMPARE(cell(0, column), QStringLiteral("–"));
        m_bench->shoot(QStringLiteral("runs-program"));
    }
};

QTEST_MAIN(TestWatchedProgram)
#include "tst_WatchedProgram.moc"
