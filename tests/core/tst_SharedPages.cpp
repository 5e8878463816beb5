#include "core/Digest.h"
#include "core/containment/GroupCounters.h"
#include "core/telemetry/ProcessTree.h"
#include "tests/core/CommandBench.h"
#include "tests/core/MemoryClient.h"
#include "tests/core/TreeSamples.h"

#include <QTemporaryFile>

using namespace loadlab;
using test::allWords;
using test::kSharer;
using test::modeOf;
using test::near;
using test::sampleOf;
using test::Watched;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

std::int64_t peakOf(const RunResult& result)
{
    return static_cast<std::int64_t>(result.curve.peakTreeBytes);
}

} // namespace

/// Pages that several processes share: counted once, of single samples and of whole runs.
class tst_SharedPages : public QObject, private test::CommandBench {
    Q_OBJECT

private Q_SLOTS:
    void whatAForkSharesCountsOnce()
    {
        MemoryClient client;
        client.tell("alloc 128");
        ProcessTree tree(client.pid());
        const auto alone = sampleOf(tree);
        client.tell("fork nothing");
        const auto shared = sampleOf(tree);
        QVERIFY(near(shared[Column::TreeBytes], alone[Column::TreeBytes], 4 * kMiB));
        QVERIFY(shared[Column::RssBytes] >= 256 * kMiB);
        client.tell("fork alloc 32");
        QVERIFY(near(sampleOf(tree)[Column::TreeBytes], alone[Column::TreeBytes] + 32 * kMiB, 6 * kMiB));
        const auto pss = readPss(tree.pids());
        QVERIFY(pss.has_value());
        QVERIFY(near(static_cast<std::int64_t>(pss->onceBytes()), alone[Column::TreeBytes] + 32 * kMiB, 6 * kMiB));
    }

    void whatAForkWroteToIsItsOwn()
    {
        MemoryClient client;
        client.tell("alloc 64");
        ProcessTree tree(client.pid());
        const auto alone = sampleOf(tree);
        client.tell("fork touch");
        QVERIFY(near(sampleOf(tree)[Column::TreeBytes], alone[Column::TreeBytes] + 64 * kMiB, 4 * kMiB));
    }

    void betweenFullSamplesFaultsTellWhatAForkWritesTo()
    {
        MemoryClient client;
        client.tell("alloc 64");
        ProcessTree tree(client.pid());
        const auto alone = sampleOf(tree);
        const auto sleeper = client.tell("fork-sleeper touch");
        const auto asleep = sampleOf(tree);
        QVERIFY(near(asleep[Column::TreeBytes], alone[Column::TreeBytes], 4 * kMiB));
        client.tell(QStringLiteral("wake %1").arg(sleeper));
        Sample cheap;
        QVERIFY(tree.sample(cheap, ProcessTree::Depth::Resident));
        QVERIFY(near(cheap[Column::TreeBytes], asleep[Column::TreeBytes] + 64 * kMiB, 4 * kMiB));
    }

    void faultsOfAForkOnSharedMemoryAreNoAnonymousPages()
    {
        MemoryClient client;
        client.tell("alloc 64");
        client.tell("shm 48");
        ProcessTree tree(client.pid());
        const auto alone = sampleOf(tree);
        client.tell("fork touch");
        QVERIFY(near(sampleOf(tree)[Column::TreeBytes], alone[Column::TreeBytes], 4 * kMiB));
    }

    void pssTellsSharedMemoryFromThatOfSeveral()
    {
        MemoryClient client;
        client.tell("shm 16");
        client.tell("fork touch");
        ProcessTree tree(client.pid());
        sampleOf(tree);
        client.tell("fork shm 16");
        client.tell("fork shm 16");
        auto sample = sampleOf(tree);
        QVERIFY(near(sample[Column::ShmemBytes], 16 * kMiB, kMiB)); // As if all were the same.
        QVERIFY(tree.mayCountTwice());
        tree.askForPss();
        tree.countBy(readPss(tree.pids()).value(), sample);
        QVERIFY(near(sample[Column::ShmemBytes], 48 * kMiB, kMiB));
        QVERIFY(near(sampleOf(tree)[Column::ShmemBytes], 48 * kMiB, kMiB));
        QCOMPARE(sample[Column::TreeBytes], sample[Column::AnonBytes] + sample[Column::ShmemBytes]);
    }

    void pssTellsWhatAParentRewrote()
    {
        MemoryClient client;
        client.tell("alloc 64");
        ProcessTree tree(client.pid());
        sampleOf(tree);
        client.tell("fork nothing");
        client.tell("touch"); // The fork keeps the old pages.
        auto sample = sampleOf(tree);
        tree.askForPss();
        tree.countBy(readPss(tree.pids()).value(), sample);
        QVERIFY(sample[Column::AnonBytes] >= 128 * kMiB && sample[Column::AnonBytes] < 134 * kMiB);
        QVERIFY(sampleOf(tree)[Column::AnonBytes] >= 128 * kMiB);
    }

    void whatAForkKeepsAfterItsParentFreedItCounts()
    {
        MemoryClient client;
        client.tell("alloc 64");
        ProcessTree tree(client.pid());
        const auto alone = sampleOf(tree);
        client.tell("fork nothing");
        sampleOf(tree);
        client.tell("free");
        QVERIFY(near(sampleOf(tree)[Column::TreeBytes], alone[Column::TreeBytes], 4 * kMiB));
    }

    void idleForksCountAsPssDoes_data()
    {
        QTest::addColumn<bool>("contained");
        QTest::addColumn<double>("hz");
        QTest::newRow("by the cgroup") << true << 20.0;
        QTest::newRow("by the cgroup, between full samples too") << true << 1000.0;
        QTest::newRow("by PSS") << false << 20.0;
        QTest::newRow("by PSS, between full samples too") << false << 1000.0;
    }

    /// Every fork reads shared memory and files: thousands of faults that give it no page of its own.
    void idleForksCountAsPssDoes()
    {
        QFETCH(bool, contained);
        QFETCH(double, hz);
        if (contained && m_containment.kind() == GroupKind::None)
            QSKIP("no containment here");
        Watched watched;
        Limits limits;
        limits.sampleHz = hz;
        const RunResult result = run(watched, kForks, limits, contained);
        QCOMPARE(modeOf(result), std::string("ok"));
        std::int64_t atRest = 0;
        std::int64_t pss = 0; // The last one: the first may be of forks that still touch.
        for (const Sample& sample : watched.samples())
            if (sample.has(Column::Processes) && sample[Column::Processes] == 6) {
                atRest = sample[Column::TreeBytes];
                pss = sample.has(Column::PssBytes) ? sample[Column::PssBytes] : pss;
            }
        QVERIFY(atRest >= 64 * kMiB && atRest < 90 * kMiB);
        // Asked again only once they share 1 % more or less; within the cgroup it may come while they touch.
        QVERIFY(contained || near(atRest, pss, 6 * kMiB));
        QVERIFY(near(peakOf(result), atRest, 6 * kMiB));
    }

    void aFileInATmpfsThatNobodyMapsIsNoMemoryOfTheRuns()
    {
        NEEDS_GROUPS();
        Watched watched;
        const RunResult result = run(watched,
            "head -c 67108864 /dev/zero > /dev/shm/$LOADLAB_RUN; " + kSharer + " 32 3 1200; rm /dev/shm/$LOADLAB_RUN");
        QCOMPARE(modeOf(result), std::string("ok"));
        QVERIFY2(peakOf(result) < 40 * kMiB, allWords(result).c_str());
        QVERIFY(peakOf(result) >= 32 * kMiB);
    }

    void aGroupTellsNothingOfATreeThatIsNotAllInIt()
    {
        NEEDS_GROUPS();
        const auto group = m_containment.makeGroup(makeUuid(), {}).value();
        GroupCounters counters(*group);
        Sample sample;
        counters.sample(sample);
        QVERIFY(counters.pagesOf({}).has_value());
        const std::array outside{::getpid()};
        QVERIFY(!counters.pagesOf(outside).has_value());
    }

    void whatIsChargedElsewhereIsToldByPss_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("a process left the group")
            << QByteArray("sh -c 'echo $$ > PROCS; exec SHARER 48 2 1500' & exec SHARER 48 2 1500");
        QTest::newRow("all of it is in another group")
            << QByteArray("echo $$ > PROCS; SHARER 48 2 1500 & SHARER 48 2 1500; wait");
    }

    /// Two segments of 48 MiB, three processes each.
    void whatIsChargedElsewhereIsToldByPss()
    {
        if (m_containment.kind() != GroupKind::V1)
            QSKIP("needs a v1 group that the program itself enters");
        QFETCH(QByteArray, line);
        auto elsewhere = m_containment.makeGroup(makeUuid(), {}).value();
        line.replace("PROCS", (elsewhere->folder() / "cgroup.procs").c_str());
        line.replace("SHARER", kSharer.c_str());
        Watched watched;
        const RunResult result = run(watched, line.toStdString());
        const auto samples = watched.samples();
        QVERIFY(std::ranges::any_of(samples, [](const Sample& sample) {
            return sample.has(Column::PssBytes) && near(sample[Column::ShmemBytes], 96 * kMiB, 2 * kMiB);
        }));
        QVERIFY2(peakOf(result) >= 96 * kMiB && peakOf(result) < 104 * kMiB, allWords(result).c_str());
        QVERIFY(elsewhere->remove(std::chrono::seconds(2)));
    }

    /// What the run maps is charged to whoever wrote it first; each of two processes touches one half.
    void sharedMemoryOfOthersCountsToo()
    {
        NEEDS_GROUPS();
        QTemporaryFile file(QStringLiteral("/dev/shm/shared-XXXXXX"));
        QVERIFY(file.open());
        QVERIFY(file.write(QByteArray(64 << 20, 'x')) == 64 << 20 && file.flush());
        Watched watched;
        const RunResult result = run(watched, kHalves + " " + file.fileName().toStdString());
        QVERIFY2(modeOf(result) == "ok", allWords(result).c_str());
        QVERIFY2(near(peakOf(result), 73 * kMiB, 6 * kMiB), allWords(result).c_str());
    }

private:
    /// 64 MiB shared by a parent with five forks.
    const std::string kForks = "exec python3 -c '"
                               "import mmap,os,time\n"
                               "m = mmap.mmap(-1, 64 << 20)\n"
                               "m.write(bytes(64 << 20))\n"
                               "for i in range(5):\n"
                               "    if os.fork() == 0:\n"
                               "        sum(m[at] for at in range(0, 64 << 20, 4096))\n"
                               "        time.sleep(1.5)\n"
                               "        os._exit(0)\n"
                               "for i in range(5): os.wait()\n'";
    const std::string kHalves = "exec python3 -c '"
                                "import mmap,os,sys,time\n"
                                "m = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 0)\n"
                                "half = 0 if os.fork() else 32 << 20\n"
                                "sum(m[half + at] for at in range(0, 32 << 20, 4096))\n"
                                "time.sleep(1.5)\n'";
};

QTEST_GUILESS_MAIN(tst_SharedPages)
#include "tst_SharedPages.moc"
