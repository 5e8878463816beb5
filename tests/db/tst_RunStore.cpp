#include "RunBuilder.h"
#include "Take.h"

#include "db/RunStore.h"

#include <QTemporaryDir>
#include <QTest>
#include <nlohmann/json.hpp>

using namespace loadlab;
using namespace loadlab::test;

namespace {

/// A finished run in the store.
RunId add(RunStore& store, const RunStarted& begin, FailureMode mode = FailureMode::Ok, std::size_t count = 100)
{
    const RunId run = take(store.startRun(begin));
    take(store.addSamples(run, samples(count)));
    take(store.finishRun(run, finished(begin, mode)));
    return run;
}

} // namespace

class tst_RunStore : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void givesBackWhatWasRecorded();
    void givesBackSamplesEventsAndLog();
    void showsARunInProgressAsFarAsItIsStored();
    void keepsBytesOfANameThatIsNotUtf8();
    void storesARunWithoutCheckpoint();
    void survivesClosingAndOpening();
    void findsRunsByWord();
    void saysWhatThereIsWhenARunIsNotFound();
    void refusesASecondEndAndAForeignOne();
    void leavesNothingOfACallThatFails();
    void dropsAWholeStretchWhenAPartFails();
    void mayBeMoved();
};

void tst_RunStore::givesBackWhatWasRecorded()
{
    RunStore store = take(RunStore::openInMemory());
    RunStarted begin = started();
    begin.identity.variant.maxMemory = {{"0", 5}, {"cpu", 6}};
    begin.identity.variant.environment = "venv";
    begin.identity.variant.deviceMap = R"({"model":"cpu"})";
    begin.identity.limits.capMemoryBytes = 7;
    begin.identity.limits.capSwapBytes = 0;
    begin.identity.limits.stall = std::chrono::seconds(9);
    begin.identity.parentUuid = makeUuid();
    begin.identity.remedyApplied = "smaller-dtype";
    RunResult expected = finished(begin, FailureMode::IncompleteDownload);
    expected.exitCode.reset();
    expected.exitSignal = 9;
    const RunId run = take(store.startRun(begin));
    take(store.finishRun(run, expected));
    const RunResult result = take(store.run(run));
    expected.run = run;
    QCOMPARE(toJson(result).dump(1), toJson(expected).dump(1));
    QVERIFY(result.identity.variant == begin.identity.variant);
    QCOMPARE(toJson(result.identity.limits).dump(), toJson(begin.identity.limits).dump());
    QCOMPARE(result.duration.count(), expected.duration.count());
    QCOMPARE(result.identity.checkpointParameters, begin.identity.checkpointParameters);
    QCOMPARE(result.identity.checkpointBytes, begin.identity.checkpointBytes);
    QCOMPARE(result.verdict->rule, expected.verdict->rule);
    QCOMPARE(result.verdict->rulesVersion, 3);
}

void tst_RunStore::givesBackSamplesEventsAndLog()
{
    RunStore store = take(RunStore::openInMemory());
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    const std::vector<Sample> all = samples(10'000);
    for (std::size_t from = 0; from < all.size();) { // uneven pieces across small and large chunks
        const std::size_t count = std::min<std::size_t>(all.size() - from, 1 + from % 997);
        take(store.addEvent(run,
            at(1, SamplesTaken{{all.begin() + static_cast<long>(from), all.begin() + static_cast<long>(from + count)}}),
            kOriginNs));
        from += count;
    }
    take(store.addEvent(run, at(0.5, StateChanged{TrialState::Loading}), kOriginNs));
    take(store.addEvent(run, at(0.6, LogText{LogStream::Stderr, "loading\n"}), kOriginNs));
    take(store.addEvent(run, said(0.75, protocol::Warning{"dtype_kept_raw", "F8 kept"}), kOriginNs));
    QVERIFY(take(store.curve(run)).samples == all);
    take(store.finishRun(run, finished(begin)));

    const Curve curve = take(store.curve(run));
    QCOMPARE(curve.originNs, kOriginNs);
    QVERIFY(curve.samples == all);
    const std::vector<StoredEvent> events = take(store.events(run));
    QCOMPARE(events.size(), std::size_t{2});
    QCOMPARE(events[0].kind, "state");
    QCOMPARE(events[1].kind, "warning");
    QCOMPARE(events[1].tS, 0.75);
    QCOMPARE(nlohmann::json::parse(events[1].json).at("code").get<std::string>(), "dtype_kept_raw");
    QCOMPARE(take(store.logLines(run)), std::vector<std::string>{"loading"});
}

void tst_RunStore::showsARunInProgressAsFarAsItIsStored()
{
    RunStore store = take(RunStore::openInMemory());
    const RunId run = take(store.startRun(started()));
    take(store.addEvent(run, said(0.1, protocol::Hello{1, "libtorch", {{"libtorch", "1.13.1"}}, {}}), kOriginNs));
    take(store.addEvent(run, said(0.2, protocol::PhaseEntered{"reading"}), kOriginNs));
    take(store.addEvent(run, said(0.9, protocol::PhaseEntered{"checking"}), kOriginNs));
    take(store.addEvent(run, said(0.8, protocol::Progress{"tensors", 3, 291, 10, 100, "a"}), kOriginNs));
    take(store.addSamples(run, samples(41)));
    const RunResult result = take(store.run(run));
    QVERIFY(!result.verdict);
    QCOMPARE(result.duration.count(), 40 * kTickNs + (40 * 7919) % 20'000);
    QCOMPARE(result.curve.sampleCount, std::uint64_t{41});
    QCOMPARE(result.curve.peakTreeBytes, std::uint64_t{40} << 20);
    QCOMPARE(result.hwmBytes, std::uint64_t{135} << 20);
    QCOMPARE(result.phases.size(), std::size_t{2});
    QCOMPARE(result.phases[0].toS, 0.9);
    QVERIFY(result.phases[1].toS > 1.99);
    QVERIFY(result.phases[0].rateBytesPerS > 20e6);
    QCOMPARE(result.progress->done, std::uint64_t{3});
    QCOMPARE(result.environment.at("libtorch"), "1.13.1");
    QCOMPARE(result.environment.at("kernel"), machine().kernel);
    const std::vector<RunRow> rows = take(store.runs());
    QCOMPARE(rows.size(), std::size_t{1});
    QVERIFY(!rows[0].mode);
    QVERIFY(rows[0].sparkline.empty());
}

void tst_RunStore::keepsBytesOfANameThatIsNotUtf8()
{
    RunStore store = take(RunStore::openInMemory());
    RunStarted begin = started();
    begin.identity.checkpointPath = "/models/\xff\xfe";
    const RunId run = add(store, begin);
    QCOMPARE(take(store.run(run)).identity.checkpointPath, begin.identity.checkpointPath);
    QCOMPARE(take(store.runs())[0].checkpointPath, "/models/\xef\xbf\xbd\xef\xbf\xbd");
}

void tst_RunStore::storesARunWithoutCheckpoint()
{
    RunStore store = take(RunStore::openInMemory());
    RunStarted begin = started();
    begin.identity.checkpointPath.clear();
    begin.identity.checkpointName.clear();
    begin.identity.family.clear();
    begin.identity.fingerprint.clear();
    const RunId run = add(store, begin);
    QVERIFY(toJson(take(store.run(run))).at("checkpoint").is_null());
    QCOMPARE(take(store.runs()).size(), std::size_t{1});
}

void tst_RunStore::survivesClosingAndOpening()
{
    const QTemporaryDir folder;
    const std::filesystem::path file = folder.filePath("deep/er/runs.sqlite").toStdString();
    const RunStarted begin = started();
    RunId run;
    {
        RunStore store = take(RunStore::open(file));
        QVERIFY(store.file() == file);
        run = add(store, begin);
    }
    for (const RunStore::Mode mode : {RunStore::Mode::ReadWrite, RunStore::Mode::ReadOnly}) {
        const RunStore store = take(RunStore::open(file, mode));
        QVERIFY(take(store.run(run)).identity.variant == begin.identity.variant);
        QVERIFY(take(store.curve(run)).samples == samples(100));
        QVERIFY(take(store.check()).ok);
    }
    RunStore reader = take(RunStore::open(file, RunStore::Mode::ReadOnly));
    QCOMPARE(reader.startRun(started()).error().kind, ErrorKind::Io);
}

void tst_RunStore::findsRunsByWord()
{
    RunStore store = take(RunStore::openInMemory());
    const RunId ok = add(store, started("a", "aaaaaaaa-0000-4000-8000-000000000001"));
    const RunId failed = add(store, started("b", "aaaaaaaa-1111-4000-8000-000000000002"), FailureMode::CorruptFile);
    const RunId cancelled = add(store, started("c", "12345678-1111-4000-8000-000000000003"), FailureMode::Cancelled);
    QCOMPARE(take(store.findRun("1")), ok);
    QCOMPARE(take(store.findRun("last")), cancelled);
    QCOMPARE(take(store.findRun("last:failed")), failed);
    QCOMPARE(take(store.findRun("aaaaaaaa-1111-4000-8000-000000000002")), failed);
    QCOMPARE(take(store.findRun("aaaaaaaa-0")), ok);
    QCOMPARE(take(store.findRun("12345678")), cancelled);
    QCOMPARE(store.findRun("aaaaaaaa").error().kind, ErrorKind::Invalid);
    for (const char* word : {"", "4", "-1", "aaaaaaa", "last:", "zzzzzzzz", "99999999999999999999", "1 "})
        QCOMPARE(store.findRun(word).error().kind, ErrorKind::NotFound);
}

void tst_RunStore::saysWhatThereIsWhenARunIsNotFound()
{
    RunStore store = take(RunStore::openInMemory());
    QCOMPARE(store.findRun("last").error().message, "there is no run 'last'; no run is stored yet");
    add(store, started());
    QCOMPARE(store.run({7}).error().message, "there is no run '7'; the only one stored is 1");
    QCOMPARE(store.findRun("last:failed").error().message, "no stored run has failed");
    add(store, started());
    QCOMPARE(store.curve({7}).error().message, "there is no run '7'; 2 are stored, from 1 to 2");
    QCOMPARE(store.events({7}).error().kind, ErrorKind::NotFound);
    QCOMPARE(store.logLines({7}).error().kind, ErrorKind::NotFound);
}

void tst_RunStore::refusesASecondEndAndAForeignOne()
{
    RunStore store = take(RunStore::openInMemory());
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    QCOMPARE(store.startRun(begin).error().kind, ErrorKind::Invalid);
    QCOMPARE(store.finishRun(run, finished(started())).error().kind, ErrorKind::Invalid);
    RunResult open = finished(begin);
    open.verdict.reset();
    QCOMPARE(store.finishRun(run, open).error().kind, ErrorKind::Invalid);
    QCOMPARE(store.finishRun({9}, finished(begin)).error().kind, ErrorKind::NotFound);
    take(store.finishRun(run, finished(begin)));
    QCOMPARE(store.finishRun(run, finished(begin)).error().kind, ErrorKind::Invalid);
    QCOMPARE(take(store.run(run)).verdict->mode, FailureMode::Ok);
}

void tst_RunStore::leavesNothingOfACallThatFails()
{
    RunStore store = take(RunStore::openInMemory());
    QVERIFY(!store.addSamples({5}, samples(3))); // there is no run 5
    QVERIFY(!store.addLog({5}, LogStream::Stderr, 0, "x"));
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    take(store.addSamples(run, samples(10)));
    QVERIFY(!store.finishRun(run, finished(started())));
    take(store.addSamples(run, samples(10, 10))); // goes on where the last commit was
    QVERIFY(take(store.curve(run)).samples == samples(20));
    QVERIFY(take(store.check()).ok);
}

void tst_RunStore::dropsAWholeStretchWhenAPartFails()
{
    RunStore store = take(RunStore::openInMemory());
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    take(store.begin());
    take(store.addSamples(run, samples(10)));
    take(store.addLog(run, LogStream::Stderr, 0, "a\n"));
    QVERIFY(!store.finishRun(run, finished(started())));
    QVERIFY(!store.addSamples(run, samples(10, 10)));
    QVERIFY(!store.commit());
    QVERIFY(take(store.curve(run)).samples.empty());
    take(store.begin());
    take(store.addSamples(run, samples(10)));
    store.rollback();
    QVERIFY(take(store.curve(run)).samples.empty());
    QVERIFY(take(store.logLines(run)).empty());
    QCOMPARE(store.commit().error().kind, ErrorKind::Invalid);
}

void tst_RunStore::mayBeMoved()
{
    RunStore first = take(RunStore::openInMemory());
    const RunStarted begin = started();
    const RunId run = take(first.startRun(begin));
    take(first.begin());
    take(first.addSamples(run, samples(5)));
    RunStore second = std::move(first);
    take(second.commit());
    QCOMPARE(take(second.curve(run)).samples.size(), std::size_t{5});
}

QTEST_APPLESS_MAIN(tst_RunStore)
#include "tst_RunStore.moc"
