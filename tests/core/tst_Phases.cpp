#include "core/curve/Phases.h"

#include <QtTest>
#include <cmath>
#include <limits>
#include <random>

using namespace loadlab;

namespace {

constexpr double kGB = 1e9;

/// used(t) at `hz` samples a second from `from` to `to`, in whole pages.
template <typename Used> std::vector<Point> curveOf(double from, double to, double hz, Used&& used)
{
    std::vector<Point> points;
    const auto count = std::llround((to - from) * hz);
    for (long long i = 0; i <= count; ++i) {
        const double t = from + static_cast<double>(i) / hz;
        points.push_back({t, std::floor(used(t) / 4096) * 4096});
    }
    return points;
}

/// A row every 5 s.
std::vector<Point> tableOf(const std::vector<double>& gigabytes)
{
    std::vector<Point> points;
    for (const double used : gigabytes)
        points.push_back({5.0 * static_cast<double>(points.size()), used * kGB});
    return points;
}

std::vector<Point> seed003()
{
    return tableOf({71, 71, 72, 76, 82, 88, 94, 100, 106, 112, 118, 122});
}

QByteArray tagOf(const std::vector<double>& values)
{
    QByteArray text;
    for (const double value : values)
        text += QByteArray::number(value) + " ";
    return text.trimmed();
}

bool near(double value, double wanted, double share)
{
    return std::fabs(value - wanted) <= share * std::fabs(wanted);
}

QByteArray describe(const std::vector<FoundPhase>& phases)
{
    QByteArray text;
    for (const FoundPhase& phase : phases)
        text += QByteArray(std::string(toWord(phase.kind)).c_str()) + " " + QByteArray::number(phase.fromS) + ".."
            + QByteArray::number(phase.toS) + " s " + QByteArray::number(phase.rateBytesPerS / kGB) + " +- "
            + QByteArray::number(phase.rateErrorBytesPerS / kGB) + " GB/s\n";
    return text;
}

std::vector<PhaseKind> kindsOf(const std::vector<FoundPhase>& phases)
{
    std::vector<PhaseKind> kinds;
    for (const FoundPhase& phase : phases)
        kinds.push_back(phase.kind);
    return kinds;
}

} // namespace

class tst_Phases : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theTableOfSeed003HasItsTwoPhases()
    {
        const auto phases = findPhases(seed003());
        QVERIFY2(phases.size() == 2, describe(phases));
        QVERIFY2(phases[0].kind == PhaseKind::SlowStart && phases[1].kind == PhaseKind::Growth, describe(phases));
        QVERIFY2(phases[0].toS >= 10 && phases[0].toS <= 15, describe(phases));
        QVERIFY2(near(phases[1].rateBytesPerS, 1.2 * kGB, 0.05), describe(phases));
        QCOMPARE(phases[0].fromS, 0.0);
        QCOMPARE(phases[1].toS, 55.0);
        // Whole gigabytes leave the rate open by more than the scatter shows.
        QVERIFY2(
            phases[1].rateErrorBytesPerS > 0.005 * kGB && phases[1].rateErrorBytesPerS < 0.1 * kGB, describe(phases));
    }

    void theSwapRunGivesItsFiguresBackResidentAndSwapApart()
    {
        // Resident to 53 GB at 68.3 s, then swap to 16 GB at 0.37 GB/s.
        const double swapFrom = 68.3;
        const double end = swapFrom + 16 / 0.37;
        const auto resident = curveOf(0, end, 20, [&](double t) { return 53 * kGB * std::min(1.0, t / swapFrom); });
        const auto swap = curveOf(0, end, 20, [&](double t) { return 0.37 * kGB * std::max(0.0, t - swapFrom); });
        const auto ofResident = findPhases(resident);
        QVERIFY2((kindsOf(ofResident) == std::vector{PhaseKind::Growth, PhaseKind::Level}), describe(ofResident));
        QVERIFY2(std::fabs(ofResident[0].toS - swapFrom) < 0.3, describe(ofResident));
        QVERIFY2(near(ofResident[0].rateBytesPerS, 53 * kGB / swapFrom, 0.01), describe(ofResident));
        QVERIFY2(near(ofResident[1].toBytes, 53 * kGB, 0.005), describe(ofResident));
        const auto ofSwap = findPhases(swap);
        QVERIFY2((kindsOf(ofSwap) == std::vector{PhaseKind::Level, PhaseKind::Growth}), describe(ofSwap));
        QVERIFY2(std::fabs(ofSwap[1].fromS - swapFrom) < 0.3, describe(ofSwap));
        QVERIFY2(near(ofSwap[1].rateBytesPerS, 0.37 * kGB, 0.01), describe(ofSwap));
        QVERIFY2(near(ofSwap[1].toBytes, 16 * kGB, 0.005), describe(ofSwap));
    }

    void anyNumberOfPointsIsFine()
    {
        QVERIFY(findPhases({}).empty());
        QVERIFY(findPhases(std::vector<Point>{{3, 5e9}}).empty());
        QVERIFY(findPhases(std::vector<Point>{{3, 5e9}, {3, 6e9}}).empty());
        const auto two = findPhases(std::vector<Point>{{3, 5e9}, {5, 6e9}});
        QCOMPARE(two.size(), std::size_t{1});
        QCOMPARE(two[0].rateBytesPerS, 0.5e9);
        QVERIFY(std::isinf(two[0].rateErrorBytesPerS));
        for (std::size_t count = 0; count < 30; ++count) {
            std::vector<Point> points;
            for (std::size_t i = 0; i < count; ++i)
                points.push_back({static_cast<double>(i * i), static_cast<double>((i * 7919) % 13) * kGB});
            const auto phases = findPhases(points);
            for (std::size_t i = 1; i < phases.size(); ++i) {
                QCOMPARE(phases[i].fromS, phases[i - 1].toS);
                QVERIFY(phases[i].toS >= phases[i].fromS);
            }
        }
    }

    void fewRowsMakePhasesThatAgreeWithThemselves_data()
    {
        QTest::addColumn<std::vector<double>>("gigabytes");
        for (const std::vector<double>& gigabytes : {std::vector<double>{1, 50}, {50, 1}, {1, 60, 50}, {20, 20, 60},
                 {0, 38, 41, 41}, {0, 0, 1, 5, 14, 30}, {30, 14, 5, 1, 0, 0}, {37, 37, 22, 100, 100, 50}})
            QTest::newRow(tagOf(gigabytes)) << gigabytes;
    }
    void fewRowsMakePhasesThatAgreeWithThemselves()
    {
        QFETCH(std::vector<double>, gigabytes);
        const auto phases = findPhases(tableOf(gigabytes));
        QVERIFY(!phases.empty());
        const auto [lowest, highest] = std::ranges::minmax(gigabytes);
        for (const FoundPhase& phase : phases) {
            for (const double bytes : {phase.fromBytes, phase.toBytes})
                QVERIFY2(bytes >= lowest * kGB && bytes <= highest * kGB, describe(phases));
            const double moved = phase.rateBytesPerS * (phase.toS - phase.fromS);
            if (phase.kind == PhaseKind::Level)
                QVERIFY2(std::fabs(moved) < 0.5 * (highest - lowest) * kGB, describe(phases));
            else
                QVERIFY2((phase.kind == PhaseKind::Release) == (moved < 0), describe(phases));
        }
    }

    void aFlatCurveIsOneLevelPhase()
    {
        const auto flat = findPhases(curveOf(0, 60, 20, [](double) { return 12 * kGB; }));
        QVERIFY2((kindsOf(flat) == std::vector{PhaseKind::Level}), describe(flat));
        QCOMPARE(flat[0].rateBytesPerS, 0.0);
        const auto nothing = findPhases(curveOf(0, 60, 20, [](double) { return 0.0; }));
        QVERIFY2((kindsOf(nothing) == std::vector{PhaseKind::Level}), describe(nothing));
        // Jitter of some MiB on 12 GB is no story.
        std::mt19937 random(3);
        std::uniform_real_distribution<double> jitter(-4e6, 4e6);
        const auto noisy = findPhases(curveOf(0, 60, 20, [&](double) { return 12 * kGB + jitter(random); }));
        QVERIFY2((kindsOf(noisy) == std::vector{PhaseKind::Level}), describe(noisy));
    }

    void whatIsNoNumberIsLeftOut()
    {
        auto points = seed003();
        points.insert(points.begin() + 3, {12, std::nan("")});
        points.push_back({std::nan(""), 3 * kGB});
        points.push_back({60, std::numeric_limits<double>::infinity()});
        const auto phases = findPhases(points);
        QVERIFY2(phases.size() == 2, describe(phases));
        QCOMPARE(phases[1].toS, 55.0);
    }

    void theOrderOfPointsDoesNotMatter()
    {
        auto points = seed003();
        std::shuffle(points.begin(), points.end(), std::mt19937(7));
        const auto phases = findPhases(points);
        QVERIFY2(phases.size() == 2 && near(phases[1].rateBytesPerS, 1.2 * kGB, 0.05), describe(phases));
    }

    void unevenTimesAndGapsDoNotMoveTheRates()
    {
        std::mt19937 random(11);
        std::uniform_real_distribution<double> step(0.01, 0.4);
        std::vector<Point> points;
        for (double t = 0; t < 100; t += step(random)) {
            if (t > 30 && t < 45)
                continue; // The sampler was held up.
            points.push_back({t, t < 60 ? 0.2 * kGB * t : 12 * kGB + 1.5 * kGB * (t - 60)});
        }
        const auto phases = findPhases(points);
        QVERIFY2(phases.size() == 2, describe(phases));
        QVERIFY2(near(phases[0].rateBytesPerS, 0.2 * kGB, 0.02), describe(phases));
        QVERIFY2(near(phases[1].rateBytesPerS, 1.5 * kGB, 0.02), describe(phases));
        QVERIFY2(std::fabs(phases[1].fromS - 60) < 0.5, describe(phases));
    }

    void aJumpIsAPhaseOfItsOwn_data()
    {
        QTest::addColumn<std::vector<double>>("gigabytes");
        QTest::addColumn<std::vector<PhaseKind>>("kinds");
        QTest::addColumn<int>("jump"); // Which phase.
        QTest::addColumn<int>("row"); // The last one before it.
        using enum PhaseKind;
        const auto row = [](const char* name, const std::vector<double>& gigabytes, const std::vector<PhaseKind>& kinds,
                             int jump, int at) { QTest::newRow(name) << gigabytes << kinds << jump << at; };
        row("up", {5, 5, 5, 5, 30, 30, 30, 30, 30}, {Level, Step, Level}, 1, 3);
        row("down", {30, 30, 30, 30, 5, 5, 5, 5, 5}, {Level, Release, Level}, 1, 3);
        row("of few rows", {5, 5, 5, 30, 30, 30}, {Level, Step, Level}, 1, 2);
        row("at the start", {5, 30, 30, 30, 30, 30, 30, 30}, {Step, Level}, 0, 0);
        row("down at the start", {30, 5, 5, 5, 5, 5, 5, 5}, {Release, Level}, 0, 0);
        row("at the end", {5, 5, 5, 5, 5, 5, 5, 30}, {Level, Step}, 1, 6);
        row("down at the end", {30, 30, 30, 30, 30, 30, 30, 5}, {Level, Release}, 1, 6);
        row("near the end", {5, 5, 5, 5, 5, 5, 30, 30}, {Level, Step, Level}, 1, 5);
        row("between two growths of one rate", {1, 3, 5, 7, 9, 36, 38, 40, 42, 44}, {Growth, Step, Growth}, 1, 4);
        row("down between two growths", {31, 33, 35, 37, 39, 11, 13, 15, 17, 19}, {Growth, Release, Growth}, 1, 4);
        row("down, then up", {30, 30, 30, 30, 5, 5, 5, 5, 30, 30, 30, 30}, {Level, Release, Level, Step, Level}, 3, 7);
        row("down for a row", {30, 30, 30, 30, 30, 5, 30, 30, 30, 30, 30}, {Level, Release, Step, Level}, 2, 5);
        row("down for two rows", {30, 30, 30, 30, 5, 5, 30, 30, 30, 30}, {Level, Release, Level, Step, Level}, 3, 5);
        row("up, then down", {5, 5, 5, 5, 30, 30, 30, 30, 5, 5, 5, 5}, {Level, Step, Level, Release, Level}, 3, 7);
    }
    void aJumpIsAPhaseOfItsOwn()
    {
        QFETCH(std::vector<double>, gigabytes);
        QFETCH(std::vector<PhaseKind>, kinds);
        QFETCH(int, jump);
        QFETCH(int, row);
        const auto phases = findPhases(tableOf(gigabytes));
        QVERIFY2(kindsOf(phases) == kinds, describe(phases));
        const FoundPhase& found = phases[static_cast<std::size_t>(jump)];
        const auto at = static_cast<std::size_t>(row);
        QVERIFY2(found.fromS == 5.0 * row && found.toS == 5.0 * (row + 1), describe(phases));
        QVERIFY2(found.fromBytes == gigabytes[at] * kGB && found.toBytes == gigabytes[at + 1] * kGB, describe(phases));
        QVERIFY(std::isinf(found.rateErrorBytesPerS));
        for (std::size_t i = 1; i < phases.size(); ++i)
            QCOMPARE(phases[i].fromS, phases[i - 1].toS);
        QCOMPARE(phases.front().fromS, 0.0);
        QCOMPARE(phases.back().toS, 5.0 * static_cast<double>(gigabytes.size() - 1));
    }

    void twoLevelsAreAJumpHoweverManyRows_data()
    {
        QTest::addColumn<double>("low");
        QTest::addColumn<double>("high");
        QTest::addColumn<int>("rows"); // Of either level.
        QTest::addColumn<int>("missing"); // Rows, between the two.
        for (const auto& [low, high] :
            {std::pair(20.0, 60.0), std::pair(0.0, 50.0), std::pair(100.0, 200.0), std::pair(60.0, 20.0)})
            for (const int rows : {2, 3, 4, 8, 20, 1000})
                for (const int missing : {0, rows})
                    QTest::addRow("%g to %g, %d rows, %d missing", low, high, rows, missing)
                        << low << high << rows << missing;
    }
    void twoLevelsAreAJumpHoweverManyRows()
    {
        QFETCH(double, low);
        QFETCH(double, high);
        QFETCH(int, rows);
        QFETCH(int, missing);
        std::vector<Point> points;
        for (int i = 0; i < rows; ++i)
            points.push_back({1.0 * i, low * kGB});
        for (int i = 0; i < rows; ++i)
            points.push_back({1.0 * (rows + missing + i), high * kGB});
        const auto phases = findPhases(points);
        const PhaseKind jump = high > low ? PhaseKind::Step : PhaseKind::Release;
        QVERIFY2((kindsOf(phases) == std::vector{PhaseKind::Level, jump, PhaseKind::Level}), describe(phases));
        const double width = 2.0 * rows / PhaseFinder::kMostMeans; // Of a mean, and what two of them leave open.
        QVERIFY2(std::fabs(phases[1].fromS - (rows - 1)) <= 2 * width, describe(phases));
        QVERIFY2(std::fabs(phases[1].toS - (rows + missing)) <= 2 * width, describe(phases));
        for (const std::size_t level : {0, 2})
            QVERIFY2(std::fabs(phases[level].rateBytesPerS) < 1, describe(phases));
        QVERIFY2(std::fabs(phases[2].toBytes - high * kGB) < 1, describe(phases));
    }

    void levelsOfRoundHeightsAreLevels_data()
    {
        QTest::addColumn<std::vector<double>>("levels");
        QTest::newRow("uneven") << std::vector<double>{20, 60, 90};
        QTest::newRow("up and down") << std::vector<double>{20, 60, 20};
        QTest::newRow("back and forth") << std::vector<double>{0, 100, 0, 100};
    }
    void levelsOfRoundHeightsAreLevels()
    {
        QFETCH(std::vector<double>, levels);
        std::vector<double> gigabytes;
        for (const double level : levels)
            gigabytes.insert(gigabytes.end(), 8, level);
        const auto phases = findPhases(tableOf(gigabytes));
        QCOMPARE(phases.size(), 2 * levels.size() - 1);
        for (std::size_t i = 0; i < phases.size(); ++i)
            QVERIFY2((phases[i].kind == PhaseKind::Level) == (i % 2 == 0) && (phases[i].points == 2) == (i % 2 == 1),
                describe(phases));
    }

    void roundingThatIsSeenAtWorkIsNoStaircase()
    {
        // A unit that is large for so small a curve, but the rows go up by it one by one.
        std::vector<double> gigabytes;
        for (int i = 0; i < 24; ++i) {
            gigabytes.push_back(i / 3);
            if (i < 9)
                continue;
            const auto phases = findPhases(tableOf(gigabytes));
            QVERIFY2(
                (kindsOf(phases) == std::vector{PhaseKind::Growth}), QByteArray::number(i) + ": " + describe(phases));
        }
    }

    void aJumpOfManySamplesIsOne()
    {
        const auto phases = findPhases(curveOf(0, 40, 10, [](double t) { return t < 25 ? 3 * kGB : 9 * kGB; }));
        QVERIFY2(
            (kindsOf(phases) == std::vector{PhaseKind::Level, PhaseKind::Step, PhaseKind::Level}), describe(phases));
        QVERIFY2(std::fabs(phases[1].fromS - 25) < 0.2 && std::fabs(phases[1].toS - 25) < 0.2, describe(phases));
        QVERIFY2(near(phases[0].toBytes, 3 * kGB, 0.01) && near(phases[2].fromBytes, 9 * kGB, 0.01), describe(phases));
    }

    void whatLeadsToItsSidesIsNoJump()
    {
        const auto none = [](const std::vector<FoundPhase>& phases) {
            return std::ranges::none_of(phases, [](const FoundPhase& phase) {
                return phase.kind == PhaseKind::Step || phase.kind == PhaseKind::Release;
            });
        };
        // Ever faster, a rise of two rows, a table's rounding, and a kink amid a gap.
        for (const std::vector<double>& gigabytes :
            {std::vector<double>{1, 1, 2, 4, 8, 16, 32, 64}, std::vector<double>{5, 5, 5, 5, 17, 30, 30, 30, 30},
                std::vector<double>{71, 71, 71, 72, 72, 72, 73, 73}}) {
            const auto phases = findPhases(tableOf(gigabytes));
            QVERIFY2(none(phases), describe(phases));
        }
        const auto spike = findPhases(curveOf(0, 40, 10, [](double t) { return t == 25 ? 9 * kGB : 3 * kGB; }));
        QVERIFY2((kindsOf(spike) == std::vector{PhaseKind::Level}), describe(spike));
        auto points = tableOf({1, 2, 3, 4, 5, 6, 7, 8, 13, 23, 33, 43, 53, 63});
        for (std::size_t i = 8; i < points.size(); ++i)
            points[i].x += 5;
        QVERIFY2(none(findPhases(points)), describe(findPhases(points)));
    }

    void noiseHasNoJumps_data()
    {
        QTest::addColumn<double>("rate");
        QTest::addColumn<int>("points");
        for (const double rate : {0.0, 0.01, 1.0})
            for (const int points : {6, 12, 50, 400, 2000})
                QTest::addRow("%g GB a row, %d rows", rate, points) << rate << points;
    }
    void noiseHasNoJumps()
    {
        QFETCH(double, rate);
        QFETCH(int, points);
        for (unsigned seed = 0; seed < 50; ++seed) {
            std::mt19937 random(seed);
            std::normal_distribution<double> noise(0, 0.5);
            std::vector<double> gigabytes;
            for (int i = 0; i < points; ++i)
                gigabytes.push_back(50 + rate * i + noise(random));
            const auto phases = findPhases(tableOf(gigabytes));
            QVERIFY2(std::ranges::none_of(phases, [](const FoundPhase& phase) { return phase.points == 2; }),
                QByteArray::number(seed) + ": " + describe(phases));
        }
    }

    void whatFallsAtOnceIsARelease()
    {
        // Both within a fiftieth of the time.
        const auto phases = findPhases(curveOf(0, 100, 4, [](double t) {
            return kGB
                * (t < 50          ? 0.1 * t
                        : t < 51.5 ? 5 - 2 * (t - 50)
                        : t < 75   ? 2
                                   : std::min(5.0, 2 + 2 * (t - 75)));
        }));
        const auto kinds = kindsOf(phases);
        QVERIFY2(std::ranges::count(kinds, PhaseKind::Release) == 1, describe(phases));
        QVERIFY2(std::ranges::count(kinds, PhaseKind::Step) == 1, describe(phases));
        for (const FoundPhase& phase : phases)
            QVERIFY2(phase.kind != PhaseKind::Step || phase.rateBytesPerS > 0, describe(phases));
    }

    void aCurveOfSomeMiBIsOnePhase()
    {
        const auto steady = findPhases(curveOf(0, 60, 20, [](double t) { return 2e5 * t; }));
        QVERIFY2((kindsOf(steady) == std::vector{PhaseKind::Growth}), describe(steady));
        const auto begun = findPhases(curveOf(0, 60, 20, [](double t) { return t < 0.3 ? 3e7 * t : 9e6; }));
        QVERIFY2((kindsOf(begun) == std::vector{PhaseKind::Level}), describe(begun));
        const auto more = findPhases(curveOf(0, 60, 20, [](double t) { return 2e6 * std::min(t, 20.0); }));
        QVERIFY2((kindsOf(more) == std::vector{PhaseKind::Growth, PhaseKind::Level}), describe(more));
    }

    void aStaircaseOfSmallStepsIsOneGrowth()
    {
        const auto phases
            = findPhases(curveOf(0, 60, 20, [](double t) { return std::floor(t * 4) / 4 * 0.8 * kGB + 2 * kGB; }));
        QVERIFY2((kindsOf(phases) == std::vector{PhaseKind::Growth}), describe(phases));
        QVERIFY2(near(phases[0].rateBytesPerS, 0.8 * kGB, 0.02), describe(phases));
    }

    void readingHoldingAndGivingBackAreThree()
    {
        const auto phases = findPhases(curveOf(0, 50, 20, [](double t) {
            return t < 20 ? kGB * t : t < 45 ? 20 * kGB : std::max(0.0, 20 * kGB - 5 * kGB * (t - 45));
        }));
        QVERIFY2((kindsOf(phases).size() >= 3), describe(phases));
        QVERIFY2(phases[0].kind == PhaseKind::Growth && phases[1].kind == PhaseKind::Level
                && phases[2].kind == PhaseKind::Release,
            describe(phases));
        QVERIFY2(std::fabs(phases[0].toS - 20) < 0.3 && std::fabs(phases[1].toS - 45) < 0.3, describe(phases));
    }

    void theErrorCoversTheTruth()
    {
        // The true rate lies within two standard errors in most of 100 noisy curves (95 are what the words promise).
        int covered = 0;
        for (unsigned seed = 0; seed < 100; ++seed) {
            std::mt19937 random(seed);
            std::normal_distribution<double> noise(0, 0.3 * kGB);
            const auto phases
                = findPhases(curveOf(0, 30, 10, [&](double t) { return 10 * kGB + 0.5 * kGB * t + noise(random); }));
            QVERIFY2(phases.size() == 1, describe(phases));
            if (std::fabs(phases[0].rateBytesPerS - 0.5 * kGB) <= 2 * phases[0].rateErrorBytesPerS)
                ++covered;
        }
        QVERIFY2(covered >= 88, QByteArray::number(covered));
    }

    void wanderingNoiseWidensTheError()
    {
        // A rate that wanders leaves more open than independent scatter of the same size.
        std::mt19937 random(5);
        std::normal_distribution<double> noise(0, 0.3 * kGB);
        double wander = 0;
        const auto wandering = findPhases(curveOf(0, 30, 10, [&](double t) {
            wander = 0.95 * wander + std::sqrt(1 - 0.95 * 0.95) * noise(random);
            return 30 * kGB + 2 * kGB * t + wander;
        }));
        const auto scattered
            = findPhases(curveOf(0, 30, 10, [&](double t) { return 30 * kGB + 2 * kGB * t + noise(random); }));
        QVERIFY2(wandering.size() == 1 && scattered.size() == 1, describe(wandering));
        QVERIFY2(wandering[0].rateErrorBytesPerS > 2 * scattered[0].rateErrorBytesPerS,
            describe(wandering) + describe(scattered));
    }

    void hoursOfSamplesKeepBoundedMemoryAndTheRightPhases()
    {
        PhaseFinder finder;
        const double hours = 3 * 3600;
        for (int i = 0; i < 3 * 3600 * 20; ++i) {
            const double t = i / 20.0;
            finder.add({t, t < hours / 3 ? 2e6 * t : 2e6 * hours / 3});
        }
        QVERIFY(finder.means().size() <= PhaseFinder::kMostMeans);
        const auto phases = finder.phases();
        QVERIFY2((kindsOf(phases) == std::vector{PhaseKind::Growth, PhaseKind::Level}), describe(phases));
        QVERIFY2(std::fabs(phases[0].toS - hours / 3) < hours / 400, describe(phases));
        QVERIFY2(near(phases[0].rateBytesPerS, 2e6, 0.01), describe(phases));
    }

    void asARunKeepsThem()
    {
        const auto phases = toPhases(findPhases(seed003()));
        QCOMPARE(phases.size(), std::size_t{2});
        QCOMPARE(phases[0].name, std::string("slow start"));
        QCOMPARE(phases[1].name, std::string("growth"));
        QCOMPARE(phases[1].toS, 55.0);
    }
};

QTEST_GUILESS_MAIN(tst_Phases)
#include "tst_Phases.moc"
