#include "core/curve/Pyramid.h"

#include <QtTest>
#include <algorithm>
#include <random>

using namespace loadlab;

namespace {

/// Uneven times, some of them twice; values of few sizes, so that equal extremes occur.
std::vector<Point> randomPoints(std::size_t count, unsigned seed)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> gap(0, 1);
    std::vector<Point> points;
    double x = -3;
    for (std::size_t i = 0; i < count; ++i) {
        x += i % 7 == 0 ? 0 : i % 1000 == 1 ? 200 : gap(random);
        points.push_back({x, static_cast<double>(random() % 5000) - 2500});
    }
    return points;
}

} // namespace

class tst_Pyramid : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsTheExtremesOfAnyStretch()
    {
        const auto points = randomPoints(70'000, 3);
        Pyramid pyramid;
        pyramid.extend(points);
        std::mt19937 random(5);
        for (int i = 0; i < 20'000; ++i) {
            std::size_t from = random() % points.size();
            const std::size_t most
                = i % 2 == 0 ? points.size() - from : std::min<std::size_t>(200, points.size() - from);
            const std::size_t to = from + 1 + random() % most;
            if (i % 5 == 0)
                from -= from % 64;
            const auto [lowest, highest] = pyramid.extremes(points, from, to);
            const auto begin = points.begin() + static_cast<std::ptrdiff_t>(from);
            const auto end = points.begin() + static_cast<std::ptrdiff_t>(to);
            const auto byValue = [](const Point& a, const Point& b) { return a.y < b.y; };
            const auto wantedLow = static_cast<std::size_t>(std::min_element(begin, end, byValue) - points.begin());
            const auto wantedHigh = static_cast<std::size_t>(std::max_element(begin, end, byValue) - points.begin());
            QVERIFY2(lowest == wantedLow && highest == wantedHigh,
                qPrintable(QString("[%1, %2): %3 %4, wanted %5 %6")
                               .arg(from)
                               .arg(to)
                               .arg(lowest)
                               .arg(highest)
                               .arg(wantedLow)
                               .arg(wantedHigh)));
        }
    }

    void drawsTheSamePointsAsLookingAtAll()
    {
        for (unsigned seed = 0; seed < 40; ++seed) {
            std::mt19937 random(seed);
            const auto points = randomPoints(1 + random() % 30'000, seed);
            const Track track(points);
            std::uniform_real_distribution<double> edge(-10, points.back().x + 10);
            for (int i = 0; i < 20; ++i) {
                double from = edge(random);
                double to = i % 3 == 0 ? from + 5 : edge(random);
                if (from > to)
                    std::swap(from, to);
                const std::size_t columns = 1 + random() % 900;
                QVERIFY2(track.m4(from, to, columns) == decimateM4(points, from, to, columns),
                    qPrintable(QString("seed %1, %2 to %3 in %4").arg(seed).arg(from).arg(to).arg(columns)));
            }
        }
    }

    void growsPointByPoint()
    {
        const auto points = randomPoints(5'000, 9);
        Track grown;
        for (std::size_t i = 0; i < points.size(); ++i) {
            grown.push_back(points[i]);
            if (i % 97 == 0) {
                const std::vector<Point> soFar(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(i) + 1);
                QCOMPARE(grown.m4(-10, points.back().x, 40), decimateM4(soFar, -10, points.back().x, 40));
            }
        }
        QCOMPARE(grown.points(), points);
    }

    void losesNoPeak()
    {
        std::vector<Point> points;
        for (int i = 0; i < 300'000; ++i)
            points.push_back({i / 1000.0, 1.0});
        points[123'456].y = 1e12;
        const Track track(points);
        for (const std::size_t columns : {1, 3, 800, 1600}) {
            const auto kept = track.m4(0, 300, columns);
            QVERIFY(std::find(kept.begin(), kept.end(), points[123'456]) != kept.end());
            QVERIFY(kept.size() <= 4 * columns + 2);
        }
    }

    void tellsTheHighestBetweenTwoTimes()
    {
        const auto points = randomPoints(20'000, 4);
        const Track track(points);
        std::mt19937 random(6);
        std::uniform_real_distribution<double> edge(-10, points.back().x + 10);
        for (int i = 0; i < 500; ++i) {
            const double from = edge(random);
            const double to = i % 2 == 0 ? edge(random) : from + 3;
            double wanted = -1e9;
            for (const Point& point : points)
                if (point.x >= from && point.x <= to)
                    wanted = std::max(wanted, point.y);
            QCOMPARE(track.highestBetween(from, to, -1e9), wanted);
        }
    }

    void anEmptyOrShortTrackIsFine()
    {
        const Track none;
        QVERIFY(none.m4(0, 1, 100).empty());
        QCOMPARE(none.highestBetween(0, 1, 7), 7.0);
        Track one;
        one.push_back({2, 5});
        QCOMPARE(one.m4(0, 3, 100), (std::vector<Point>{{2, 5}}));
        QCOMPARE(one.highestBetween(0, 3, 7), 5.0);
        QCOMPARE(one.highestBetween(3, 0, 7), 7.0);
    }
};

QTEST_APPLESS_MAIN(tst_Pyramid)
#include "tst_Pyramid.moc"
