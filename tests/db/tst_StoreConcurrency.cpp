#include "Folder.h"
#include "Lab.h"
#include "RunBuilder.h"
#include "Take.h"

#include "core/telemetry/Machine.h"
#include "db/RunRecorder.h"
#include "db/RunStore.h"

#include <QTest>
#include <mutex>
#include <set>
#include <thread>

using namespace loadlab;
using namespace loadlab::test;

class tst_StoreConcurrency : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void twoProcessesRecordAtOnce();
    void severalProcessesMakeTheDatabaseAtOnce();
    void exactlyOneClosesALostRun();
    void readsWhileAnotherRecords();
    void severalRecordersOfOneProcess();
};

void tst_StoreConcurrency::twoProcessesRecordAtOnce()
{
    const Folder folder;
    constexpr std::size_t kRuns = 4;
    constexpr std::size_t kSamples = 6000;
    std::vector<std::unique_ptr<Lab>> labs;
    for (int i = 0; i < 2; ++i)
        labs.push_back(std::make_unique<Lab>(
            folder.file(), QStringList{"burst", QString::number(kRuns), QString::number(kSamples)}));
    for (const auto& lab : labs)
        lab->closeInput();
    std::set<std::string> uuids;
    for (const auto& lab : labs) {
        QCOMPARE(lab->waitForEnd(), 0);
        uuids.insert(lab->lines().begin(), lab->lines().end());
    }
    QCOMPARE(uuids.size(), 2 * kRuns);
    const RunStore store = take(RunStore::open(folder.file()));
    QVERIFY(take(store.check()).ok);
    for (const std::string& uuid : uuids) {
        const RunId run = take(store.findRun(uuid));
        QVERIFY(take(store.curve(run)).samples == samples(kSamples));
        QCOMPARE(take(store.logLines(run)).size(), kSamples / 100);
        QCOMPARE(take(store.events(run)).size(), kSamples / 100);
        QCOMPARE(take(store.run(run)).verdict->mode, FailureMode::Ok);
    }
}

void tst_StoreConcurrency::severalProcessesMakeTheDatabaseAtOnce()
{
    for (int round = 0; round < 5; ++round) {
        const Folder folder;
        std::vector<std::unique_ptr<Lab>> labs;
        for (int i = 0; i < 4; ++i)
            labs.push_back(std::make_unique<Lab>(folder.file("deep/runs.sqlite"), QStringList{"burst", "1", "100"}));
        for (const auto& lab : labs)
            lab->closeInput();
        for (const auto& lab : labs)
            QCOMPARE(lab->waitForEnd(), 0);
        const RunStore store = take(RunStore::open(folder.file("deep/runs.sqlite")));
        QCOMPARE(take(store.countRuns()), std::uint64_t{4});
        QVERIFY(take(store.check()).ok);
    }
}

void tst_StoreConcurrency::exactlyOneClosesALostRun()
{
    const Folder folder;
    constexpr int kRuns = 20;
    {
        RunStore store = take(RunStore::open(folder.file()));
        for (int i = 0; i < kRuns; ++i)
            take(store.startRun(started()));
    }
    std::vector<std::unique_ptr<Lab>> labs;
    for (int i = 0; i < 4; ++i)
        labs.push_back(std::make_unique<Lab>(folder.file(), QStringList{"close", "boot-1"}));
    for (const auto& lab : labs)
        lab->closeInput();
    std::multiset<std::string> closed;
    for (const auto& lab : labs) {
        QCOMPARE(lab->waitForEnd(), 0);
        closed.insert(lab->lines().begin(), lab->lines().end());
    }
    QCOMPARE(closed.size(), std::size_t{kRuns});
    QCOMPARE(std::set<std::string>(closed.begin(), closed.end()).size(), std::size_t{kRuns});
    QVERIFY(take(take(RunStore::open(folder.file())).check()).ok);
}

void tst_StoreConcurrency::readsWhileAnotherRecords()
{
    const Folder folder;
    Lab lab(folder.file(), {"record"});
    QVERIFY(lab.waitForLines(2));
    const RunStore store = take(RunStore::open(folder.file(), RunStore::Mode::ReadOnly));
    std::size_t seen = 0;
    for (int i = 0; i < 20; ++i) {
        QVERIFY(lab.waitForLines(lab.lines().size() + 1));
        const std::size_t now = take(store.curve({1})).samples.size();
        QVERIFY(now >= seen);
        seen = now;
        QVERIFY(!take(store.run({1})).verdict);
    }
    QVERIFY(seen > 0);
    QCOMPARE(lab.waitForEnd(), 0);
    QCOMPARE(take(store.run({1})).verdict->mode, FailureMode::Ok);
    QCOMPARE(take(store.curve({1})).samples.size(), lab.lines().size() - 2);
}

void tst_StoreConcurrency::severalRecordersOfOneProcess()
{
    const Folder folder;
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::string errors;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            const RunStarted begin = started();
            RunRecorder recorder(folder.file());
            recorder.onEvent(at(0, begin));
            for (std::size_t n = 0; n < 50; ++n)
                recorder.onEvent(at(0, SamplesTaken{samples(100, n * 100)}));
            recorder.onEvent(at(5, RunFinished{finished(begin)}));
            recorder.flush();
            const std::lock_guard lock(mutex);
            if (const auto error = recorder.error())
                errors += error->message + "\n";
        });
    for (std::thread& thread : threads)
        thread.join();
    QVERIFY2(errors.empty(), errors.c_str());
    const RunStore store = take(RunStore::open(folder.file()));
    QCOMPARE(take(store.countRuns({.modes = {FailureMode::Ok}})), std::uint64_t{4});
    for (const RunRow& row : take(store.runs()))
        QVERIFY(take(store.curve(row.run)).samples == samples(5000));
}

QTEST_GUILESS_MAIN(tst_StoreConcurrency)
#include "tst_StoreConcurrency.moc"
