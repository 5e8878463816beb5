#include "Shots.h"
#include "gui/charts/MemoryChart.h"
#include "gui/charts/ShownPhases.h"

#include <QTest>

using namespace loadlab;
using shots::kGiB;

namespace {

/// 1.2 GiB/s up to 42 GiB at 35 s; the limit of 60 GiB would be met at 50 s.
std::shared_ptr<const Curve> growing(double cacheGiB = 0)
{
    return shots::curve(35, 20, [cacheGiB](double t, Sample& sample) {
        sample[Column::AnonBytes] = static_cast<std::int64_t>(1.2 * t * kGiB);
        sample[Column::TreeBytes] = sample[Column::AnonBytes];
        sample[Column::FileBytes] = static_cast<std::int64_t>(cacheGiB * kGiB);
    });
}

ChartForecast coneTo(double limitS)
{
    ChartForecast forecast;
    for (double t = 35; t <= 150; t += 1)
        forecast.course.push_back({t, 1.2 * t * kGiB, (42 + 1.0 * (t - 35)) * kGiB, (42 + 1.4 * (t - 35)) * kGiB});
    forecast.arrows
        = {{limitS, 1.2 * limitS * kGiB, QStringLiteral("limit %1 s").arg(limitS - 35), ChartLimit::Kind::Limit},
            {limitS - 3, 1.2 * (limitS - 3) * kGiB, QStringLiteral("guard %1 s").arg(limitS - 38),
                ChartLimit::Kind::Guard}};
    forecast.words = QStringLiteral("out of memory in 15 s");
    return forecast;
}

ChartDocument running(double cacheGiB = 0)
{
    ChartDocument document;
    document.curve = growing(cacheGiB);
    document.end.mark = ChartEnd::Mark::Running;
    document.forecast = coneTo(50);
    document.limits = {{60 * kGiB, QStringLiteral("Limit 60 GiB"), ChartLimit::Kind::Limit, true},
        {56.4 * kGiB, QStringLiteral("Guard 56.4 GiB"), ChartLimit::Kind::Guard, true}};
    return document;
}

} // namespace

class TestForecastChart : public QObject {
    Q_OBJECT

    ThemeHolder m_holder{Theme::light()};

    std::unique_ptr<MemoryChart> shown(const ChartDocument& document)
    {
        auto chart = std::make_unique<MemoryChart>(m_holder);
        chart->setDocument(document);
        chart->resize(900, 520);
        chart->show();
        chart->flush();
        return chart;
    }
    QColor pixel(MemoryChart& chart, double seconds, double gib)
    {
        return chart.grab().toImage().pixelColor(
            static_cast<int>(chart.X(seconds)), static_cast<int>(chart.Y(gib * kGiB)));
    }
    bool isPlain(const QColor& color) { return color == m_holder.color(Role::Base); }
    /// Bluer than what is behind it, and pale.
    static bool isCone(const QColor& color) { return color.blue() > color.red() + 12 && color.red() > 150; }

private Q_SLOTS:
    void theConeStandsRightOfNow()
    {
        const auto chart = shown(running());
        // Clear of the dashed line, the limits and the arrows' lines.
        QVERIFY2(isCone(pixel(*chart, 44, 52.0)), qPrintable(pixel(*chart, 44, 52.0).name()));
        QVERIFY2(isCone(pixel(*chart, 44, 54.0)), qPrintable(pixel(*chart, 44, 54.0).name()));
        QVERIFY(isPlain(pixel(*chart, 44, 47)));
        QVERIFY(isPlain(pixel(*chart, 44, 58.3)));
    }

    void theRangeReachesToTheLimit()
    {
        const auto chart = shown(running());
        QVERIFY(chart->toS() > 50 && chart->toS() < 70);
        QVERIFY(chart->Y(60 * kGiB) > chart->plotRect().top());
        ChartDocument far = running();
        far.forecast = coneTo(140);
        const auto other = shown(far);
        QVERIFY2(other->toS() <= 35 / 0.4 + 5, "the past keeps two fifths");
    }

    void limitAndGuardAreDrawnWhereTheyAre()
    {
        const auto chart = shown(running());
        const QColor limit = pixel(*chart, 20, 60);
        QVERIFY2(limit.red() > limit.blue() + 60, qPrintable(limit.name()));
        bool blue = false;
        const QImage image = chart->grab().toImage();
        for (int x = static_cast<int>(chart->X(20)); x < static_cast<int>(chart->X(22)); ++x) {
            const QColor color = image.pixelColor(x, static_cast<int>(chart->Y(56.4 * kGiB)));
            blue = blue || color.blue() > color.red() + 60;
        }
        QVERIFY(blue);
        QVERIFY(chart->accessibleName().contains(QStringLiteral("Guard 56.4 GiB")));
        QVERIFY(chart->accessibleName().contains(QStringLiteral("out of memory in 15 s")));
    }

    void whereCacheIsStackedBelowTheLimitIsSoMuchHigher()
    {
        const auto chart = shown(running(10));
        const QColor above = pixel(*chart, 20, 70);
        QVERIFY2(above.red() > above.blue() + 60, qPrintable(above.name()));
        QVERIFY(isCone(pixel(*chart, 44, 62.0)));
        chart->setShape(MemoryChart::Shape::Total);
        chart->flush();
        const QColor alone = pixel(*chart, 20, 60);
        QVERIFY2(alone.red() > alone.blue() + 60, qPrintable(alone.name()));
    }

    void afterTheEndTheConeIsGone()
    {
        const auto chart = shown(running());
        chart->setForecast(std::nullopt);
        chart->setEnd(ChartEnd::Mark::Failed, 35, QStringLiteral("Stopped by guard at 35.0 s"));
        chart->flush();
        QVERIFY(chart->toS() < 45);
        QVERIFY(!chart->accessibleName().contains(QStringLiteral("forecast")));
        const QColor limit = pixel(*chart, 20, 60);
        QVERIFY2(limit.red() > limit.blue() + 60, "the limit stays");
    }

    void logScaleAndZoomKeepTheCone()
    {
        const auto chart = shown(running());
        chart->setRange(40, 46);
        chart->flush();
        QVERIFY(isCone(pixel(*chart, 44, 52.0)));
        chart->fit();
        chart->setLogScale(true);
        chart->flush();
        QVERIFY2(isCone(pixel(*chart, 46, 57.0)) || isCone(pixel(*chart, 46, 53.9)),
            qPrintable(pixel(*chart, 46, 53.9).name()));
        // Nothing leaves the plot.
        const QImage image = chart->grab().toImage();
        const QRectF plot = chart->plotRect();
        for (int x = static_cast<int>(chart->X(40)); x < static_cast<int>(plot.right()); ++x)
            QVERIFY(isPlain(image.pixelColor(x, static_cast<int>(plot.top()) - 8)));
    }

    void toldPhasesAreCutWhereTheCurveChanges()
    {
        const auto found = [](double fromS, double toS, double rate, PhaseKind kind) {
            FoundPhase phase;
            phase.fromS = fromS;
            phase.toS = toS;
            phase.rateBytesPerS = rate;
            phase.kind = kind;
            return phase;
        };
        const std::vector curve{found(0, 9.9, 1, PhaseKind::SlowStart), found(9.9, 60, 5, PhaseKind::Growth),
            found(60, 100, 2, PhaseKind::SlowGrowth)};
        const auto named = shownPhases({{"starting", 0, 10, 0}, {"weights", 10, 100, 0}}, curve, std::nullopt);
        QCOMPARE(named.size(), std::size_t{3});
        QCOMPARE(named[1].name, std::string("weights"));
        QCOMPARE(named[1].toS, 60.0);
        QCOMPARE(named[2].rateBytesPerS, 2.0);
        const auto own = shownPhases({{"running", 0, 100, 0}}, curve, 61.0);
        QCOMPARE(own.size(), std::size_t{3});
        QCOMPARE(own[0].name, std::string("slow start"));
        QCOMPARE(own[2].name, std::string("swapping"));
        QCOMPARE(shownPhases({{"starting", 0, 1, 0}}, {}, std::nullopt).size(), std::size_t{1});
    }
};

QTEST_MAIN(TestForecastChart)
#include "tst_ForecastChart.moc"
