#include "../db/Take.h"
#include "LabBench.h"
#include "WindowBench.h"
#include "core/telemetry/ProcessTree.h"
#include "core/worker/Leftovers.h"
#include "db/RunStore.h"

#include <QProcess>
#include <QStatusBar>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

using namespace loadlab;
using test::take;

/// kill -9 of the real window while it loads.
class TestKilledWindow : public QObject {
    Q_OBJECT

    static double lastSampleOf(const QByteArray& said)
    {
        const auto at = said.lastIndexOf("\nsample ");
        return at < 0 ? 0 : said.mid(at + 8, said.indexOf('\n', at + 8) - at - 8).toDouble();
    }

private Q_SLOTS:
    void takesItsWorkerAlongAndTheNextWindowClosesTheRun();
};

void TestKilledWindow::takesItsWorkerAlongAndTheNextWindowClosesTheRun()
{
    const QTemporaryDir folder;
    QProcess window;
    window.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    window.start(QStringLiteral(LOADLAB_BINARY_DIR "/tests/killed_window"), {folder.path()});
    QByteArray said;
    double first = 0;
    // Three seconds of samples, so that some were committed and some were not.
    while (lastSampleOf(said) < first + 3 && window.waitForReadyRead(20'000)) {
        said += window.readAllStandardOutput();
        first = first == 0 ? lastSampleOf(said) : first;
    }
    const RunStore::Mode reading = RunStore::Mode::ReadOnly;
    const std::filesystem::path database = std::filesystem::path(folder.path().toStdString()) / "runs.sqlite";
    const std::string uuid = take(take(RunStore::open(database, reading)).run(RunId{1})).identity.uuid;
    QVERIFY2(!findProcessesOfRun(uuid).empty(), said.constData());

    ::kill(static_cast<pid_t>(window.processId()), SIGKILL);
    QVERIFY(window.waitForFinished());
    QTRY_VERIFY_WITH_TIMEOUT(findProcessesOfRun(uuid).empty(), 2000); // What is promised.
    said += window.readAllStandardOutput();

    WindowBench next(folder.path().toStdString());
    next.open();
    QTRY_VERIFY_WITH_TIMEOUT(
        next.window().statusBar()->currentMessage().contains(QStringLiteral("closed as lost")), 20'000);
    const RunStore store = take(RunStore::open(database, reading));
    const RunResult run = take(store.run(RunId{1}));
    QCOMPARE(run.verdict->mode, FailureMode::LabLost);
    const Curve curve = take(store.curve(RunId{1}));
    QVERIFY(!curve.samples.empty());
    const double kept = static_cast<double>(curve.samples.back().monotonicNs) / 1e9;
    QVERIFY2(lastSampleOf(said) - kept <= 1.0,
        qPrintable(QStringLiteral("%1 s of samples are lost").arg(lastSampleOf(said) - kept)));
}

QTEST_MAIN(TestKilledWindow)
#include "tst_KilledWindow.moc"
