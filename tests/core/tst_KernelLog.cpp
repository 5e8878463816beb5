#include "core/containment/KernelLog.h"

#include <QTemporaryDir>
#include <QtTest>
#include <fstream>

using namespace loadlab;

class tst_KernelLog : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aVictimIsNamed_data();
    void aVictimIsNamed();
    void whatAVictimHeldIsTold();
    void otherLinesNameNobody_data();
    void otherLinesNameNobody();
    void onlyWhatComesAfterTheMarkCounts();
    void whatAProgramWritesIsNoEvidence();
    void withoutTheLogNothingIsKnown();
};

void tst_KernelLog::aVictimIsNamed_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<int>("pid");
    QTest::addColumn<QByteArray>("name");
    const auto row = [](const char* title, const char* line, int pid, const char* name) {
        QTest::newRow(title) << QByteArray(line) << pid << QByteArray(name);
    };
    row("of a group",
        "3,832,26042082581,-;Memory cgroup out of memory: Killed process 24001 (python3) total-vm:309536kB, "
        "anon-rss:61184kB, file-rss:6588kB, shmem-rss:0kB, UID:0 pgtables:188kB oom_score_adj:0\n",
        24001, "python3");
    row("of the machine", "3,1,1,-;Out of memory: Killed process 12 (a) total-vm:1kB, anon-rss:1kB", 12, "a");
    row("of an older kernel", "3,1,1,-;Killed process 815 (java), UID 48, total-vm:1kB, anon-rss:1kB", 815, "java");
    row("a name with brackets", "3,1,1,-;Out of memory: Killed process 12 (sd-pam) (x) total-vm:1kB", 12, "sd-pam) (x");
    row("a name that is no UTF-8", "3,1,1,-;Out of memory: Killed process 12 (\xFF) total-vm:1kB", 12, "\xEF\xBF\xBD");
}

void tst_KernelLog::aVictimIsNamed()
{
    QFETCH(QByteArray, line);
    QFETCH(int, pid);
    QFETCH(QByteArray, name);
    const auto victim = victimIn(line.toStdString());
    QVERIFY(victim);
    QCOMPARE(victim->pid, pid);
    QCOMPARE(QByteArray::fromStdString(victim->name), name);
}

void tst_KernelLog::whatAVictimHeldIsTold()
{
    const auto held = [](const char* line) { return victimIn(line).value().heldBytes; };
    QCOMPARE(held("3,8,2,-;Memory cgroup out of memory: Killed process 24001 (python3) total-vm:309536kB, "
                  "anon-rss:61184kB, file-rss:6588kB, shmem-rss:16kB, UID:0 pgtables:188kB oom_score_adj:0"),
        std::uint64_t{61200} << 10); // File pages are no part of it.
    QCOMPARE(held("3,1,1,-;Killed process 7 ( anon-rss:9kB) total-vm:5kB, anon-rss:3kB"), std::uint64_t{3} << 10);
    QCOMPARE(held("3,1,1,-;Killed process 7 (a) total-vm:5kB, anon-rss:99999999999999999999kB"), std::uint64_t{0});
}

void tst_KernelLog::otherLinesNameNobody_data()
{
    QTest::addColumn<QByteArray>("line");
    for (const char* line : {"", "6,1,1,-;eth0: link up", "3,1,1,-;Killed process", "3,1,1,-;Killed process x (y)",
             "3,1,1,-;Killed process 12", "3,1,1,-;Killed process 99999999999999 (y) total-vm:1kB",
             "3,1,1,-;Killed process -4 (y) total-vm:1kB", "3,1,1,-;oom_reaper: reaped process 12 (a)"})
        QTest::newRow(line) << QByteArray(line);
}

void tst_KernelLog::otherLinesNameNobody()
{
    QFETCH(QByteArray, line);
    QVERIFY(!victimIn(line.toStdString()));
}

void tst_KernelLog::onlyWhatComesAfterTheMarkCounts()
{
    QTemporaryDir folder; // A file in place of the device: every append is a record.
    const std::string device = folder.path().toStdString() + "/kmsg";
    const auto say = [&device](const char* record) { std::ofstream(device, std::ios::app) << record << "\n"; };
    say("3,1,1,-;Out of memory: Killed process 11 (before) total-vm:1kB");
    KernelLog log(device.c_str());
    if (!log.isReadable())
        QSKIP("pids of the kernel's log are not those of this namespace");
    QVERIFY(log.takeVictims().empty());
    say("6,2,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a/loadlab-x,task=y,z,pid=12,uid=0");
    QVERIFY(log.takeVictims().empty());
    say("3,3,3,-;Memory cgroup out of memory: Killed process 12 (y,z) total-vm:1kB");
    const std::vector<OomVictim> victims = log.takeVictims();
    QCOMPARE(victims.size(), std::size_t{1});
    QCOMPARE(victims.front().pid, 12);
    QCOMPARE(victims.front().name, std::string("y,z"));
    QCOMPARE(victims.front().group, std::string("/a/loadlab-x"));
    QCOMPARE(victims.front().limitedGroup, std::string("/a"));
    QVERIFY(!victims.front().ofMachine);
    QCOMPARE(victims.front().heldBytes, std::uint64_t{0}); // Not told.
    QVERIFY(log.takeVictims().empty());
    say("6,4,4,-;oom-kill:constraint=CONSTRAINT_NONE,mems_allowed=0,global_oom,task_memcg=/a,task=y,pid=13,uid=0");
    QVERIFY(log.takeVictims().empty());
    say("3,5,5,-;Out of memory: Killed process 13 (y) total-vm:1kB");
    const std::vector<OomVictim> ofMachine = log.takeVictims();
    QVERIFY(ofMachine.size() == 1 && ofMachine.front().ofMachine && ofMachine.front().limitedGroup.empty());
}

void tst_KernelLog::whatAProgramWritesIsNoEvidence()
{
    QTemporaryDir folder;
    const std::string device = folder.path().toStdString() + "/kmsg";
    std::ofstream(device) << "";
    KernelLog log(device.c_str());
    if (!log.isReadable())
        QSKIP("pids of the kernel's log are not those of this namespace");
    // Facility 1, "user": what write(2) on /dev/kmsg gets, whatever it asks for.
    std::ofstream(device, std::ios::app) << "12,1,1,-;Out of memory: Killed process 1 (init) total-vm:1kB\n";
    QVERIFY(log.takeVictims().empty());
}

void tst_KernelLog::withoutTheLogNothingIsKnown()
{
    KernelLog log("/no/such/device");
    QVERIFY(!log.isReadable());
    QVERIFY(log.takeVictims().empty());
}

QTEST_GUILESS_MAIN(tst_KernelLog)
#include "tst_KernelLog.moc"
