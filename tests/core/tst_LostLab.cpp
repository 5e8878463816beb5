#include "core/worker/Leftovers.h"
#include "core/worker/WorkerProcess.h"

#include <QProcess>
#include <QtTest>
#include <csignal>

using namespace loadlab;

namespace {

bool exists(pid_t pid)
{
    return ::kill(pid, 0) == 0 || errno != ESRCH;
}

/// A whole lab in a process of its own, which can be killed.
struct Lab {
    QProcess process;
    QByteArray said;

    bool reaches(const QByteArray& mode, const QByteArray& state)
    {
        process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        process.start(QStringLiteral(LOADLAB_BINARY_DIR "/tests/trial-host"),
            {QStringLiteral(LOADLAB_BINARY_DIR "/tests/plugins/fake"), QString::fromLatin1(mode)});
        while (!said.contains("\n" + state + "\n") && process.waitForReadyRead(20000))
            said += process.readAllStandardOutput();
        return said.contains("\n" + state + "\n");
    }
    QByteArray word(const QByteArray& before) const
    {
        const auto at = said.indexOf(before + " ") + before.size() + 1;
        return said.mid(at, said.indexOf('\n', at) - at);
    }
    pid_t worker() const { return static_cast<pid_t>(word("worker").toLongLong()); }
    std::string run() const { return word("run").toStdString(); }
    void die()
    {
        ::kill(static_cast<pid_t>(process.processId()), SIGKILL);
        process.waitForFinished();
    }
};

} // namespace

class tst_LostLab : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theWorkerDiesWithTheLab_data();
    void theWorkerDiesWithTheLab();
    void whatTheWorkerLeftIsEndedAtTheNextStart();
};

void tst_LostLab::theWorkerDiesWithTheLab_data()
{
    QTest::addColumn<QByteArray>("mode");
    QTest::addColumn<QByteArray>("state");
    QTest::newRow("while it holds a model") << QByteArray("ok") << QByteArray("loaded");
    QTest::newRow("though it ignores stdin and SIGTERM") << QByteArray("stubborn") << QByteArray("loaded");
    QTest::newRow("while it spins") << QByteArray("spins") << QByteArray("loading");
}

void tst_LostLab::theWorkerDiesWithTheLab()
{
    QFETCH(QByteArray, mode);
    QFETCH(QByteArray, state);
    Lab lab;
    QVERIFY2(lab.reaches(mode, state), lab.said.constData());
    const pid_t worker = lab.worker();
    QVERIFY(worker > 1 && exists(worker));
    QCOMPARE(findProcessesOfRun(lab.run()), std::vector<pid_t>{worker});
    lab.die();
    QTRY_VERIFY_WITH_TIMEOUT(findProcessesOfRun(lab.run()).empty(), 2000); // What is promised.
}

void tst_LostLab::whatTheWorkerLeftIsEndedAtTheNextStart()
{
    Lab lab;
    QVERIFY2(lab.reaches("daemon", "loaded"), lab.said.constData());
    QCOMPARE(findProcessesOfRun(lab.run()).size(), std::size_t{2});
    const pid_t worker = lab.worker();
    lab.die();
    QTRY_COMPARE(findProcessesOfRun(lab.run()).size(), std::size_t{1}); // The daemon is out of the kernel's reach.
    const LeftoverReport report = endLeftovers(lab.run());
    QCOMPARE(report.ended.size(), std::size_t{1});
    QVERIFY(report.ended.front().pid != worker);
    QCOMPARE(report.ended.front().name, std::string("fake-worker"));
    QVERIFY(findProcessesOfRun(lab.run()).empty());
}

QTEST_GUILESS_MAIN(tst_LostLab)
#include "tst_LostLab.moc"
