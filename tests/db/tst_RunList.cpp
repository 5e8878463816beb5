#include "Folder.h"
#include "RawDatabase.h"
#include "RunBuilder.h"
#include "Take.h"

#include "core/ShellWords.h"
#include "db/RunStore.h"

#include <QTest>
#include <algorithm>

using namespace loadlab;
using namespace loadlab::test;

namespace {

using Ids = std::vector<std::int64_t>;

Ids idsOf(const RunStore& store, const RunFilter& filter)
{
    Ids ids;
    for (const RunRow& row : take(store.runs(filter)))
        ids.push_back(row.run.value);
    return ids;
}

struct Made {
    std::string name;
    FailureMode mode;
    std::string dtype;
    std::string deviceMap;
    std::string backend;
    std::uint64_t peakMiB;
    int seconds;
};

void add(RunStore& store, const Made& made, const std::string& log = "")
{
    RunStarted begin = started(made.name);
    begin.identity.variant.dtype = made.dtype;
    begin.identity.variant.deviceMap = made.deviceMap;
    begin.identity.variant.backend = made.backend;
    begin.startedUtc = std::chrono::system_clock::time_point(std::chrono::hours(24 * made.seconds));
    RunResult result = finished(begin, made.mode);
    result.curve.peakTreeBytes = made.peakMiB << 20;
    result.duration = std::chrono::seconds(made.seconds);
    const RunId run = take(store.startRun(begin));
    take(store.addSamples(run, samples(made.peakMiB + 1)));
    take(store.addLog(run, LogStream::Stderr, 0, log));
    take(store.finishRun(run, result));
}

const std::vector<Made> kRuns{
    {"org/Qwen2.5-0.5B", FailureMode::Ok, "float32", "cpu", "libtorch", 300, 30},
    {"org/llama-8b", FailureMode::CorruptFile, "bfloat16", "auto", "libtorch", 10, 20},
    {"other/qwen3_moe", FailureMode::Cancelled, "bfloat16", "cpu", "command", 200, 40},
    {"100%_real", FailureMode::Hang, "auto", "balanced", "transformers", 20, 10},
};

RunStore makeStore()
{
    RunStore store = take(RunStore::openInMemory());
    for (const Made& made : kRuns)
        add(store, made);
    return store;
}

} // namespace

class tst_RunList : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void fillsTheRow();
    void tellsWatchedPrograms();
    void filters();
    void orders();
    void cutsPages();
    void hidesDeletedRuns();
    void findsWords();
    void findsWordsOfALongLog();
    void findsWordsInProgress();
    void keepsPeaksInTheSmallPicture();
    void theSmallPictureEndsBeforeTheSettling();
};

void tst_RunList::fillsTheRow()
{
    RunStore store = take(RunStore::openInMemory());
    RunStarted begin = started();
    begin.identity.variant.maxMemory = {{"cpu", 5}};
    const RunId run = take(store.startRun(begin));
    take(store.addSamples(run, samples(1000)));
    const RunResult result = finished(begin, FailureMode::CorruptFile);
    take(store.finishRun(run, result));
    const RunRow row = take(store.runs()).at(0);
    QCOMPARE(row.run, run);
    QCOMPARE(row.uuid, begin.identity.uuid);
    QCOMPARE(row.mode, FailureMode::CorruptFile);
    QCOMPARE(row.confidence, 0.95);
    QCOMPARE(row.checkpointName, begin.identity.checkpointName);
    QCOMPARE(row.checkpointPath, begin.identity.checkpointPath);
    QCOMPARE(row.family, "qwen2");
    QVERIFY(row.variant == begin.identity.variant);
    QVERIFY(row.startedUtc == begin.startedUtc);
    QVERIFY(row.duration == result.duration);
    QCOMPARE(row.peakTreeBytes, result.curve.peakTreeBytes);
    QCOMPARE(row.summary, result.verdict->summary);
    QCOMPARE(row.sparkline.size(), std::size_t{64});
    QVERIFY(std::ranges::is_sorted(row.sparkline));
    QCOMPARE(row.sparkline.back(), static_cast<float>(std::uint64_t{999} << 20));
}

void tst_RunList::tellsWatchedPrograms()
{
    const Folder folder;
    const auto file = folder.file();
    RunStore store = take(RunStore::open(file));
    RunStarted begin = started();
    TrialIdentity& identity = begin.identity;
    identity.checkpointPath.clear();
    identity.checkpointName.clear();
    identity.program = {"/opt/venv/bin/python3", "train.py", "two words", "\xff"};
    identity.workingFolder = "/srv/\xfe";
    identity.limits.guard = GuardMargin{std::nullopt, 5};
    const RunId run = take(store.startRun(begin));
    take(store.addEvent(run, at(0, WorkerStarted{4711, 1, shellLine(identity.program)}), kOriginNs));

    const auto asStored = [&] {
        QCOMPARE(take(store.runs()).front().program, std::string(R"(python3 train.py 'two words' $'\xff')"));
        QCOMPARE(take(store.run(run)).identity.program, identity.program);
    };
    asStored();
    QCOMPARE(take(store.run(run)).identity.workingFolder, identity.workingFolder);
    QCOMPARE(take(store.run(run)).identity.limits.guard, identity.limits.guard);
    QCOMPARE(idsOf(store, RunFilter{.words = "train"}).size(), std::size_t{1});
    // As earlier builds wrote it.
    RawDatabase(file).execute(
        "UPDATE run_details SET settings = json_remove(settings, '$.program', '$.working_folder')");
    asStored();
    take(store.startRun(started("model")));
    QVERIFY(take(store.runs()).front().program.empty());
}

void tst_RunList::filters()
{
    const RunStore store = makeStore();
    const auto check = [&store](const RunFilter& filter, const Ids& expected) {
        QCOMPARE(idsOf(store, filter), expected);
        QCOMPARE(take(store.countRuns(filter)), static_cast<std::uint64_t>(expected.size()));
    };
    check({}, {4, 3, 2, 1});
    check({.modes = {FailureMode::Ok}}, {1});
    check({.modes = {FailureMode::Ok, FailureMode::Hang}}, {4, 1});
    check({.modes = {FailureMode::DiskIo}}, {});
    check({.onlyFailed = true}, {4, 2});
    check({.model = "qwen"}, {3, 1});
    check({.model = "QWEN2.5"}, {1});
    check({.model = "%"}, {4});
    check({.model = "_"}, {4, 3});
    check({.model = "\\"}, {});
    check({.dtype = "bfloat16"}, {3, 2});
    check({.deviceMap = "cpu"}, {3, 1});
    check({.backend = "libtorch"}, {2, 1});
    check({.since = std::chrono::system_clock::time_point(std::chrono::hours(24 * 30))}, {3, 1});
    check({.onlyFailed = true, .dtype = "auto", .backend = "transformers"}, {4});
    check({.model = "'; DROP TABLE runs; --"}, {});
}

void tst_RunList::orders()
{
    const RunStore store = makeStore();
    QCOMPARE(idsOf(store, {.order = RunOrder::Newest}), (Ids{4, 3, 2, 1}));
    QCOMPARE(idsOf(store, {.order = RunOrder::Oldest}), (Ids{1, 2, 3, 4}));
    QCOMPARE(idsOf(store, {.order = RunOrder::Model}), (Ids{4, 2, 1, 3}));
    QCOMPARE(idsOf(store, {.order = RunOrder::Mode}), (Ids{3, 2, 4, 1}));
    QCOMPARE(idsOf(store, {.order = RunOrder::Dtype}), (Ids{4, 3, 2, 1}));
    QCOMPARE(idsOf(store, {.order = RunOrder::DeviceMap}), (Ids{2, 4, 3, 1}));
    QCOMPARE(idsOf(store, {.order = RunOrder::Backend}), (Ids{3, 2, 1, 4}));
    QCOMPARE(idsOf(store, {.order = RunOrder::PeakUp}), (Ids{2, 4, 3, 1}));
    QCOMPARE(idsOf(store, {.order = RunOrder::PeakDown}), (Ids{1, 3, 4, 2}));
    QCOMPARE(idsOf(store, {.order = RunOrder::DurationUp}), (Ids{4, 2, 1, 3}));
    QCOMPARE(idsOf(store, {.order = RunOrder::DurationDown}), (Ids{3, 1, 2, 4}));
}

void tst_RunList::cutsPages()
{
    const RunStore store = makeStore();
    QCOMPARE(idsOf(store, {.limit = 2}), (Ids{4, 3}));
    QCOMPARE(idsOf(store, {.limit = 2, .offset = 1}), (Ids{3, 2}));
    QCOMPARE(idsOf(store, {.offset = 3}), (Ids{1}));
    QCOMPARE(idsOf(store, {.limit = 5, .offset = 9}), (Ids{}));
    QCOMPARE(take(store.countRuns({.limit = 2, .offset = 1})), std::uint64_t{4});
}

void tst_RunList::hidesDeletedRuns()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    for (const Made& made : kRuns)
        add(store, made);
    RawDatabase(folder.file()).execute("UPDATE runs SET deleted_utc_ms = 1 WHERE id IN (2, 4)");
    QCOMPARE(idsOf(store, {}), (Ids{3, 1}));
    QCOMPARE(take(store.countRuns()), std::uint64_t{2});
    QCOMPARE(take(store.findRun("last")).value, 3);
    QCOMPARE(store.findRun("last:failed").error().kind, ErrorKind::NotFound);
    QCOMPARE(store.findRun("4").error().kind, ErrorKind::NotFound);
    QCOMPARE(store.run({4}).error().kind, ErrorKind::NotFound);
    QCOMPARE(store.curve({4}).error().kind, ErrorKind::NotFound);
    QCOMPARE(store.logLines({4}).error().kind, ErrorKind::NotFound);
    QCOMPARE(idsOf(store, {.words = "real"}), (Ids{}));
}

void tst_RunList::findsWords()
{
    RunStore store = take(RunStore::openInMemory());
    add(store, kRuns[0], "Loading checkpoint shards\n");
    add(store, kRuns[1],
        "\x1b[31mSafetensorError\x1b[0m: header too large\nmodel-00001-of-00002.safetensors\n\xff\xfe\n");
    add(store, kRuns[3],
        "Gr\xc3\xb6\xc3\x9f"
        "e \r 10%|\xe2\x96\x88 | 3/291\r 20%\n");
    const auto found = [&store](const char* words) { return idsOf(store, {.words = words}); };
    QCOMPARE(found("safetensorerror"), (Ids{2})); // without the colour
    QCOMPARE(found("SAFETENSORE"), (Ids{2})); // beginnings of words
    QCOMPARE(found("shards safetensorerror"), (Ids{})); // every word
    QCOMPARE(found("too header"), (Ids{2}));
    QCOMPARE(found("model-00001-of-00002.safetensors"), (Ids{2}));
    QCOMPARE(found("gro\xc3\x9f"), (Ids{3})); // accents do not count
    QCOMPARE(found("291"), (Ids{3}));
    QCOMPARE(found("qwen2.5"), (Ids{1})); // name
    QCOMPARE(found("/models/org"), (Ids{2, 1})); // path
    QCOMPARE(found("cut short"), (Ids{3, 2})); // verdict
    QCOMPARE(found("corrupt_file loading"), (Ids{})); // wire name, but of another run
    QCOMPARE(found("corrupt_file header"), (Ids{2}));
    QCOMPARE(found("\"quotes\" AND (NEAR* OR"), (Ids{})); // no query language
    QCOMPARE(found("colour:red"), (Ids{}));
    QCOMPARE(found("  --- "), (Ids{3, 2, 1})); // no word at all
    QCOMPARE(idsOf(store, {.onlyFailed = true, .words = "models", .limit = 1}), (Ids{3}));
    QCOMPARE(take(store.countRuns({.words = "models"})), std::uint64_t{3});
}

void tst_RunList::findsWordsOfALongLog()
{
    RunStore store = take(RunStore::openInMemory());
    std::string log;
    for (int i = 0; i < 40'000; ++i)
        log += "entry word" + std::to_string(i) + "\n";
    add(store, kRuns[0], log);
    for (const char* word : {"word0", "word20000", "word39999"})
        QCOMPARE(idsOf(store, {.words = word}), (Ids{1}));
    QCOMPARE(idsOf(store, {.words = "word40000"}), (Ids{}));
}

void tst_RunList::findsWordsInProgress()
{
    RunStore store = take(RunStore::openInMemory());
    take(store.startRun(started("org/running")));
    QCOMPARE(idsOf(store, {.words = "running"}), (Ids{1}));
}

void tst_RunList::keepsPeaksInTheSmallPicture()
{
    RunStore store = take(RunStore::openInMemory());
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    std::vector<Sample> curve = samples(10'000);
    for (Sample& sample : curve)
        sample[Column::TreeBytes] = 1000;
    curve[6543][Column::TreeBytes] = 77'777; // one sample wide
    curve[0][Column::TreeBytes] = kAbsent;
    take(store.addSamples(run, curve));
    take(store.finishRun(run, finished(begin)));
    const std::vector<float> line = take(store.runs()).at(0).sparkline;
    QCOMPARE(*std::ranges::max_element(line), 77'777.0F);
    QCOMPARE(std::ranges::count(line, 1000.0F), 63);
}

void tst_RunList::theSmallPictureEndsBeforeTheSettling()
{
    RunStore store = take(RunStore::openInMemory());
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    std::vector<Sample> curve = samples(1000);
    for (std::size_t i = 970; i < curve.size(); ++i)
        curve[i][Column::TreeBytes] = i < 985 ? 56 << 20 : 0; // unloaded, then gone
    take(store.addSamples(run, curve));
    take(store.finishRun(run, finished(begin)));
    const std::vector<float> line = take(store.runs()).at(0).sparkline;
    QCOMPARE(line.size(), std::size_t{64});
    QVERIFY(std::ranges::is_sorted(line));
    QCOMPARE(line.back(), static_cast<float>(std::uint64_t{969} << 20));
}

QTEST_APPLESS_MAIN(tst_RunList)
#include "tst_RunList.moc"
