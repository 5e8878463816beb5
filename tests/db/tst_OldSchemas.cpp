#include "Folder.h"
#include "RunBuilder.h"
#include "Take.h"

#include "db/RunStore.h"
#include "db/Schema.h"

#include <QTest>
#include <nlohmann/json.hpp>

using namespace loadlab;
using namespace loadlab::test;

namespace {

const std::filesystem::path kData = std::filesystem::path(LOADLAB_SOURCE_DIR) / "tests/data";
const std::string kOk = "10000000-0000-4000-8000-000000000001";
const std::string kBroken = "20000000-0000-4000-8000-000000000002";
const std::string kOpen = "30000000-0000-4000-8000-000000000003";

std::filesystem::path fixture(int schema)
{
    return kData / ("runs-schema-" + std::to_string(schema) + ".sqlite");
}

/// What every fixture holds, whichever LoadLab made it.
void fill(RunStore& store)
{
    const RunStarted ok = started("qwen2.5-0.5b", kOk);
    RunId run = take(store.startRun(ok));
    take(store.addSamples(run, samples(5000)));
    take(store.addLog(run, LogStream::Stderr, 0.1, "Loading shards\n"));
    take(store.addEvent(run, said(0.2, protocol::PhaseEntered{"reading"}), kOriginNs));
    take(store.finishRun(run, finished(ok)));
    const RunStarted broken = started("llama-8b", kBroken);
    run = take(store.startRun(broken));
    take(store.finishRun(run, finished(broken, FailureMode::CorruptFile)));
    run = take(store.startRun(started("qwen3-moe", kOpen)));
    take(store.addSamples(run, samples(300)));
    take(store.addEvent(run, said(0.2, protocol::Progress{"tensors", 5, 9, 1, 2, "x"}), kOriginNs));
}

} // namespace

/// Databases of every released schema open for ever. LOADLAB_WRITE_FIXTURE=1 makes the one of the newest schema, once,
/// when that schema is released; from then on the file is never touched again.
class tst_OldSchemas : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void opens_data();
    void opens();
};

void tst_OldSchemas::initTestCase()
{
    if (qEnvironmentVariableIsSet("LOADLAB_WRITE_FIXTURE")) {
        RunStore store = take(RunStore::openInMemory());
        fill(store);
        take(store.backupTo(fixture(schema::newest())));
    }
}

void tst_OldSchemas::opens_data()
{
    QTest::addColumn<int>("schema");
    for (int number = 1; number <= schema::newest(); ++number)
        QTest::addRow("schema %d", number) << number;
}

void tst_OldSchemas::opens()
{
    QFETCH(int, schema);
    QVERIFY2(std::filesystem::exists(fixture(schema)), fixture(schema).c_str());
    const Folder folder;
    std::filesystem::copy_file(fixture(schema), folder.file());
    RunStore store = take(RunStore::open(folder.file()));
    const DatabaseCheck check = take(store.check());
    QVERIFY2(check.ok, check.findings.empty() ? "" : check.findings.front().c_str());
    QCOMPARE(check.schema, schema::newest());

    const RunId ok = take(store.findRun(kOk));
    RunResult expected = finished(started("qwen2.5-0.5b", kOk));
    expected.run = ok;
    expected.identity.limits.guard.reset(); // As the files were made.
    expected.capKeptBy = "none";
    if (schema == 1) { // Did not know these.
        expected.counters.clear();
        expected.swapCapKeptBy.clear();
        for (Phase& phase : expected.phases)
            phase.rateErrorBytesPerS.reset();
    }
    QCOMPARE(toJson(take(store.run(ok))).dump(1), toJson(expected).dump(1));
    QVERIFY(take(store.curve(ok)).samples == samples(5000));
    QCOMPARE(take(store.logLines(ok)), std::vector<std::string>{"Loading shards"});
    QCOMPARE(take(store.events(ok)).at(0).kind, "phase");
    QCOMPARE(take(store.findRun("last:failed")), take(store.findRun(kBroken)));
    QCOMPARE(take(store.countRuns({.words = "shards"})), std::uint64_t{1});

    const std::vector<RunResult> closed = take(store.closeLostRuns("boot-2"));
    QCOMPARE(closed.size(), std::size_t{1});
    QCOMPARE(closed[0].identity.uuid, kOpen);
    QCOMPARE(closed[0].curve.sampleCount, std::uint64_t{300});
    QCOMPARE(closed[0].progress->done, std::uint64_t{5});

    const RunStarted next = started();
    const RunId run = take(store.startRun(next));
    take(store.addSamples(run, samples(10)));
    take(store.finishRun(run, finished(next)));
    QVERIFY(take(store.check()).ok);
}

QTEST_APPLESS_MAIN(tst_OldSchemas)
#include "tst_OldSchemas.moc"
