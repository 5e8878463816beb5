#include "Victim.h"

#include "core/containment/Guard.h"

#include <QtTest>
#include <cmath>
#include <functional>
#include <random>

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

using CurveOfLeft = std::function<double(double, std::mt19937&)>;
Q_DECLARE_METATYPE(CurveOfLeft)

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

    /// At 1000 Hz one sample in fifty has what is available; the others what is free.
    void itLooksBetweenFullSamplesAsWell()
    {
        Victim victim;
        Guard guard(bytes(1), kMachine);
        guard.arm(victim.pid());
        Machine machine;
        Sample full = machine.sample(8);
        full[Column::SystemFreeBytes] = full[Column::SystemAvailableBytes] - static_cast<std::int64_t>(2 * kGiB);
        guard.check(full);
        QVERIFY(!guard.stopped());
        Sample quick;
        quick.monotonicNs = full.monotonicNs + 1'000'000;
        quick[Column::SystemFreeBytes] = static_cast<std::int64_t>(-1.5 * kGiB); // Half a GiB available.
        guard.check(quick);
        QVERIFY(!guard.stopped()); // It had just looked.
        quick.monotonicNs = full.monotonicNs + 20'000'000;
        guard.check(quick);
        QVERIFY(guard.stopped());
        QCOMPARE(guard.stopped()->leftBytes, static_cast<std::uint64_t>(0.5 * kGiB));
        QVERIFY(victim.wasKilled());
    }

    void aMarginThatIsSetAgainBeginsAnew()
    {
        Victim victim;
        Guard guard(bytes(1), kMachine);
        Machine machine;
        double left = 3;
        for (int i = 0; i < 10; ++i) // Nobody is armed yet: it foretells, and kills nobody.
            guard.check(machine.sample(left -= 0.02));
        guard.setMargin(bytes(1));
        guard.arm(victim.pid());
        guard.check(machine.sample(left));
        QVERIFY(!guard.stopped());
        QVERIFY(victim.lives());
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

    void whatComesAndGoesIsNoAlarm_data()
    {
        QTest::addColumn<CurveOfLeft>("leftGiB");
        // 1 GiB above the margin of 1 GiB, for ten minutes.
        const auto row = [](const char* name, CurveOfLeft leftGiB) { QTest::newRow(name) << std::move(leftGiB); };
        row("scatter of 200 MiB",
            [](double, std::mt19937& random) { return 2 + std::uniform_real_distribution<double>(-0.2, 0.2)(random); });
        row("normal scatter of 100 MiB",
            [](double, std::mt19937& random) { return 2 + std::normal_distribution<double>(0, 0.1)(random); });
        row("drifting by 200 MiB", [at = 0.0](double, std::mt19937& random) mutable {
            at = 0.99 * at + std::normal_distribution<double>(0, 0.014)(random); // σ 100 MiB, over seconds
            return 2 + std::clamp(at, -0.2, 0.2);
        });
        row("waves of 200 MiB in 4 s", [](double t, std::mt19937&) { return 2 + 0.2 * std::sin(t * 6.283 / 4); });
        row("waves of 200 MiB in 1 s", [](double t, std::mt19937&) { return 2 + 0.2 * std::sin(t * 6.283); });
        row("waves of 200 MiB in 1.5 s", [](double t, std::mt19937&) { return 2 + 0.2 * std::sin(t * 6.283 / 1.5); });
        row("page cache that fills and is let go",
            [](double t, std::mt19937&) { return 2.2 - 0.15 * std::fmod(t, 3); });
        row("somebody takes 300 MiB in half a second, and gives it back", [](double t, std::mt19937&) {
            const double in = std::fmod(t, 4);
            return 2.0 - (in < 0.5 ? 0.6 * in : in < 2 ? 0.3 : 0);
        });
        row("somebody takes 256 MiB at once, and gives it back",
            [](double t, std::mt19937&) { return 2.0 - (std::fmod(t, 3) < 1 ? 0.25 : 0); });
    }

    void whatComesAndGoesIsNoAlarm()
    {
        QFETCH(CurveOfLeft, leftGiB);
        std::mt19937 random(5);
        Victim victim;
        Guard guard(bytes(1), kMachine);
        guard.arm(victim.pid());
        Machine machine;
        for (int i = 0; i < 30'000 && !guard.stopped(); ++i)
            guard.check(machine.sample(leftGiB(machine.atS, random)));
        QVERIFY2(!guard.stopped(),
            (toWords(guard.stopped().value_or(Guard::Stop())) + ", after " + std::to_string(machine.atS) + " s")
                .c_str());
    }

    void growthBesideNoiseIsStoppedBeforeTheMargin_data()
    {
        QTest::addColumn<double>("gibPerS");
        QTest::newRow("2 GB/s") << 2e9 / kGiB;
        QTest::newRow("0.5 GB/s") << 0.5e9 / kGiB;
        QTest::newRow("0.1 GB/s") << 0.1e9 / kGiB;
    }

    /// 1 GiB left above the margin when it begins, and ±20 MiB of scatter.
    void growthBesideNoiseIsStoppedBeforeTheMargin()
    {
        QFETCH(double, gibPerS);
        std::mt19937 random(5);
        std::uniform_real_distribution<double> noise(-0.02, 0.02);
        Victim victim;
        Guard guard(bytes(1), kMachine);
        guard.arm(victim.pid());
        Machine machine;
        while (machine.atS < 10)
            guard.check(machine.sample(2 + noise(random)));
        QVERIFY(!guard.stopped());
        double left = 2;
        while (!guard.stopped() && left > 0)
            guard.check(machine.sample((left -= gibPerS * 0.02) + noise(random)));
        QVERIFY(guard.stopped());
        QVERIFY2(left > 1.1, std::to_string(left).c_str());
    }

    void theSmallestPoolCounts()
    {
        Victim victim;
        Guard guard(GuardMargin{std::nullopt, 10}, kMachine, [] {
            return std::optional(Guard::Pool{std::uint64_t{90} << 20, std::uint64_t{1} << 30, Guard::Pool::Of::Cap});
        });
        guard.arm(victim.pid());
        Machine machine;
        guard.check(machine.sample(20));
        QVERIFY(guard.stopped());
        QCOMPARE(guard.stopped()->of, Guard::Pool::Of::Cap);
        QCOMPARE(guard.stopped()->marginBytes, (std::uint64_t{1} << 30) / 10);
        QVERIFY(toWords(*guard.stopped()).find("left under the cap") != std::string::npos);
    }

    void whatItSeesIsToldWithoutAMarginToo()
    {
        const std::uint64_t limit = std::uint64_t{4} << 30;
        Guard guard(std::nullopt, kMachine, [limit] {
            return std::optional(Guard::Pool{limit / 4, limit, Guard::Pool::Of::Group});
        });
        QVERIFY(!guard.lastLook());
        Machine machine;
        guard.check(machine.sample(20));
        const Guard::Look first = guard.lastLook().value();
        QCOMPARE(first.pool.of, Guard::Pool::Of::Group);
        QCOMPARE(first.pool.leftBytes, limit / 4);
        QVERIFY(!first.stalledShare);
        for (int i = 0; i < 300; ++i)
            guard.check(machine.sample(0.5, 0.25)); // 6 s
        const Guard::Look last = guard.lastLook().value();
        QCOMPARE(last.pool.of, Guard::Pool::Of::Machine);
        QVERIFY(qAbs(last.stalledShare.value() - 0.25) < 0.01);
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

    void anotherMarginCountsFromTheNextSampleOn()
    {
        Victim victim;
        Guard guard(std::nullopt, kMachine);
        guard.arm(victim.pid());
        Machine machine;
        guard.check(machine.sample(0.1));
        guard.setMargin(bytes(2));
        guard.setMargin(std::nullopt);
        guard.check(machine.sample(0.1));
        QVERIFY(!guard.stopped());
        QVERIFY(victim.lives());
        // What is left stays the same, what is left above the margin drops: that is no fall.
        guard.setMargin(bytes(1));
        for (int i = 0; i < 100; ++i)
            guard.check(machine.sample(3));
        guard.setMargin(bytes(2.9));
        for (int i = 0; i < 100; ++i)
            guard.check(machine.sample(3));
        QVERIFY(!guard.stopped());
        guard.setMargin(bytes(3.1));
        guard.check(machine.sample(3));
        QVERIFY(guard.stopped());
        QVERIFY(victim.wasKilled());
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
