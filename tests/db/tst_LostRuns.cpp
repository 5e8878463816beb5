#include "Folder.h"
#include "Lab.h"
#include "RawDatabase.h"
#include "RunBuilder.h"
#include "Take.h"

#include "core/telemetry/Machine.h"
#include "core/telemetry/ProcessTree.h"
#include "db/RunStore.h"

#include <QTest>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;

namespace {

/// A run whose lab is gone: as it would be after a kill.
RunId leaveOpen(const Folder& folder, const RunStarted& begin, std::size_t count = 0)
{
    RunStore store = take(RunStore::open(folder.file()));
    const RunId run = take(store.startRun(begin));
    take(store.addSamples(run, samples(count)));
    return run;
}

} // namespace

class tst_LostRuns : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void closesWithWhatWasStored();
    void tellsWhatHeldTheRun();
    void findsThePhasesOfAWorkerThatNamedNone();
    void keepsTheHighWaterMarkAsALowerBound();
    void projectsTheNeedOfTheWholeLoad();
    void tellsALostMachineFromALostLab();
    void keepsWhatTheKernelSaidBeforeTheMachineWentDown();
    void leavesRunsOfLivingLabsAlone();
    void believesTheLockMoreThanTheProcessNumber();
    void givesUpTheLockOfARunThatWasNotStored();
    void isNotFooledByAReusedProcessNumber();
    void leavesRunsFromElsewhereAlone();
    void closesARunThatStoredNothingMore();
    void closesARunWithDamagedSamples();
    void closesOnlyOnce();
    void makesUpForAMissingTextIndex();
};

void tst_LostRuns::closesWithWhatWasStored()
{
    const Folder folder;
    const RunStarted begin = started();
    {
        RunStore store = take(RunStore::open(folder.file()));
        const RunId run = take(store.startRun(begin));
        take(store.addEvent(run, at(0.05, WorkerStarted{4711, 5, "worker --now"}), kOriginNs));
        take(store.addEvent(run, said(0.1, protocol::Hello{1, "libtorch", {{"libtorch", "1.13.1"}}, {}}), kOriginNs));
        take(store.addEvent(run, said(0.2, protocol::PhaseEntered{"reading"}), kOriginNs));
        take(store.addEvent(run, said(1.0, protocol::Progress{"tensors", 7, 291, 1, 2, "x"}), kOriginNs));
        take(store.addEvent(run, said(4.0, protocol::PhaseEntered{"checking"}), kOriginNs));
        for (std::size_t at = 0; at < 101; ++at)
            take(store.addSamples(run, samples(1, at)));
        take(store.addLog(run, LogStream::Stderr, 5, "reading lm_head"));
    }
    RunStore store = take(RunStore::open(folder.file()));
    const std::vector<RunResult> closed = take(store.closeLostRuns("boot-1"));
    QCOMPARE(closed.size(), std::size_t{1});
    const RunResult result = take(store.run({1}));
    QCOMPARE(toJson(result).dump(1), toJson(closed[0]).dump(1));
    QCOMPARE(result.identity.uuid, begin.identity.uuid);
    QCOMPARE(result.verdict->mode, FailureMode::LabLost);
    QVERIFY2(result.verdict->summary.find("5.00 s") != std::string::npos, result.verdict->summary.c_str());
    QCOMPARE(result.verdict->evidence.size(), std::size_t{2});
    QVERIFY(result.verdict->evidence[0].fact.find("2000000000") != std::string::npos);
    QVERIFY(result.verdict->evidence[1].fact.find("100 MiB in the run's processes") != std::string::npos);
    QVERIFY(!result.verdict->remedies.empty());
    QVERIFY(!result.exitCode && !result.exitSignal);
    QCOMPARE(result.curve.sampleCount, std::uint64_t{101});
    QCOMPARE(result.curve.peakTreeBytes, std::uint64_t{100} << 20);
    QCOMPARE(result.curve.peakRssBytes, std::uint64_t{195} << 20);
    QVERIFY(result.duration >= std::chrono::seconds(5) && result.duration < std::chrono::milliseconds(5001));
    QCOMPARE(result.phases.size(), std::size_t{3});
    QCOMPARE(result.phases[0].name, "starting");
    QCOMPARE(result.phases[1].toS, 4.0);
    QVERIFY(result.phases[2].toS >= 5.0);
    QCOMPARE(result.counters.size(), kColumnCount);
    const RunCounter& anon = result.counters.front();
    QVERIFY2(std::fabs(anon.rateHz.value_or(0) - 20) < 0.01 && anon.problem.empty(), anon.problem.c_str());
    QCOMPARE(result.counters.at(static_cast<std::size_t>(Column::GpuBytes)).problem, "not in what was stored");
    QVERIFY(result.phases[1].rateErrorBytesPerS.value_or(1e9) < 1e5); // 20 MiB/s without a wrinkle.
    QCOMPARE(result.progress->done, std::uint64_t{7});
    QCOMPARE(result.environment.at("libtorch"), "1.13.1");
    QCOMPARE(take(store.logLines({1})), std::vector<std::string>{"reading lm_head"});
    QCOMPARE(take(store.runs({.words = "lm_head"})).size(), std::size_t{1});
    QCOMPARE(take(store.runs())[0].sparkline.size(), std::size_t{64});
    QVERIFY(take(store.check()).ok);
    const RawDatabase raw(folder.file());
    QCOMPARE(raw.number("SELECT count(*) FROM sample_chunks"), 1LL); // merged
    QCOMPARE(raw.text("SELECT judged_by FROM verdicts"), "next_start");
}

void tst_LostRuns::tellsWhatHeldTheRun()
{
    const Folder folder;
    const RunStarted begin = started();
    {
        RunStore store = take(RunStore::open(folder.file()));
        const RunId run = take(store.startRun(begin));
        SystemMemory before;
        before.availableBytes = 17;
        take(
            store.addEvent(run, at(0.01, RunContained{"cgroup1", "below x", "cgroup", "watchdog", before}), kOriginNs));
        take(store.addSamples(run, samples(3)));
        QCOMPARE(take(store.run(run)).containment, "cgroup1"); // While it runs, too.
        QVERIFY(take(store.run(run)).traces.outsideGroup.value().empty());
    }
    RunStore store = take(RunStore::open(folder.file()));
    QCOMPARE(take(store.closeLostRuns("boot-1")).size(), std::size_t{1});
    const RunResult result = take(store.run({1}));
    QCOMPARE(result.containment, "cgroup1");
    QCOMPARE(result.containmentDetail, "below x");
    QCOMPARE(result.capKeptBy, "cgroup");
    QCOMPARE(result.swapCapKeptBy, "watchdog");
    QCOMPARE(result.traces.before.value().availableBytes, std::uint64_t{17});
    QVERIFY(!result.traces.after && !result.missedTicks && !result.worstLatenessNs);
    QVERIFY(!result.traces.outsideGroup); // Nobody knows.
    const RunCounter& usage = result.counters.at(static_cast<std::size_t>(Column::CgroupUsageBytes));
    QVERIFY2(usage.source.find("memory.usage_in_bytes") != std::string::npos, usage.source.c_str());
    QCOMPARE(result.identity.limits.guard.value().bytes, begin.identity.limits.guard.value().bytes);
}

void tst_LostRuns::findsThePhasesOfAWorkerThatNamedNone()
{
    const Folder folder;
    {
        RunStore store = take(RunStore::open(folder.file()));
        const RunId run = take(store.startRun(started()));
        take(store.addEvent(run, at(0, WorkerStarted{4711, 5, "program"}), kOriginNs));
        std::vector<Sample> level = samples(400);
        for (std::size_t i = 200; i < level.size(); ++i)
            level[i][Column::TreeBytes] = 200 << 20;
        take(store.addSamples(run, level));
    }
    RunStore store = take(RunStore::open(folder.file()));
    const RunResult result = take(store.closeLostRuns("boot-1")).at(0);
    QCOMPARE(result.phases.size(), std::size_t{2});
    QCOMPARE(result.phases[0].name, "growth");
    QVERIFY(std::fabs(result.phases[0].toS - 10) < 0.2);
    QCOMPARE(result.phases[1].name, "level");
}

void tst_LostRuns::keepsTheHighWaterMarkAsALowerBound()
{
    const Folder folder;
    const auto atLeast = [](const RunResult& result) { return toJson(result)["memory"]["hwm_at_least"].get<bool>(); };
    std::vector<Sample> several = samples(20);
    for (Sample& sample : several)
        sample[Column::Processes] = 2; // Of which no sum tells how much one of them had.
    {
        RunStore store = take(RunStore::open(folder.file()));
        const RunId run = take(store.startRun(started()));
        take(store.addSamples(run, several));
        for (const std::uint64_t mib : {200, 300})
            take(store.addEvent(run, at(0.1, HighWaterRose{mib << 20}), kOriginNs));
        QCOMPARE(take(store.run(run)).hwmBytes, std::uint64_t{300} << 20);
        QVERIFY(atLeast(take(store.run(run))));
    }
    RunStore store = take(RunStore::open(folder.file()));
    const RunResult result = take(store.closeLostRuns("boot-1")).at(0);
    QCOMPARE(result.hwmBytes, std::uint64_t{300} << 20);
    QVERIFY(atLeast(result));
    RunResult whole = result;
    whole.verdict->mode = FailureMode::Ok;
    QVERIFY(!atLeast(whole));
}

void tst_LostRuns::projectsTheNeedOfTheWholeLoad()
{
    const Folder folder;
    constexpr std::uint64_t whole = std::uint64_t{400} << 20;
    {
        RunStore store = take(RunStore::open(folder.file()));
        const RunId run = take(store.startRun(started()));
        take(store.addSamples(run, samples(201)));
        for (std::uint64_t done = 20; done <= 200; done += 20)
            take(store.addEvent(run,
                said(static_cast<double>(done) * 0.05, protocol::Progress{"MiB", done, 400, done << 20, whole, "x"}),
                kOriginNs));
    }
    RunStore store = take(RunStore::open(folder.file()));
    const RunResult result = take(store.closeLostRuns("boot-1")).at(0);
    const auto need = static_cast<double>(result.projectedNeedBytes.value_or(0));
    QVERIFY2(
        std::fabs(need - static_cast<double>(whole)) < 0.02 * static_cast<double>(whole), std::to_string(need).c_str());
}

void tst_LostRuns::tellsALostMachineFromALostLab()
{
    const Folder folder;
    leaveOpen(folder, started(), 10);
    RunStore store = take(RunStore::open(folder.file()));
    const RunResult result = take(store.closeLostRuns("boot-2")).at(0);
    QCOMPARE(result.verdict->mode, FailureMode::HostLost);
    QCOMPARE(result.verdict->evidence[0].fact, "recorded in boot boot-1, this is boot boot-2");
}

void tst_LostRuns::keepsWhatTheKernelSaidBeforeTheMachineWentDown()
{
    const Folder folder;
    BootLogPlaces places{folder.file("journalctl").native(), {}};
    std::ofstream(places.journalctl)
        << "#!/bin/sh\n"
           "echo '[ 4990.000000] bench kernel: long before the run'\n"
           "echo '[ 5003.500000] bench kernel: Out of memory: Killed process 4711 (worker) x'\n"
           "echo '[ 5004.000000] bench kernel: Kernel panic - not syncing: gave up'\n";
    std::filesystem::permissions(places.journalctl, std::filesystem::perms::owner_all);
    RunStarted begin = started();
    begin.machine.bootId = "8ac4fcdc-3c4b-49bd-bd24-b4b3fb8ceab6";
    const RunId run = leaveOpen(folder, begin, 60);
    RunStore store = take(RunStore::open(folder.file()));
    take(store.addEvent(run, at(0.05, WorkerStarted{4711, 5, "worker --now"}), kOriginNs));
    const RunResult result = take(store.closeLostRuns("boot-2", places)).at(0);
    QCOMPARE(result.verdict->mode, FailureMode::HostLost);
    QVERIFY2(result.verdict->summary.find("Kernel panic - not syncing: gave up") != std::string::npos,
        result.verdict->summary.c_str());
    QCOMPARE(result.verdict->evidence.at(1).source, "kernel.log");
    QVERIFY(result.verdict->evidence.at(2).fact.find("killed pid 4711 (worker) of this run") != std::string::npos);
    const std::vector<std::string> log{
        "kernel: Out of memory: Killed process 4711 (worker) x", "kernel: Kernel panic - not syncing: gave up"};
    QCOMPARE(take(store.logLines(run)), log);
    QCOMPARE(take(store.countRuns({.words = "panic"})), std::uint64_t{1});
    QCOMPARE(toJson(take(store.run(run))).dump(1), toJson(result).dump(1));
}

void tst_LostRuns::leavesRunsOfLivingLabsAlone()
{
    const Folder folder;
    Lab lab(folder.file(), {"record"});
    QVERIFY(lab.waitForLines(3));
    const std::string boot = readMachine().bootId;
    RunStore store = take(RunStore::open(folder.file()));
    QVERIFY(take(store.closeLostRuns(boot)).empty());
    QVERIFY(std::filesystem::remove(folder.file().native() + "-labs")); // then the process number has to do
    QVERIFY(take(store.closeLostRuns(boot)).empty());
    QCOMPARE(lab.waitForEnd(), 0);
    QCOMPARE(take(store.run({1})).verdict->mode, FailureMode::Ok);
    QVERIFY(take(store.closeLostRuns(boot)).empty());
}

/// A lab in another container: its process number means nothing here.
void tst_LostRuns::believesTheLockMoreThanTheProcessNumber()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    {
        RunStore other = take(RunStore::open(folder.file()));
        const RunStarted begin = started();
        const RunId first = take(other.startRun(begin));
        take(other.startRun(started()));
        QVERIFY(take(store.closeLostRuns("boot-1")).empty());
        take(other.finishRun(first, finished(begin)));
    }
    const std::vector<RunResult> closed = take(store.closeLostRuns("boot-1"));
    QCOMPARE(closed.size(), std::size_t{1});
    QCOMPARE(closed[0].run->value, 2);
}

void tst_LostRuns::givesUpTheLockOfARunThatWasNotStored()
{
    const Folder folder;
    RunStore living = take(RunStore::open(folder.file()));
    take(living.begin());
    take(living.startRun(started()));
    living.rollback();
    QCOMPARE(leaveOpen(folder, started()).value, 1); // the same number, of a lab that is gone
    RunStore store = take(RunStore::open(folder.file()));
    QCOMPARE(take(store.closeLostRuns("boot-1")).size(), std::size_t{1});
}

void tst_LostRuns::isNotFooledByAReusedProcessNumber()
{
    const Folder folder;
    RunStarted living = started();
    living.labPid = ::getpid();
    living.labStartTicks = identify(::getpid())->startTicks;
    RunStarted reused = living;
    reused.identity.uuid = makeUuid();
    reused.labStartTicks += 1;
    leaveOpen(folder, living);
    leaveOpen(folder, reused);
    RunStore store = take(RunStore::open(folder.file()));
    const std::vector<RunResult> closed = take(store.closeLostRuns("boot-1"));
    QCOMPARE(closed.size(), std::size_t{1});
    QCOMPARE(closed[0].identity.uuid, reused.identity.uuid);
}

void tst_LostRuns::leavesRunsFromElsewhereAlone()
{
    const Folder folder;
    leaveOpen(folder, started());
    RawDatabase(folder.file()).execute("UPDATE runs SET origin = 'imported'");
    RunStore store = take(RunStore::open(folder.file()));
    QVERIFY(take(store.closeLostRuns("boot-2")).empty());
}

void tst_LostRuns::closesARunThatStoredNothingMore()
{
    const Folder folder;
    leaveOpen(folder, started());
    RunStore store = take(RunStore::open(folder.file()));
    QCOMPARE(take(store.closeLostRuns("boot-1")).size(), std::size_t{1});
    const RunResult result = take(store.run({1}));
    QCOMPARE(result.duration.count(), 0);
    QCOMPARE(result.curve.sampleCount, std::uint64_t{0});
    QVERIFY(take(store.check()).ok);
}

void tst_LostRuns::closesARunWithDamagedSamples()
{
    const Folder folder;
    leaveOpen(folder, started(), 100);
    RawDatabase(folder.file()).execute("UPDATE sample_chunks SET data = x'0123'");
    RunStore store = take(RunStore::open(folder.file()));
    QCOMPARE(take(store.closeLostRuns("boot-1")).size(), std::size_t{1});
    QCOMPARE(take(store.run({1})).verdict->mode, FailureMode::LabLost);
    QVERIFY(!take(store.check()).ok);
}

void tst_LostRuns::closesOnlyOnce()
{
    const Folder folder;
    leaveOpen(folder, started());
    RunStore store = take(RunStore::open(folder.file()));
    QCOMPARE(take(store.closeLostRuns("boot-1")).size(), std::size_t{1});
    QVERIFY(take(store.closeLostRuns("boot-1")).empty());
    QVERIFY(take(store.closeLostRuns("boot-2")).empty());
    QCOMPARE(take(store.run({1})).verdict->mode, FailureMode::LabLost);
}

/// A lab that was killed between the end of a run and the end of its indexing.
void tst_LostRuns::makesUpForAMissingTextIndex()
{
    const Folder folder;
    {
        RunStore store = take(RunStore::open(folder.file()));
        const RunStarted begin = started();
        const RunId run = take(store.startRun(begin));
        take(store.begin());
        for (int i = 0; i < 30'000; ++i)
            take(store.addLog(run, LogStream::Stderr, 0, "line number" + std::to_string(i) + "\n"));
        take(store.commit());
        take(store.finishRun(run, finished(begin)));
    }
    const long long parts = RawDatabase(folder.file()).number("SELECT text_parts FROM runs");
    QVERIFY(parts > 4);
    RawDatabase(folder.file())
        .execute("UPDATE runs SET text_done = 0, text_parts = text_parts - 1;"
                 "INSERT INTO run_text(run_text) VALUES ('delete-all')");
    RunStore store = take(RunStore::open(folder.file()));
    QCOMPARE(take(store.countRuns({.words = "number29999"})), std::uint64_t{0});
    take(store.closeLostRuns("boot-1"));
    QCOMPARE(take(store.countRuns({.words = "number29999"})), std::uint64_t{1});
    QCOMPARE(take(store.countRuns({.words = "number1"})), std::uint64_t{0}); // what was done is not done again
    QCOMPARE(RawDatabase(folder.file()).number("SELECT text_parts FROM runs WHERE text_done = 1"), parts);
}

QTEST_GUILESS_MAIN(tst_LostRuns)
#include "tst_LostRuns.moc"
