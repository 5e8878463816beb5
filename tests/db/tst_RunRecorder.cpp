#include "RunBuilder.h"
#include "Take.h"

#include "db/RunRecorder.h"
#include "db/RunStore.h"

#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <filesystem>
#include <thread>

using namespace loadlab;
using namespace loadlab::test;

class tst_RunRecorder : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void recordsARunFromStartToEnd();
    void writesTheStartAtOnce();
    void writesSamplesWithoutBeingAsked();
    void keepsFourProgressEventsASecondAndTheLast();
    void tellsWhatCannotBeWritten();
    void keepsNothingOfARunWhoseStartFailed();
    void catchesUpWhenTheLockIsGone();
    void neverBlocksTheRunner();
    void saysThatTheFileIsGone();

private:
    std::unique_ptr<QTemporaryDir> m_folder;
    std::filesystem::path m_file;
};

void tst_RunRecorder::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
    m_file = m_folder->filePath("runs.sqlite").toStdString();
}

void tst_RunRecorder::recordsARunFromStartToEnd()
{
    const RunStarted begin = started();
    std::atomic<int> commits{0};
    {
        RunRecorder recorder(m_file);
        recorder.onCommitted([&commits](RunId) { ++commits; });
        recorder.onEvent(at(0, begin));
        recorder.onEvent(at(0.01, StateChanged{TrialState::Starting}));
        recorder.onEvent(at(0.1, SamplesTaken{samples(50)}));
        recorder.onEvent(at(0.1, LogText{LogStream::Stderr, "one\ntw"}));
        recorder.onEvent(at(0.2, LogText{LogStream::Stderr, "o\n"}));
        recorder.onEvent(at(0.2, SamplesTaken{samples(50, 50)}));
        recorder.onEvent(at(5, RunFinished{finished(begin)}));
        recorder.flush();
        QVERIFY(!recorder.error());
        QVERIFY(recorder.run());
        QTRY_VERIFY(commits > 0); // Told after flush() may have returned.
    }
    const RunStore store = take(RunStore::open(m_file, RunStore::Mode::ReadOnly));
    const RunId run = take(store.findRun("last"));
    QCOMPARE(take(store.run(run)).verdict->mode, FailureMode::Ok);
    QVERIFY(take(store.curve(run)).samples == samples(100));
    QCOMPARE(take(store.logLines(run)), (std::vector<std::string>{"one", "two"}));
    QCOMPARE(take(store.events(run)).size(), std::size_t{1});
    QVERIFY(take(store.check()).ok);
}

void tst_RunRecorder::writesTheStartAtOnce()
{
    RecorderOptions slow;
    slow.commitEvery = slow.writeEvery = std::chrono::hours(1);
    RunRecorder recorder(m_file, slow);
    recorder.onEvent(at(0, started()));
    QTRY_VERIFY(recorder.run());
    const RunStore store = take(RunStore::open(m_file, RunStore::Mode::ReadOnly));
    QCOMPARE(take(store.findRun("last")), *recorder.run());
}

void tst_RunRecorder::writesSamplesWithoutBeingAsked()
{
    RunRecorder recorder(m_file);
    recorder.onEvent(at(0, started()));
    recorder.onEvent(at(0.1, SamplesTaken{samples(2)}));
    QTRY_VERIFY(recorder.run());
    const RunStore store = take(RunStore::open(m_file, RunStore::Mode::ReadOnly));
    QTRY_COMPARE(take(store.curve(*recorder.run())).samples.size(), std::size_t{2});
    recorder.onEvent(at(0.2, SamplesTaken{samples(3, 2)}));
    QTRY_COMPARE(take(store.curve(*recorder.run())).samples.size(), std::size_t{5});
}

void tst_RunRecorder::keepsFourProgressEventsASecondAndTheLast()
{
    const RunStarted begin = started();
    RunRecorder recorder(m_file);
    recorder.onEvent(at(0, begin));
    for (int i = 1; i <= 99; ++i) { // 20 a second
        recorder.onEvent(said(i * 0.05, protocol::Progress{"tensors", static_cast<std::uint64_t>(i), 100, 0, 0, ""}));
        recorder.onEvent(at(i * 0.05, GuardLooked{})); // Not kept.
    }
    recorder.onEvent(said(4.96, protocol::Warning{"w", "m"}));
    recorder.onEvent(said(4.97, protocol::Progress{"tensors", 100, 100, 0, 0, ""}));
    recorder.onEvent(at(5, RunFinished{finished(begin)}));
    recorder.flush();
    const RunStore store = take(RunStore::open(m_file));
    const std::vector<StoredEvent> events = take(store.events({1}));
    QVERIFY(events.size() >= 19 && events.size() <= 23);
    QVERIFY(events[events.size() - 3].json.find("\"done\":99,") != std::string::npos); // before the warning
    QCOMPARE(events[events.size() - 2].kind, "warning");
    QVERIFY(events.back().json.find("\"done\":100,") != std::string::npos);
}

void tst_RunRecorder::tellsWhatCannotBeWritten()
{
    const RunStarted begin = started();
    RunRecorder recorder(std::filesystem::path(m_folder->path().toStdString())); // a folder
    recorder.onEvent(at(0, begin));
    recorder.onEvent(at(1, SamplesTaken{samples(10)}));
    recorder.onEvent(at(5, RunFinished{finished(begin)}));
    recorder.flush();
    QVERIFY(!recorder.run());
    QVERIFY(recorder.error());
    QCOMPARE(recorder.error()->kind, ErrorKind::Invalid);
    QVERIFY(recorder.error()->message.find("is a folder") != std::string::npos);
    recorder.flush();
}

void tst_RunRecorder::keepsNothingOfARunWhoseStartFailed()
{
    RunStore store = take(RunStore::open(m_file));
    take(store.begin()); // holds the write lock
    RecorderOptions hasty;
    hasty.patience = std::chrono::milliseconds(10);
    {
        const RunStarted begin = started();
        RunRecorder recorder(m_file, hasty);
        recorder.onEvent(at(0, begin));
        recorder.onEvent(at(1, RunFinished{finished(begin)}));
        recorder.flush();
        QVERIFY(recorder.error());
        QCOMPARE(recorder.error()->kind, ErrorKind::Io);
        QVERIFY(recorder.error()->message.find("locked") != std::string::npos);
        QVERIFY(!recorder.run());
    }
    store.rollback();
    QCOMPARE(take(store.countRuns()), std::uint64_t{0});
}

void tst_RunRecorder::catchesUpWhenTheLockIsGone()
{
    RunStore store = take(RunStore::open(m_file));
    RecorderOptions hasty;
    hasty.patience = std::chrono::milliseconds(10);
    hasty.commitEvery = std::chrono::milliseconds(20);
    const RunStarted begin = started();
    RunRecorder recorder(m_file, hasty);
    recorder.onEvent(at(0, begin));
    recorder.flush();
    QVERIFY(!recorder.error());
    take(store.begin());
    recorder.onEvent(at(0.1, SamplesTaken{samples(10)}));
    recorder.onEvent(at(0.1, LogText{LogStream::Stdout, "early\n"}));
    recorder.flush();
    QVERIFY(recorder.error());
    recorder.onEvent(at(0.2, SamplesTaken{samples(10, 10)}));
    recorder.onEvent(at(0.2, LogText{LogStream::Stdout, "late\n"}));
    recorder.onEvent(at(5, RunFinished{finished(begin)}));
    recorder.flush();
    QVERIFY(recorder.error());
    store.rollback();
    QTRY_VERIFY(!recorder.error());
    const RunId run = *recorder.run();
    QVERIFY(take(store.curve(run)).samples == samples(20));
    QCOMPARE(take(store.logLines(run)), (std::vector<std::string>{"early", "late"}));
    QCOMPARE(take(store.run(run)).verdict->mode, FailureMode::Ok);
}

/// A recorder that waits for a lock takes a million samples and 200 MB of log without waiting or growing.
void tst_RunRecorder::neverBlocksTheRunner()
{
    RunStore store = take(RunStore::open(m_file));
    RecorderOptions options;
    options.logLimitBytes = 1 << 20;
    const RunStarted begin = started();
    RunRecorder recorder(m_file, options);
    recorder.onEvent(at(0, begin));
    recorder.flush();
    take(store.begin());
    const std::string line(1 << 16, 'x');
    for (std::size_t i = 0; i < 1000; ++i) {
        recorder.onEvent(at(0.1, SamplesTaken{samples(1000, i * 1000)}));
        for (int k = 0; k < 3; ++k)
            recorder.onEvent(at(0.1, LogText{LogStream::Stderr, line}));
        for (int k = 0; k < 20; ++k)
            recorder.onEvent(said(0.1, protocol::Warning{"w", "m"}));
    }
    store.rollback();
    recorder.onEvent(at(5, RunFinished{finished(begin)}));
    recorder.flush();
    QVERIFY2(!recorder.error(), recorder.error().value_or(Error{}).message.c_str());
    const RunId run = *recorder.run();
    const Curve curve = take(store.curve(run));
    QVERIFY(curve.samples.size() > 30'000 && curve.samples.size() <= 200'000);
    QCOMPARE(curve.samples.back()[Column::TreeBytes], std::int64_t{999'999} << 20); // the peak stays
    const std::vector<StoredEvent> events = take(store.events(run));
    QVERIFY(std::ranges::any_of(
        events, [](const StoredEvent& event) { return event.json.find("thinned") != std::string::npos; }));
    QVERIFY(std::ranges::any_of(
        events, [](const StoredEvent& event) { return event.json.find("dropped") != std::string::npos; }));
    std::uint64_t bytes = 0;
    for (const std::string& text : take(store.logLines(run)))
        bytes += text.size();
    QVERIFY(bytes > 900'000 && bytes <= (1 << 20) + 200);
}

void tst_RunRecorder::saysThatTheFileIsGone()
{
    const RunStarted begin = started();
    RunRecorder recorder(m_file);
    recorder.onEvent(at(0, begin));
    recorder.flush();
    for (const auto& entry : std::filesystem::directory_iterator(m_folder->path().toStdString()))
        std::filesystem::remove(entry.path());
    recorder.onEvent(at(5, RunFinished{finished(begin)}));
    recorder.flush();
    QVERIFY(recorder.error());
    QCOMPARE(recorder.error()->kind, ErrorKind::Io);
    QVERIFY(recorder.error()->message.find("moved or deleted") != std::string::npos);
}

QTEST_APPLESS_MAIN(tst_RunRecorder)
#include "tst_RunRecorder.moc"
