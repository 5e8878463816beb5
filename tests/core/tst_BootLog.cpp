#include "core/trial/BootLog.h"
#include "core/trial/LostRun.h"

#include <QTemporaryDir>
#include <QtTest>
#include <chrono>
#include <filesystem>
#include <fstream>

using namespace loadlab;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string kBoot = "8ac4fcdc-3c4b-49bd-bd24-b4b3fb8ceab6";
const std::string kUuid = "40ff072a-f503-41e4-90d5-79581ffbe331";
constexpr std::int64_t kSecond = 1'000'000'000;

/// A journalctl that says what is in a file, and how it was asked.
struct Machine {
    QTemporaryDir folder;
    BootLogPlaces places;

    Machine()
    {
        const fs::path root = folder.path().toStdString();
        places.journalctl = (root / "journalctl").string();
        places.pstore = {root / "pstore"};
        fs::create_directories(root / "pstore/1");
    }
    void journal(const std::string& script) const
    {
        std::ofstream(places.journalctl) << "#!/bin/sh\n" << script << "\n";
        fs::permissions(places.journalctl, fs::perms::owner_all);
    }
    void says(const std::string& lines) const
    {
        std::ofstream(places.journalctl + ".lines") << lines;
        journal("echo \"$@\" > \"$0.asked\"; cat \"$0.lines\"");
    }
    std::string asked() const
    {
        std::string line;
        std::getline(std::ifstream(places.journalctl + ".asked") >> std::ws, line);
        return line;
    }
    void keeps(const std::string& name, const std::string& lines) const
    {
        std::ofstream(places.pstore.front() / name) << lines;
    }
    std::vector<KernelLine> read(std::chrono::system_clock::time_point since = {}) const
    {
        return readBootLog(kBoot, since, 20s, places);
    }
};

LostRun lostRun(std::vector<KernelLine> kernel)
{
    LostRun run;
    run.uuid = kUuid;
    run.bootId = kBoot;
    run.lab.pid = 10;
    run.workerPid = 4711;
    run.duration = 20s;
    run.originNs = 100 * kSecond;
    run.kernel = std::move(kernel);
    return run;
}

const Evidence* evidenceWith(const Verdict& verdict, std::string_view words)
{
    const auto found = std::ranges::find_if(
        verdict.evidence, [words](const Evidence& item) { return item.fact.find(words) != std::string::npos; });
    return found == verdict.evidence.end() ? nullptr : &*found;
}

} // namespace

class tst_BootLog : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void linesOfEveryKindAreRead_data();
    void linesOfEveryKindAreRead();
    void otherLinesAreNone_data();
    void otherLinesAreNone();
    void theJournalOfExactlyThatBootIsAsked();
    void aJournalThatSaysNoSaysNothing();
    void aJournalThatHangsIsLeftInTime();
    void whatIsNoBootIdAsksNobody();
    void aCrashThatFirmwareKeptIsReadInOrder();
    void anOlderCrashIsNotRead();
    void aCrashBeforeTheLastSampleIsOfAnotherBoot();
    void onlyTheRunsOwnTimeCounts();
    void whatProvesWhat_data();
    void whatProvesWhat();
    void aKillCountsForTheRunThatTheKernelNames();
    void theSummaryTakesUpTheWeightiest();
    void aLabThatVanishedAloneAsksNoKernel();
};

void tst_BootLog::linesOfEveryKindAreRead_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<qlonglong>("ns");
    QTest::addColumn<QByteArray>("text");
    const auto row = [](const char* name, const char* line, qlonglong ns, const char* text) {
        QTest::newRow(name) << QByteArray(line) << ns << QByteArray(text);
    };
    row("journalctl", "[  123.500000] bench kernel: Out of memory: x: y", 123'500'000'000, "Out of memory: x: y");
    row("dmesg", "[    0.000000] Linux version 6.1.0", 0, "Linux version 6.1.0");
    row("pstore", "<6>[34986.250000] usb 1-1: new device", 34'986'250'000'000, "usb 1-1: new device");
    row("with its caller", "<0>[    5.500000][ T1234] Kernel panic", 5'500'000'000, "[ T1234] Kernel panic");
    row("no UTF-8", "[    1.000000] a\xFF", 1'000'000'000, "a\xEF\xBF\xBD");
    row("nothing said", "[    1.000000]", 1'000'000'000, "");
}

void tst_BootLog::linesOfEveryKindAreRead()
{
    QFETCH(QByteArray, line);
    QFETCH(qlonglong, ns);
    QFETCH(QByteArray, text);
    KernelLine got;
    QVERIFY(parseKernelLine(line.toStdString(), got));
    QCOMPARE(got.monotonicNs, ns);
    QCOMPARE(QByteArray::fromStdString(got.text), text);
}

void tst_BootLog::otherLinesAreNone_data()
{
    QTest::addColumn<QByteArray>("line");
    for (const char* line : {"", "<", "<6", "[", "[]", "[ ]", "[12", "[x] y", "[1.5x] y", "[-4.0] y", "[nan] y",
             "[1e300] y", "Panic#1 Part1", "-- No entries --", "               a line that goes on"})
        QTest::newRow(line) << QByteArray(line);
}

void tst_BootLog::otherLinesAreNone()
{
    QFETCH(QByteArray, line);
    KernelLine got;
    QVERIFY(!parseKernelLine(line.toStdString(), got));
}

void tst_BootLog::theJournalOfExactlyThatBootIsAsked()
{
    const Machine machine;
    machine.says("[    1.000000] bench kernel: first\n[    2.000000] bench kernel: second\n");
    const std::vector<KernelLine> lines = machine.read();
    QCOMPARE(lines.size(), std::size_t{2});
    QCOMPARE(lines.back().text, std::string("second"));
    QVERIFY2(
        machine.asked().find("--boot 8ac4fcdc3c4b49bdbd24b4b3fb8ceab6 ") != std::string::npos, machine.asked().c_str());
    // A bare name is sought in PATH.
    const QByteArray path = qgetenv("PATH");
    qputenv("PATH", machine.folder.path().toUtf8() + ":" + path);
    BootLogPlaces bare = machine.places;
    bare.journalctl = "journalctl";
    const std::size_t found = readBootLog(kBoot, {}, 20s, bare).size();
    qputenv("PATH", path);
    QCOMPARE(found, std::size_t{2});
}

void tst_BootLog::aJournalThatSaysNoSaysNothing()
{
    const Machine machine;
    QVERIFY(machine.read().empty()); // There is no journalctl.
    machine.journal("echo '[    1.000000] bench kernel: of the wrong boot'; exit 1");
    QVERIFY(machine.read().empty());
}

void tst_BootLog::aJournalThatHangsIsLeftInTime()
{
    const Machine machine;
    machine.journal("echo '[    1.000000] bench kernel: x'; exec sleep 1000");
    machine.keeps("dmesg-efi-1", "<0>[    7.000000] Kernel panic - not syncing: x\n");
    const auto lines = readBootLog(kBoot, {}, 200ms, machine.places);
    QCOMPARE(lines.size(), std::size_t{1}); // What else there is counts all the same.
    QVERIFY(lines.front().kept);
}

void tst_BootLog::whatIsNoBootIdAsksNobody()
{
    const Machine machine;
    machine.says("[    1.000000] bench kernel: x\n");
    for (const char* id : {"", "boot-1", "-1", "8ac4fcdc3c4b49bdbd24b4b3fb8ceab", "8ac4fcdc3c4b49bdbd24b4b3fb8ceabG"})
        QVERIFY(readBootLog(id, {}, 20s, machine.places).empty());
    QVERIFY(machine.asked().empty());
}

void tst_BootLog::aCrashThatFirmwareKeptIsReadInOrder()
{
    const Machine machine;
    machine.says("[    1.000000] bench kernel: from the journal\n");
    machine.keeps("dmesg-efi-2", "Panic#1 Part1\n<0>[    9.000000] Kernel panic - not syncing: x\n");
    machine.keeps("1/dmesg.txt", "<4>[    8.000000] Call Trace:\n");
    machine.keeps("console-ramoops-0", "<4>[    8.500000] not a dump\n");
    const std::vector<KernelLine> lines = machine.read();
    QCOMPARE(lines.size(), std::size_t{3});
    QCOMPARE(lines[0].text, std::string("from the journal"));
    QVERIFY(!lines[0].kept && lines[1].kept && lines[2].kept);
    QCOMPARE(lines[2].text, std::string("Kernel panic - not syncing: x"));
}

void tst_BootLog::anOlderCrashIsNotRead()
{
    const Machine machine;
    machine.keeps("dmesg-efi-1", "<0>[    9.000000] Kernel panic\n");
    QCOMPARE(machine.read(std::chrono::system_clock::now() - 1h).size(), std::size_t{1});
    QVERIFY(machine.read(std::chrono::system_clock::now() + 1h).empty());
}

void tst_BootLog::aCrashBeforeTheLastSampleIsOfAnotherBoot()
{
    const std::vector<KernelLine> log{{50 * kSecond, "Kernel panic", true}, {60 * kSecond, "said", false}};
    QCOMPARE(linesOfRun(log, 0, 49 * kSecond).size(), std::size_t{2});
    const auto lines = linesOfRun(log, 0, 70 * kSecond);
    QCOMPARE(lines.size(), std::size_t{1});
    QCOMPARE(lines.front().text, std::string("said"));
}

void tst_BootLog::onlyTheRunsOwnTimeCounts()
{
    const std::vector<KernelLine> log{{50 * kSecond, "before", false}, {99 * kSecond, "as it began", false},
        {130 * kSecond, "after the last sample", false}};
    const auto lines = linesOfRun(log, 100 * kSecond, 120 * kSecond);
    QCOMPARE(lines.size(), std::size_t{2}); // The two clocks may lie apart.
    QCOMPARE(lines.front().text, std::string("as it began"));
}

void tst_BootLog::whatProvesWhat_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("supports");
    const auto row = [](const char* line, const char* supports) {
        QTest::newRow(line) << QByteArray(line) << QByteArray(supports);
    };
    row("Kernel panic - not syncing: System is deadlocked on memory", "host_lost");
    row("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [python3:4711]", "host_lost");
    row("NMI watchdog: Watchdog detected hard LOCKUP on cpu 3", "host_lost");
    row("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "host_lost");
    row("INFO: task kworker/0:1 blocked for more than 120 seconds.", "host_lost");
    row("thermal thermal_zone0: critical temperature reached (105 C), shutting down", "host_lost");
    row("mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5", "host_lost");
    row("NVRM: Xid (PCI:0000:01:00): 79, pid=4711, GPU has fallen off the bus.", "gpu_driver_error");
    row("NVRM: Xid (PCI:0000:01:00): 31, pid=4711, MMU Fault", "gpu_driver_error");
    row("python3 invoked oom-killer: gfp_mask=0x140dca", "host_lost");
    row("reboot: Restarting system", "host_lost");
    row("eth0: link up", "");
    row("Command line: panic=-1 watchdog_thresh=10", "");
}

void tst_BootLog::whatProvesWhat()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, supports);
    const Verdict verdict = judgeLost(lostRun({{112 * kSecond, line.toStdString(), false}}), "another boot");
    QCOMPARE(verdict.mode, FailureMode::HostLost);
    const Evidence* evidence = evidenceWith(verdict, line.toStdString());
    QCOMPARE(QByteArray::fromStdString(evidence ? evidence->supports : ""), supports);
    QCOMPARE(evidence && evidence->fact.find("12.0 s into the run") != std::string::npos, !supports.isEmpty());
}

void tst_BootLog::aKillCountsForTheRunThatTheKernelNames()
{
    const auto killed = [](const std::string& pid) {
        return "Memory cgroup out of memory: Killed process " + pid + " (python3) total-vm:1kB";
    };
    const std::string group
        = "oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/loadlab-" + kUuid + "-1-2-3,task=x,pid=";
    const Verdict named = judgeLost(
        lostRun({{110 * kSecond, group + "99,uid=0", false}, {110 * kSecond, killed("99"), false}}), "another boot");
    QVERIFY(evidenceWith(named, "killed pid 99 (python3) of this run"));
    QCOMPARE(evidenceWith(named, "killed pid 99")->supports, std::string("host_oom_killed"));
    QCOMPARE(named.remedies.front().id, std::string("guard"));
    const Verdict worker = judgeLost(lostRun({{110 * kSecond, killed("4711"), false}}), "another boot");
    QVERIFY(evidenceWith(worker, "killed pid 4711 (python3) of this run"));
    const Verdict other = judgeLost(
        lostRun({{110 * kSecond, group + "99,uid=0", false}, {110 * kSecond, killed("98"), false}}), "another boot");
    QVERIFY(evidenceWith(other, "not shown to be of this run"));
    QCOMPARE(evidenceWith(other, "killed pid 98")->supports, std::string("host_lost"));
}

void tst_BootLog::theSummaryTakesUpTheWeightiest()
{
    const Verdict verdict = judgeLost(lostRun({{101 * kSecond, "x blocked for more than 120 seconds", false},
                                          {119 * kSecond, "Kernel panic - not syncing: out of luck", false}}),
        "another boot");
    QVERIFY2(
        verdict.summary.find("Kernel panic - not syncing: out of luck") != std::string::npos, verdict.summary.c_str());
    const Verdict kept = judgeLost(lostRun({{119 * kSecond, "Kernel panic - not syncing: x", true}}), "another boot");
    QCOMPARE(evidenceWith(kept, "Kernel panic")->source, std::string("pstore"));
    QVERIFY(evidenceWith(kept, "Kernel panic")->weight < evidenceWith(verdict, "Kernel panic")->weight);
}

void tst_BootLog::aLabThatVanishedAloneAsksNoKernel()
{
    const Verdict verdict = judgeLost(lostRun({{119 * kSecond, "Kernel panic - not syncing: x", false}}), kBoot);
    QCOMPARE(verdict.mode, FailureMode::LabLost);
    QVERIFY(!evidenceWith(verdict, "Kernel panic"));
}

QTEST_GUILESS_MAIN(tst_BootLog)
#include "tst_BootLog.moc"
