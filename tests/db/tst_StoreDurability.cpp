#include "CutOff.h"
#include "Folder.h"
#include "Lab.h"
#include "Noise.h"
#include "RawDatabase.h"
#include "RunBuilder.h"
#include "Take.h"

#include "core/telemetry/Machine.h"
#include "db/RunRecorder.h"
#include "db/RunStore.h"

#include <QTest>
#include <csignal>
#include <sys/resource.h>

using namespace loadlab;
using namespace loadlab::test;

namespace {

std::int64_t tickOf(const std::string& line)
{
    return std::stoll(line.substr(line.find(' ') + 1));
}

/// No file of this process may grow beyond so many bytes.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes)
    {
        ::getrlimit(RLIMIT_FSIZE, &m_before);
        const struct rlimit limit {
            bytes, m_before.rlim_max
        };
        std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &m_before); }

private:
    struct rlimit m_before { };
};

} // namespace

class tst_StoreDurability : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void keepsSamplesAndLogUntilShortlyBeforeAKill();
    void opensAfterAKillAtAnyMoment();
    void opensAfterAKillThatCutACheckpointShort();
    void opensWhatLiesInTheLogAlone();
    void writesBetweenTheCommitsToTheDisk();
    void leavesNoHalfOfARunWhoseEndFindsNoRoom();
    void saysThatAFileMayNotGrow();
};

void tst_StoreDurability::keepsSamplesAndLogUntilShortlyBeforeAKill()
{
    const Folder folder;
    Lab lab(folder.file(), {"record"});
    QVERIFY(lab.waitForLines(50));
    lab.kill();
    const std::int64_t last = tickOf(lab.lines().back());
    // Before anything is closed the database has what was written by then; the black box has the rest.
    RunStore store = take(RunStore::open(folder.file()));
    QVERIFY(take(store.check()).ok);
    const Curve curve = take(store.curve({1}));
    QVERIFY(curve.samples.size() > 10);
    const std::int64_t lostNs = last - curve.samples.back().monotonicNs;
    QVERIFY2(lostNs <= 1'000'000'000, std::to_string(lostNs).c_str());
    qInfo("%lld ms of samples lost", static_cast<long long>(lostNs / 1'000'000));
    const std::vector<std::string> log = take(store.logLines({1}));
    QVERIFY2(last - tickOf(log.back()) <= 1'000'000'000, log.back().c_str());
    for (std::size_t i = 0; i < log.size(); ++i) // nothing is missing before
        QCOMPARE(log[i], lab.lines()[i + 1]);

    const std::vector<RunResult> closed = take(store.closeLostRuns(readMachine().bootId));
    QCOMPARE(closed.size(), std::size_t{1});
    QCOMPARE("run " + closed[0].identity.uuid, lab.lines().front());
    QCOMPARE(closed[0].verdict->mode, FailureMode::LabLost);
    const Curve whole = take(store.curve({1}));
    QVERIFY(whole.samples.size() >= curve.samples.size());
    QCOMPARE(whole.samples.back().monotonicNs, last); // All that was handed over.
    const std::vector<std::string> wholeLog = take(store.logLines({1}));
    QVERIFY(wholeLog.size() >= lab.lines().size() - 1);
    for (std::size_t i = 0; i + 1 < lab.lines().size(); ++i)
        QCOMPARE(wholeLog[i], lab.lines()[i + 1]);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        QVERIFY2(entry.path().native().find("-box-") == std::string::npos, entry.path().c_str());
    QVERIFY(take(store.check()).ok);
}

void tst_StoreDurability::opensAfterAKillAtAnyMoment()
{
    const Folder folder;
    for (int i = 0; i < 12; ++i) {
        Lab lab(folder.file(), {"burst", "50", "300"});
        lab.closeInput();
        if (i % 3 != 0) // else while it opens or makes the database
            QVERIFY(lab.waitForLines(static_cast<std::size_t>(i)));
        lab.kill();
        RunStore store = take(RunStore::open(folder.file()));
        take(store.closeLostRuns(readMachine().bootId));
        const DatabaseCheck check = take(store.check());
        QVERIFY2(check.ok, check.findings.empty() ? "" : check.findings.front().c_str());
        for (const RunRow& row : take(store.runs()))
            QVERIFY(row.mode == FailureMode::Ok || row.mode == FailureMode::LabLost);
        QVERIFY(take(store.countRuns()) >= static_cast<std::uint64_t>(i % 3 != 0 ? i : 0));
    }
}

/// Page 1 came into the main file, and counts pages that only the log has.
void tst_StoreDurability::opensAfterAKillThatCutACheckpointShort()
{
    const Folder source;
    const Folder folder;
    RunStore lab = take(RunStore::open(source.file()));
    const RunId run = take(lab.startRun(started()));
    take(lab.addSamples(run, samples(100)));
    take(lab.addLog(run, LogStream::Stderr, 0, noise(100'000)));
    copyWithLog(source.file(), folder.file());
    writeFirstPageOfLog(folder.file());
    for (const auto mode : {RunStore::Mode::ReadOnly, RunStore::Mode::ReadWrite}) {
        const RunStore store = take(RunStore::open(folder.file(), mode));
        QVERIFY(take(store.curve(run)).samples == samples(100));
        QVERIFY(take(store.check()).ok);
    }
}

/// The main file is an empty database in write-ahead mode: all of LoadLab's is in the log.
void tst_StoreDurability::opensWhatLiesInTheLogAlone()
{
    const Folder source;
    const Folder folder;
    RawDatabase(source.file()).execute("PRAGMA journal_mode = WAL");
    const RawDatabase reader(source.file()); // keeps the log from being written into the main file
    reader.execute("BEGIN; SELECT * FROM sqlite_schema");
    RunStore lab = take(RunStore::open(source.file()));
    take(lab.startRun(started()));
    copyWithLog(source.file(), folder.file());
    QCOMPARE(std::filesystem::file_size(folder.file()), std::uintmax_t{4096});
    QCOMPARE(take(take(RunStore::open(folder.file(), RunStore::Mode::ReadOnly)).countRuns()), std::uint64_t{1});
}

void tst_StoreDurability::writesBetweenTheCommitsToTheDisk()
{
    const Folder folder;
    RecorderOptions options;
    options.writeEvery = std::chrono::milliseconds(20);
    options.commitEvery = std::chrono::hours(1);
    std::atomic<int> commits{0};
    RunRecorder recorder(folder.file(), options);
    recorder.onCommitted([&commits](RunId) { ++commits; });
    recorder.onEvent(at(0, started()));
    recorder.flush();
    const int before = commits;
    std::size_t n = 0;
    QTRY_VERIFY((recorder.onEvent(at(0, SamplesTaken{samples(1, n++)})), commits > before + 5));
    QCOMPARE(take(take(RunStore::open(folder.file())).run({1})).curve.sampleCount > 0, true);
}

void tst_StoreDurability::leavesNoHalfOfARunWhoseEndFindsNoRoom()
{
    const Folder folder;
    const RunStarted begin = started();
    RunRecorder recorder(folder.file());
    recorder.onEvent(at(0, begin));
    recorder.onEvent(at(1, SamplesTaken{samples(100)}));
    recorder.flush();
    QVERIFY(recorder.run());
    {
        const FileSizeLimit limit(std::filesystem::file_size(folder.file().native() + "-wal") + 20'000);
        recorder.onEvent(at(2, LogText{LogStream::Stderr, noise(100'000) + "\n"}));
        recorder.onEvent(at(5, RunFinished{finished(begin)}));
        const Result<RunId> stored = recorder.finish();
        QVERIFY(!stored);
        QCOMPARE(stored.error().kind, ErrorKind::Io);
        QVERIFY(!recorder.run());
    }
    RunStore store = take(RunStore::open(folder.file()));
    QVERIFY(take(store.closeLostRuns(readMachine().bootId)).empty());
    QCOMPARE(take(store.countRuns()), std::uint64_t{0});
    QVERIFY(!store.findRun("last"));
    QVERIFY(take(store.check()).ok);
}

void tst_StoreDurability::saysThatAFileMayNotGrow()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    const RunId run = take(store.startRun(started()));
    {
        const FileSizeLimit limit(std::filesystem::file_size(folder.file().native() + "-wal") + 10'000);
        const Result<void> written = store.addLog(run, LogStream::Stderr, 0, noise(100'000));
        QVERIFY(!written);
        QCOMPARE(written.error().kind, ErrorKind::Io);
        QVERIFY2(written.error().message.find("may not grow") != std::string::npos, written.error().message.c_str());
    }
    take(store.addLog(run, LogStream::Stderr, 0, "fine\n"));
    QCOMPARE(take(store.logLines(run)), std::vector<std::string>{"fine"});
}

QTEST_GUILESS_MAIN(tst_StoreDurability)
#include "tst_StoreDurability.moc"
