#include "Victim.h"

#include "core/containment/Guard.h"

#include <QtTest>

using namespace loadlab;

namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr std::uint64_t kMachine = std::uint64_t{24} << 30;

/// A sample every 20 ms.
struct Machine {
    double atS = 0;
    double stalledS = 0;

    Sample sample(double leftGiB, double stalledShare = 0)
    {
        atS += 0.02;
        stalledS += 0.02 * stalledShare;
        Sample sample;
        sample.monotonicNs = static_cast<std::int64_t>(atS * 1e9);
        sample[Column::SystemAvailableBytes] = static_cast<std::int64_t>(leftGiB * kGiB);
        sample[Column::SystemPsiFullUs] = static_cast<std::int64_t>(stalledS * 1e6);
        return sample;
    }
};

GuardMargin bytes(double gib)
{
    return {static_cast<std::uint64_t>(gib * kGiB), 0};
}

} // namespace

class tst_Guard : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void belowTheMarginItKillsAtOnce()
    {
        Victim victim;
        Guard guard(bytes(2), kMachine);
        guard.arm(victim.pid());
        Machine machine;
        guard.check(machine.sample(3));
        QVERIFY(!guard.stopped());
        guard.check(machine.sample(1.9));
        QVERIFY(guard.stopped());
        QCOMPARE(guard.stopped()->why, Guard::Stop::Why::Below);
        QVERIFY(victim.wasKilled());
        QCOMPARE(toWords(*guard.stopped()), std::string("1.90 GiB left on the machine, below the margin of 2.00 GiB"));
    }

    void fastGrowthIsStoppedBeforeTheMargin()
    {
        Victim victim;
        Guard guard(bytes(1), kMachine);
        guard.arm(victim.pid());
        Machine machine;
        double left = 8;
        while (!guard.stopped() && left > 0)
            guard.check(machine.sample(left -= 2e9 / kGiB * 0.02)); // 2 GB/s
        QVERIFY(left > 1);
        QCOMPARE(guard.stopped()->why, Guard::Stop::Why::WillFall);
        QVERIFY(guard.stopped()->bytesPerS > 1.8e9 && guard.stopped()->bytesPerS < 2.2e9);
        QVERIFY(toWords(*guard.stopped()).find("shrinking by") != std::string::npos);
        QVERIFY(victim.wasKilled());
    }

    void whatLevelsOffIsLeftAlone()
    {
        Victim victim;
        Guard guard(bytes(1), kMachine);
        guard.arm(victim.pid());
        Machine machine;
        for (int i = 0; i < 200; ++i)
            guard.check(machine.sample(20 - i * 0.05)); // 2.5 GiB/s down to 10 GiB
        for (int i = 0; i < 500; ++i)
            guard.check(machine.sample(10));
        QVERIFY(!guard.stopped());
    }

    void theSmallestPoolCounts()
    {
        Victim victim;
        Guard guard({std::nullopt, 10}, kMachine, [] {
            return std::optional(Guard::Pool{std::uint64_t{90} << 20, std::uint64_t{1} << 30});
        });
        guard.arm(victim.pid());
        Machine machine;
        guard.check(machine.sample(20));
        QVERIFY(guard.stopped());
        QVERIFY(guard.stopped()->ofGroup);
        QCOMPARE(guard.stopped()->marginBytes, (std::uint64_t{1} << 30) / 10);
        QVERIFY(toWords(*guard.stopped()).find("left under the cap") != std::string::npos);
    }

    void drowningForSecondsStopsIt()
    {
        Victim victim;
        Guard guard(bytes(0.1), kMachine);
        guard.arm(victim.pid());
        Machine machine;
        for (int i = 0; i < 200; ++i)
            guard.check(machine.sample(1, 0.9)); // 4 s
        QVERIFY(!guard.stopped());
        for (int i = 0; i < 100 && !guard.stopped(); ++i)
            guard.check(machine.sample(1, 0.9));
        QVERIFY(guard.stopped());
        QCOMPARE(guard.stopped()->why, Guard::Stop::Why::Drowning);
        QVERIFY(victim.wasKilled());
    }

    void aStallWithMuchLeftIsNoDrowning()
    {
        Victim victim;
        Guard guard(bytes(0.1), kMachine);
        guard.arm(victim.pid());
        Machine machine;
        for (int i = 0; i < 500; ++i)
            guard.check(machine.sample(12, 0.9));
        QVERIFY(!guard.stopped());
        Guard other(bytes(0.1), kMachine);
        other.arm(victim.pid());
        for (int i = 0; i < 500; ++i)
            other.check(machine.sample(1, 0.5)); // A healthy copy under a cap.
        QVERIFY(!other.stopped());
    }

    void itKillsNobodyBeforeItIsArmedNorAfter()
    {
        Victim victim;
        Guard guard(bytes(2), kMachine);
        Machine machine;
        guard.check(machine.sample(1));
        guard.arm(victim.pid());
        guard.disarm();
        guard.check(machine.sample(1));
        QVERIFY(!guard.stopped());
        QCOMPARE(::kill(victim.pid(), 0), 0);
        QVERIFY(victim.lives());
    }
};

QTEST_APPLESS_MAIN(tst_Guard)
#include "tst_Guard.moc"
