#include "core/telemetry/Turnover.h"

#include <QtTest>

using namespace loadlab;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kKiB = 1024;

/// A process of a made-up tree, read twenty times a second.
struct Process {
    ProcessUse use;
    ProcessTurnover turnover;

    void read(const ProcessUse& more, std::int64_t nowNs, bool began = false)
    {
        const ProcessUse before = use;
        use.readCharBytes += more.readCharBytes;
        use.minorFaults += more.minorFaults;
        use.reapedMinorFaults += more.reapedMinorFaults;
        Turnover::read(turnover, before, use, began, nowNs);
    }
};

ProcessUse reading(std::uint64_t kib)
{
    ProcessUse use;
    use.readCharBytes = kib * kKiB;
    return use;
}

ProcessUse faulting(std::uint64_t faults, std::uint64_t reaped = 0)
{
    ProcessUse use;
    use.minorFaults = faults;
    use.reapedMinorFaults = reaped;
    return use;
}

} // namespace

class tst_Turnover : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theStartOfAProgramIsNoWork()
    {
        Turnover turnover;
        Process program;
        program.read(reading(40), 0, true);
        turnover.count(program.turnover, 0);
        turnover.sampled(40 * kKiB);
        QCOMPARE(turnover.startupReadBytes(), 40 * kKiB);
        program.read(reading(100), kSecond);
        turnover.count(program.turnover, kSecond);
        turnover.sampled(140 * kKiB);
        QCOMPARE(turnover.startupReadBytes(), 48 * kKiB); // It has no more to its credit.
        program.read(reading(48), 2 * kSecond, true); // exec
        turnover.count(program.turnover, 2 * kSecond);
        turnover.sampled(188 * kKiB);
        QCOMPARE(turnover.startupReadBytes(), 96 * kKiB);
    }

    void whatAChildReadCountsOnceThoughItsParentIsToldOfItToo()
    {
        Turnover turnover;
        Process parent;
        Process child;
        parent.turnover.threaded = true;
        parent.read(reading(48), 0, true);
        child.read(reading(148), 0, true);
        turnover.count(parent.turnover, 0);
        turnover.count(child.turnover, 0);
        turnover.sampled(196 * kKiB);
        QCOMPARE(turnover.startupReadBytes(), 96 * kKiB);
        // The kernel adds the child's reading to that of the parent, which reads 10 KiB itself.
        Turnover::lostChild(parent.turnover, child.turnover, child.use);
        parent.read(reading(158), kSecond);
        turnover.count(parent.turnover, kSecond);
        turnover.sampled(206 * kKiB);
        QCOMPARE(turnover.startupReadBytes(), 96 * kKiB);
    }

    void whoReadsItselfIsNotHiddenByTheChildrenThatItStarts_data()
    {
        QTest::addColumn<bool>("threaded");
        QTest::addColumn<quint64>("startupKiB");
        QTest::newRow("its thread tells") << false << quint64(48 + 10 * 8);
        QTest::newRow("of several threads none does") << true << quint64(48 + 10 * 48);
    }

    void whoReadsItselfIsNotHiddenByTheChildrenThatItStarts()
    {
        QFETCH(bool, threaded);
        QFETCH(quint64, startupKiB);
        Turnover turnover;
        Process parent;
        parent.turnover.threaded = threaded;
        parent.read(reading(48), 0, true);
        turnover.count(parent.turnover, 0);
        for (int i = 1; i <= 10; ++i) { // A child that nobody saw reads 8 KiB, and the parent 60.
            ProcessUse more = reading(68);
            more.reapedMinorFaults = 100;
            parent.read(more, i * kSecond);
            QCOMPARE(Turnover::mustAskThread(parent.turnover), !threaded);
            const std::uint64_t own = (48 + static_cast<std::uint64_t>(i) * 60) * kKiB;
            turnover.count(parent.turnover, i * kSecond, threaded ? std::nullopt : std::optional(own));
        }
        turnover.sampled((48 + 680) * kKiB);
        QCOMPARE(turnover.startupReadBytes(), startupKiB * kKiB);
    }

    void whatIsNotTakenOffSoonIsForgotten()
    {
        Turnover turnover;
        Process parent;
        Process child; // Which the parent never waits for.
        parent.turnover.threaded = true;
        parent.read(reading(48), 0, true);
        child.read(reading(500), 0, true);
        turnover.count(parent.turnover, 0);
        turnover.count(child.turnover, 0);
        Turnover::lostChild(parent.turnover, child.turnover, child.use);
        for (int i = 1; i <= 3; ++i) {
            parent.read(reading(i == 3 ? 100 : 0), i * kSecond);
            turnover.count(parent.turnover, i * kSecond);
        }
        turnover.sampled(648 * kKiB);
        QCOMPARE(turnover.startupReadBytes(), 96 * kKiB);
    }

    void whatAShortProgramReadsCountsThoughNobodySawIt()
    {
        Turnover turnover;
        Process shell;
        shell.read(reading(48), 0, true);
        turnover.count(shell.turnover, 0);
        ProcessUse more = reading(250);
        more.reapedMinorFaults = 100;
        shell.read(more, kSecond);
        turnover.count(shell.turnover, kSecond, 48 * kKiB);
        turnover.sampled(298 * kKiB);
        QCOMPARE(turnover.startupReadBytes(), 96 * kKiB);
    }

    void faultsOfAForkAreNone()
    {
        Turnover turnover;
        Process worker;
        Process parent;
        for (int i = 0; i < 10; ++i) {
            worker.read(faulting(100), i * kSecond / 2, i == 0);
            parent.read(faulting(100, i % 2 ? 50 : 0), i * kSecond / 2, i == 0);
            turnover.count(worker.turnover, i * kSecond / 2);
            turnover.count(parent.turnover, i * kSecond / 2);
        }
        QCOMPARE(turnover.steadyFaults(), std::uint64_t{8 * 100 + 8 * 68}); // Not those of the first second.
    }
};

QTEST_APPLESS_MAIN(tst_Turnover)
#include "tst_Turnover.moc"
