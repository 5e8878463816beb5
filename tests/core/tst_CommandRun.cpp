#include "core/Digest.h"
#include "core/containment/KernelLog.h"
#include "core/worker/Leftovers.h"
#include "tests/Sanitized.h"
#include "tests/core/WatchedRun.h"

#include <QRegularExpression>
#include <QTemporaryDir>
#include <QtTest>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sys/resource.h>

using namespace loadlab;
using namespace loadlab::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

class tst_CommandRun : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
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
    void overTheCapTheKernelsWordIsProof();
    void aChildThatWasKilledIsProofThoughTheParentLives_data();
    void aChildThatWasKilledIsProofThoughTheParentLives();
    void exitZeroIsOkWithTheKillInTheEvidence();
    void grandchildrenThatHoldTheMemory();
    void aShortProcessThatNoSampleSawIsInTheHighWaterMark_data();
    void aShortProcessThatNoSampleSawIsInTheHighWaterMark();
    void aDaemonOutOfReachIsStillInTheGroup();
    void refusedMemoryIsNoKill();
    void aSigkillFromElsewhereIsNamed();
    void aSigkillWhileTheKernelKillsSomebodyElse_data();
    void aSigkillWhileTheKernelKillsSomebodyElse();
    void withoutAGroupTheKernelsLogNamesTheVictim();
    void whoLeftTheGroupAndWasKilledIsProof_data();
    void whoLeftTheGroupAndWasKilledIsProof();
    void aSigkillToWhoLeftTheGroupIsNotJudgedByItsCounter();
    void aCapThatAProcessLeftIsNotSaidToHold();
    void whoLeftIsToldApartFromWhoWasBornOutside_data();
    void whoLeftIsToldApartFromWhoWasBornOutside();
    void theLimitThatWasMetIsNamed();
    void aParentThatEndsItselfIsNotTheVictim();
    void withoutAGroupTheWatchdogKeepsTheCap();
    void sharedMemoryCountsOnce_data();
    void sharedMemoryCountsOnce();
    void theGuardKnowsTheWatchdogsCap();
    void theGuardStopsItBeforeTheKernelDoes();
    void theGuardFollowsAProcessToItsGroup();
    void theGuardActsInTimeOnWhatIsFast();
    void theGuardLeavesAloneWhatLevelsOff();
    void theGuardCanBeArmedWhileItRuns();
    void aGuardArmedLateLooksAsOftenAsOneFromTheStart();
    void aKillOfTheKernelIsToldWhileTheRunGoesOn();
    void theGroupIsGoneAfterEveryEnd_data();
    void theGroupIsGoneAfterEveryEnd();
    void aGroupThatRefusesTheWorkerIsGivenUp();
    void whatStaysInSharedMemoryIsTold();
    void pageCacheOfTheRunIsTold();
    void itsGroupsUsageAndCacheAreColumns();
    void aStartOverUnreturnedMemoryIsDirty();
    void theQueueRemembersItsLastCleanStart();
    void swapIsCappedApart();

private:
    [[nodiscard]] TrialSurroundings surroundings(bool contained = true) const
    {
        return commandSurroundings(m_rules, contained ? &m_containment : nullptr);
    }
    void start(Watched& watched, const std::string& line, const Limits& limits = {}, bool contained = true);
    RunResult run(Watched& watched, const std::string& line, const Limits& limits = {}, bool contained = true);
    [[nodiscard]] bool groupLeft(const std::string& uuid) const;

    Containment m_containment = Containment::none({});
    Rules m_rules;
    QTemporaryDir m_folder;
};

#define NEEDS_GROUPS()                                                                                                 \
    if (m_containment.kind() == GroupKind::None)                                                                       \
    QSKIP(("no containment here: " + m_containment.detail()).c_str())

void tst_CommandRun::initTestCase()
{
    becomeSubreaper();
    m_containment = Containment::probe();
    m_rules = Rules::load(fs::path(LOADLAB_SOURCE_DIR) / "resources/rules");
}

void tst_CommandRun::start(Watched& watched, const std::string& line, const Limits& limits, bool contained)
{
    watched.start(line, limits, surroundings(contained));
}

RunResult tst_CommandRun::run(Watched& watched, const std::string& line, const Limits& limits, bool contained)
{
    start(watched, line, limits, contained);
    return watched.runner->wait();
}

bool tst_CommandRun::groupLeft(const std::string& uuid) const
{
    for (const auto& place : {findMemoryHierarchyV1({}), findHierarchyV2({})})
        if (place)
            for (const auto& entry : fs::directory_iterator(place->ownGroup))
                if (entry.path().filename().string().find(uuid) != std::string::npos)
                    return true;
    return false;
}

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
    watched.runner = std::make_unique<TrialRunner>(
        what, surroundings(), [&watched](const RunEvent& event) { watched.note(event); });
    watched.runner->start();
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

void tst_CommandRun::overTheCapTheKernelsWordIsProof()
{
    NEEDS_GROUPS();
    Watched watched;
    Limits limits;
    limits.capMemoryBytes = 100 * kMiB;
    limits.capSwapBytes = 0;
    const RunResult result = run(watched, "exec " + kHog + " 300", limits);
    QVERIFY2(modeOf(result) == "host_oom_killed", allWords(result).c_str());
    QVERIFY(result.verdict->confidence >= 0.95);
    QVERIFY2(factOf(result, "cgroup.oom_kill").starts_with("0 -> 1"), allWords(result).c_str());
    QCOMPARE(result.verdict->evidence.front().source, std::string("cgroup.oom_kill"));
    QCOMPARE(result.exitSignal, std::optional(SIGKILL));
    QCOMPARE(exitCodeOf(result), 1);
    QCOMPARE(result.capKeptBy, std::string("cgroup"));
    QCOMPARE(result.swapCapKeptBy, std::string("cgroup"));
    QVERIFY(!result.verdict->remedies.empty());
    QVERIFY2(result.traces.groupHighestBytes.value_or(1) <= 100 * kMiB, allWords(result).c_str());
    QVERIFY2(result.traces.groupLimitHits.value_or(1) > 0, allWords(result).c_str());
    if (KernelLog().isReadable())
        QVERIFY2(factOf(result, "kernel.log").find("(memory_hog)") != std::string::npos, allWords(result).c_str());
    QVERIFY2(
        factOf(result, "curve").find("; its cap of memory: 100 MiB") != std::string::npos, allWords(result).c_str());
    for (const Evidence& evidence : result.verdict->evidence)
        QVERIFY2(evidence.supports != "unknown", evidence.fact.c_str());
}

void tst_CommandRun::aChildThatWasKilledIsProofThoughTheParentLives_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("exit 1") << QByteArray("MEM 300; exit 1");
    QTest::newRow("with other words") << QByteArray("MEM 300; echo 'OSError: [Errno 28] No space left' >&2; exit 1");
    QTest::newRow("a pipe") << QByteArray("MEM 300 | cat >/dev/null; kill -TERM $$");
}

void tst_CommandRun::aChildThatWasKilledIsProofThoughTheParentLives()
{
    NEEDS_GROUPS();
    QFETCH(QByteArray, line);
    Watched watched;
    Limits limits;
    limits.capMemoryBytes = 100 * kMiB;
    const RunResult result = run(watched, line.replace("MEM", kHog.c_str()).toStdString(), limits);
    QVERIFY2(modeOf(result) == "host_oom_killed", allWords(result).c_str());
    QVERIFY2(result.verdict->summary.find("a process of it") != std::string::npos, allWords(result).c_str());
    QVERIFY2(factOf(result, "cgroup.oom_kill").starts_with("0 -> 1"), allWords(result).c_str());
}

void tst_CommandRun::exitZeroIsOkWithTheKillInTheEvidence()
{
    NEEDS_GROUPS();
    Watched watched;
    Limits limits;
    limits.capMemoryBytes = 100 * kMiB;
    const RunResult result = run(watched, kHog + " 300; exit 0", limits);
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    QVERIFY2(factOf(result, "cgroup.oom_kill").starts_with("0 -> 1"), allWords(result).c_str());
    QCOMPARE(exitCodeOf(result), 0);
}

void tst_CommandRun::grandchildrenThatHoldTheMemory()
{
    NEEDS_GROUPS();
    Watched watched;
    Limits limits;
    limits.capMemoryBytes = 200 * kMiB;
    const std::string one = "sh -c '" + kHog + " 80 10 2; exit 1'";
    const RunResult result = run(watched, "(" + one + " & " + one + " & " + one + " & wait); exit 4", limits);
    QVERIFY2(modeOf(result) == "host_oom_killed", allWords(result).c_str());
    QVERIFY2(result.curve.peakTreeBytes <= 210 * kMiB, allWords(result).c_str());
    QVERIFY(findProcessesOfRun(watched.runner->uuid()).empty());
    QVERIFY(!groupLeft(watched.runner->uuid()));
}

void tst_CommandRun::aShortProcessThatNoSampleSawIsInTheHighWaterMark_data()
{
    QTest::addColumn<QByteArray>("line");
    const QByteArray hog = QByteArray::fromStdString(kHog) + " 200";
    QTest::newRow("the worker") << QByteArray("exec " + hog);
    QTest::newRow("its grandchild") << QByteArray("sh -c '" + hog + "; true'; true");
    // Its parent ends at once: the lab adopts and reaps it.
    QTest::newRow("an orphan") << QByteArray("(" + hog + " >pipe &) ; cat pipe");
}

/// One sample a second: the process takes 200 MiB and ends before the second one. What it held is then not provable,
/// its high-water mark is, and what it cannot have held.
void tst_CommandRun::aShortProcessThatNoSampleSawIsInTheHighWaterMark()
{
    QFETCH(QByteArray, line);
    Limits limits;
    limits.sampleHz = 1;
    Watched watched;
    const std::string folder = m_folder.path().toStdString();
    const RunResult result = run(watched, "cd " + folder + "; rm -f pipe; mkfifo pipe; " + line.toStdString(), limits);
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    QVERIFY2(
        result.hwmBytes >= 200 * kMiB && (test::kSanitized || result.hwmBytes < 216 * kMiB), allWords(result).c_str());
    QVERIFY2(result.curve.peakTreeBytes <= result.hwmBytes, allWords(result).c_str());
    if (m_containment.kind() == GroupKind::None)
        return;
    const auto atMost = peakTreeAtMostBytes(result);
    QVERIFY2(atMost >= 200 * kMiB && (test::kSanitized || atMost < 232 * kMiB), allWords(result).c_str());
    QCOMPARE(toJson(result)["memory"]["peak_tree_at_most_bytes"].get<std::uint64_t>(), *atMost);
}

void tst_CommandRun::aDaemonOutOfReachIsStillInTheGroup()
{
    NEEDS_GROUPS();
    Watched watched;
    Limits limits;
    limits.capMemoryBytes = 100 * kMiB;
    // Forked twice, in a session of its own, without the run's mark: neither descent nor environment tells it.
    const RunResult result = run(watched,
        "(env -i setsid " + kHog
            + " 300 >/dev/null 2>&1 &); sleep 1; (env -i setsid sleep 1000 >/dev/null 2>&1 &); sleep 1; exit 2",
        limits);
    QVERIFY2(modeOf(result) == "host_oom_killed", allWords(result).c_str());
    QVERIFY2(watched.acts().find("leftovers") != std::string::npos, watched.acts().c_str());
    QCOMPARE(result.traces.processes.size(), std::size_t{1});
    QVERIFY2(
        result.traces.processes.front().find("(sleep)") != std::string::npos, result.traces.processes.front().c_str());
    QVERIFY(!groupLeft(watched.runner->uuid()));
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

void tst_CommandRun::aSigkillWhileTheKernelKillsSomebodyElse_data()
{
    QTest::addColumn<bool>("contained");
    QTest::newRow("in a group of its own") << true;
    QTest::newRow("without a group") << false;
}

void tst_CommandRun::aSigkillWhileTheKernelKillsSomebodyElse()
{
    NEEDS_GROUPS();
    QFETCH(bool, contained);
    Watched victim;
    TrialSurroundings around = surroundings(contained);
    around.orphans = Orphans::Marked; // Two runs at a time.
    victim.runner
        = std::make_unique<TrialRunner>(commandSpec({"/bin/sh", "-c", "echo ready; exec " + kHog + " 64 0 1000"}),
            around, [&victim](const RunEvent& event) { victim.note(event); });
    victim.runner->start();
    QTRY_VERIFY(victim.log(LogStream::Stdout).starts_with("ready"));
    Watched other;
    Limits limits;
    limits.capMemoryBytes = 64 * kMiB;
    QCOMPARE(modeOf(run(other, "exec " + kHog + " 200", limits)), std::string("host_oom_killed"));
    ::kill(victim.worker(), SIGKILL);
    const RunResult result = victim.runner->wait();
    QVERIFY2(modeOf(result) == "unknown", allWords(result).c_str());
    QVERIFY2(
        result.verdict->summary.find("Meanwhile the kernel killed") != std::string::npos, allWords(result).c_str());
    QVERIFY2(!factOf(result, "vmstat.oom_kill").empty(), allWords(result).c_str());
}

void tst_CommandRun::withoutAGroupTheKernelsLogNamesTheVictim()
{
    if (m_containment.kind() != GroupKind::V1 || !KernelLog().isReadable())
        QSKIP("needs the kernel's log and a v1 group that the program itself enters");
    // The lab contains nothing here: the limit comes from a group that it knows nothing of.
    auto group = m_containment.makeGroup(makeUuid(), {100 * kMiB, 0}).value();
    Watched watched;
    const RunResult result = run(
        watched, "echo $$ > " + (group->folder() / "cgroup.procs").string() + "; exec " + kHog + " 300 60", {}, false);
    QVERIFY2(modeOf(result) == "host_oom_killed", allWords(result).c_str());
    QCOMPARE(result.containment, std::string("none"));
    QVERIFY2(factOf(result, "kernel.log").find("(memory_hog)") != std::string::npos, allWords(result).c_str());
    QVERIFY2(factOf(result, "vmstat.oom_kill").find(" -> ") != std::string::npos, allWords(result).c_str());
    QVERIFY(group->remove(2s));
}

void tst_CommandRun::whoLeftTheGroupAndWasKilledIsProof_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("the worker") << QByteArray("echo $$ > PROCS; exec HOG");
    QTest::newRow("a child, its parent ends with 7") << QByteArray("sh -c 'echo $$ > PROCS; exec HOG'; exit 7");
    QTest::newRow("a child, its parent ends with 137") << QByteArray("sh -c 'echo $$ > PROCS; exec HOG'; exit 137");
}

void tst_CommandRun::whoLeftTheGroupAndWasKilledIsProof()
{
    if (m_containment.kind() != GroupKind::V1 || !KernelLog().isReadable())
        QSKIP("needs the kernel's log and a v1 group that the program itself enters");
    QFETCH(QByteArray, line);
    auto elsewhere = m_containment.makeGroup(makeUuid(), {100 * kMiB, 0}).value();
    line.replace("PROCS", (elsewhere->folder() / "cgroup.procs").c_str());
    line.replace("HOG", (kHog + " 300 60").c_str());
    Watched watched;
    const RunResult result = run(watched, line.toStdString());
    QVERIFY2(modeOf(result) == "host_oom_killed", allWords(result).c_str());
    QVERIFY2(
        factOf(result, "kernel.log").find("(memory_hog) of this run") != std::string::npos, allWords(result).c_str());
    QVERIFY2(watched.acts().find("outside_group") != std::string::npos, watched.acts().c_str());
    const std::string limit = "at the limit of the group " + std::string("/");
    QVERIFY2(result.verdict->summary.find(limit) != std::string::npos, allWords(result).c_str());
    for (const Remedy& remedy : result.verdict->remedies)
        QVERIFY2(!remedy.text.starts_with("Raise --cap-memory"), remedy.text.c_str());
    QVERIFY(elsewhere->remove(2s));
}

void tst_CommandRun::aSigkillToWhoLeftTheGroupIsNotJudgedByItsCounter()
{
    if (m_containment.kind() != GroupKind::V1)
        QSKIP("needs a v1 group that the program itself enters");
    auto elsewhere = m_containment.makeGroup(makeUuid(), {}).value();
    Watched watched;
    start(watched, "echo $$ > " + (elsewhere->folder() / "cgroup.procs").string() + "; exec sleep 1000");
    QTRY_VERIFY(watched.acts().find("outside_group") != std::string::npos);
    ::kill(watched.worker(), SIGKILL);
    const RunResult result = watched.runner->wait();
    QVERIFY2(modeOf(result) == "unknown", allWords(result).c_str());
    const std::string& summary = result.verdict->summary;
    QVERIFY2(summary.find("Killed from outside by SIGKILL") != std::string::npos, allWords(result).c_str());
    QVERIFY2(summary.find("stands still") == std::string::npos, allWords(result).c_str());
    QVERIFY2(factOf(result, "cgroup.oom_kill").empty(), allWords(result).c_str());
    QVERIFY(elsewhere->remove(2s));
}

void tst_CommandRun::aCapThatAProcessLeftIsNotSaidToHold()
{
    if (m_containment.kind() != GroupKind::V1)
        QSKIP("needs a v1 group that the program itself enters");
    auto elsewhere = m_containment.makeGroup(makeUuid(), {}).value();
    Limits limits;
    limits.capMemoryBytes = 100 * kMiB;
    Watched watched;
    const RunResult result = run(
        watched, "echo $$ > " + (elsewhere->folder() / "cgroup.procs").string() + "; exec " + kHog + " 150 40", limits);
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
    QCOMPARE(result.traces.outsideGroup.value().size(), std::size_t{1});
    QVERIFY2(factOf(result, "lab").find("it left the run's group") != std::string::npos, allWords(result).c_str());
    QCOMPARE(resultFromJson(toJson(result)).value().traces.outsideGroup, result.traces.outsideGroup);
    QVERIFY(elsewhere->remove(2s));
}

void tst_CommandRun::whoLeftIsToldApartFromWhoWasBornOutside_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<int>("left");
    QTest::addColumn<int>("born");
    const QByteArray many = "for i in $(seq 30); do sleep 1 & done; wait";
    QTest::newRow("its children") << QByteArray("echo $$ > PROCS; " + many) << 1 << 30;
    QTest::newRow("its children, once it was seen inside")
        << QByteArray("sleep 0.3; echo $$ > PROCS; " + many) << 1 << 30;
    QTest::newRow("orphans") << QByteArray("echo $$ > PROCS; sleep 0.3; (sleep 1 & sleep 1 &); sleep 0.7") << 1 << 3;
    QTest::newRow("each by itself") << QByteArray(
        "for i in 1 2 3; do sh -c 'echo $$ > PROCS; exec sleep 1' & done; wait")
                                    << 3 << 0;
}

void tst_CommandRun::whoLeftIsToldApartFromWhoWasBornOutside()
{
    if (m_containment.kind() != GroupKind::V1)
        QSKIP("needs a v1 group that the program itself enters");
    QFETCH(QByteArray, line);
    QFETCH(int, left);
    QFETCH(int, born);
    auto elsewhere = m_containment.makeGroup(makeUuid(), {}).value();
    line.replace("PROCS", (elsewhere->folder() / "cgroup.procs").c_str());
    Watched watched;
    const RunResult result = run(watched, line.toStdString());
    QVERIFY2(result.traces.outsideGroup.value().size() == static_cast<std::size_t>(left), allWords(result).c_str());
    const std::uint64_t others = result.traces.bornOutside.value(); // A short subshell may have been seen, too.
    QVERIFY2(born == 0 ? others == 0 : others >= static_cast<std::uint64_t>(born), allWords(result).c_str());
    QCOMPARE(std::ranges::count(QByteArray::fromStdString(watched.acts()).split(' '), "outside_group"), left);
    QVERIFY(elsewhere->remove(2s));
}

void tst_CommandRun::theLimitThatWasMetIsNamed()
{
    if (m_containment.kind() != GroupKind::V1 || !KernelLog().isReadable())
        QSKIP("needs the kernel's log and a v1 group that the program itself makes");
    Limits limits;
    limits.capMemoryBytes = 400 * kMiB;
    Watched watched;
    const RunResult result = run(watched,
        "g=" + findMemoryHierarchyV1({})->mount.string()
            + "$(grep :memory: /proc/self/cgroup | cut -d: -f3)/inner; mkdir $g; echo 50M > $g/memory.limit_in_bytes; "
              "sh -c \"echo \\$\\$ > $g/cgroup.procs; exec "
            + kHog + " 300\"; exit 3",
        limits);
    QVERIFY2(modeOf(result) == "host_oom_killed", allWords(result).c_str());
    const std::string& summary = result.verdict->summary;
    QVERIFY2(summary.find("a group that the run made below its own") != std::string::npos, allWords(result).c_str());
    QVERIFY2(result.traces.outsideGroup.value().empty(), allWords(result).c_str());
    for (const Remedy& remedy : result.verdict->remedies)
        QVERIFY2(!remedy.text.starts_with("Raise --cap-memory"), remedy.text.c_str());
}

void tst_CommandRun::aParentThatEndsItselfIsNotTheVictim()
{
    NEEDS_GROUPS();
    if (!KernelLog().isReadable())
        QSKIP("only the kernel's log tells the one from the other");
    Limits limits;
    limits.capMemoryBytes = 100 * kMiB;
    limits.capSwapBytes = 0;
    Watched watched;
    const RunResult result = run(watched, kHog + " 300; " + kHog + " 300; kill -9 $$", limits);
    QVERIFY2(modeOf(result) == "host_oom_killed", allWords(result).c_str());
    QVERIFY2(result.verdict->summary.starts_with(
                 "The kernel killed 2 processes of it for lack of memory, at its cap of 100 MiB"),
        allWords(result).c_str());
}

void tst_CommandRun::withoutAGroupTheWatchdogKeepsTheCap()
{
    Watched watched;
    Limits limits;
    limits.capMemoryBytes = 100 * kMiB;
    const RunResult result = run(watched, kHog + " 400 25 1000", limits, false);
    QVERIFY2(modeOf(result) == "guard_stopped", allWords(result).c_str());
    QCOMPARE(result.capKeptBy, std::string("watchdog"));
    QCOMPARE(result.containment, std::string("none"));
    QVERIFY2(factOf(result, "watchdog").find("over the cap of 100 MiB") != std::string::npos, allWords(result).c_str());
    QVERIFY2(watched.acts().starts_with("cap "), watched.acts().c_str());
    QVERIFY2(result.curve.peakTreeBytes < 300 * kMiB, allWords(result).c_str());
    QVERIFY(findProcessesOfRun(watched.runner->uuid()).empty());
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

void tst_CommandRun::theGuardKnowsTheWatchdogsCap()
{
    Watched watched;
    Limits limits;
    limits.capMemoryBytes = 400 * kMiB;
    limits.guard = GuardMargin{std::nullopt, 30};
    const RunResult result = run(watched, kHog + " 600 25 1000", limits, false);
    QVERIFY2(modeOf(result) == "guard_stopped", allWords(result).c_str());
    QCOMPARE(result.capKeptBy, std::string("watchdog"));
    QVERIFY2(factOf(result, "guard").find("left under the cap") != std::string::npos, allWords(result).c_str());
    QVERIFY2(factOf(result, "watchdog").empty(), allWords(result).c_str());
}

void tst_CommandRun::theGuardStopsItBeforeTheKernelDoes()
{
    NEEDS_GROUPS();
    Limits limits;
    limits.capMemoryBytes = 448 * kMiB;
    limits.guard = GuardMargin{96 * kMiB, 0};
    Watched watched;
    const RunResult result = run(watched, "exec " + kHog + " 512 16", limits); // 1 GiB/s
    QVERIFY2(modeOf(result) == "guard_stopped", allWords(result).c_str());
    QVERIFY2(factOf(result, "guard").find("left under the cap") != std::string::npos, allWords(result).c_str());
    QVERIFY2(factOf(result, "cgroup.oom_kill").empty(), allWords(result).c_str());
    QCOMPARE(result.exitSignal, std::optional(SIGKILL));
    QVERIFY(!result.verdict->remedies.empty());
}

void tst_CommandRun::theGuardFollowsAProcessToItsGroup()
{
    if (m_containment.kind() != GroupKind::V1)
        QSKIP("needs a v1 group that the program itself enters");
    auto elsewhere = m_containment.makeGroup(makeUuid(), {448 * kMiB, 0}).value();
    Limits limits;
    limits.guard = GuardMargin{96 * kMiB, 0};
    const std::string enter = "echo $$ > " + (elsewhere->folder() / "cgroup.procs").string();
    Watched watched;
    const RunResult result = run(watched, enter + "; exec " + kHog + " 512 32", limits);
    QVERIFY2(modeOf(result) == "guard_stopped", allWords(result).c_str());
    QVERIFY2(factOf(result, "guard").find("left under the limit of a group around it") != std::string::npos,
        allWords(result).c_str());
    QVERIFY(elsewhere->remove(2s));
}

/// 1 GiB left above the margin, taken as fast as two cores can: about 2 GB/s where nobody else is on them.
void tst_CommandRun::theGuardActsInTimeOnWhatIsFast()
{
    NEEDS_GROUPS();
    Limits limits;
    limits.capMemoryBytes = 1280 * kMiB;
    limits.guard = GuardMargin{256 * kMiB, 0};
    Watched watched;
    const RunResult result = run(watched, kHog + " 768 & " + kHog + " 768 & wait", limits);
    QVERIFY2(modeOf(result) == "guard_stopped", allWords(result).c_str());
    QVERIFY2(factOf(result, "cgroup.oom_kill").empty(), allWords(result).c_str());
    QVERIFY2(result.traces.groupHighestBytes.value_or(0) < 1280 * kMiB, allWords(result).c_str());
    qInfo("%s", factOf(result, "guard").c_str());
}

void tst_CommandRun::theGuardLeavesAloneWhatLevelsOff()
{
    NEEDS_GROUPS();
    Limits limits;
    limits.capMemoryBytes = 448 * kMiB;
    limits.guard = GuardMargin{std::nullopt, 10}; // Of the cap: 45 MiB.
    Watched watched;
    const RunResult result = run(watched, "exec " + kHog + " 96 160 1", limits); // 100 MiB/s: 3 s from the margin
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
}

void tst_CommandRun::theGuardCanBeArmedWhileItRuns()
{
    NEEDS_GROUPS();
    Limits limits;
    limits.capMemoryBytes = 448 * kMiB;
    Watched watched;
    start(watched, "exec " + kHog + " 64 0 1000", limits);
    QTRY_VERIFY(watched.log(LogStream::Stdout).find("took") != std::string::npos);
    watched.runner->setGuard(GuardMargin{400 * kMiB, 0});
    const RunResult result = watched.runner->wait();
    QVERIFY2(modeOf(result) == "guard_stopped", allWords(result).c_str());
    QVERIFY2(watched.acts().starts_with("guard_set guard "), watched.acts().c_str());
    QVERIFY(!result.identity.limits.guard);
}

void tst_CommandRun::aGuardArmedLateLooksAsOftenAsOneFromTheStart()
{
    Limits limits;
    limits.sampleHz = 2;
    Watched watched;
    start(watched, "exec sleep 1000", limits);
    QTRY_VERIFY(!watched.samples().empty());
    watched.runner->setGuard(GuardMargin{kMiB, 0});
    const std::size_t before = watched.samples().size();
    QTRY_VERIFY(watched.samples().size() >= before + 60); // Half a minute at the rate asked for.
    watched.runner->cancel();
    QVERIFY(watched.runner->wait().curve.rateHz > 2.5);
}

void tst_CommandRun::aKillOfTheKernelIsToldWhileTheRunGoesOn()
{
    NEEDS_GROUPS();
    Limits limits;
    limits.capMemoryBytes = 100 * kMiB;
    Watched watched;
    start(watched, kHog + " 300; exec sleep 1000", limits);
    QTRY_VERIFY2_WITH_TIMEOUT(watched.acts().find("oom_kill") != std::string::npos, watched.acts().c_str(), 30'000);
    QTRY_COMPARE(watched.lastLook().oomKills, std::optional<std::uint64_t>(1));
    QCOMPARE(watched.lastLook().look.pool.of, Guard::Pool::Of::Cap);
    QCOMPARE(watched.lastLook().look.pool.totalBytes, 100 * kMiB);
    QVERIFY(!watched.runner->finished());
    watched.runner->cancel();
    watched.runner->wait();
}

void tst_CommandRun::theGroupIsGoneAfterEveryEnd_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("in order") << QByteArray("exit 0");
    QTest::newRow("with children") << QByteArray("sleep 1000 & setsid sleep 1000 & exit 0");
    QTest::newRow("stubborn") << QByteArray("trap '' TERM; while :; do sleep 0.05; done");
    QTest::newRow("stopped") << QByteArray("kill -STOP $$; exit 0");
}

void tst_CommandRun::theGroupIsGoneAfterEveryEnd()
{
    NEEDS_GROUPS();
    QFETCH(QByteArray, line);
    Watched watched;
    Limits limits;
    limits.timeout = 700ms;
    const RunResult result = run(watched, line.toStdString(), limits);
    QCOMPARE(result.containment, std::string(toWireName(m_containment.kind())));
    QVERIFY(!groupLeft(watched.runner->uuid()));
    QVERIFY(findProcessesOfRun(watched.runner->uuid()).empty());
}

/// A group that can be made and not entered: as with v2, where the way there leads over a group of somebody else.
void tst_CommandRun::aGroupThatRefusesTheWorkerIsGivenUp()
{
    NEEDS_GROUPS();
    const auto v1 = findMemoryHierarchyV1({});
    if (!v1)
        QSKIP("needs a tree to imitate");
    // A mount of which only the folder's making is real: what is written to cgroup.procs goes to a full device.
    QTemporaryDir folder;
    const fs::path root = folder.path().toStdString();
    fs::create_directories(root / "proc/self");
    fs::create_directories(root / "memory");
    std::ofstream(root / "proc/self/mountinfo") << "1 1 0:1 / /memory rw - cgroup cgroup rw,memory\n";
    std::ofstream(root / "proc/self/cgroup") << "1:memory:/\n";
    bool full = false;
    CgroupWorld world;
    world.root = root;
    world.make = [&full](const fs::path& made) {
        fs::create_directory(made);
        for (const char* file : {"memory.limit_in_bytes", "memory.oom_control", "memory.stat"})
            std::ofstream(made / file) << "0\n";
        full ? fs::create_symlink("/dev/full", made / "cgroup.procs") : void(std::ofstream(made / "cgroup.procs"));
        return 0;
    };
    world.remove = [](const fs::path& gone) { return fs::remove_all(gone) > 0 ? 0 : ENOENT; };
    const Containment refusing = Containment::probe(world);
    QVERIFY2(refusing.kind() == GroupKind::V1, refusing.detail().c_str());
    full = true;
    Watched watched;
    TrialSpec what = commandSpec({"/bin/sh", "-c", "exec " + kHog + " 300 25 1000"});
    what.limits.capMemoryBytes = 100 * kMiB;
    TrialSurroundings around = surroundings();
    around.containment = &refusing;
    watched.runner
        = std::make_unique<TrialRunner>(what, around, [&watched](const RunEvent& event) { watched.note(event); });
    watched.runner->start();
    const RunResult result = watched.runner->wait();
    QVERIFY2(modeOf(result) == "guard_stopped", allWords(result).c_str());
    QCOMPARE(result.capKeptBy, std::string("watchdog"));
    QCOMPARE(result.containment, std::string("none"));
    std::string told;
    for (const RunEvent& event : watched.events)
        if (const auto* contained = std::get_if<RunContained>(&event.body))
            told += contained->containment + " " + contained->capKeptBy + ", ";
    QCOMPARE(told, std::string("cgroup1 cgroup, none watchdog, "));
    QVERIFY2(
        result.containmentDetail.find("could not move into") != std::string::npos, result.containmentDetail.c_str());
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
    watched.runner = std::make_unique<TrialRunner>(
        commandSpec({"/bin/true"}), around, [&watched](const RunEvent& event) { watched.note(event); });
    watched.runner->start();
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

void tst_CommandRun::swapIsCappedApart()
{
    NEEDS_GROUPS();
    const SwapFile swap(fs::current_path(), 256 * kMiB);
    if (!swap.isOn())
        QSKIP("no swap file can be made here");
    Limits limits;
    limits.capMemoryBytes = 64 * kMiB;
    limits.capSwapBytes = 32 * kMiB;
    Watched over;
    const RunResult killed = run(over, "exec " + kHog + " 240 10", limits);
    if (killed.swapCapKeptBy != "cgroup")
        QSKIP("this kernel does not account for swap");
    QVERIFY2(modeOf(killed) == "host_oom_killed", allWords(killed).c_str());
    // v1 keeps the sum of both: where others press for memory, more of it lies in swap.
    QVERIFY(killed.curve.peakSwapBytes > 0);
    QVERIFY2(killed.curve.peakTreeBytes <= 97 * kMiB, std::to_string(killed.curve.peakTreeBytes).c_str());
    limits.capSwapBytes = 128 * kMiB;
    Watched within;
    const RunResult ok = run(within, "exec " + kHog + " 128 10", limits);
    QVERIFY2(modeOf(ok) == "ok", allWords(ok).c_str());
    QVERIFY2(ok.curve.peakSwapBytes >= 32 * kMiB, allWords(ok).c_str());
    QVERIFY(ok.curve.swapBeganS);
    limits.capSwapBytes = 0;
    Watched none;
    const RunResult noSwap = run(none, "exec " + kHog + " 128 10", limits);
    QVERIFY2(modeOf(noSwap) == "host_oom_killed", allWords(noSwap).c_str());
    QCOMPARE(noSwap.curve.peakSwapBytes, std::uint64_t{0});
}

QTEST_GUILESS_MAIN(tst_CommandRun)
#include "tst_CommandRun.moc"
