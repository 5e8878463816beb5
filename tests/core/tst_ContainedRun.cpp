#include "core/Digest.h"
#include "core/containment/KernelLog.h"
#include "core/worker/Leftovers.h"
#include "tests/core/CommandBench.h"
#include "tests/core/SwapFile.h"

#include <QtTest>
#include <csignal>
#include <fstream>

using namespace loadlab;
using namespace loadlab::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// What a cap and the kernel do to a program, and how that is proven.
class tst_ContainedRun : public QObject, private CommandBench {
    Q_OBJECT
private Q_SLOTS:
    void overTheCapTheKernelsWordIsProof();
    void aChildThatWasKilledIsProofThoughTheParentLives_data();
    void aChildThatWasKilledIsProofThoughTheParentLives();
    void exitZeroIsOkWithTheKillInTheEvidence();
    void grandchildrenThatHoldTheMemory();
    void aDaemonOutOfReachIsStillInTheGroup();
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
    void aKillOfTheKernelIsToldWhileTheRunGoesOn();
    void theGroupIsGoneAfterEveryEnd_data();
    void theGroupIsGoneAfterEveryEnd();
    void aGroupThatRefusesTheWorkerIsGivenUp();
    void swapIsCappedApart();
};

void tst_ContainedRun::overTheCapTheKernelsWordIsProof()
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

void tst_ContainedRun::aChildThatWasKilledIsProofThoughTheParentLives_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("exit 1") << QByteArray("MEM 300; exit 1");
    QTest::newRow("with other words") << QByteArray("MEM 300; echo 'OSError: [Errno 28] No space left' >&2; exit 1");
    QTest::newRow("a pipe") << QByteArray("MEM 300 | cat >/dev/null; kill -TERM $$");
}

void tst_ContainedRun::aChildThatWasKilledIsProofThoughTheParentLives()
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

void tst_ContainedRun::exitZeroIsOkWithTheKillInTheEvidence()
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

void tst_ContainedRun::grandchildrenThatHoldTheMemory()
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

void tst_ContainedRun::aDaemonOutOfReachIsStillInTheGroup()
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

void tst_ContainedRun::aSigkillWhileTheKernelKillsSomebodyElse_data()
{
    QTest::addColumn<bool>("contained");
    QTest::newRow("in a group of its own") << true;
    QTest::newRow("without a group") << false;
}

void tst_ContainedRun::aSigkillWhileTheKernelKillsSomebodyElse()
{
    NEEDS_GROUPS();
    QFETCH(bool, contained);
    Watched victim;
    TrialSurroundings around = surroundings(contained);
    around.orphans = Orphans::Marked; // Two runs at a time.
    victim.start("echo ready; exec " + kHog + " 64 0 1000", {}, around);
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

void tst_ContainedRun::withoutAGroupTheKernelsLogNamesTheVictim()
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

void tst_ContainedRun::whoLeftTheGroupAndWasKilledIsProof_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("the worker") << QByteArray("echo $$ > PROCS; exec HOG");
    QTest::newRow("a child, its parent ends with 7") << QByteArray("sh -c 'echo $$ > PROCS; exec HOG'; exit 7");
    QTest::newRow("a child, its parent ends with 137") << QByteArray("sh -c 'echo $$ > PROCS; exec HOG'; exit 137");
}

void tst_ContainedRun::whoLeftTheGroupAndWasKilledIsProof()
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

void tst_ContainedRun::aSigkillToWhoLeftTheGroupIsNotJudgedByItsCounter()
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

void tst_ContainedRun::aCapThatAProcessLeftIsNotSaidToHold()
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

void tst_ContainedRun::whoLeftIsToldApartFromWhoWasBornOutside_data()
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

void tst_ContainedRun::whoLeftIsToldApartFromWhoWasBornOutside()
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

void tst_ContainedRun::theLimitThatWasMetIsNamed()
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

void tst_ContainedRun::aParentThatEndsItselfIsNotTheVictim()
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

void tst_ContainedRun::withoutAGroupTheWatchdogKeepsTheCap()
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

void tst_ContainedRun::aKillOfTheKernelIsToldWhileTheRunGoesOn()
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

void tst_ContainedRun::theGroupIsGoneAfterEveryEnd_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::newRow("in order") << QByteArray("exit 0");
    QTest::newRow("with children") << QByteArray("sleep 1000 & setsid sleep 1000 & exit 0");
    QTest::newRow("stubborn") << QByteArray("trap '' TERM; while :; do sleep 0.05; done");
    QTest::newRow("stopped") << QByteArray("kill -STOP $$; exit 0");
}

void tst_ContainedRun::theGroupIsGoneAfterEveryEnd()
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
void tst_ContainedRun::aGroupThatRefusesTheWorkerIsGivenUp()
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
    watched.start(what, around);
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

void tst_ContainedRun::swapIsCappedApart()
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

QTEST_GUILESS_MAIN(tst_ContainedRun)
#include "tst_ContainedRun.moc"
