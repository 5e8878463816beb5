#include "tests/core/DeadDisk.h"
#include "tests/core/WatchedRun.h"

#include <QtTest>

using namespace loadlab;
using namespace loadlab::test;
using namespace std::chrono_literals;

/// A program that hangs in a file system whose server is dead ends no later than any other, and its run as well.
class tst_DeadDisk : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aRunEndsThoughItsWorkerCannot_data()
    {
        QTest::addColumn<quint32>("diesAt");
        QTest::addColumn<QByteArray>("mode");
        QTest::newRow("stall in read") << quint32{FUSE_READ} << QByteArray("hang");
        QTest::newRow("stall in open") << quint32{FUSE_OPEN} << QByteArray("hang");
        QTest::newRow("time limit in open") << quint32{FUSE_OPEN} << QByteArray("timed_out");
    }

    void aRunEndsThoughItsWorkerCannot()
    {
        QFETCH(quint32, diesAt);
        QFETCH(QByteArray, mode);
        const QTemporaryDir folder;
        const DeadDisk disk(folder.path().toStdString(), diesAt);
        if (!disk.isThere())
            QSKIP("needs root and /dev/fuse");
        Limits limits;
        (mode == "hang" ? limits.stall : limits.timeout) = 2s;
        const Rules rules;
        TrialSurroundings around = commandSurroundings(rules, nullptr);
        around.stopTimes.toGiveUp = 500ms;
        around.orphans = Orphans::Marked; // The server is a child of this process, too.
        Watched run;
        run.start("exec cat '" + folder.path().toStdString() + "/shard' >/dev/null", limits, around);
        QTRY_VERIFY_WITH_TIMEOUT(run.runner->finished(), 30000);
        const RunResult& result = run.runner->wait();
        QVERIFY2(modeOf(result) == mode.toStdString(), allWords(result).c_str());
        const std::string words = allWords(result);
        QVERIFY2(words.find("did not end on SIGKILL: in uninterruptible sleep") != std::string::npos, words.c_str());
        QVERIFY2(result.traces.processes.size() == 1, words.c_str());
        QVERIFY2(diesAt != FUSE_READ || words.find("; at shard, at byte ") != std::string::npos, words.c_str());
    }
};

QTEST_APPLESS_MAIN(tst_DeadDisk)
#include "tst_DeadDisk.moc"
