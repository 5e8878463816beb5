#include "Shots.h"
#include "gui/charts/ChartPaint.h"
#include "gui/charts/CurveBands.h"
#include "gui/charts/Ticks.h"

#include <QtTest>

using namespace loadlab;

namespace {

QStringList wordsOf(const Ticks& ticks)
{
    QStringList words;
    for (const Ticks::Tick& tick : ticks.ticks)
        words << tick.words;
    return words;
}

const CurveBands::Band& bandOf(const CurveBands& bands, Column column)
{
    for (const CurveBands::Band& band : bands.bands())
        if (band.column == column)
            return band;
    qFatal("no such band");
}

} // namespace

class tst_CurveBands : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }

    void stacksEveryPartOnce()
    {
        Sample sample = shots::sampleAt(1);
        sample[Column::FileBytes] = 100;
        sample[Column::AnonBytes] = 200;
        sample[Column::ShmemBytes] = 30;
        sample[Column::SwapBytes] = 4;
        sample[Column::TreeBytes] = 234;
        sample[Column::RssBytes] = 330;
        sample[Column::GpuBytes] = 1000;
        CurveBands discrete(false);
        discrete.append({&sample, 1}, 0);
        QCOMPARE(discrete.stackAt(0), 334.0);
        QCOMPARE(discrete.total()[0].y, 234.0);
        QCOMPARE(discrete.gpu().size(), std::size_t{1});
        CurveBands unified(true);
        unified.append({&sample, 1}, 0);
        QCOMPARE(unified.stackAt(0), 1334.0);
        QVERIFY(unified.gpu().empty());
    }

    void aBandThatComesLateLiesFlatBefore()
    {
        CurveBands bands;
        Sample first = shots::sampleAt(0);
        first[Column::AnonBytes] = 50;
        Sample second = shots::sampleAt(1);
        second[Column::AnonBytes] = 50;
        second[Column::SwapBytes] = 8;
        bands.append(std::array{first, second}, 0);
        const Track& edge = bandOf(bands, Column::SwapBytes).edge;
        QCOMPARE(edge.size(), std::size_t{2});
        QCOMPARE(edge[0].y, 50.0);
        QCOMPARE(edge[1].y, 58.0);
        QVERIFY(bandOf(bands, Column::FileBytes).edge.empty());
        QVERIFY(bandOf(bands, Column::FileBytes).seen);
        QCOMPARE(bands.stackAt(0), 50.0);
        QCOMPARE(bands.valueOf(bands.bands().size() - 1, 1), 8.0);
    }

    void samplesWithoutATreeAreNoZeroes()
    {
        Sample system;
        system.monotonicNs = 0;
        system[Column::SystemAvailableBytes] = 1000;
        CurveBands bands;
        bands.append({&system, 1}, 0);
        QVERIFY(bands.isEmpty());
    }

    void ratesAreTakenOverAQuarterSecond()
    {
        // 10 ms of CPU time a tick, as the kernel counts: over one tick of 50 ms the rate would swing between 0 and
        // 0.2.
        const auto curve = shots::curve(
            2, 20, [](double t, Sample& sample) { sample[Column::CpuNs] = std::llround(t / 0.1) * 10'000'000; });
        CurveBands bands;
        bands.append(curve->samples, 0);
        const CurveBands::Lane& cpu = bands.lanes()[1];
        QCOMPARE(cpu.column, Column::CpuNs);
        QVERIFY(cpu.peak > 0.05 && cpu.peak < 0.17);
        QCOMPARE(cpu.points.size(), curve->samples.size() - 5);
    }

    void noRateIsMadeUpBeforeOneIsKnown()
    {
        const auto curve = shots::curve(1, 20, [](double t, Sample& sample) {
            if (t > 0.19)
                sample[Column::CpuNs] = std::llround((t + 7) * 2e9);
        });
        CurveBands bands;
        bands.append(curve->samples, 0);
        const CurveBands::Lane& cpu = bands.lanes()[1];
        QVERIFY(std::fabs(cpu.points.front().x - 0.45) < 1e-9);
        for (const Point& point : cpu.points)
            QVERIFY(std::fabs(point.y - 2) < 1e-6);
        QVERIFY(!cpu.rateAt(0.0));
        QVERIFY(!cpu.rateAt(0.40));
        QVERIFY(std::fabs(*cpu.rateAt(0.45) - 2) < 1e-6);
        QVERIFY(cpu.rateAt(1.0));
        QVERIFY(!cpu.rateAt(2.0));
    }

    void aCounterThatFallsIsNoRate()
    {
        CurveBands bands;
        std::vector<Sample> samples;
        for (int i = 0; i < 20; ++i) {
            samples.push_back(shots::sampleAt(i * 0.1));
            samples.back()[Column::ReadBytes] = i < 10 ? 5000 : 0;
        }
        bands.append(samples, 0);
        QCOMPARE(bands.lanes()[0].peak, 0.0);
        for (const Point& point : bands.lanes()[0].points)
            QVERIFY2(point.x < 0.95 || point.x > 1.25, qPrintable(QString::number(point.x)));
    }

    void nearestAndLastSample()
    {
        const auto curve = shots::curve(1, 10, [](double, Sample&) {});
        CurveBands bands;
        bands.append(curve->samples, 0);
        QCOMPARE(bands.nearest(-5), std::size_t{0});
        QCOMPARE(bands.nearest(0.34), std::size_t{3});
        QCOMPARE(bands.nearest(0.36), std::size_t{4});
        QCOMPARE(bands.nearest(99), std::size_t{10});
        QCOMPARE(bands.lastUpTo(0.39), std::size_t{3});
        QCOMPARE(bands.lastUpTo(-1), std::size_t{0});
    }

    void stepsAreOneTwoFive_data()
    {
        QTest::addColumn<double>("span");
        QTest::addColumn<int>("most");
        QTest::addColumn<double>("step");
        QTest::newRow("160 in 8") << 160.0 << 8 << 20.0;
        QTest::newRow("161 in 8") << 161.0 << 8 << 50.0;
        QTest::newRow("1 in 5") << 1.0 << 5 << 0.2;
        QTest::newRow("7 in 5") << 7.0 << 5 << 2.0;
        QTest::newRow("nothing") << 0.0 << 5 << 1.0;
        QTest::newRow("not a number") << qQNaN() << 5 << 1.0;
    }
    void stepsAreOneTwoFive()
    {
        QFETCH(double, span);
        QFETCH(int, most);
        QFETCH(double, step);
        QCOMPARE(niceStep(span, most), step);
    }

    void theUnitFollowsTheScale()
    {
        QCOMPARE(wordsOf(sizeTicks(160 * shots::kGiB, 8)),
            QStringList({"0", "20", "40", "60", "80", "100", "120", "140", "160"}));
        QCOMPARE(sizeTicks(160 * shots::kGiB, 8).unit, QStringLiteral("GiB"));
        QCOMPARE(sizeTicks(0.05 * shots::kGiB, 6).unit, QStringLiteral("MiB"));
        QCOMPARE(wordsOf(sizeTicks(0.05 * shots::kGiB, 6)), QStringList({"0", "10", "20", "30", "40", "50"}));
        QCOMPARE(sizeTicks(0.5 * shots::kGiB, 6).unit, QStringLiteral("GiB")); // As the words beside it.
        QCOMPARE(wordsOf(sizeTicks(0.5 * shots::kGiB, 6)), QStringList({"0.0", "0.1", "0.2", "0.3", "0.4", "0.5"}));
        QCOMPARE(wordsOf(sizeTicks(1.4 * shots::kGiB, 8)).last(), QStringLiteral("1.4"));
    }

    void timeTicksEndWithTheirUnit()
    {
        QCOMPARE(wordsOf(timeTicks(0, 60, 7)), QStringList({"0", "10", "20", "30", "40", "50", "60 s"}));
        QCOMPARE(wordsOf(timeTicks(0, 1500, 6)), QStringList({"0", "5", "10", "15", "20", "25 min"}));
        QCOMPARE(wordsOf(timeTicks(-0.1, 0.1, 2)), QStringList({"-0.1", "0.0", "0.1 s"}));
        QVERIFY(wordsOf(timeTicks(0, 90000, 6)).last().endsWith(QStringLiteral(" h")));
        // Zoomed in late in a long run the figures stay seconds: minutes would need decimals.
        QVERIFY(wordsOf(timeTicks(5000, 5060, 6)).last().endsWith(QStringLiteral(" s")));
    }

    void logTicksArePowersOfTen()
    {
        QCOMPARE(
            wordsOf(logSizeTicks(1024.0 * 1024, 20 * shots::kGiB)), QStringList({"0.001", "0.01", "0.1", "1", "10"}));
    }

    void labelsNeverOverlap()
    {
        const QVector<double> middles{10, 11, 12, 90, 91};
        const QVector<double> heights{20, 20, 20, 20, 20};
        const QVector<double> placed = spread(middles, heights, 0, 110);
        QCOMPARE(placed.size(), middles.size());
        for (qsizetype i = 1; i < placed.size(); ++i)
            QVERIFY2(placed[i] - placed[i - 1] >= 20 - 1e-9, qPrintable(QString::number(i)));
        QVERIFY(placed.first() >= 10 - 1e-9);
        QVERIFY(placed.last() <= 100 + 1e-9);
    }

    void labelsWithRoomStayWhereTheyBelong()
    {
        QCOMPARE(spread({20, 80}, {10, 10}, 0, 100), QVector<double>({20, 80}));
    }
};

QTEST_GUILESS_MAIN(tst_CurveBands)
#include "tst_CurveBands.moc"
