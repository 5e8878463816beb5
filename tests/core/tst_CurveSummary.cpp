#include "core/curve/ColumnRates.h"
#include "core/curve/CurveSummary.h"

#include <QtTest>
#include <cmath>
#include <random>

using namespace loadlab;

namespace {

constexpr std::int64_t kOriginNs = 5'000'000'000;

Sample at(double seconds)
{
    Sample sample;
    sample.monotonicNs = kOriginNs + static_cast<std::int64_t>(seconds * 1e9);
    return sample;
}

/// 20 Hz for `seconds`; tree_bytes grows by `rate` bytes a second from `base`.
Curve ramp(double seconds, double base, double rate)
{
    Curve curve{kOriginNs, {}};
    for (int i = 0; i <= static_cast<int>(seconds * 20); ++i) {
        auto sample = at(i / 20.0);
        sample[Column::TreeBytes] = static_cast<std::int64_t>(base + rate * i / 20.0);
        curve.samples.push_back(sample);
    }
    return curve;
}

bool nearly(double a, double b)
{
    return std::abs(a - b) <= 1e-9 * std::abs(b);
}

} // namespace

class tst_CurveSummary : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void anEmptyCurveHasNoFigures()
    {
        const auto summary = summarise({});
        QCOMPARE(summary.sampleCount, std::uint64_t(0));
        QCOMPARE(summary.rateHz, 0.0);
        QCOMPARE(summary.peakTreeBytes, std::uint64_t(0));
        QVERIFY(!summary.swapBeganS);
    }

    void everyColumnHasARateOfItsOwn()
    {
        ColumnRates rates;
        for (int i = 0; i <= 100; ++i) {
            auto sample = at(i / 20.0);
            sample[Column::TreeBytes] = 0;
            if (i % 20 == 5)
                sample[Column::PssBytes] = 4096;
            if (i == 50)
                sample[Column::GpuBytes] = 1;
            rates.add(sample);
        }
        QVERIFY(nearly(rates.hz(Column::TreeBytes).value(), 20));
        QVERIFY(nearly(rates.hz(Column::PssBytes).value(), 1));
        QVERIFY(rates.has(Column::GpuBytes) && !rates.hz(Column::GpuBytes)); // One is no rate.
        QVERIFY(!rates.has(Column::ReadBytes) && !rates.hz(Column::ReadBytes));
    }

    void oneSampleHasPeaksButNoRate()
    {
        auto only = at(0);
        only[Column::TreeBytes] = 4096;
        const auto summary = summarise({kOriginNs, {only}});
        QCOMPARE(summary.sampleCount, std::uint64_t(1));
        QCOMPARE(summary.rateHz, 0.0);
        QCOMPARE(summary.peakTreeBytes, std::uint64_t(4096));
        QCOMPARE(summary.meanRateBytesPerS, 0.0);
    }

    void theRateIsThatOfTheSamplesNotOfTheClock() { QCOMPARE(summarise(ramp(10, 0, 0)).rateHz, 20.0); }

    void peaksAreTakenColumnByColumn()
    {
        Curve curve{kOriginNs, {at(0), at(1), at(2)}};
        curve.samples[0][Column::RssBytes] = 900;
        curve.samples[1][Column::TreeBytes] = 700;
        curve.samples[1][Column::SwapBytes] = 30;
        curve.samples[2][Column::TreeBytes] = 500;
        curve.samples[2][Column::GpuBytes] = 11;
        const auto summary = summarise(curve);
        QCOMPARE(summary.peakRssBytes, std::uint64_t(900));
        QCOMPARE(summary.peakTreeBytes, std::uint64_t(700));
        QCOMPARE(summary.peakSwapBytes, std::uint64_t(30));
        QCOMPARE(summary.peakGpuBytes, std::uint64_t(11));
    }

    void availableMemoryBeginsWithTheFirstSampleThatHasIt()
    {
        Curve curve{kOriginNs, {at(0), at(1), at(2), at(3)}};
        curve.samples[1][Column::SystemAvailableBytes] = 1000;
        curve.samples[2][Column::SystemAvailableBytes] = 400;
        curve.samples[3][Column::SystemAvailableBytes] = 1200;
        const auto summary = summarise(curve);
        QCOMPARE(summary.baselineAvailableBytes, std::uint64_t(1000));
        QCOMPARE(summary.lowestAvailableBytes, std::uint64_t(400));
    }

    void swappingBeginsWithTheFirstSampleThatHasSome()
    {
        auto curve = ramp(2, 0, 0);
        for (auto& sample : curve.samples)
            sample[Column::SwapBytes] = sample.monotonicNs >= kOriginNs + 1'500'000'000 ? 4096 : 0;
        const auto summary = summarise(curve);
        QVERIFY(summary.swapBeganS.has_value());
        QCOMPARE(*summary.swapBeganS, 1.5);
    }

    void theMeanRateEndsAtThePeak()
    {
        auto curve = ramp(10, 1e9, 1.2e9);
        auto after = at(20);
        after[Column::TreeBytes] = 0;
        curve.samples.push_back(after);
        QCOMPARE(summarise(curve).meanRateBytesPerS, 1.2e9);
    }

    void theSlopeOfALineIsItsRate()
    {
        const auto curve = ramp(40, 71e9, 1.2e9);
        QVERIFY(nearly(slope(curve, Column::TreeBytes, 0, 40), 1.2e9));
        QVERIFY(nearly(slope(curve, Column::TreeBytes, 10, 20), 1.2e9));
    }

    void theSlopeSurvivesLargeValuesAndLateTimes()
    {
        // A day into the run, 100 GB resident, one page a sample.
        Curve curve{kOriginNs, {}};
        for (int i = 0; i < 200; ++i) {
            auto sample = at(86'400 + i / 20.0);
            sample[Column::TreeBytes] = 100'000'000'000 + 4096LL * i;
            curve.samples.push_back(sample);
        }
        const auto rate = slope(curve, Column::TreeBytes, 0, 100'000);
        QVERIFY2(std::abs(rate - 4096.0 * 20) < 1, qPrintable(QString::number(rate)));
    }

    void theSlopeOfLessThanTwoSamplesIsZero()
    {
        const auto curve = ramp(1, 5, 100);
        QCOMPARE(slope(curve, Column::TreeBytes, 0.49, 0.51), 0.0);
        QCOMPARE(slope(curve, Column::TreeBytes, 7, 9), 0.0);
        QCOMPARE(slope(curve, Column::GpuBytes, 0, 1), 0.0);
    }

    void theEndOfALoadIsBeforeItsProcessIsTakenDown()
    {
        std::vector<Point> tree;
        for (int i = 0; i <= 200; ++i)
            tree.push_back({i * 0.05, 1e9 + 1e7 * i});
        const std::size_t whole = tree.size() - 1;
        QCOMPARE(endOfLoad(tree), whole);
        for (const double half : {1.4e9, 0.2e9, 0.2e9, 0.0, 0.0}) // half freed, an idle process, gone
            tree.push_back({tree.back().x + 0.05, half});
        QCOMPARE(endOfLoad(tree), whole);
    }

    void whatWasGivenUpLongBeforeTheEndStaysInTheLoad()
    {
        std::vector<Point> tree;
        for (int i = 0; i <= 1200; ++i)
            tree.push_back({i * 0.05, i < 600 ? 4e9 : 1e9});
        QCOMPARE(endOfLoad(tree), tree.size() - 1);
        QCOMPARE(endOfLoad({}), std::size_t{0});
        QCOMPARE(endOfLoad(std::vector<Point>{{0, 0}, {1, 0}}), std::size_t{0});
    }

    void memoryThatAProcessLivesOnStaysInTheLoad_data()
    {
        QTest::addColumn<double>("restGB");
        QTest::addColumn<double>("restS");
        QTest::addColumn<bool>("gone");
        QTest::newRow("a level below the peak") << 60.0 << 10.0 << false;
        QTest::newRow("a level below the peak, then its end") << 60.0 << 1.7 << true;
        QTest::newRow("nearly nothing, held") << 3.0 << 1.7 << true;
        QTest::newRow("half of it, at the last point") << 50.0 << 0.0 << false;
    }

    void memoryThatAProcessLivesOnStaysInTheLoad()
    {
        QFETCH(double, restGB);
        QFETCH(double, restS);
        QFETCH(bool, gone);
        std::vector<Point> tree;
        for (int i = 0; i <= 400; ++i)
            tree.push_back({i * 0.05, 5e9 * i * 0.05});
        for (int i = 0; i <= std::lround(restS / 0.05); ++i)
            tree.push_back({tree.back().x + 0.05, restGB * 1e9});
        const std::size_t alive = tree.size() - 1;
        if (gone)
            tree.push_back({tree.back().x + 0.05, 0});
        QCOMPARE(endOfLoad(tree), alive);
    }

    void aLargeLoadIsTakenDownOverSeconds()
    {
        std::vector<Point> tree;
        for (int i = 0; i <= 400; ++i)
            tree.push_back({i * 0.05, 5e9 * i * 0.05});
        while (tree.back().y > 1e9)
            tree.push_back({tree.back().x + 0.05, tree.back().y - 0.5e9}); // 10 GB/s
        QVERIFY(tree[endOfLoad(tree)].y >= 98e9);
    }

    void everyPhaseGetsItsOwnRate()
    {
        auto curve = ramp(10, 0, 1e6);
        for (auto& sample : curve.samples)
            if (sample.monotonicNs > kOriginNs + 5'000'000'000)
                sample[Column::TreeBytes] = 5'000'000;
        std::vector<Phase> phases{{"reading", 0, 5, 0}, {"holding", 5.1, 10, 0}};
        rateThePhases(curve, phases);
        QVERIFY(nearly(phases[0].rateBytesPerS, 1e6));
        QCOMPARE(phases[1].rateBytesPerS, 0.0);
    }

    void theErrorOfARateHoldsAtAnySamplingRate_data()
    {
        QTest::addColumn<int>("hz");
        QTest::newRow("20") << 20;
        QTest::newRow("1000") << 1000; // Then 50 samples in a row share one disturbance.
    }

    void theErrorOfARateHoldsAtAnySamplingRate()
    {
        QFETCH(int, hz);
        constexpr int kCurves = 100;
        constexpr double kRate = 1e9;
        std::mt19937 random(7);
        std::normal_distribution<double> scatter(0, 1e8);
        int within = 0;
        for (int n = 0; n < kCurves; ++n) {
            Curve curve{kOriginNs, {}};
            double off = 0;
            for (int i = 0; i <= 10 * hz; ++i) {
                const double t = static_cast<double>(i) / hz;
                if (i % (hz / 20) == 0)
                    off = scatter(random);
                auto sample = at(t);
                sample[Column::TreeBytes] = std::llround(1e10 + kRate * t + off);
                curve.samples.push_back(sample);
            }
            std::vector<Phase> phases{{"reading", 0, 10, 0}};
            rateThePhases(curve, phases);
            const double error = phases[0].rateErrorBytesPerS.value();
            QVERIFY2(error > 1e6 && error < 1e7, std::to_string(error).c_str());
            within += std::fabs(phases[0].rateBytesPerS - kRate) <= 2 * error ? 1 : 0;
        }
        QVERIFY2(within >= 90, std::to_string(within).c_str());
    }

    void twoSamplesTellNoError()
    {
        auto curve = ramp(10, 0, 1e6);
        std::vector<Phase> phases{{"short", 5, 5.06, 0}, {"empty", 11, 12, 0}, {"long", 6, 9, 0}};
        rateThePhases(curve, phases);
        QVERIFY(phases[0].rateBytesPerS > 0 && !phases[0].rateErrorBytesPerS);
        QVERIFY(!phases[1].rateErrorBytesPerS);
        QVERIFY(phases[2].rateErrorBytesPerS.value_or(1e6) < 1e4); // What steps of 50 kB leave open.
    }

    void noPhaseShrinksByTheEndOfItsProcess()
    {
        auto curve = ramp(10, 1e9, 1e6);
        auto gone = at(10.05);
        gone[Column::TreeBytes] = 0;
        curve.samples.push_back(gone);
        std::vector<Phase> phases{{"reading", 0, 5, 0}, {"holding", 5, 10.06, 0}, {"leaving", 10.04, 10.06, 0}};
        rateThePhases(curve, phases);
        QVERIFY(nearly(phases[1].rateBytesPerS, 1e6));
        QCOMPARE(phases[2].rateBytesPerS, 0.0);
    }
};

QTEST_APPLESS_MAIN(tst_CurveSummary)
#include "tst_CurveSummary.moc"
