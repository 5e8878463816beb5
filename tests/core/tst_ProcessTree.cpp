#include "core/telemetry/ProcessReader.h"
#include "core/telemetry/ProcessTree.h"
#include "tests/Sanitized.h"
#include "tests/core/MemoryClient.h"
#include "tests/core/Restless.h"
#include "tests/core/TreeSamples.h"

#include <QDir>
#include <QTemporaryFile>
#include <algorithm>
#include <csignal>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace loadlab;
using namespace loadlab::test;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

bool holds(ProcessTree& tree, pid_t pid)
{
    const auto living = tree.living();
    return std::any_of(living.begin(), living.end(), [pid](const ProcessId& id) { return id.pid == pid; });
}

/// A daemon is the test's own child by now: ended and reaped.
struct Daemon {
    pid_t pid;
    ~Daemon()
    {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
};

/// A child of this process with this number, which holds 32 MiB; -1 where the system does not let us choose.
pid_t forkWithNumber(pid_t wanted)
{
    clone_args how{};
    how.exit_signal = SIGCHLD;
    how.set_tid = reinterpret_cast<std::uintptr_t>(&wanted);
    how.set_tid_size = 1;
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
    if (pid != 0)
        return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::vector<char> held(32 * kMiB, 1);
    for (;;)
        ::pause();
}

long long readCallsOfThisProcess()
{
    QFile io(QStringLiteral("/proc/self/io"));
    io.open(QIODevice::ReadOnly);
    for (const auto& line : io.readAll().split('\n'))
        if (line.startsWith("syscr: "))
            return line.mid(7).toLongLong();
    return -1;
}

QString fileOf(QTemporaryFile& file, std::int64_t bytes)
{
    file.open();
    file.write(QByteArray(static_cast<qsizetype>(bytes), 'x'));
    file.flush();
    return file.fileName();
}

} // namespace

class tst_ProcessTree : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QCOMPARE(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0); }

    void anonymousMemoryIsTreeBytes()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        client.tell("alloc 64");
        const auto after = sampleOf(tree);
        QVERIFY(near(after[Column::AnonBytes] - before[Column::AnonBytes], 64 * kMiB, kMiB));
        QVERIFY(near(after[Column::TreeBytes] - before[Column::TreeBytes], 64 * kMiB, kMiB));
        QVERIFY(near(after[Column::RssBytes] - before[Column::RssBytes], 64 * kMiB, kMiB));
        client.tell("free");
        QVERIFY(near(sampleOf(tree)[Column::TreeBytes], before[Column::TreeBytes], kMiB));
    }

    void sharedMemoryIsTreeBytes()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        client.tell("shm 32");
        const auto after = sampleOf(tree);
        QVERIFY(near(after[Column::ShmemBytes] - before[Column::ShmemBytes], 32 * kMiB, kMiB));
        QVERIFY(near(after[Column::TreeBytes] - before[Column::TreeBytes], 32 * kMiB, kMiB));
    }

    void filePagesAreNoTreeBytes()
    {
        QTemporaryFile file;
        const auto path = fileOf(file, 32 * kMiB);
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        client.tell("map " + path);
        const auto after = sampleOf(tree);
        QVERIFY(near(after[Column::FileBytes] - before[Column::FileBytes], 32 * kMiB, 4 * kMiB));
        QVERIFY(near(after[Column::TreeBytes], before[Column::TreeBytes], kMiB));
        QVERIFY(near(after[Column::RssBytes] - before[Column::RssBytes], 32 * kMiB, 4 * kMiB));
    }

    void theResidentDepthFollowsAnonymousMemory()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        client.tell("shm 8");
        const auto before = sampleOf(tree);
        client.tell("alloc 64");
        Sample after;
        QVERIFY(tree.sample(after, ProcessTree::Depth::Resident));
        QVERIFY(near(after[Column::AnonBytes] - before[Column::AnonBytes], 64 * kMiB, kMiB));
        QVERIFY(near(after[Column::TreeBytes] - before[Column::TreeBytes], 64 * kMiB, kMiB));
        QVERIFY(near(after[Column::RssBytes] - before[Column::RssBytes], 64 * kMiB, kMiB));
        QVERIFY(!after.has(Column::ShmemBytes));
        QVERIFY(!after.has(Column::CpuNs));
    }

    void theChangedDepthSeesWhatHasRun()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        client.tell("alloc 64");
        Sample held;
        tree.sample(held, ProcessTree::Depth::Changed);
        QVERIFY(near(held[Column::TreeBytes] - before[Column::TreeBytes], 64 * kMiB, kMiB));
        QVERIFY(held[Column::CpuNs] > before[Column::CpuNs]);
        client.tell("free");
        Sample freed;
        tree.sample(freed, ProcessTree::Depth::Changed);
        QVERIFY(near(freed[Column::TreeBytes], before[Column::TreeBytes], kMiB));
        QVERIFY(tree.provenAnonBytes() >= static_cast<std::uint64_t>(64 * kMiB));
    }

    void whatHasNotRunIsNotReadAgain()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto readsOf = [&tree](Sample& sample, ProcessTree::Depth depth) {
            const auto before = readCallsOfThisProcess();
            tree.sample(sample, depth);
            return readCallsOfThisProcess() - before;
        };
        Sample all;
        Sample changed;
        decltype(readCallsOfThisProcess()) readsOfAll = 0;
        decltype(readCallsOfThisProcess()) readsOfChanged = 0;
        const auto isAsleep = [&] { // It still runs for a moment after its answer.
            readsOfAll = readsOf(all, ProcessTree::Depth::Full);
            readsOfChanged = readsOf(changed, ProcessTree::Depth::Changed);
            return changed == all;
        };
        QTRY_VERIFY(isAsleep());
        QVERIFY2(readsOfChanged < readsOfAll, qPrintable(QStringLiteral("%1, %2").arg(readsOfChanged).arg(readsOfAll)));
    }

    void childrenAreFound()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        QCOMPARE(sampleOf(tree)[Column::Processes], std::int64_t(1));
        const auto child = client.tell("fork alloc 32");
        const auto with = sampleOf(tree);
        QCOMPARE(with[Column::Processes], std::int64_t(2));
        QVERIFY(with[Column::TreeBytes] >= 32 * kMiB);
        QVERIFY(holds(tree, child));
        client.tell(QString("end %1").arg(child));
        const auto without = sampleOf(tree);
        QCOMPARE(without[Column::Processes], std::int64_t(1));
        QVERIFY(without[Column::TreeBytes] < 8 * kMiB);
    }

    void childrenOfAnyThreadAreFound()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        sampleOf(tree);
        const auto child = client.tell("thread-fork fork alloc 16");
        const auto sample = sampleOf(tree);
        QCOMPARE(sample[Column::Processes], std::int64_t(3));
        QVERIFY(sample[Column::Threads] >= 4);
        QVERIFY(holds(tree, child));
    }

    void anOrphanStaysInTheTree()
    {
        MemoryClient client("one");
        ProcessTree tree(client.pid());
        sampleOf(tree);
        const Daemon daemon{client.tell("session-daemon alloc 16")};
        QVERIFY(holds(tree, daemon.pid));
        QVERIFY(sampleOf(tree)[Column::TreeBytes] >= 16 * kMiB);
        client.leave();
        Sample last;
        QVERIFY(tree.sample(last));
        QCOMPARE(last[Column::Processes], std::int64_t(1));
        QCOMPARE(tree.living().front().pid, daemon.pid);
    }

    void anOrphanOfTheRootsGroupNeedsNoMark()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const Daemon daemon{client.tell("daemon nothing")};
        QVERIFY(holds(tree, daemon.pid));
    }

    void orphansOfTwoRunsAreNotConfused()
    {
        MemoryClient one("one");
        MemoryClient two("two");
        ProcessTree first(one.pid());
        ProcessTree second(two.pid());
        const Daemon daemonOfOne{one.tell("session-daemon nothing")};
        const Daemon daemonOfTwo{two.tell("session-daemon nothing")};
        QVERIFY(holds(first, daemonOfOne.pid));
        QVERIFY(!holds(first, daemonOfTwo.pid));
        QVERIFY(!holds(first, two.pid()));
        QVERIFY(holds(second, daemonOfTwo.pid));
        QVERIFY(!holds(second, daemonOfOne.pid));
    }

    void aHighWaterMarkShowsASpikeThatNoSampleSaw()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        const auto markBefore = static_cast<std::int64_t>(tree.highWaterBytes());
        client.tell("spike 64");
        const auto after = sampleOf(tree);
        QVERIFY(near(after[Column::TreeBytes], before[Column::TreeBytes], kMiB));
        QVERIFY(near(static_cast<std::int64_t>(tree.highWaterBytes()), markBefore + 64 * kMiB, kMiB));
        QVERIFY(near(static_cast<std::int64_t>(tree.provenAnonBytes()), before[Column::TreeBytes] + 64 * kMiB, kMiB));
    }

    void mappedFilesProveNoAnonymousMemory()
    {
        QTemporaryFile file;
        const auto path = fileOf(file, 32 * kMiB);
        MemoryClient client;
        ProcessTree tree(client.pid());
        client.tell("map " + path);
        const auto mapped = sampleOf(tree);
        client.tell("free");
        sampleOf(tree);
        QVERIFY(static_cast<std::int64_t>(tree.provenAnonBytes()) < mapped[Column::AnonBytes] + 2 * kMiB);
    }

    void aFileMappedBetweenTwoSamplesProvesNothing()
    {
        QTemporaryFile file;
        const auto path = fileOf(file, 64 * kMiB);
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        const auto markBefore = static_cast<std::int64_t>(tree.highWaterBytes());
        client.tell("map " + path);
        client.tell("free");
        sampleOf(tree);
        QVERIFY(static_cast<std::int64_t>(tree.highWaterBytes()) > markBefore + 48 * kMiB);
        QVERIFY(static_cast<std::int64_t>(tree.provenAnonBytes()) < before[Column::AnonBytes] + 8 * kMiB);
    }

    void aFileWrittenThroughAMappingProvesNothing()
    {
        QTemporaryFile file(QDir::currentPath() + "/written"); // In no tmpfs: what is written there is shared memory.
        const auto path = fileOf(file, 0);
        // Page by page: of what was written at one go a single fault maps many.
        for (int page = 0; page < 64 * kMiB / 4096; ++page)
            QCOMPARE(::write(file.handle(), QByteArray(4096, 'x').constData(), 4096), ssize_t{4096});
        ::fsync(file.handle());
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        const auto markBefore = static_cast<std::int64_t>(tree.highWaterBytes());
        client.tell("write-map " + path);
        sampleOf(tree);
        QVERIFY(static_cast<std::int64_t>(tree.highWaterBytes()) > markBefore + 48 * kMiB);
        QVERIFY(static_cast<std::int64_t>(tree.provenAnonBytes()) < before[Column::AnonBytes] + 8 * kMiB);
    }

    void theUseOfAChildStaysWhenItsParentHasReapedIt()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        sampleOf(tree);
        const auto child = client.tell("fork burn 100");
        const auto with = sampleOf(tree);
        QVERIFY(with[Column::CpuNs] >= 100'000'000);
        client.tell(QString("end %1").arg(child));
        for (int look = 0; look < 3; ++look) {
            const auto without = sampleOf(tree);
            QVERIFY(without[Column::CpuNs] >= with[Column::CpuNs]);
            QVERIFY(without[Column::CpuNs] < with[Column::CpuNs] + 90'000'000);
            QVERIFY(without[Column::MinorFaults] >= with[Column::MinorFaults]);
            QVERIFY(without[Column::MinorFaults] < with[Column::MinorFaults] + 100);
        }
    }

    void theUseOfAChildStaysWhenNobodyWaitedForIt()
    {
        MemoryClient client;
        client.tell("ignore-children");
        ProcessTree tree(client.pid());
        const auto child = client.tell("fork burn 100");
        const auto with = sampleOf(tree);
        client.tell(QString("end %1").arg(child));
        Sample without;
        for (int look = 0; look < 3; ++look)
            tree.sample(without);
        QCOMPARE(without[Column::Processes], std::int64_t(1));
        QVERIFY(without[Column::CpuNs] >= with[Column::CpuNs]);
        client.tell("burn 200");
        QVERIFY(sampleOf(tree)[Column::CpuNs] >= 300'000'000);
    }

    void childrenThatNoSampleSawCountThroughTheirParent()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        client.tell("short burn 100");
        QVERIFY(sampleOf(tree)[Column::CpuNs] - before[Column::CpuNs] >= 90'000'000);
    }

    void readsAreCounted()
    {
        QTemporaryFile file;
        const auto path = fileOf(file, 8 * kMiB);
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        client.tell("read " + path);
        const auto after = sampleOf(tree);
        if (!before.has(Column::ReadCharBytes))
            QSKIP("this kernel does not account I/O");
        QVERIFY(near(after[Column::ReadCharBytes] - before[Column::ReadCharBytes], 8 * kMiB, 65'536));
        const auto child = client.tell("fork read " + path);
        sampleOf(tree);
        client.tell(QString("end %1").arg(child));
        const auto last = sampleOf(tree);
        QVERIFY(near(last[Column::ReadCharBytes] - after[Column::ReadCharBytes], 8 * kMiB, 65'536));
    }

    void aZombieIsNotLiving()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto child = client.tell("fork alloc 16");
        const auto id = identify(child);
        QVERIFY(id && isAlive(*id));
        client.tell(QString("leave-zombie %1").arg(child));
        QVERIFY(identify(child).has_value());
        QVERIFY(!isAlive(*id));
        QVERIFY(!holds(tree, child));
        const auto sample = sampleOf(tree);
        QCOMPARE(sample[Column::Processes], std::int64_t(1));
        QVERIFY(sample[Column::TreeBytes] < 8 * kMiB);
    }

    void aProcessWhoseFirstThreadHasEndedIsToldWhole()
    {
        QTemporaryFile file;
        const auto path = fileOf(file, 8 * kMiB);
        MemoryClient client;
        ProcessTree tree(client.pid());
        client.tell("alloc 64");
        const auto before = sampleOf(tree);
        client.tell("leave-thread");
        const auto after = sampleOf(tree);
        QVERIFY(near(after[Column::TreeBytes], before[Column::TreeBytes], kMiB));
        QVERIFY(near(after[Column::RssBytes], before[Column::RssBytes], kMiB));
        QCOMPARE(after[Column::Processes], std::int64_t(1));
        QVERIFY(holds(tree, client.pid()));
        client.tell("alloc 32");
        client.tell("shm 16");
        client.tell("burn 200");
        client.tell("read " + path);
        const auto child = client.tell("fork alloc 32");
        const auto last = sampleOf(tree);
        QVERIFY(holds(tree, child));
        QVERIFY(near(last[Column::ShmemBytes] - after[Column::ShmemBytes], 16 * kMiB, kMiB));
        QVERIFY(near(last[Column::AnonBytes] - after[Column::AnonBytes], 64 * kMiB, kMiB));
        QVERIFY(last[Column::CpuNs] >= 200'000'000);
        QVERIFY(last[Column::MinorFaults] - after[Column::MinorFaults] >= 64 * kMiB / 4096);
        if (after.has(Column::ReadCharBytes))
            QVERIFY(near(last[Column::ReadCharBytes] - after[Column::ReadCharBytes], 8 * kMiB, 65'536));
        QVERIFY(near(static_cast<std::int64_t>(tree.provenAnonBytes()), 112 * kMiB, 4 * kMiB));
    }

    void anEndedThreadTakesNoMemoryAlong()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        client.tell("alloc 64");
        const auto before = sampleOf(tree);
        for (const auto depth : {ProcessTree::Depth::Resident, ProcessTree::Depth::Full, ProcessTree::Depth::Resident,
                 ProcessTree::Depth::Changed}) {
            client.tell("leave-thread");
            Sample sample;
            QVERIFY(tree.sample(sample, depth));
            QVERIFY(near(sample[Column::TreeBytes], before[Column::TreeBytes], kMiB));
        }
        client.leave();
        Sample gone;
        QVERIFY(!tree.sample(gone));
        QCOMPARE(gone[Column::TreeBytes], std::int64_t(0));
    }

    void anExecByAnotherThreadIsFollowed()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        client.tell("alloc 64");
        client.tell("leave-thread");
        QVERIFY(sampleOf(tree)[Column::TreeBytes] >= 64 * kMiB);
        client.tell("exec");
        Sample cheap;
        QVERIFY(tree.sample(cheap, ProcessTree::Depth::Resident));
        QVERIFY(near(cheap[Column::AnonBytes], before[Column::AnonBytes], kMiB));
        client.tell("leave-thread");
        client.tell("exec");
        client.tell("alloc 32");
        const auto after = sampleOf(tree);
        QCOMPARE(after[Column::Processes], std::int64_t(1));
        QVERIFY(near(after[Column::TreeBytes] - before[Column::TreeBytes], 32 * kMiB, kMiB));
    }

    void theImageOfAProcessOutlivesItsFirstThread()
    {
        MemoryClient client;
        const auto before = readProcessStat(client.pid());
        client.tell("leave-thread");
        const auto after = readProcessStat(client.pid());
        QVERIFY(before && after);
        QVERIFY(!after->zombie && !after->exiting);
        QVERIFY(before->imageMark != 0);
        QCOMPARE(after->imageMark, before->imageMark);
    }

    void pagesOfAProcessWhoseFirstThreadHasEndedAreCounted()
    {
        MemoryClient client;
        client.tell("alloc 32");
        client.tell("leave-thread");
        const pid_t child = client.tell("fork nothing");
        const std::array<pid_t, 2> both{client.pid(), child};
        const auto reading = readPss(both);
        QVERIFY(reading.has_value());
        QVERIFY(near(static_cast<std::int64_t>(reading->anon.once), 32 * kMiB, 4 * kMiB));
        QVERIFY(near(static_cast<std::int64_t>(reading->anon.sum), 64 * kMiB, 4 * kMiB));
    }

    void aNumberThatIsSomebodyElsesByNowIsNotOfTheTree()
    {
        MemoryClient client;
        const pid_t child = client.tell("fork alloc 8");
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        QVERIFY(holds(tree, child));
        client.tell(QString("end %1").arg(child)); // And reaped: the number is free.
        const pid_t number = forkWithNumber(child);
        if (number < 0)
            QSKIP("numbers of processes cannot be chosen here");
        const Daemon other{number};
        QCOMPARE(other.pid, child);
        const auto after = sampleOf(tree);
        QVERIFY(!holds(tree, child));
        QCOMPARE(after[Column::Processes], before[Column::Processes] - 1);
        QVERIFY(after[Column::TreeBytes] < before[Column::TreeBytes]);
    }

    void whatVanishesWhileItIsReadBreaksNoSum()
    {
        const pid_t root = test::forkRestless(4, 4 * kMiB);
        QVERIFY(root > 0);
        const Daemon restless{root};
        ProcessTree tree(restless.pid);
        Sample last = sampleOf(tree);
        std::int64_t most = 0;
        for (int i = 0; i < 2000; ++i) {
            const Sample sample = sampleOf(tree);
            for (const Column grows : {Column::MinorFaults, Column::MajorFaults, Column::CpuNs, Column::ReadCharBytes})
                QVERIFY2(sample[grows] >= last[grows], std::string(toWireName(grows)).c_str());
            // No sample is of one instant: some of two generations may be in it.
            QVERIFY(sample[Column::Processes] >= 1 && sample[Column::Processes] <= 9);
            QVERIFY(sample[Column::TreeBytes] >= 0 && (test::kSanitized || sample[Column::TreeBytes] < 64 * kMiB));
            most = std::max(most, sample[Column::Processes]);
            last = sample;
        }
        QVERIFY(most > 1);
    }

    void aPidWithAnotherStartIsAnotherProcess()
    {
        auto id = identify(::getpid());
        QVERIFY(id && isAlive(*id));
        id->startTicks += 1;
        QVERIFY(!isAlive(*id));
        QVERIFY(!identify(0).has_value());
    }

    void theRootStandsFirstAmongTheLiving()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        client.tell("fork nothing");
        client.tell("fork nothing");
        const auto living = tree.living();
        QCOMPARE(living.size(), std::size_t(3));
        QCOMPARE(living.front().pid, client.pid());
    }

    void manyProcessesAreReadWithFewDescriptors()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        const auto before = sampleOf(tree);
        for (int i = 0; i < 90; ++i)
            client.tell("fork burn 1");
        const auto open = QDir("/proc/self/fd").count();
        const auto sample = sampleOf(tree);
        QCOMPARE(sample[Column::Processes], std::int64_t(91));
        QVERIFY(sample[Column::CpuNs] - before[Column::CpuNs] >= 90'000'000);
        QVERIFY2(QDir("/proc/self/fd").count() < open + 300, "descriptors");
        QCOMPARE(tree.living().size(), std::size_t(91));
        QVERIFY(readPss(tree.pids()).has_value());
    }

    void afterTheEndMemoryIsZeroAndSumsStay()
    {
        MemoryClient client;
        ProcessTree tree(client.pid());
        client.tell("burn 50");
        const auto before = sampleOf(tree);
        client.leave();
        Sample after;
        QVERIFY(!tree.sample(after));
        QCOMPARE(after[Column::TreeBytes], std::int64_t(0));
        QCOMPARE(after[Column::Processes], std::int64_t(0));
        QCOMPARE(after[Column::CpuNs], before[Column::CpuNs]);
        QVERIFY(tree.living().empty());
        Sample cheap;
        QVERIFY(!tree.sample(cheap, ProcessTree::Depth::Resident));
        QCOMPARE(cheap[Column::TreeBytes], std::int64_t(0));
    }

    void aRootThatIsGoneIsAnEmptyTree()
    {
        MemoryClient client;
        const auto pid = client.pid();
        client.leave();
        ProcessTree tree(pid);
        Sample sample;
        QVERIFY(!tree.sample(sample));
        QCOMPARE(sample[Column::TreeBytes], std::int64_t(0));
        QVERIFY(tree.living().empty());
    }
};

QTEST_APPLESS_MAIN(tst_ProcessTree)
#include "tst_ProcessTree.moc"
