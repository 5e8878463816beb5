#include "core/curve/Decimate.h"

#include <QtTest>
#include <algorithm>
#include <map>
#include <random>

using namespace loadlab;

namespace {

std::vector<Point> randomPoints(std::size_t count, unsigned seed, double step)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> gap(0, step);
    std::uniform_int_distribution<int> value(-50, 50);
    std::vector<Point> points;
    double x = -3;
    for (std::size_t i = 0; i < count; ++i) {
        // Repeated x and repeated y both occur.
        x += i % 5 == 0 ? 0 : gap(random);
        points.push_back({x, static_cast<double>(value(random))});
    }
    return points;
}

/// M4 the slow way: a column per point, then first, lowest, highest and last of each.
std::vector<Point> referenceM4(const std::vector<Point>& points, double from, double to, std::size_t columns)
{
    std::map<std::size_t, std::vector<std::size_t>> members;
    std::optional<std::size_t> before;
    std::optional<std::size_t> after;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto x = points[i].x;
        if (x < from)
            before = i;
        else if (x > to)
            after = after ? after : i;
        else {
            const auto column = to > from ? std::floor((x - from) * (static_cast<double>(columns) / (to - from))) : 0.0;
            members[std::min(static_cast<std::size_t>(column), columns - 1)].push_back(i);
        }
    }
    std::vector<Point> out;
    if (before)
        out.push_back(points[*before]);
    for (const auto& [column, indices] : members) {
        const auto less = [&](std::size_t a, std::size_t b) { return points[a].y < points[b].y; };
        std::vector<std::size_t> kept{indices.front(), *std::min_element(indices.begin(), indices.end(), less),
            *std::max_element(indices.begin(), indices.end(), less), indices.back()};
        std::sort(kept.begin(), kept.end());
        kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
        for (const auto index : kept)
            out.push_back(points[index]);
    }
    if (after)
        out.push_back(points[*after]);
    return out;
}

QString describe(const std::vector<Point>& points)
{
    QString text;
    for (const auto& point : points)
        text += QString("(%1 %2) ").arg(point.x).arg(point.y);
    return text;
}

} // namespace

class tst_Decimate : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void agreesWithTheSlowWayOnAnyRange()
    {
        for (unsigned seed = 0; seed < 300; ++seed) {
            std::mt19937 random(seed);
            const auto points = randomPoints(random() % 400, seed, seed % 3 == 0 ? 0.01 : 1.0);
            std::uniform_real_distribution<double> edge(-10, 200);
            auto from = edge(random);
            auto to = edge(random);
            if (from > to)
                std::swap(from, to);
            const std::size_t columns = 1 + random() % 60;
            const auto got = decimateM4(points, from, to, columns);
            const auto wanted = referenceM4(points, from, to, columns);
            QVERIFY2(
                got == wanted, qPrintable(QString("seed %1\n%2\n%3").arg(seed).arg(describe(got), describe(wanted))));
        }
    }

    void neverLosesTheHighestPointOfAColumn()
    {
        std::vector<Point> points;
        for (int i = 0; i < 100'000; ++i)
            points.push_back({i / 1000.0, 1.0});
        points[54'321].y = 1e12;
        const auto kept = decimateM4(points, 0, 100, 800);
        QVERIFY(std::find(kept.begin(), kept.end(), points[54'321]) != kept.end());
        QVERIFY(kept.size() <= 4 * 800 + 2);
    }

    void keepsFewPointsAsTheyAre()
    {
        const std::vector<Point> points{{0, 1}, {1, 5}, {2, 3}};
        QCOMPARE(decimateM4(points, 0, 2, 100), points);
    }

    void keepsOnePointOutsideOnEachSide()
    {
        std::vector<Point> points;
        for (int i = 0; i < 100; ++i)
            points.push_back({i * 1.0, i * 2.0});
        const auto kept = decimateM4(points, 40.5, 42.5, 10);
        const std::vector<Point> wanted{{40, 80}, {41, 82}, {42, 84}, {43, 86}};
        QCOMPARE(kept, wanted);
    }

    void aRangeWithoutPointsKeepsItsNeighbours()
    {
        const std::vector<Point> points{{0, 1}, {10, 2}};
        QCOMPARE(decimateM4(points, 4, 5, 10), points);
    }

    void nonsenseRangesGiveNothingOrOnePoint()
    {
        const std::vector<Point> points{{0, 1}, {1, 2}};
        QVERIFY(decimateM4({}, 0, 1, 10).empty());
        QVERIFY(decimateM4(points, 0, 1, 0).empty());
        QVERIFY(decimateM4(points, 1, 0, 10).empty());
        QVERIFY(decimateM4(points, std::nan(""), 1, 10).empty());
        QCOMPARE(decimateM4(points, 0, 0, 10).front(), points.front());
    }

    void absentValuesAreNoPoints()
    {
        Curve curve{1'000'000'000, std::vector<Sample>(3)};
        for (int i = 0; i < 3; ++i)
            curve.samples[static_cast<std::size_t>(i)].monotonicNs = 1'000'000'000LL * (i + 1);
        curve.samples[0][Column::SwapBytes] = 0;
        curve.samples[2][Column::SwapBytes] = 7;
        const std::vector<Point> wanted{{0, 0}, {2, 7}};
        QCOMPARE(pointsOf(curve, Column::SwapBytes), wanted);
        QVERIFY(pointsOf(curve, Column::GpuBytes).empty());
    }

    void aSparklineHasAZeroBaseline()
    {
        const std::vector<Point> points{{0, 0}, {1, 50}, {2, 100}};
        QCOMPARE(QString::fromStdString(sparkline(points, 3)), QString::fromUtf8("▁▄█"));
    }

    void aSparklineShowsTheHighestOfACellAndFillsGaps()
    {
        std::vector<Point> points{{0, 10}, {0.1, 80}, {0.2, 10}, {10, 40}};
        QCOMPARE(QString::fromStdString(sparkline(points, 4)), QString::fromUtf8("███▄"));
    }

    void aSparklineOfNothingIsEmpty()
    {
        QVERIFY(sparkline({}, 10).empty());
        const std::vector<Point> flat{{0, 0}, {1, 0}};
        QVERIFY(sparkline(flat, 0).empty());
        QCOMPARE(QString::fromStdString(sparkline(flat, 4)), QString::fromUtf8("▁▁▁▁"));
        const std::vector<Point> single{{5, 3}};
        QCOMPARE(QString::fromStdString(sparkline(single, 2)), QString::fromUtf8("██"));
    }
};

QTEST_APPLESS_MAIN(tst_Decimate)
#include "tst_Decimate.moc"
