#include "FakeCgroups.h"
#include "Victim.h"
#include "core/containment/CapWatchdog.h"
#include "core/containment/Containment.h"
#include "core/containment/DeadGroups.h"
#include "core/containment/GroupCounters.h"
#include "core/containment/GroupLimits.h"
#include "core/containment/HostState.h"

#include <QtTest>
#include <csignal>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loadlab;
namespace fs = std::filesystem;

namespace {

constexpr const char* kUuid = "01234567-89ab-4def-8123-456789abcdef";
const std::string kMe = std::to_string(::getpid());

const ContainmentOffer& offer(const Containment& containment, std::string_view kind)
{
    const auto found = std::ranges::find(containment.offers(), kind, &ContainmentOffer::kind);
    if (found == containment.offers().end())
        qFatal("no offer of that kind");
    return *found;
}

/// A process id that was somebody's, and is nobody's now.
ProcessId deadProcess()
{
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(0);
    siginfo_t ended{};
    ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
    const ProcessId id = identify(child).value_or(ProcessId{child, 1});
    ::waitpid(child, nullptr, 0);
    return id;
}

Sample holding(std::int64_t treeBytes, std::int64_t swapBytes)
{
    Sample sample;
    sample[Column::TreeBytes] = treeBytes;
    sample[Column::SwapBytes] = swapBytes;
    return sample;
}

/// XDG_RUNTIME_DIR and PATH as a test wants them, for as long as this lives.
struct Setting {
    explicit Setting(const char* variable, const std::string& value)
        : name(variable)
        , before(::getenv(variable) ? ::getenv(variable) : "")
    {
        ::setenv(name, value.c_str(), 1);
    }
    ~Setting() { before.empty() ? ::unsetenv(name) : ::setenv(name, before.c_str(), 1); }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;
    const char* name;
    std::string before;
};

} // namespace

class tst_Containment : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void thisMachineIsProbedWithoutLeavingATrace();
    void v2GivesGroupsBelowTheLabsOwn();
    void v2CapsMemoryAndSwap();
    void v2MovesALonelyLabToALeaf();
    void v2GoesBesideAGroupThatIsShared();
    void v2SaysWhyNot_data();
    void v2SaysWhyNot();
    void v2ReadsWhatTheKernelCounts();
    void v1CapsMemoryAndTheSumWithSwap();
    void v1WithoutSwapAccountingSaysSo();
    void v1SumsTheKillsOfGroupsBelow();
    void theNearestLimitSaysWhatIsLeft();
    void aCapThatIsRefusedLeavesNothing();
    void anyReasonIsTold();
    void inAContainerThePathMayBeTheHosts();
    void theUsersSystemdGivesAScope();
    void aScopeThatIsRefusedIsToldInItsWords();
    void whoOwnsAGroupStandsInItsName();
    void otherNamesAreNobodys_data();
    void otherNamesAreNobodys();
    void groupsOfDeadLabsAreRemovedWhereverTheyAre();
    void groupsOfLivingLabsStay();
    void groupsOfOtherNamespacesStay();
    void countersOfAV2GroupAreRead();
    void aBusyGroupIsTriedAgain();
    void aGroupThatStaysIsGivenUpInTime();
    void theWatchdogKillsTheGroupAtOnce();
    void theWatchdogTellsMemoryFromSwap();
    void aDisarmedWatchdogKillsNobody();
    void filesLeftInMemoryAreFound();
};

void tst_Containment::thisMachineIsProbedWithoutLeavingATrace()
{
    const Containment found = Containment::probe();
    QCOMPARE(found.offers().size(), std::size_t{3});
    QCOMPARE(found.offers()[0].kind, std::string("cgroup2"));
    QCOMPARE(found.offers()[1].kind, std::string("systemd scope"));
    QCOMPARE(found.offers()[2].kind, std::string("cgroup1"));
    for (const ContainmentOffer& one : found.offers())
        QVERIFY2(!one.detail.empty(), one.kind.c_str());
    QVERIFY(!found.detail().empty());
    qInfo("here: %s", found.detail().c_str());
    const auto v1 = findMemoryHierarchyV1({});
    if (found.kind() != GroupKind::V1)
        QSKIP("no cgroup v1 to look at");
    for (const auto& entry : fs::directory_iterator(v1->ownGroup)) {
        const auto owner = ownerOfGroup(entry.path().filename().string());
        QVERIFY2(!owner || owner->lab.pid != ::getpid(), entry.path().c_str());
    }
}

void tst_Containment::v2GivesGroupsBelowTheLabsOwn()
{
    FakeCgroups fake = FakeCgroups::v2("/user/lab");
    fake.group("user", "memory", "memory", "");
    fake.group("user/lab", "memory", "memory", "");
    const Containment found = Containment::probe(fake.world());
    QCOMPARE(found.kind(), GroupKind::V2);
    QVERIFY(offer(found, "cgroup2").available);
    QVERIFY2(found.detail().find("user/lab; caps memory and swap") != std::string::npos, found.detail().c_str());
    QCOMPARE(fake.labGroups().size(), std::size_t{0});
    {
        const auto group = found.makeGroup(kUuid, {}).value();
        QCOMPARE(group->folder().parent_path(), fake.at("sys/fs/cgroup/user/lab"));
        QCOMPARE(group->joined(), std::nullopt);
        QCOMPARE(group->join(), 0);
        QCOMPARE(group->joined(), std::optional(0));
        QCOMPARE(fake.labGroups().size(), std::size_t{1});
    }
    QCOMPARE(fake.labGroups().size(), std::size_t{0});
}

void tst_Containment::v2CapsMemoryAndSwap()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "memory", "");
    const Containment found = Containment::probe(fake.world());
    const auto group = found.makeGroup(kUuid, {300 << 20, 0}).value();
    QCOMPARE(FakeCgroups::readFile(group->folder() / "memory.max"), std::string("314572800"));
    QCOMPARE(FakeCgroups::readFile(group->folder() / "memory.swap.max"), std::string("0"));
    QVERIFY(group->keepsMemory() && group->keepsSwap());

    fake.filesOfNewGroups.erase(std::ranges::find(fake.filesOfNewGroups, "memory.swap.max"));
    const Containment without = Containment::probe(fake.world());
    QVERIFY2(without.detail().find("not swap") != std::string::npos, without.detail().c_str());
    const auto half = without.makeGroup(kUuid, {300 << 20, 0});
    QVERIFY(!half); // The first one still has that name.
    const auto other = without.makeGroup("11234567-89ab-4def-8123-456789abcdef", {300 << 20, 0}).value();
    QVERIFY(other->keepsMemory() && !other->keepsSwap());
}

void tst_Containment::v2MovesALonelyLabToALeaf()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "", kMe + "\n");
    const Containment found = Containment::probe(fake.world());
    QVERIFY2(found.kind() == GroupKind::V2, found.detail().c_str());
    QCOMPARE(fake.read("sys/fs/cgroup/lab/cgroup.subtree_control"), std::string("+memory"));
    const std::vector<std::string> leaves = fake.labGroups();
    QCOMPARE(leaves.size(), std::size_t{1}); // The lab's own.
    QCOMPARE(FakeCgroups::readFile(fs::path(leaves.front()) / "cgroup.procs"), std::string("0"));
    QVERIFY(ownerOfGroup(fs::path(leaves.front()).filename().string()));
}

void tst_Containment::v2GoesBesideAGroupThatIsShared()
{
    FakeCgroups fake = FakeCgroups::v2("/user/lab");
    fake.group("user", "memory", "memory", "");
    fake.group("user/lab", "memory", "", kMe + "\n1\n");
    const Containment found = Containment::probe(fake.world());
    QVERIFY2(found.kind() == GroupKind::V2, found.detail().c_str());
    QCOMPARE(found.makeGroup(kUuid, {}).value()->folder().parent_path(), fake.at("sys/fs/cgroup/user"));
}

void tst_Containment::v2SaysWhyNot_data()
{
    QTest::addColumn<QByteArray>("has");
    QTest::addColumn<QByteArray>("pids");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("no controller") << QByteArray("cpu io") << QByteArray()
                                   << QByteArray("lab has no memory controller");
    QTest::newRow("shared") << QByteArray("memory") << QByteArray(kMe.c_str()) + "\n1\n"
                            << QByteArray("holds other processes");
}

void tst_Containment::v2SaysWhyNot()
{
    QFETCH(QByteArray, has);
    QFETCH(QByteArray, pids);
    QFETCH(QByteArray, says);
    FakeCgroups fake = FakeCgroups::v2("/user/lab");
    fake.group("user", "memory", "cpu", "");
    fake.group("user/lab", has.toStdString(), "", pids.toStdString());
    const Containment found = Containment::probe(fake.world());
    QCOMPARE(found.kind(), GroupKind::None);
    const ContainmentOffer& why = offer(found, "cgroup2");
    QVERIFY(!why.available);
    QVERIFY2(why.detail.find(says.toStdString()) != std::string::npos, why.detail.c_str());
    QVERIFY2(found.detail().find(says.toStdString()) != std::string::npos, found.detail().c_str());
    const auto group = found.makeGroup(kUuid, {});
    QVERIFY(!group);
    QCOMPARE(group.error().kind, ErrorKind::NotFound);
}

void tst_Containment::v2ReadsWhatTheKernelCounts()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "memory", "");
    const Containment found = Containment::probe(fake.world());
    const auto group = found.makeGroup(kUuid, {}).value();
    const auto put = [&group](const char* file, const char* text) { std::ofstream(group->folder() / file) << text; };
    put("memory.current", "1000\n");
    put("memory.peak", "2000\n");
    put("memory.swap.peak", "300\n");
    put("memory.swap.current", "30\n");
    put("memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n");
    put("memory.stat", "anon 500\nfile 400\nkernel 10\nshmem 100\nfile_mapped 5\nanon_thp 7\n");
    const GroupReading reading = group->read();
    QCOMPARE(reading.usageBytes, std::uint64_t{1000});
    QCOMPARE(reading.highestUsageBytes, std::optional<std::uint64_t>(2000));
    QCOMPARE(reading.highestWithSwapBytes, std::optional<std::uint64_t>(2300));
    QCOMPARE(reading.swapBytes, std::optional<std::uint64_t>(30));
    QCOMPARE(reading.anonBytes, std::uint64_t{500});
    QCOMPARE(reading.fileBytes, std::uint64_t{300});
    QCOMPARE(reading.shmemBytes, std::uint64_t{100});
    QCOMPARE(reading.limitHits, std::optional<std::uint64_t>(12));
    QCOMPARE(reading.oomKills, std::optional<std::uint64_t>(2));
}

void tst_Containment::v1CapsMemoryAndTheSumWithSwap()
{
    FakeCgroups fake = FakeCgroups::v1();
    const Containment found = Containment::probe(fake.world());
    QVERIFY2(found.kind() == GroupKind::V1, found.detail().c_str());
    QVERIFY2(offer(found, "cgroup2").detail == "no cgroup v2 is mounted", offer(found, "cgroup2").detail.c_str());
    const auto group = found.makeGroup(kUuid, {100, 50}).value();
    QCOMPARE(group->folder().parent_path(), fake.at("sys/fs/cgroup/memory/lab"));
    QCOMPARE(FakeCgroups::readFile(group->folder() / "memory.limit_in_bytes"), std::string("100"));
    QCOMPARE(FakeCgroups::readFile(group->folder() / "memory.memsw.limit_in_bytes"), std::string("150"));
    QVERIFY(group->keepsMemory() && group->keepsSwap());
    // Swap alone is no limit that v1 knows.
    const auto swapOnly = found.makeGroup("11234567-89ab-4def-8123-456789abcdef", {std::nullopt, 50}).value();
    QVERIFY(!swapOnly->keepsSwap());
}

void tst_Containment::v1WithoutSwapAccountingSaysSo()
{
    FakeCgroups fake = FakeCgroups::v1();
    fake.filesOfNewGroups.erase(std::ranges::find(fake.filesOfNewGroups, "memory.memsw.limit_in_bytes"));
    const Containment found = Containment::probe(fake.world());
    QVERIFY2(found.detail().find("no swap accounting") != std::string::npos, found.detail().c_str());
    const auto group = found.makeGroup(kUuid, {100, 50}).value();
    QVERIFY(group->keepsMemory() && !group->keepsSwap());
}

void tst_Containment::v1SumsTheKillsOfGroupsBelow()
{
    FakeCgroups fake = FakeCgroups::v1();
    const Containment found = Containment::probe(fake.world());
    const auto group = found.makeGroup(kUuid, {}).value();
    std::ofstream(group->folder() / "memory.oom_control") << "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n";
    fs::create_directory(group->folder() / "inner");
    std::ofstream(group->folder() / "inner/memory.oom_control") << "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
    QCOMPARE(group->read().oomKills, std::optional<std::uint64_t>(3));
    QVERIFY(group->remove(std::chrono::milliseconds(0))); // With the inner one.
    QCOMPARE(fake.labGroups().size(), std::size_t{0});
}

void tst_Containment::theNearestLimitSaysWhatIsLeft()
{
    FakeCgroups fake = FakeCgroups::v2("/slice/lab");
    fake.group("slice", "memory", "memory", "");
    fake.group("slice/lab", "memory", "memory", "");
    const Containment found = Containment::probe(fake.world());
    const auto group = found.makeGroup(kUuid, {}).value();
    fake.write("sys/fs/cgroup/slice/memory.max", "max\n");
    fake.write("sys/fs/cgroup/slice/memory.current", "700\n");
    fake.write("sys/fs/cgroup/slice/memory.stat", "anon 400\nfile 300\nshmem 100\n");
    std::ofstream(group->folder() / "memory.max") << "100\n";
    std::ofstream(group->folder() / "memory.current") << "40\n";
    std::ofstream(group->folder() / "memory.stat") << "anon 40\n";
    GroupLimits limits(*group);
    const auto own = limits.nearest(0);
    QVERIFY(own && own->ofRun);
    QCOMPARE(own->leftBytes, std::uint64_t{60});
    // A second later the limit around it is seen as well. Its 200 of page cache count as free.
    fake.write("sys/fs/cgroup/slice/memory.max", "530\n");
    QVERIFY(limits.nearest(999'999'999)->ofRun);
    const auto around = limits.nearest(1'000'000'000);
    QVERIFY(!around->ofRun);
    QCOMPARE(around->leftBytes, std::uint64_t{30});
    QCOMPARE(around->limitBytes, std::uint64_t{530});
    std::ofstream(group->folder() / "memory.current") << "90\n"; // What is held counts at once.
    QCOMPARE(limits.nearest(1'000'000'001)->leftBytes, std::uint64_t{10});
    fake.write("sys/fs/cgroup/slice/memory.max", "max\n");
    std::ofstream(group->folder() / "memory.max") << "max\n";
    QVERIFY(!limits.nearest(3'000'000'000));
}

void tst_Containment::aCapThatIsRefusedLeavesNothing()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "memory", "");
    const Containment found = Containment::probe(fake.world());
    CgroupWorld world = fake.world();
    fake.filesOfNewGroups = {};
    const auto group = RunGroup::make(
        world, GroupKind::V2, {fake.at("sys/fs/cgroup"), fake.at("sys/fs/cgroup/lab")}, kUuid, {100, std::nullopt});
    QVERIFY(!group);
    QVERIFY2(
        group.error().message.find("memory.max: No such file") != std::string::npos, group.error().message.c_str());
    QCOMPARE(fake.labGroups().size(), std::size_t{0});
}

void tst_Containment::anyReasonIsTold()
{
    FakeCgroups bare;
    bare.write("proc/self/mountinfo", "garbage\n1 2\n");
    const Containment nothing = Containment::probe(bare.world());
    QCOMPARE(nothing.kind(), GroupKind::None);
    for (const char* part : {"no cgroup v2", "no cgroup v1"})
        QVERIFY2(nothing.detail().find(part) != std::string::npos, nothing.detail().c_str());

    FakeCgroups readOnly = FakeCgroups::v1();
    readOnly.refuseToMake = EROFS;
    const Containment refused = Containment::probe(readOnly.world());
    QCOMPARE(refused.kind(), GroupKind::None);
    QVERIFY2(offer(refused, "cgroup1").detail.find("Read-only file system") != std::string::npos,
        offer(refused, "cgroup1").detail.c_str());

    FakeCgroups old = FakeCgroups::v1();
    old.filesOfNewGroups = {"memory.limit_in_bytes"};
    QVERIFY2(offer(Containment::probe(old.world()), "cgroup1").detail.find("memory.oom_control") != std::string::npos,
        "a kernel without evidence");
    QCOMPARE(old.labGroups().size(), std::size_t{0});
}

void tst_Containment::inAContainerThePathMayBeTheHosts()
{
    FakeCgroups fake = FakeCgroups::v1();
    fake.write("proc/self/mountinfo", "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    fake.write("proc/self/cgroup", "4:memory:/docker/abc/lab\n");
    QCOMPARE(findMemoryHierarchyV1(fake.world())->ownGroup, fake.at("sys/fs/cgroup/memory/lab"));
    fake.write("proc/self/cgroup", "4:memory:/elsewhere\n");
    QCOMPARE(findMemoryHierarchyV1(fake.world())->ownGroup, fake.at("sys/fs/cgroup/memory"));
    fake.write("proc/self/mountinfo", "35 31 0:32 / /sys/fs/c\\040group/memory rw - cgroup cgroup rw,memory\n");
    QCOMPARE(findMemoryHierarchyV1(fake.world())->mount, fake.at("sys/fs/c group/memory"));
}

void tst_Containment::theUsersSystemdGivesAScope()
{
    FakeCgroups fake = FakeCgroups::v2("/session.scope");
    fake.group("session.scope", "memory", "", kMe + "\n1\n");
    fake.write("sys/fs/cgroup/cgroup.subtree_control", "cpu\n"); // So there is no room beside it either.
    fake.write("run/user/1/systemd/private", "");
    // What systemd-run --scope does: makes the unit's group, enters it, becomes the command.
    fake.write("bin/systemd-run",
        "#!/bin/sh\nfor word; do shift; case $word in --unit=*) unit=${word#--unit=};; --) break;; esac; done\n"
        "mkdir -p \"$FAKE/proc/$$\" \"$FAKE/sys/fs/cgroup/app.slice/$unit\"\n"
        ": > \"$FAKE/sys/fs/cgroup/app.slice/$unit/cgroup.subtree_control\"\n"
        "printf '0::/app.slice/%s\\n' \"$unit\" > \"$FAKE/proc/$$/cgroup\"\nexec \"$@\"\n");
    ::chmod(fake.at("bin/systemd-run").c_str(), 0755);
    const Setting tree("FAKE", fake.root().string());
    const Setting runtime("XDG_RUNTIME_DIR", "/run/user/1");
    const Setting path("PATH", fake.at("bin").string() + ":" + ::getenv("PATH"));
    fs::path scope;
    {
        const Containment found = Containment::probe(fake.world());
        QVERIFY2(found.kind() == GroupKind::V2, found.detail().c_str());
        QVERIFY(offer(found, "systemd scope").available);
        const auto group = found.makeGroup(kUuid, {}).value();
        scope = group->folder().parent_path();
        QCOMPARE(scope.parent_path(), fake.at("sys/fs/cgroup/app.slice"));
        QCOMPARE(FakeCgroups::readFile(scope / "cgroup.subtree_control"), std::string("+memory"));
        const pid_t holder = static_cast<pid_t>(std::stol(FakeCgroups::readFile(scope / "holder/cgroup.procs")));
        QVERIFY(::kill(holder, 0) == 0);
    }
    const pid_t holder = static_cast<pid_t>(std::stol(FakeCgroups::readFile(scope / "holder/cgroup.procs")));
    QVERIFY(::kill(holder, 0) != 0); // It went with the last that used it.
}

void tst_Containment::aScopeThatIsRefusedIsToldInItsWords()
{
    FakeCgroups fake = FakeCgroups::v2("/session.scope");
    fake.group("session.scope", "memory", "", kMe + "\n1\n");
    fake.write("sys/fs/cgroup/cgroup.subtree_control", "cpu\n");
    const Setting runtime("XDG_RUNTIME_DIR", "/run/user/1");
    QCOMPARE(
        offer(Containment::probe(fake.world()), "systemd scope").detail, std::string("no user instance of systemd"));
    fake.write("run/user/1/systemd/private", "");
    fake.write("bin/systemd-run", "#!/bin/sh\necho 'Failed to connect to bus: Permission denied' >&2\nexit 1\n");
    ::chmod(fake.at("bin/systemd-run").c_str(), 0755);
    const Setting path("PATH", fake.at("bin").string() + ":" + ::getenv("PATH"));
    const Containment found = Containment::probe(fake.world());
    QCOMPARE(found.kind(), GroupKind::None);
    QVERIFY2(offer(found, "systemd scope").detail.find("Failed to connect to bus") != std::string::npos,
        offer(found, "systemd scope").detail.c_str());
}

void tst_Containment::whoOwnsAGroupStandsInItsName()
{
    const GroupOwner me = thisLab(kUuid);
    QCOMPARE(me.lab.pid, ::getpid());
    QVERIFY(me.lab.startTicks > 0 && me.pidNamespace > 0);
    const auto back = ownerOfGroup(groupNameOf(me));
    QVERIFY(back);
    QCOMPARE(back->runUuid, std::string(kUuid));
    QVERIFY(back->lab == me.lab && back->pidNamespace == me.pidNamespace);
}

void tst_Containment::otherNamesAreNobodys_data()
{
    QTest::addColumn<QByteArray>("name");
    for (const char* name : {"", "loadlab-", "loadlab-x", "user.slice", "loadlab-01234567-89ab-4def-8123-456789abcdef",
             "loadlab-01234567-89ab-4def-8123-456789abcdef-", "loadlab-01234567-89ab-4def-8123-456789abcdef-1-2",
             "loadlab-01234567-89ab-4def-8123-456789abcdef-1-2-3x",
             "loadlab-01234567-89ab-4def-8123-456789abcdef--1-2-3",
             "loadlab-01234567-89ab-4def-8123-456789abcdef-99999999999999999999-2-3",
             "loadlab-/../../-89ab-4def-8123-456789abcdef-1-2-3"})
        QTest::newRow(name) << QByteArray(name);
}

void tst_Containment::otherNamesAreNobodys()
{
    QFETCH(QByteArray, name);
    QVERIFY(!ownerOfGroup(name.toStdString()));
}

void tst_Containment::groupsOfDeadLabsAreRemovedWhereverTheyAre()
{
    FakeCgroups fake = FakeCgroups::v2("/user/lab");
    fake.group("user", "memory", "memory", "");
    fake.group("user/lab", "memory", "memory", "");
    fake.group("elsewhere/deep", "memory", "memory", "");
    GroupOwner owner = thisLab(kUuid);
    owner.lab = deadProcess();
    fake.write("sys/fs/cgroup/user/lab/" + groupNameOf(owner) + "/cgroup.procs", "");
    fake.write("sys/fs/cgroup/elsewhere/deep/" + groupNameOf(owner) + "/cgroup.procs", "");
    const std::vector<DeadGroup> dead = removeDeadGroups(fake.world());
    QCOMPARE(dead.size(), std::size_t{2});
    QVERIFY(dead[0].removed && dead[1].removed);
    QCOMPARE(dead[0].runUuid, std::string(kUuid));
    QCOMPARE(toWords(dead[0]), "removed the cgroup of run " + std::string(kUuid) + ", whose lab died");
    QCOMPARE(fake.labGroups().size(), std::size_t{0});
}

void tst_Containment::groupsOfLivingLabsStay()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "memory", "");
    fake.write("sys/fs/cgroup/lab/" + groupNameOf(thisLab(kUuid)) + "/cgroup.procs", "");
    QVERIFY(removeDeadGroups(fake.world()).empty());
    QCOMPARE(fake.labGroups().size(), std::size_t{1});
}

void tst_Containment::groupsOfOtherNamespacesStay()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "memory", "");
    GroupOwner owner = thisLab(kUuid);
    owner.lab = deadProcess(); // Here; there it may be anybody.
    ++owner.pidNamespace;
    fake.write("sys/fs/cgroup/lab/" + groupNameOf(owner) + "/cgroup.procs", "");
    QVERIFY(removeDeadGroups(fake.world()).empty());
    QCOMPARE(fake.labGroups().size(), std::size_t{1});
}

void tst_Containment::countersOfAV2GroupAreRead()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "memory", "");
    const auto group = Containment::probe(fake.world()).makeGroup(kUuid, {}).value();
    GroupCounters counters(*group);
    Sample sample;
    counters.sample(sample);
    QCOMPARE(sample[Column::CgroupUsageBytes], std::int64_t{0});
    QVERIFY(!sample.has(Column::CgroupFileBytes)); // A memory.stat without such a line.
    const auto write = [&group](const char* file, const char* text) { std::ofstream(group->folder() / file) << text; };
    write("memory.current", "7000\n");
    write("memory.stat", "anon 1000\nfile 5000\nkernel 900\nshmem 2000\nfile_mapped 4000\n");
    QCOMPARE(counters.usageBytes(), std::optional<std::uint64_t>(7000));
    QCOMPARE(counters.fileBytes(), std::optional<std::uint64_t>(3000)); // Shared memory is no page cache.
}

void tst_Containment::aBusyGroupIsTriedAgain()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "memory", "");
    const Containment found = Containment::probe(fake.world());
    const auto group = found.makeGroup(kUuid, {}).value();
    fake.busyRemovals = 5;
    QVERIFY(group->remove(std::chrono::seconds(20)));
    QCOMPARE(fake.busyRemovals, 0);
    QCOMPARE(fake.labGroups().size(), std::size_t{0});
}

void tst_Containment::aGroupThatStaysIsGivenUpInTime()
{
    FakeCgroups fake = FakeCgroups::v2("/lab");
    fake.group("lab", "memory", "memory", "");
    const Containment found = Containment::probe(fake.world());
    const auto group = found.makeGroup(kUuid, {}).value();
    fake.busyRemovals = 1'000'000;
    QVERIFY(!group->remove(std::chrono::milliseconds(50)));
    QVERIFY(fake.busyRemovals < 1'000'000 - 1); // More than one try.
    QCOMPARE(fake.labGroups().size(), std::size_t{1}); // Its name tells the next start whose it was.
    fake.busyRemovals = 0;
}

void tst_Containment::theWatchdogKillsTheGroupAtOnce()
{
    Victim victim;
    CapWatchdog watchdog;
    watchdog.keep({1000, std::nullopt});
    watchdog.check(holding(5000, 0)); // Nobody to kill yet.
    QVERIFY(!watchdog.breach());
    watchdog.arm(victim.pid());
    watchdog.check(holding(1000, 0));
    QVERIFY(!watchdog.breach());
    watchdog.check(holding(1001, 0));
    QVERIFY(victim.wasKilled());
    QCOMPARE(watchdog.breach()->bytes, std::uint64_t{1001});
    QCOMPARE(watchdog.leftBytes(), std::optional<std::uint64_t>(0));
    watchdog.check(holding(400, 0));
    QCOMPARE(watchdog.leftBytes(), std::optional<std::uint64_t>(600));
    QCOMPARE(watchdog.breach()->capBytes, std::uint64_t{1000});
    watchdog.disarm();
}

void tst_Containment::theWatchdogTellsMemoryFromSwap()
{
    Victim victim;
    CapWatchdog watchdog;
    watchdog.keep({1000, 500});
    watchdog.arm(victim.pid());
    watchdog.check(holding(1400, 500)); // 900 resident, 500 swapped.
    Sample quick; // A sample between full ones has no swap column: the last one counts.
    quick[Column::TreeBytes] = 1450;
    watchdog.check(quick);
    QVERIFY(!watchdog.breach());
    watchdog.check(holding(1400, 501));
    QVERIFY(watchdog.breach()->ofSwap);
    QVERIFY(victim.wasKilled());
}

void tst_Containment::aDisarmedWatchdogKillsNobody()
{
    Victim victim;
    CapWatchdog watchdog;
    watchdog.keep({1000, std::nullopt});
    watchdog.arm(victim.pid());
    watchdog.disarm();
    watchdog.check(holding(5000, 0));
    QVERIFY(!watchdog.breach());
    QVERIFY(victim.lives());
}

void tst_Containment::filesLeftInMemoryAreFound()
{
    QTemporaryDir folder;
    folder.setAutoRemove(false); // It cannot remove names that are no UTF-8.
    const fs::path shm = folder.path().toStdString();
    std::ofstream(shm / "old") << std::string(100'000, 'x');
    std::ofstream(shm / "same") << std::string(5000, 'x');
    const HostState before = readHostState(shm);
    QCOMPARE(before.shmFiles.size(), std::size_t{2});
    QVERIFY(before.memory.availableBytes > 0);
    std::ofstream(shm / "old", std::ios::app) << std::string(400'000, 'x');
    fs::create_directory(shm / "sub");
    std::ofstream(shm / "sub/n\xFF") << std::string(1'000'000, 'x');
    const std::vector<ShmFile> fresh = newShmFiles(before, readHostState(shm));
    QCOMPARE(fresh.size(), std::size_t{2});
    QCOMPARE(fresh[0].name, std::string("sub/n\xEF\xBF\xBD"));
    QVERIFY(fresh[0].bytes >= 1'000'000);
    QCOMPARE(fresh[1].name, std::string("old"));
    QVERIFY(fresh[1].bytes >= 390'000 && fresh[1].bytes < 500'000);
    QVERIFY(readHostState(shm / "absent").shmFiles.empty());
    fs::remove_all(shm);
}

QTEST_GUILESS_MAIN(tst_Containment)
#include "tst_Containment.moc"
