#include "core/Digest.h"
#include "tests/core/CommandBench.h"

#include <QtTest>
#include <csignal>

using namespace loadlab;
using namespace loadlab::test;
using namespace std::chrono_literals;

/// The guard at a real program that grows.
class tst_GuardedRun : public QObject, private CommandBench {
    Q_OBJECT
private Q_SLOTS:
    void theGuardKnowsTheWatchdogsCap();
    void theGuardStopsItBeforeTheKernelDoes();
    void theGuardFollowsAProcessToItsGroup();
    void theGuardActsInTimeOnWhatIsFast();
    void theGuardLeavesAloneWhatLevelsOff();
    void theGuardCanBeArmedWhileItRuns();
    void aGuardArmedLateLooksAsOftenAsOneFromTheStart();
};

void tst_GuardedRun::theGuardKnowsTheWatchdogsCap()
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

void tst_GuardedRun::theGuardStopsItBeforeTheKernelDoes()
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

void tst_GuardedRun::theGuardFollowsAProcessToItsGroup()
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
void tst_GuardedRun::theGuardActsInTimeOnWhatIsFast()
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

void tst_GuardedRun::theGuardLeavesAloneWhatLevelsOff()
{
    NEEDS_GROUPS();
    Limits limits;
    limits.capMemoryBytes = 448 * kMiB;
    limits.guard = GuardMargin{std::nullopt, 10}; // Of the cap: 45 MiB.
    Watched watched;
    const RunResult result = run(watched, "exec " + kHog + " 96 160 1", limits); // 100 MiB/s: 3 s from the margin
    QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
}

void tst_GuardedRun::theGuardCanBeArmedWhileItRuns()
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

void tst_GuardedRun::aGuardArmedLateLooksAsOftenAsOneFromTheStart()
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

QTEST_GUILESS_MAIN(tst_GuardedRun)
#include "tst_GuardedRun.moc"
