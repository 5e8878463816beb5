#include "core/Digest.h"
#include "core/Units.h"
#include "core/containment/Containment.h"
#include "core/containment/DeadGroups.h"
#include "core/containment/GroupCounters.h"
#include "core/containment/GroupLimits.h"

#include <QtTest>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Groups of this machine's kernel. Where it has none that this user may make, all of it is skipped.

using namespace loadlab;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

/// Runs a shell line inside the group, as a worker would be started.
pid_t startIn(const RunGroup& group, const std::string& line)
{
    const pid_t child = ::fork();
    if (child == 0) {
        ::setpgid(0, 0);
        if (group.join() != 0)
            ::_exit(111);
        const int nothing = ::open("/dev/null", O_RDWR);
        ::dup2(nothing, STDOUT_FILENO);
        ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
        ::_exit(112);
    }
    return child;
}

/// Of a process that was to have ended by now, or will by itself; its process group goes with it in any case.
int statusOf(pid_t child)
{
    for (int waitedMs = 0; waitedMs < 20'000; waitedMs += 10) {
        siginfo_t ended{};
        if (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0
            && ended.si_pid == child)
            break;
        ::poll(nullptr, 0, 10);
    }
    ::kill(-child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

std::string hog(const std::string& words)
{
    return std::string(LOADLAB_BINARY_DIR "/tests/memory_hog ") + words;
}

} // namespace

class tst_RunGroup : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void theKernelKillsOverTheCapAndCountsIt();
    void reclaimUnderTheCapIsCounted();
    void aKilledChildCountsThoughTheParentLives();
    void whatFitsIsNotKilled();
    void usageAndCacheAreTold();
    void itsColumnsFollowItUntilItIsGone();
    void itsCountersAreProbed();
    void leftIsWhatTheCapLeaves();
    void anotherGroupsLimitCountsWhileItIsFollowed();
    void removingEndsWhatIsInIt();
    void removingEndsForkersToo();
    void aGroupOfADeadLabIsRemovedWithItsProcesses();
    void v2JoinsAndRemovesForReal();

private:
    std::unique_ptr<RunGroup> group(const Caps& caps = {}) const
    {
        auto made = m_containment.makeGroup(makeUuid(), caps);
        if (!made)
            qFatal("%s", made.error().message.c_str());
        return *std::move(made);
    }
    Containment m_containment = Containment::none({});
};

void tst_RunGroup::initTestCase()
{
    m_containment = Containment::probe();
    if (m_containment.kind() == GroupKind::None)
        QSKIP(m_containment.detail().c_str());
}

void tst_RunGroup::theKernelKillsOverTheCapAndCountsIt()
{
    const auto capped = group({64 * kMiB, 0});
    QVERIFY(capped->keepsMemory());
    QCOMPARE(capped->read().oomKills, std::optional<std::uint64_t>(0));
    const int status = statusOf(startIn(*capped, "exec " + hog("200")));
    QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    QCOMPARE(capped->joined(), std::optional(0));
    const GroupReading reading = capped->read();
    QCOMPARE(reading.oomKills, std::optional<std::uint64_t>(1));
    QVERIFY(reading.highestUsageBytes.value_or(64 * kMiB) <= 64 * kMiB);
    QVERIFY(reading.highestUsageBytes.value_or(64 * kMiB) >= 60 * kMiB);
    QVERIFY(reading.limitHits.value_or(1) > 0); // Not counted by every kernel, but never told as none.
    QVERIFY(capped->remove(2s));
    QVERIFY(!fs::exists(capped->folder()));
}

void tst_RunGroup::reclaimUnderTheCapIsCounted()
{
    const auto capped = group({64 * kMiB, std::nullopt});
    const std::string file = fs::current_path() / ("pages-" + makeUuid());
    statusOf(startIn(*capped, "head -c 100000000 /dev/zero > " + file));
    fs::remove(file);
    const GroupReading reading = capped->read();
    QVERIFY(reading.limitHits.value_or(0) > 0);
    QCOMPARE(reading.oomKills, std::optional<std::uint64_t>(0));
}

void tst_RunGroup::aKilledChildCountsThoughTheParentLives()
{
    const auto capped = group({64 * kMiB, 0});
    const int status = statusOf(startIn(*capped, hog("200") + "; exit 3"));
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 3);
    QCOMPARE(capped->read().oomKills, std::optional<std::uint64_t>(1));
}

void tst_RunGroup::whatFitsIsNotKilled()
{
    const auto capped = group({200 * kMiB, 0});
    const int status = statusOf(startIn(*capped, "exec " + hog("100")));
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 0);
    QCOMPARE(capped->read().oomKills, std::optional<std::uint64_t>(0));
    QCOMPARE(capped->read().limitHits, std::optional<std::uint64_t>(0));
}

void tst_RunGroup::usageAndCacheAreTold()
{
    const auto held = group();
    const pid_t child = startIn(*held, "exec " + hog("64 0 60"));
    QTRY_VERIFY(held->read().anonBytes >= 64 * kMiB);
    QCOMPARE(held->processes(), std::vector<pid_t>{child});
    QVERIFY(held->read().usageBytes >= 64 * kMiB);
    ::kill(child, SIGKILL);
    statusOf(child);
    QTRY_VERIFY(held->read().anonBytes < 8 * kMiB);
    const std::string file = "/dev/shm/loadlab-test-" + makeUuid();
    statusOf(startIn(*held, "head -c 20000000 /dev/zero > " + file));
    const std::uint64_t shmem = held->read().shmemBytes;
    fs::remove(file);
    QVERIFY2(shmem >= 19'000'000 && shmem < 30'000'000, std::to_string(shmem).c_str());
}

void tst_RunGroup::itsColumnsFollowItUntilItIsGone()
{
    const auto held = group();
    GroupCounters counters(*held);
    const pid_t child = startIn(*held, "exec " + hog("64 0 60"));
    QTRY_VERIFY(counters.usageBytes().value_or(0) >= 64 * kMiB);
    QVERIFY(counters.fileBytes().value_or(~0ULL) < 8 * kMiB);
    const std::string file = fs::current_path() / ("cache-" + makeUuid());
    statusOf(startIn(*held, "head -c 20000000 /dev/zero > " + file + "; sync " + file));
    GroupCounters later(*held);
    Sample sample;
    later.sample(sample);
    fs::remove(file);
    QVERIFY2(sample[Column::CgroupFileBytes] >= 19'000'000 && sample[Column::CgroupFileBytes] < 40'000'000,
        std::to_string(sample[Column::CgroupFileBytes]).c_str());
    QVERIFY(sample[Column::CgroupUsageBytes] >= sample[Column::CgroupFileBytes] + std::int64_t{64 * kMiB});
    ::kill(child, SIGKILL);
    statusOf(child);
    QVERIFY(held->remove(5s)); // Open descriptors do not keep it.
    QVERIFY(!counters.usageBytes() && !counters.fileBytes());
    Sample after;
    counters.sample(after);
    QCOMPARE(after, Sample());
}

void tst_RunGroup::itsCountersAreProbed()
{
    const std::vector<CounterInfo> counters = probeGroupCounters(m_containment);
    QVERIFY(!counters.empty());
    for (const CounterInfo& counter : counters) {
        QVERIFY2(counter.available, (counter.name + ": " + counter.problem).c_str());
        QVERIFY(
            counter.cost.ends_with(" us") && !counter.source.empty() && !counter.unit.empty() && !counter.bias.empty());
    }
    for (const CounterInfo& counter : probeGroupCounters(Containment::none("none is wanted")))
        QVERIFY2(
            !counter.available && counter.problem.find("none is wanted") != std::string::npos, counter.problem.c_str());
}

void tst_RunGroup::leftIsWhatTheCapLeaves()
{
    const auto capped = group({100 * kMiB, 0});
    GroupLimits limits(*capped);
    const auto left = [&limits] { return limits.nearest(monotonicNs()).value_or(GroupLimits::Left()).leftBytes; };
    QVERIFY(left() > 90 * kMiB && left() <= 100 * kMiB);
    const pid_t child = startIn(*capped, "exec " + hog("64 0 60"));
    QTRY_VERIFY(left() < 40 * kMiB);
    ::kill(child, SIGKILL);
    statusOf(child);
}

void tst_RunGroup::anotherGroupsLimitCountsWhileItIsFollowed()
{
    const auto own = group({200 * kMiB, 0});
    const auto other = group({64 * kMiB, 0});
    const pid_t child = startIn(*other, "exec sleep 1000");
    QTRY_COMPARE(other->processes(), std::vector<pid_t>{child});
    const auto path
        = groupPathOf({}, std::to_string(child), m_containment.kind() == GroupKind::V1 ? "memory" : "").value();
    GroupLimits limits(*own);
    const auto nearest = [&limits] { return limits.nearest(monotonicNs()).value_or(GroupLimits::Left()); };
    QVERIFY(nearest().ofRun);
    limits.follow(*own, {path});
    QCOMPARE(nearest().limitBytes, 64 * kMiB);
    QVERIFY(!nearest().ofRun);
    limits.follow(*own, {});
    QVERIFY(nearest().ofRun);
    QCOMPARE(nearest().limitBytes, 200 * kMiB);
    ::kill(child, SIGKILL);
    statusOf(child);
}

void tst_RunGroup::removingEndsWhatIsInIt()
{
    const auto full = group();
    const pid_t child = startIn(*full, "trap '' TERM; sleep 1000 & setsid sleep 1000 & wait");
    QTRY_COMPARE(full->processes().size(), std::size_t{3});
    QVERIFY(full->remove(5s));
    QVERIFY(!fs::exists(full->folder()));
    QVERIFY(WIFSIGNALED(statusOf(child)));
}

void tst_RunGroup::removingEndsForkersToo()
{
    const auto full = group();
    const pid_t child = startIn(*full, "while :; do (sleep 0.02 &) ; done");
    QTRY_VERIFY(full->processes().size() > 1);
    QVERIFY(full->remove(10s));
    QVERIFY(!fs::exists(full->folder()));
    statusOf(child);
}

void tst_RunGroup::aGroupOfADeadLabIsRemovedWithItsProcesses()
{
    // A lab is a process of its own here: it makes a group, starts something in it, and dies without a word.
    std::array<int, 2> told{};
    QCOMPARE(::pipe2(told.data(), O_CLOEXEC), 0);
    const pid_t lab = ::fork();
    if (lab == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // Whatever fails here, it does not stay.
        auto mine = m_containment.makeGroup(makeUuid(), {});
        const pid_t worker = mine ? startIn(**mine, "exec sleep 1000") : 0;
        while (mine && (*mine)->processes().empty())
            ::poll(nullptr, 0, 1);
        [[maybe_unused]] const auto said = ::write(told[1], &worker, sizeof worker);
        for (;;)
            ::pause();
    }
    ::close(told[1]);
    pid_t worker = 0;
    QCOMPARE(::read(told[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
    ::close(told[0]);
    const auto ofThisTest = [lab](const std::vector<DeadGroup>& dead) {
        return std::ranges::count_if(dead, [lab](const DeadGroup& one) {
            const auto owner = ownerOfGroup(one.folder.filename().string());
            return owner && owner->lab.pid == lab && one.removed && one.processes == 1;
        });
    };
    QCOMPARE(ofThisTest(removeDeadGroups()), 0); // It lives.
    QVERIFY(worker > 0 && ::kill(worker, 0) == 0);
    ::kill(lab, SIGKILL);
    statusOf(lab);
    const std::vector<DeadGroup> dead = removeDeadGroups();
    for (const DeadGroup& one : dead)
        qInfo("%s", toWords(one).c_str());
    QCOMPARE(ofThisTest(dead), 1);
    QTRY_VERIFY(::kill(worker, 0) != 0 || !isAlive(identify(worker).value_or(ProcessId{})));
}

/// The memory controller may be v1's, and v2 be mounted all the same: joining, killing and removing are the real ones.
void tst_RunGroup::v2JoinsAndRemovesForReal()
{
    const auto v2 = findHierarchyV2({});
    if (!v2)
        QSKIP("no cgroup v2 is mounted");
    auto made = RunGroup::make({}, GroupKind::V2, *v2, makeUuid(), {});
    if (!made)
        QSKIP(made.error().message.c_str());
    RunGroup& group = **made;
    const pid_t child = startIn(group, "sleep 1000 & setsid sleep 1000 & wait");
    QTRY_COMPARE(group.processes().size(), std::size_t{3});
    QVERIFY(group.remove(5s));
    QVERIFY(!fs::exists(group.folder()));
    QVERIFY(WIFSIGNALED(statusOf(child)));
}

QTEST_GUILESS_MAIN(tst_RunGroup)
#include "tst_RunGroup.moc"
