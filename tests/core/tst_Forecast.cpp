#include "core/curve/Forecast.h"
#include "tests/core/SyntheticCurves.h"

#include <QtTest>
#include <cmath>
#include <limits>
#include <random>

using namespace loadlab;
using synthetic::Load;

Q_DECLARE_METATYPE(Load)

namespace {

constexpr double kGB = 1e9;
constexpr double kAlarmS = 5; ///< What a guard acts on.
constexpr double kMarginShare = 0.02;

std::vector<Point> seed003(double upToS = 1e9)
{
    const std::vector<double> gigabytes{71, 71, 72, 76, 82, 88, 94, 100, 106, 112, 118, 122};
    std::vector<Point> points;
    for (std::size_t i = 0; i < gigabytes.size(); ++i)
        if (5.0 * static_cast<double>(i) <= upToS)
            points.push_back({5.0 * static_cast<double>(i), gigabytes[i] * kGB});
    return points;
}

QByteArray describe(const Forecast& got)
{
    const auto seconds = [](const std::optional<double>& s) { return s ? QByteArray::number(*s) : QByteArray("-"); };
    return "at " + QByteArray::number(got.atS) + " s, " + QByteArray::number(got.usedBytes / kGB)
        + " GB: " + seconds(got.limitReachedS) + " [" + seconds(got.lowS) + ", " + seconds(got.highS) + "] at "
        + QByteArray::number(got.rateBytesPerS / kGB) + " GB/s, " + toWords(got.why).c_str();
}

void addLoads(bool thatReachTheLimit)
{
    QTest::addColumn<Load>("load");
    for (const Load& load : synthetic::loads())
        if (load.reachesLimit() == thatReachTheLimit)
            QTest::newRow(load.name.c_str()) << load;
}

} // namespace

class tst_Forecast : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theTableOfSeed003IsForetold()
    {
        const Forecast got = forecast(seed003(30), 122 * kGB);
        QVERIFY2(got.limitReachedS && got.lowS && got.highS, describe(got));
        QVERIFY2(*got.limitReachedS >= 53 * 0.9 && *got.limitReachedS <= 55 * 1.1, describe(got));
        QVERIFY2(*got.lowS <= 53 && *got.highS >= 55, describe(got));
        QVERIFY2(std::fabs(got.rateBytesPerS - 1.2 * kGB) < 0.06 * kGB, describe(got));
        // No wider than of use.
        QVERIFY2(*got.highS - *got.lowS < 12, describe(got));
    }

    void nothingIsForetoldBeforeThatTableGrows()
    {
        for (const double upTo : {0.0, 5.0, 10.0}) {
            const Forecast got = forecast(seed003(upTo), 122 * kGB);
            QVERIFY2(!got.limitReachedS, describe(got));
        }
    }

    void aLimitThatWasReachedIsAFact()
    {
        const Forecast got = forecast(seed003(), 122 * kGB);
        QVERIFY2(got.why == Forecast::Why::Reached, describe(got));
        QCOMPARE(*got.limitReachedS, 55.0);
        QCOMPARE(*got.lowS, 50.0);
        QCOMPARE(*got.highS, 55.0);
    }

    void fewOrStrangePointsForetellNothing()
    {
        const double bad = std::nan("");
        QVERIFY(forecast(std::vector<Point>{}, kGB).why == Forecast::Why::TooFewPoints);
        for (const std::vector<Point>& points : {std::vector<Point>{{1, 2}}, std::vector<Point>{{1, 2}, {2, 3}},
                 std::vector<Point>{{bad, bad}, {1, bad}, {bad, 1}}, std::vector<Point>{{1, 1}, {1, 2}, {1, 3}}}) {
            const Forecast got = forecast(points, kGB);
            QVERIFY2(!got.limitReachedS && got.why == Forecast::Why::TooFewPoints, describe(got));
        }
    }

    void aFarLimitIsNotForetold()
    {
        std::vector<Point> points;
        for (int i = 0; i <= 200; ++i)
            points.push_back({i / 20.0, i * 0.05 * kGB});
        QVERIFY(forecast(points, 35 * kGB).limitReachedS);
        const Forecast got = forecast(points, 45 * kGB);
        QVERIFY2(!got.limitReachedS && got.why == Forecast::Why::TooFar, describe(got));
    }

    void aGrowthThatSlowsDownIsSeenToEndBelow()
    {
        // 112 GB in the end, below the limit of 122: from a third of its time on nothing is foretold at any second.
        PhaseFinder sofar;
        int slowing = 0;
        for (int i = 0; i <= 60 * 20; ++i) {
            const double t = i / 20.0;
            sofar.add({t, 112 * kGB * -std::expm1(-t / 20)});
            if (t < 7 || i % 20 != 0)
                continue;
            const Forecast got = forecast(sofar, 122 * kGB);
            QVERIFY2(!got.limitReachedS, describe(got));
            // Where it sees the end, it sees it about there.
            if (got.why != Forecast::Why::LevelsOff)
                continue;
            ++slowing;
            QVERIFY2(got.levelsOffBytes && std::fabs(*got.levelsOffBytes - 112 * kGB) < 30 * kGB,
                describe(got) + QByteArray::number(*got.levelsOffBytes));
        }
        QVERIFY2(slowing >= 10, QByteArray::number(slowing));
    }

    void aSlowerSecondPhaseIsNotTakenForTheEnd()
    {
        // Fast, then slower but steady: after a while the line counts again.
        PhaseFinder sofar;
        for (int i = 0; i <= 60 * 20; ++i) {
            const double t = i / 20.0;
            sofar.add({t, kGB * (std::min(t, 10.0) * 3 + std::max(0.0, t - 10) * 1.2)});
        }
        const Forecast got = forecast(sofar, 122 * kGB);
        QVERIFY2(got.limitReachedS && std::fabs(*got.limitReachedS - (10 + 92 / 1.2)) < 1, describe(got));
    }

    void growthThatGetsFasterIsNeverToldToHaveEnded_data()
    {
        QTest::addColumn<double>("factor"); // From row to row.
        for (const double factor : {1.2, 1.5, 2.0, 3.0})
            QTest::addRow("%g", factor) << factor;
    }
    void growthThatGetsFasterIsNeverToldToHaveEnded()
    {
        QFETCH(double, factor);
        std::vector<Point> points;
        for (int i = 0; i < 12; ++i) {
            points.push_back({1.0 * i, 100 * kGB * std::pow(factor, i - 11)});
            if (i < 2)
                continue;
            const Forecast got = forecast(points, 1.2 * points.back().y);
            QVERIFY2(got.why == Forecast::Why::Foretold || got.why == Forecast::Why::NotSettled, describe(got));
        }
        // With all of its rows, and a limit not far above: foretold, and in time.
        const Forecast got = forecast(points, 120 * kGB);
        const double truth = 11 + std::log(1.2) / std::log(factor);
        QVERIFY2(got.why == Forecast::Why::Foretold && got.rateLowBytesPerS > 0, describe(got));
        QVERIFY2(*got.lowS <= truth && got.highS && *got.highS >= truth, describe(got));
    }

    void aSteadyStaircaseIsForetold_data()
    {
        QTest::addColumn<double>("hz");
        QTest::addColumn<double>("heightGB");
        for (const double hz : {1.0, 2.0})
            for (const double height : {9.7, 10.0})
                QTest::addRow("%g GB, %g Hz", height, hz) << hz << height;
    }
    void aSteadyStaircaseIsForetold()
    {
        QFETCH(double, hz);
        QFETCH(double, heightGB);
        std::vector<Point> points;
        for (int i = 0; i < 58 * hz; ++i)
            points.push_back({i / hz, heightGB * kGB * (1 + std::floor(i / hz / 10))});
        const double limit = 9.5 * heightGB * kGB;
        const Forecast got = forecast(points, limit);
        QVERIFY2(got.limitReachedS && got.lowS && got.highS && got.stepBytes, describe(got));
        QVERIFY2(std::fabs(*got.limitReachedS - 90) < 1 && *got.lowS <= 85 && *got.highS >= 95, describe(got));
        QCOMPARE(toWords(got), std::string("foretold from its steps"));
        // Ended: it rests for twice as long.
        while (points.back().x < 70)
            points.push_back({points.back().x + 1 / hz, points.back().y});
        const Forecast ended = forecast(points, limit);
        QVERIFY2(ended.why == Forecast::Why::NotGrowing, describe(ended));
    }

    void twoStepsAreToldAsSteps()
    {
        std::vector<Point> points;
        for (int i = 0; i < 28; ++i)
            points.push_back({1.0 * i, 9.7 * kGB * (1 + i / 10)});
        const Forecast got = forecast(points, 97.5 * kGB);
        QVERIFY2(got.why == Forecast::Why::InSteps, describe(got));
    }

    void growthOfThreeRowsIsNotSettled()
    {
        const Forecast got = forecast(std::vector<Point>{{0, 2e9}, {1, 5e9}, {2, 10e9}}, 20e9);
        QVERIFY2(got.why == Forecast::Why::NotSettled && got.rateLowBytesPerS <= 0, describe(got));
        QCOMPARE(toWords(got.why), std::string("it grows, but not steadily enough yet to tell its rate"));
    }

    void noFalseAlarmOnWhatLevelsOff_data() { addLoads(false); }
    void noFalseAlarmOnWhatLevelsOff()
    {
        QFETCH(Load, load);
        const auto points = pointsOf(load.curve(), Column::TreeBytes);
        const double limit = load.limitGB * kGB;
        // Judged at every second: never a limit within the next seconds; once level, never a limit at all.
        const double levelFrom = load.levelS + std::max(2.0, 0.05 * load.levelS);
        PhaseFinder sofar;
        for (const Point& point : points) {
            sofar.add(point);
            if (std::fmod(point.x, 1.0) > 1e-6)
                continue;
            const Forecast got = forecast(sofar, limit);
            QVERIFY2(!got.limitReachedS || *got.limitReachedS > point.x + kAlarmS, describe(got));
            QVERIFY2(!got.limitReachedS || point.x < levelFrom, describe(got));
        }
    }

    void theGuardLetsLiveWhatLevelsOff_data() { addLoads(false); }
    void theGuardLetsLiveWhatLevelsOff()
    {
        QFETCH(Load, load);
        FallWatch watch;
        for (const Point& left : pointsOf(load.curve(), Column::SystemAvailableBytes)) {
            watch.add(left.x, left.y);
            const auto crossing = watch.crossing(load.limitGB * kGB * kMarginShare, kAlarmS);
            QVERIFY2(!crossing,
                QByteArray("at ") + QByteArray::number(left.x) + " s: in " + QByteArray::number(crossing->inS)
                    + " s over " + QByteArray::number(crossing->overS));
        }
    }

    void whatReachesTheLimitIsForetold_data() { addLoads(true); }
    void whatReachesTheLimitIsForetold()
    {
        QFETCH(Load, load);
        const auto points = pointsOf(load.curve(), Column::TreeBytes);
        const double limit = load.limitGB * kGB;
        const double truth = load.limitS();
        PhaseFinder sofar;
        int asked = 0;
        int inside = 0;
        for (const Point& point : points) {
            sofar.add(point);
            if (point.x < truth - 20 || point.y >= limit || std::fmod(point.x, 1.0) > 1e-6)
                continue;
            const Forecast got = forecast(sofar, limit);
            QVERIFY2(got.limitReachedS, describe(got));
            QVERIFY2(std::fabs(*got.limitReachedS - truth) <= std::max(1.0, load.tolerance * (truth - point.x)),
                describe(got) + ", truth " + QByteArray::number(truth));
            ++asked;
            if (*got.lowS <= truth && (!got.highS || *got.highS >= truth))
                ++inside;
        }
        QVERIFY2(inside * 10 >= asked * 9, QByteArray::number(inside) + " of " + QByteArray::number(asked));
    }

    void theGuardIsWarnedInTime_data() { addLoads(true); }
    void theGuardIsWarnedInTime()
    {
        QFETCH(Load, load);
        const double margin = load.limitGB * kGB * kMarginShare;
        FallWatch watch;
        std::optional<double> warnedS;
        double crossedS = 0;
        for (const Point& left : pointsOf(load.curve(), Column::SystemAvailableBytes)) {
            watch.add(left.x, left.y);
            if (!warnedS && watch.crossing(margin, kAlarmS))
                warnedS = left.x;
            crossedS = left.x;
            if (left.y <= margin)
                break;
        }
        // Seconds before the margin is touched, and not long before it had to be.
        QVERIFY2(warnedS && crossedS - *warnedS >= 2.5 && crossedS - *warnedS <= 7,
            QByteArray::number(warnedS.value_or(-1)) + ", margin at " + QByteArray::number(crossedS));
    }

    void twoGigabytesASecondWithOneLeftAreSeenInTime()
    {
        // Out of nothing: 0.54 s from the first byte to the last.
        FallWatch watch;
        double t = 0;
        for (; t < 10; t += 0.05)
            watch.add(t, 1.0737e9);
        std::optional<double> warnedS;
        const double from = t;
        for (; t < from + 0.5 && !warnedS; t += 0.05) {
            watch.add(t, 1.0737e9 - 2 * kGB * (t - from));
            if (watch.crossing(64e6, 2))
                warnedS = t;
        }
        QVERIFY(warnedS && *warnedS - from <= 0.31);
    }

    void aBurstThatIsOverCountsNoMore()
    {
        FallWatch watch;
        const auto leftAt = [](double t) { return 22 * kGB - 5 * kGB * std::clamp(t - 5, 0.0, 2.0); };
        bool during = false;
        for (int i = 0; i <= 15 * 20; ++i) {
            const double t = i / 20.0;
            watch.add(t, leftAt(t));
            const bool warned = watch.crossing(2 * kGB, 5).has_value();
            during = during || (t <= 7 && warned);
            QVERIFY2(!warned || t < 7.35, QByteArray::number(t));
        }
        QVERIFY(during);
    }

    void aMarginThatIsCrossedAlreadyNeedsNoHistory()
    {
        FallWatch watch;
        QVERIFY(!watch.crossing(kGB, 5));
        watch.add(3, 0.5 * kGB);
        QVERIFY(watch.crossing(kGB, 5));
        QCOMPARE(watch.crossing(kGB, 5)->inS, 0.0);
    }

    void theWatchIgnoresWhatIsNoNumberOrTooLate()
    {
        FallWatch watch;
        for (int i = 0; i < 100; ++i) {
            watch.add(i * 0.05, 50 * kGB - i * 0.5 * kGB);
            watch.add(i * 0.05 - 3, 0);
            watch.add(std::nan(""), 0);
            watch.add(i * 0.05, -std::numeric_limits<double>::infinity());
        }
        QVERIFY(!watch.crossing(-60 * kGB, 5));
        const auto crossing = watch.crossing(-30 * kGB, 5);
        QVERIFY(crossing && std::fabs(crossing->inS - 3.05) < 0.1);
    }

    void anySamplingRateGivesTheSameAnswer()
    {
        for (const double hz : {5.0, 20.0, 100.0, 1000.0}) {
            FallWatch watch;
            for (double t = 0; t <= 10; t += 1 / hz)
                watch.add(t, 30 * kGB - 2 * kGB * t);
            const auto crossing = watch.crossing(4 * kGB, 5);
            QVERIFY2(crossing && std::fabs(crossing->inS - 3) < 0.2, QByteArray::number(hz));
            QVERIFY2(!watch.crossing(4 * kGB, 2.5), QByteArray::number(hz));
        }
    }

    void aLoadThatWasStoppedShowsWhatItWouldHaveNeeded()
    {
        std::mt19937 random(3);
        std::normal_distribution<double> noise(0, 0.2 * kGB);
        std::vector<ProgressPoint> trail;
        for (double share = 0; share <= 0.4; share += 0.01)
            trail.push_back({share, 2 * kGB + 70 * kGB * share + noise(random)});
        const auto need = projectedNeed(trail, 31 * kGB);
        QVERIFY(need);
        QVERIFY2(std::fabs(need->bytes - 72 * kGB) < 2 * kGB, QByteArray::number(need->bytes));
        QVERIFY(need->lowBytes <= 72 * kGB && need->highBytes >= 72 * kGB);
        QVERIFY(need->lowBytes >= 31 * kGB && need->highBytes < 80 * kGB);
    }

    void aTrailThatTellsNothingProjectsNothing()
    {
        QVERIFY(!projectedNeed({}, kGB));
        QVERIFY(!projectedNeed(std::vector<ProgressPoint>{{0.5, kGB}}, kGB));
        QVERIFY(!projectedNeed(std::vector<ProgressPoint>{{0, kGB}, {0.01, 2 * kGB}}, kGB));
        // It came to its end: what grew after that (as in seed 003) no progress tells.
        QVERIFY(!projectedNeed(std::vector<ProgressPoint>{{0, kGB}, {0.5, 2 * kGB}, {1, 3 * kGB}}, 50 * kGB));
        const auto two = projectedNeed(std::vector<ProgressPoint>{{0, kGB}, {0.5, 2 * kGB}}, 2.5 * kGB);
        QVERIFY(two);
        QCOMPARE(two->bytes, 3 * kGB);
        QCOMPARE(two->lowBytes, 2.5 * kGB);
        QVERIFY(std::isinf(two->highBytes));
    }
};

QTEST_GUILESS_MAIN(tst_Forecast)
#include "tst_Forecast.moc"
