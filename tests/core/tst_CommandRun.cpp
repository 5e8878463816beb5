#include "core/Digest.h"
#include "tests/Sanitized.h"
#include "tests/core/CommandBench.h"

#include <QRegularExpression>
#include <QtTest>
#include <csignal>
#include <fstream>
#include <sys/resource.h>

using namespace loadlab;
using namespace loadlab::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// Any program, watched to its end: its exit, its outputs, what it held and what it left.
class tst_CommandRun : public QObject, private CommandBench {
    Q_OBJECT
private Q_SLOTS:
    void aProgramIsWatchedToItsEnd();
    void exitIsTheProgramsOwn_data();
    void exitIsTheProgramsOwn();
    void itGetsNothingOfTheLabs();
    void theKernelShouldPreferIt();
    void closingItsOutputDoesNotEndTheRun();
    void bothItsOutputsAreLog();
    void aProgramThatIsNotThere();
    void aStopBeginsWithSigterm();
    void aStallSaysHowItEnded_data();
    void aStallSaysHowItEnded();
    void anyLogIsTakenInBoundedMemory_data();
    void anyLogIsTakenInBoundedMemory();
    void aShortProcessThatNoSampleSawIsInTheHighWaterMark_data();
    void aShortProcessThatNoSampleSawIsInTheHighWaterMark();
    void aSmallProcessHasAHighWaterMarkOfAtLeastWhatASampleSaw();
    void refusedMemoryIsNoKill();
    void aSigkillFromElsewhereIsNamed();
    void sharedMemoryCountsOnce_data();
    void sharedMemoryCountsOnce();
    void whatStaysInSharedMemoryIsTold();
    void pageCacheOfTheRunIsTold();
    void itsGroupsUsageAndCacheAreColumns();
    void aStartOverUnreturnedMemoryIsDirty();
    void theQueueRemembersItsLastCleanStart();
};

void tst_CommandRun::aProgramIsWatchedToItsEnd()
{
    Watched watched;
    const RunResult result = run(watched, "exec " + kHog + " 96 20");
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    QVERIFY2(result.hwmBytes >= 96 * kMiB, allWords(result).c_str());
    QVERIFY2(result.curve.peakTreeBytes >= 64 * kMiB, allWords(result).c_str());
    QVERIFY(!result.phases.empty()); // "running", or what its curve shows.
    QVERIFY(result.phases.back().toS >= result.phases.front().fromS);
    QVERIFY(result.commandLine.find("memory_hog 96") != std::string::npos);
    const nlohmann::json json = toJson(result);
    QVERIFY(json.at("checkpoint").is_null());
    QCOMPARE(json.at("cap").at("kept_by"), "none");
    QCOMPARE(json.at("containment"), std::string(toWireName(m_containment.kind())));
    QCOMPARE(result.counters.size(), kColumnCount);
    const RunCounter& anon = result.counters.front();
    QVERIFY2(anon.problem.empty() && anon.rateHz.value_or(0) > 1 && *anon.rateHz <= 20, allWords(result).c_str());
    const RunCounter& group = result.counters.at(static_cast<std::size_t>(Column::CgroupUsageBytes));
    QCOMPARE(group.problem.empty(), m_containment.kind() != GroupKind::None);
    const Result<RunResult> back = resultFromJson(json);
    QVERIFY2(back, "the JSON form can be read");
    QCOMPARE(toJson(*back).dump(), json.dump());
}

void tst_CommandRun::exitIsTheProgramsOwn_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<int>("code");
    QTest::addColumn<int>("signal");
    QTest::addColumn<QByteArray>("mode");
    QTest::newRow("0") << QByteArray("exit 0") << 0 << 0 << QByteArray("ok");
    QTest::newRow("7") << QByteArray("exit 7") << 7 << 0 << QByteArray("unknown");
    QTest::newRow("137 is no signal") << QByteArray("exit 137") << 137 << 0 << QByteArray("unknown");
    QTest::newRow("SIGSEGV") << QByteArray("kill -SEGV $$") << 0 << SIGSEGV << QByteArray("native_crash");
    QTest::newRow("SIGKILL of its own") << QByteArray("kill -KILL $$") << 0 << SIGKILL << QByteArray("unknown");
}

void tst_CommandRun::exitIsTheProgramsOwn()
{
    QFETCH(QByteArray, line);
    QFETCH(int, code);
    QFETCH(int, signal);
    QFETCH(QByteArray, mode);
    Watched watched;
    const RunResult result = run(watched, line.toStdString());
    QVERIFY2(modeOf(result) == mode.toStdString(), allWords(result).c_str());
    QCOMPARE(result.exitCode, signal ? std::nullopt : std::optional(code));
    QCOMPARE(result.exitSignal, signal ? std::optional(signal) : std::nullopt);
    QCOMPARE(exitCodeOf(result), mode == "ok" ? 0 : 1);
}

void tst_CommandRun::itGetsNothingOfTheLabs()
{
    Watched watched;
    (void)run(watched, "readlink /proc/self/fd/0; cat; exec ls /proc/self/fd");
    // 3 is the folder that ls itself reads.
    QCOMPARE(watched.log(LogStream::Stdout), std::string("/dev/null\n0\n1\n2\n3\n"));
}

void tst_CommandRun::theKernelShouldPreferIt()
{
    int own = 0;
    std::ifstream("/proc/self/oom_score_adj") >> own;
    Watched watched;
    (void)run(watched, "cat /proc/self/oom_score_adj");
    QVERIFY2(std::stoi(watched.log(LogStream::Stdout)) > own, watched.log(LogStream::Stdout).c_str());
}

void tst_CommandRun::closingItsOutputDoesNotEndTheRun()
{
    Watched watched;
    Limits limits;
    limits.sampleHz = 100;
    const RunResult result = run(watched, "exec >&- 2>&-; sleep 0.8; exit 5", limits);
    QCOMPARE(result.exitCode, std::optional(5));
    QVERIFY(result.duration >= 800ms);
    QCOMPARE(watched.acts(), std::string());
}

void tst_CommandRun::bothItsOutputsAreLog()
{
    Watched watched;
    const RunResult result
        = run(watched, "echo '{\"event\": \"bye\"}'; echo MemoryError >&2; printf 'a\\0b\\377'; exit 1");
    QCOMPARE(watched.log(LogStream::Stdout), std::string("{\"event\": \"bye\"}\na\0b\377", 21));
    QCOMPARE(watched.log(LogStream::Stderr), std::string("MemoryError\n"));
    QCOMPARE(result.exitCode, std::optional(1));
    QVERIFY2(modeOf(result) == "host_alloc_failed", allWords(result).c_str());
}

void tst_CommandRun::aProgramThatIsNotThere()
{
    Watched watched;
    const TrialSpec what = commandSpec({"no-such-program-anywhere", "--flag"});
    watched.start(what, surroundings());
    const RunResult result = watched.runner->wait();
    QVERIFY2(modeOf(result) == "missing_dependency", allWords(result).c_str());
    QVERIFY2(result.verdict->summary.find("'no-such-program-anywhere'") != std::string::npos, allWords(result).c_str());
    QVERIFY2(result.verdict->summary.find("is there") == std::string::npos, allWords(result).c_str());
    QCOMPARE(result.verdict->remedies.size(), std::size_t{1}); // No package of a backend holds it.
    QVERIFY2(result.verdict->remedies.front().text.find("PATH") != std::string::npos, allWords(result).c_str());
    QVERIFY(!result.exitCode && !result.exitSignal);
    QVERIFY(!groupLeft(watched.runner->uuid()));
}

void tst_CommandRun::aStopBeginsWithSigterm()
{
    Watched watched;
    start(watched, "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done");
    QTRY_COMPARE(watched.log(LogStream::Stdout), std::string("ready\n"));
    watched.runner->cancel();
    const RunResult result = watched.runner->wait();
    QCOMPARE(modeOf(result), std::string("cancelled"));
    QCOMPARE(result.exitCode, std::optional(3));

    Watched stubborn;
    start(stubborn, "trap '' TERM; echo ready; while :; do sleep 0.05; done");
    QTRY_COMPARE(stubborn.log(LogStream::Stdout), std::string("ready\n"));
    stubborn.runner->cancel();
    QCOMPARE(stubborn.runner->wait().exitSignal, std::optional(SIGKILL));
}

void tst_CommandRun::aStallSaysHowItEnded_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("end");
    QTest::newRow("by SIGTERM") << QByteArray("exec sleep 1000")
                                << QByteArray(R"(ended by SIGTERM after \d\.\d+ s\.$)");
    QTest::newRow("in its own way") << QByteArray("trap 'exit 3' TERM; sleep 1000 & wait")
                                    << QByteArray(R"(ended on SIGTERM after \d\.\d+ s, with exit code 3\.$)");
    QTest::newRow("by SIGKILL") << QByteArray("trap '' TERM; exec sleep 1000")
                                << QByteArray(R"(did not end on SIGTERM, killed after \d\.\d+ s\.$)");
}

void tst_CommandRun::aStallSaysHowItEnded()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, end);
    Limits limits;
    limits.stall = 1s;
    Watched watched;
    const RunResult result = run(watched, line.toStdString(), limits);
    QVERIFY2(modeOf(result) == "hang", allWords(result).c_str());
    QVERIFY2(QString::fromStdString(result.verdict->summary).contains(QRegularExpression(QString::fromLatin1(end))),
        result.verdict->summary.c_str());
}

void tst_CommandRun::anyLogIsTakenInBoundedMemory_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<qulonglong>("bytes");
    QTest::newRow("200 MB") << QByteArray("yes 'Loading checkpoint shards' | head -c 200000000") << 200'000'000ULL;
    QTest::newRow("a line of 50 MB of NULs") << QByteArray("head -c 50000000 /dev/zero >&2") << 50'000'000ULL;
    QTest::newRow("broken UTF-8") << QByteArray("head -c 20000000 /dev/zero | tr '\\0' '\\377'") << 20'000'000ULL;
}

void tst_CommandRun::anyLogIsTakenInBoundedMemory()
{
    QFETCH(QByteArray, line);
    QFETCH(qulonglong, bytes);
    const auto peak = [] {
        rusage use{};
        ::getrusage(RUSAGE_SELF, &use);
        return static_cast<std::uint64_t>(use.ru_maxrss) << 10;
    };
    const std::uint64_t before = peak();
    Watched watched;
    watched.keepsLog = false;
    const RunResult result = run(watched, line.toStdString());
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    QCOMPARE(watched.logBytes, bytes);
    QVERIFY2(test::kSanitized || peak() - before < 24 * kMiB, std::to_string(peak() - before).c_str());
    const std::string json = toJson(result).dump(); // Throws where anything in it is no UTF-8.
    QVERIFY(json.size() < 100'000);
}

void tst_CommandRun::aShortProcessThatNoSampleSawIsInTheHighWaterMark_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("the worker") << QByteArray("exec HOG");
    QTest::newRow("its grandchild") << QByteArray("sh -c 'HOG; true'; true");
    // Its parent ends at once: the lab adopts and reaps it.
    QTest::newRow("an orphan") << QByteArray("(HOG >pipe &) ; cat pipe");
}

/// One sample a second: the process takes 200 MiB and ends before the second one. What it held is then not provable,
/// its high-water mark is, and what it cannot have held. More than this program had itself, which the kernel counts
/// into the mark of what it starts.
void tst_CommandRun::aShortProcessThatNoSampleSawIsInTheHighWaterMark()
{
    QFETCH(QByteArray, line);
    Limits limits;
    limits.sampleHz = 1;
    Watched watched;
    rusage own{};
    ::getrusage(RUSAGE_SELF, &own);
    const std::uint64_t mib = std::max<std::uint64_t>(200, static_cast<std::uint64_t>(own.ru_maxrss) / 1024 + 64);
    line.replace("HOG", QByteArray::fromStdString(kHog + " " + std::to_string(mib)));
    const std::string folder = m_folder.path().toStdString();
    const RunResult result = run(watched, "cd " + folder + "; rm -f pipe; mkfifo pipe; " + line.toStdString(), limits);
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    QVERIFY2(result.hwmBytes >= mib * kMiB && (test::kSanitized || result.hwmBytes < (mib + 16) * kMiB),
        allWords(result).c_str());
    QVERIFY2(result.curve.peakTreeBytes <= result.hwmBytes, allWords(result).c_str());
    if (m_containment.kind() == GroupKind::None)
        return;
    const auto atMost = peakTreeAtMostBytes(result);
    QVERIFY2(atMost >= mib * kMiB && (test::kSanitized || atMost < (mib + 32) * kMiB), allWords(result).c_str());
    QCOMPARE(toJson(result)["memory"]["peak_tree_at_most_bytes"].get<std::uint64_t>(), *atMost);
}

/// Smaller than the lab, so that what wait4 tells is the lab's own; shorter than the time between two full samples.
void tst_CommandRun::aSmallProcessHasAHighWaterMarkOfAtLeastWhatASampleSaw()
{
    Limits limits;
    limits.sampleHz = 1000;
    Watched watched;
    const RunResult result = run(watched, "exec " + kHog + " 8 0 20", limits);
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    QVERIFY2(result.hwmBytes >= result.curve.peakTreeBytes, allWords(result).c_str());
    QVERIFY(toJson(result)["memory"]["hwm_at_least"].get<bool>() || result.hwmBytes >= 8 * kMiB);
}

void tst_CommandRun::refusedMemoryIsNoKill()
{
    Watched watched;
    const RunResult result = run(watched, "ulimit -v 100000; exec " + kHog + " 300");
    QVERIFY2(modeOf(result) == "host_alloc_failed", allWords(result).c_str());
    QVERIFY2(factOf(result, "cgroup.oom_kill").empty(), allWords(result).c_str());
}

void tst_CommandRun::aSigkillFromElsewhereIsNamed()
{
    Watched watched;
    start(watched, "echo ready; exec " + kHog + " 64 0 1000");
    QTRY_VERIFY(watched.log(LogStream::Stdout).starts_with("ready"));
    ::kill(watched.worker(), SIGKILL);
    const RunResult result = watched.runner->wait();
    QVERIFY2(modeOf(result) == "unknown", allWords(result).c_str());
    QVERIFY2(
        result.verdict->summary.find("Killed from outside by SIGKILL") != std::string::npos, allWords(result).c_str());
    QCOMPARE(result.exitSignal, std::optional(SIGKILL));
    QCOMPARE(watched.acts(), std::string());
    if (m_containment.kind() != GroupKind::None)
        QVERIFY2(
            factOf(result, "cgroup.oom_kill").find("not the kernel") != std::string::npos, allWords(result).c_str());
}

void tst_CommandRun::sharedMemoryCountsOnce_data()
{
    QTest::addColumn<bool>("contained");
    QTest::newRow("by the cgroup") << true;
    QTest::newRow("by PSS, and the watchdog lets it be") << false;
}

void tst_CommandRun::sharedMemoryCountsOnce()
{
    QFETCH(bool, contained);
    if (contained && m_containment.kind() == GroupKind::None)
        QSKIP("no containment here");
    Watched watched;
    Limits limits;
    limits.capMemoryBytes = 150 * kMiB;
    const RunResult result = run(watched, "exec " + kSharer + " 96 4 500", limits, contained);
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    const std::uint64_t peak = result.curve.peakTreeBytes;
    QVERIFY2(peak >= 96 * kMiB && peak < 100 * kMiB, std::to_string(peak).c_str());
    QVERIFY(result.curve.peakRssBytes > 300 * kMiB); // The plain sum.
    if (contained)
        QVERIFY(peakTreeAtMostBytes(result).value_or(0) >= peak);
}

void tst_CommandRun::whatStaysInSharedMemoryIsTold()
{
    NEEDS_GROUPS();
    const std::string name = "loadlab-test-" + makeUuid();
    Watched watched;
    const RunResult result = run(watched, "head -c 30000000 /dev/zero > /dev/shm/" + name);
    fs::remove("/dev/shm/" + name);
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    QVERIFY2(result.traces.shmBytes.value_or(0) >= 29'000'000, allWords(result).c_str());
    const auto found = std::ranges::find(result.traces.shmFiles, name, &HostTraces::File::name);
    QVERIFY2(found != result.traces.shmFiles.end() && found->bytes >= 29'000'000, allWords(result).c_str());
    QVERIFY2(factOf(result, "lab").find("stay behind") != std::string::npos, allWords(result).c_str());
}

void tst_CommandRun::pageCacheOfTheRunIsTold()
{
    NEEDS_GROUPS();
    Watched watched;
    const std::string file = m_folder.path().toStdString() + "/bytes";
    const RunResult result = run(watched, "head -c 40000000 /dev/zero > " + file + "; sync " + file);
    fs::remove(file);
    QVERIFY(result.traces.cacheIsOwn);
    QVERIFY2(result.traces.cacheBytes.value_or(0) >= 39'000'000, allWords(result).c_str());
    QVERIFY2(result.traces.cacheBytes.value_or(0) < 80'000'000, allWords(result).c_str());
    QVERIFY(result.traces.before && result.traces.after);
}

void tst_CommandRun::itsGroupsUsageAndCacheAreColumns()
{
    NEEDS_GROUPS();
    Watched watched;
    const std::string file = m_folder.path().toStdString() + "/cached";
    Limits limits;
    limits.sampleHz = 500;
    const RunResult result
        = run(watched, "head -c 40000000 /dev/zero > " + file + "; exec " + kHog + " 64 0 1", limits);
    fs::remove(file);
    const std::vector<Sample> samples = watched.samples();
    Sample highest;
    std::int64_t with = 0;
    for (const Sample& sample : samples) {
        with += sample.has(Column::CgroupUsageBytes) ? 1 : 0;
        for (const Column column : {Column::CgroupUsageBytes, Column::CgroupFileBytes})
            highest[column] = std::max(highest[column], sample[column]);
    }
    QVERIFY2(highest[Column::CgroupUsageBytes] >= std::int64_t{64 * kMiB} + 39'000'000, allWords(result).c_str());
    QVERIFY2(highest[Column::CgroupFileBytes] >= 39'000'000, allWords(result).c_str());
    QVERIFY(highest[Column::CgroupFileBytes] < 80'000'000);
    QVERIFY(with > 0 && with * 5 < std::ssize(samples)); // 20 of 500 a second.
    QVERIFY(!samples.front().has(Column::CgroupUsageBytes)); // The baseline: nothing is in it yet.
}

void tst_CommandRun::aStartOverUnreturnedMemoryIsDirty()
{
    Watched watched;
    TrialSurroundings around = surroundings();
    const std::uint64_t now = readSystemMemory().availableBytes;
    around.before = QueueMemory{now + 8192 * kMiB, 1024 * kMiB};
    watched.start(commandSpec({"/bin/true"}), around);
    const RunResult dirty = watched.runner->wait();
    QVERIFY2(dirty.traces.dirtyStartBytes.value_or(0) > 4096 * kMiB, allWords(dirty).c_str());
    QVERIFY2(factOf(dirty, "lab").starts_with("dirty start"), allWords(dirty).c_str());
    Watched first;
    QVERIFY(!run(first, "exit 0").traces.dirtyStartBytes);
}

void tst_CommandRun::theQueueRemembersItsLastCleanStart()
{
    RunResult clean;
    clean.traces.before = SystemMemory{};
    clean.traces.before->availableBytes = 10'000 * kMiB;
    clean.curve.peakTreeBytes = 4000 * kMiB;
    const auto after = QueueMemory::after(clean, std::nullopt);
    QCOMPARE(after->missing(10'000 * kMiB), std::uint64_t{0});
    QCOMPARE(after->missing(9700 * kMiB), std::uint64_t{0}); // Within a tenth of the peak.
    QCOMPARE(after->missing(9000 * kMiB), 1000 * kMiB);
    QCOMPARE(after->missing(11'000 * kMiB), std::uint64_t{0});
    RunResult dirty = clean;
    dirty.traces.before->availableBytes = 9000 * kMiB;
    dirty.traces.dirtyStartBytes = 1000 * kMiB;
    // A dirty start is no measure for the next one.
    QCOMPARE(QueueMemory::after(dirty, after)->missing(9000 * kMiB), 1000 * kMiB);
    QVERIFY(!QueueMemory::after(RunResult{}, std::nullopt)); // Nothing known of it.
}

QTEST_GUILESS_MAIN(tst_CommandRun)
#include "tst_CommandRun.moc"
