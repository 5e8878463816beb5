#include "Shots.h"
#include "gui/charts/ChartPanel.h"
#include "gui/charts/MemoryChart.h"
#include "gui/charts/PlotView.h"
#include "gui/charts/Ticks.h"
#include "gui/widgets/Chip.h"

#include <QMenu>
#include <QPainter>
#include <QSignalSpy>
#include <QWheelEvent>
#include <QtTest>

#include <cmath>
#include <random>

using namespace loadlab;

namespace {

/// 10⁶ samples of noise with single samples that stick out.
std::shared_ptr<const Curve> millionSamples()
{
    std::mt19937 random(7);
    std::uniform_real_distribution<double> noise(0.2, 0.4);
    return shots::curve(999.999, 1000, [&](double, Sample& sample) {
        const bool spike = random() % 5000 == 0;
        sample[Column::AnonBytes]
            = static_cast<std::int64_t>((spike ? 0.4 + 0.5 * noise(random) : noise(random)) * shots::kGiB);
        sample[Column::TreeBytes] = sample[Column::AnonBytes];
    });
}

/// How far a pixel is from the ground, 0 … 255.
int ink(const QImage& image, int x, int y)
{
    const QColor color = image.pixelColor(x, y);
    return 255 - std::min({color.red(), color.green(), color.blue()});
}

void wheelAt(QWidget& chart, QPointF at, int delta)
{
    QWidget* viewport = chart.findChild<PlotView*>()->viewport();
    QWheelEvent event(
        at, viewport->mapToGlobal(at), {}, {0, delta}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(viewport, &event);
}

} // namespace

class tst_Charts : public QObject {
    Q_OBJECT

private:
    ThemeHolder m_holder{Theme::light()};
    std::shared_ptr<const Curve> m_million;

    std::unique_ptr<MemoryChart> shownChart(const ChartDocument& document, QSize size = {900, 520})
    {
        auto chart = std::make_unique<MemoryChart>(m_holder);
        chart->setDocument(document);
        chart->resize(size);
        chart->show();
        chart->flush();
        return chart;
    }
    std::unique_ptr<MemoryChart> killedChart()
    {
        return shownChart(makeDocument(shots::killedRun(), shots::killedCurve(), 122ULL << 30));
    }
    QWidget* viewportOf(MemoryChart& chart) { return chart.findChild<PlotView*>()->viewport(); }

private Q_SLOTS:
    void initTestCase()
    {
        QLocale::setDefault(QLocale::c());
        m_million = millionSamples();
    }

    void drawsTheHighestPointOfEveryColumn()
    {
        ChartDocument document;
        document.curve = m_million;
        const auto chart = shownChart(document, {1000, 400});
        chart->setShape(MemoryChart::Shape::Total);
        for (const bool zoomed : {false, true}) {
            if (zoomed)
                chart->setRange(333.3, 391.7);
            chart->flush();
            const QImage image = chart->grab().toImage().convertToFormat(QImage::Format_RGB32);
            const QRectF plot = chart->plotRect();
            const auto columns = static_cast<int>(plot.width());
            std::vector<double> highest(static_cast<std::size_t>(columns), -1);
            for (const Sample& sample : document.curve->samples) {
                const double column = std::floor(chart->X(static_cast<double>(sample.monotonicNs) / 1e9) - plot.left());
                if (column >= 0 && column < columns) {
                    double& height = highest[static_cast<std::size_t>(column)];
                    height = std::max(height, static_cast<double>(sample[Column::TreeBytes]));
                }
            }
            int seen = 0;
            for (int column = 0; column < columns; ++column) {
                if (highest[static_cast<std::size_t>(column)] < 0)
                    continue;
                const int x = static_cast<int>(plot.left()) + column;
                const auto y = static_cast<int>(std::floor(chart->Y(highest[static_cast<std::size_t>(column)])));
                // The line covers the point's pixel or, half a pixel off, the one below; hairlines are far paler.
                QVERIFY2(std::max(ink(image, x, y), ink(image, x, y + 1)) > 60,
                    qPrintable(QStringLiteral("column %1").arg(column)));
                ++seen;
            }
            QVERIFY(seen > columns * 9 / 10);
        }
    }

    void givesQtAtMostFourPointsPerColumn()
    {
        ChartDocument document;
        document.curve = m_million;
        const auto chart = shownChart(document);
        const auto columns = std::ceil(chart->plotRect().width() * chart->devicePixelRatioF());
        // One band: the area's upper edge and its line, a lower edge of two points.
        QVERIFY2(chart->pointCount() <= 2 * (4 * columns + 2) + 2, qPrintable(QString::number(chart->pointCount())));
        QVERIFY(chart->pointCount() > 2 * columns);
    }

    void zoomsAMillionSamples()
    {
        ChartDocument document;
        document.curve = m_million;
        const auto chart = shownChart(document, {1280, 480});
        QImage image(1280, 480, QImage::Format_RGB32);
        double from = 0;
        QBENCHMARK
        {
            from = from > 400 ? 0 : from + 1;
            chart->setRange(from, from + 500);
            chart->flush();
            QPainter painter(&image);
            chart->QWidget::render(&painter);
        }
        QCOMPARE(chart->toS() - chart->fromS(), 500.0);
    }

    void mapsValuesToPixels()
    {
        const auto chart = killedChart();
        const QRectF plot = chart->plotRect();
        QCOMPARE(chart->X(chart->fromS()), plot.left());
        QCOMPARE(chart->X(chart->toS()), plot.right());
        QCOMPARE(chart->Y(0), plot.bottom());
        QVERIFY(chart->Y(122 * shots::kGiB) > plot.top());
        QVERIFY(chart->Y(122 * shots::kGiB) < chart->Y(100 * shots::kGiB));
    }

    void showsTheWholeRunAndItsLimit()
    {
        const auto chart = killedChart();
        QCOMPARE(chart->fromS(), 0.0);
        QVERIFY(chart->toS() >= 55 && chart->toS() <= 70);
        const QImage image = chart->grab().toImage();
        const QColor line
            = image.pixelColor(static_cast<int>(chart->X(30)), static_cast<int>(chart->Y(122 * shots::kGiB)));
        QVERIFY2(line.red() > line.blue() + 60, qPrintable(line.name()));
    }

    void aLimitFarAboveDoesNotFlattenTheCurve()
    {
        ChartDocument document = makeDocument(shots::loadedRun(), shots::loadedCurve(), 512ULL << 30);
        const auto chart = shownChart(document);
        QVERIFY(chart->plotRect().bottom() - chart->Y(1.9 * shots::kGiB) > chart->plotRect().height() / 2);
        QVERIFY(chart->accessibleName().contains(QStringLiteral("Limit 512 GiB")));
    }

    void wheelZoomsAboutThePointer()
    {
        const auto chart = killedChart();
        const QPointF at(std::round(chart->X(40)), chart->plotRect().center().y());
        const double under = chart->fromS()
            + (chart->toS() - chart->fromS()) * (at.x() - chart->plotRect().left()) / chart->plotRect().width();
        const double span = chart->toS() - chart->fromS();
        wheelAt(*chart, at, 120);
        chart->flush();
        QVERIFY(chart->toS() - chart->fromS() < span * 0.9);
        QVERIFY(std::fabs(chart->X(under) - at.x()) < 0.01);
        wheelAt(*chart, at, -1200);
        chart->flush();
        QCOMPARE(chart->toS() - chart->fromS(), span);
    }

    void dragPansAndDoubleClickFits()
    {
        const auto chart = killedChart();
        const double whole = chart->toS();
        chart->setRange(20, 30);
        chart->flush();
        const QPoint from(static_cast<int>(chart->X(25)), static_cast<int>(chart->plotRect().center().y()));
        const double secondsPerPixel = 10 / chart->plotRect().width();
        QTest::mousePress(viewportOf(*chart), Qt::LeftButton, {}, from);
        QMouseEvent move(QEvent::MouseMove, from + QPoint(50, 0), viewportOf(*chart)->mapToGlobal(from + QPoint(50, 0)),
            Qt::NoButton, Qt::LeftButton, {});
        QCoreApplication::sendEvent(viewportOf(*chart), &move);
        QTest::mouseRelease(viewportOf(*chart), Qt::LeftButton, {}, from + QPoint(50, 0));
        QVERIFY(std::fabs(chart->fromS() - (20 - 50 * secondsPerPixel)) < 1e-6);
        QVERIFY(!chart->selection());
        QTest::mouseDClick(viewportOf(*chart), Qt::LeftButton, {}, from);
        QCOMPARE(chart->toS(), whole);
    }

    void shiftDragSelects()
    {
        const auto chart = killedChart();
        QSignalSpy changed(chart.get(), &MemoryChart::selectionChanged);
        const auto y = static_cast<int>(chart->plotRect().center().y());
        const QPoint from(static_cast<int>(chart->X(40)), y);
        const QPoint to(static_cast<int>(chart->X(20)), y);
        QTest::mousePress(viewportOf(*chart), Qt::LeftButton, Qt::ShiftModifier, from);
        QMouseEvent move(QEvent::MouseMove, to, viewportOf(*chart)->mapToGlobal(to), Qt::NoButton, Qt::LeftButton,
            Qt::ShiftModifier);
        QCoreApplication::sendEvent(viewportOf(*chart), &move);
        QTest::mouseRelease(viewportOf(*chart), Qt::LeftButton, Qt::ShiftModifier, to);
        QVERIFY(chart->selection());
        QVERIFY(std::fabs(chart->selection()->first - 20) < 0.2);
        QVERIFY(std::fabs(chart->selection()->second - 40) < 0.2);
        QVERIFY(changed.count() >= 1);
        shots::keep(QStringLiteral("chart-selection"), *chart);
        QTest::keyClick(chart.get(), Qt::Key_Escape);
        QVERIFY(!chart->selection());
    }

    void keysReachEverything()
    {
        const auto chart = killedChart();
        QTest::keyClick(chart.get(), Qt::Key_Right);
        QCOMPARE(chart->cursor(), std::optional(0.0));
        QTest::keyClick(chart.get(), Qt::Key_Right);
        QCOMPARE(chart->cursor(), std::optional(0.05));
        QTest::keyClick(chart.get(), Qt::Key_Right, Qt::ShiftModifier);
        QCOMPARE(chart->cursor(), std::optional(9.0));
        QTest::keyClick(chart.get(), Qt::Key_Right, Qt::ShiftModifier);
        QCOMPARE(chart->cursor(), std::optional(15.0));
        QTest::keyClick(chart.get(), Qt::Key_Left);
        QVERIFY(std::fabs(*chart->cursor() - 14.95) < 1e-9);
        const double span = chart->toS() - chart->fromS();
        QTest::keyClick(chart.get(), Qt::Key_Plus);
        QVERIFY(chart->toS() - chart->fromS() < span);
        QTest::keyClick(chart.get(), Qt::Key_0);
        QCOMPARE(chart->toS() - chart->fromS(), span);
        QTest::keyClick(chart.get(), Qt::Key_S);
        QCOMPARE(chart->shape(), MemoryChart::Shape::Total);
        QTest::keyClick(chart.get(), Qt::Key_L);
        QVERIFY(chart->logScale());
        QTest::keyClick(chart.get(), Qt::Key_Escape);
        QVERIFY(!chart->cursor());
    }

    void theCursorStaysInView()
    {
        const auto chart = killedChart();
        chart->setRange(10, 12);
        chart->setCursor(11.95);
        for (int i = 0; i < 5; ++i)
            QTest::keyClick(chart.get(), Qt::Key_Right);
        QVERIFY(*chart->cursor() > 12);
        QVERIFY(*chart->cursor() >= chart->fromS() && *chart->cursor() <= chart->toS());
    }

    void hoverShowsTheNearestSample()
    {
        const auto chart = killedChart();
        QSignalSpy moved(chart.get(), &MemoryChart::cursorMoved);
        const QImage before = chart->grab().toImage();
        QTest::mouseMove(viewportOf(*chart),
            QPoint(static_cast<int>(chart->X(30)), static_cast<int>(chart->plotRect().center().y())));
        QTRY_VERIFY(moved.count() >= 1);
        QVERIFY(std::fabs(moved.last().first().toDouble() - 30) < 0.2);
        QVERIFY(chart->grab().toImage() != before);
        QEvent leave(QEvent::Leave);
        QCoreApplication::sendEvent(chart->findChild<PlotView*>(), &leave);
        QVERIFY(!chart->cursor());
    }

    void followsALiveRunWithoutRepaintingForEverySample()
    {
        MemoryChart chart(m_holder);
        chart.resize(800, 400);
        chart.show();
        chart.setEnd(ChartEnd::Mark::Running, 0, {});
        chart.flush();
        const auto whole = shots::killedCurve();
        const std::span all(whole->samples);
        chart.appendSamples(all.first(1), 0);
        const int before = chart.pointCount();
        for (std::size_t i = 1; i < 400; ++i)
            chart.appendSamples(all.subspan(i, 1), 0);
        QCOMPARE(chart.pointCount(), before);
        QTRY_VERIFY(chart.pointCount() > before);
        QVERIFY(chart.toS() >= 20);
        QCOMPARE(chart.document().curve->samples.size(), std::size_t{400});
        // What the operator looks at stays when samples arrive.
        chart.setRange(2, 4);
        chart.appendSamples(all.subspan(400), 0);
        chart.flush();
        QCOMPARE(chart.fromS(), 2.0);
        chart.fit();
        chart.flush();
        QVERIFY(chart.toS() >= 55);
    }

    void theEndMarkStandsAtThePeakOfALoadThatWorked()
    {
        auto curve = std::make_shared<Curve>(*shots::loadedCurve());
        const double peakS = static_cast<double>(curve->samples[70].monotonicNs) / 1e9;
        curve->samples[70][Column::TreeBytes] += 1 << 20;
        for (std::size_t i = curve->samples.size() - 4; i < curve->samples.size(); ++i)
            curve->samples[i][Column::TreeBytes] = 50 << 20; // unloaded
        const ChartDocument document = makeDocument(shots::loadedRun(), curve);
        QCOMPARE(document.end.mark, ChartEnd::Mark::Loaded);
        QCOMPARE(document.end.atS, peakS);
    }

    void theEndMarkOfAFailureStandsWhereTheProcessWasWhole()
    {
        auto curve = std::make_shared<Curve>(*shots::killedCurve());
        const std::size_t whole = curve->samples.size() - 4;
        for (std::size_t i = 1; i < 4; ++i)
            curve->samples[whole + i][Column::TreeBytes] = i == 3 ? 0 : curve->samples[whole][Column::TreeBytes] / 2;
        const ChartDocument document = makeDocument(shots::killedRun(), curve);
        QCOMPARE(document.end.mark, ChartEnd::Mark::Failed);
        QCOMPARE(document.end.atS, static_cast<double>(curve->samples[whole].monotonicNs) / 1e9);
        QVERIFY(document.end.words.startsWith(QStringLiteral("Host OOM, killed at")));
    }

    void aWatchedProgramIsNamedAndLoadsNothing()
    {
        RunResult run = shots::loadedRun();
        run.identity.checkpointName.clear();
        run.identity.checkpointPath.clear();
        run.identity.program = {"/usr/bin/python3", "load.py", "two words"};
        run.identity.variant = {};
        run.identity.variant.backend = "command";
        run.identity.limits.capMemoryBytes = 2ULL << 30;
        const ChartDocument document = makeDocument(run, shots::loadedCurve());
        QCOMPARE(document.title, QStringLiteral("Run 12 · python3 load.py 'two words'"));
        QVERIFY2(
            document.subtitle.startsWith(QStringLiteral("command · cap 2.00 GiB · 20")), qPrintable(document.subtitle));
        QVERIFY2(
            document.subtitle.endsWith(QStringLiteral(" · Ended, confidence 0.99")), qPrintable(document.subtitle));
        QVERIFY2(document.end.words.startsWith(QStringLiteral("Ended, peak")), qPrintable(document.end.words));
        QCOMPARE(document.end.mark, ChartEnd::Mark::Loaded);
    }

    void phasesAreSpeltAlikeWhileItRunsAndAfterwards()
    {
        MemoryChart chart(m_holder);
        chart.setPhases({{"reading", 0, 2, 0}});
        QCOMPARE(chart.document().phases.front().name, std::string("Reading"));
        const ChartDocument ended = makeDocument(shots::loadedRun(), shots::loadedCurve());
        QCOMPARE(ended.phases.at(1).name, std::string("Reading"));
    }

    void aRunInProgressHasItsWordsFromTheStart()
    {
        RunResult run = shots::killedRun();
        run.verdict.reset();
        run.phases.clear();
        MemoryChart chart(m_holder);
        chart.setDocument(makeDocument(run, nullptr, 122ULL << 30, QStringLiteral("Thor")));
        chart.appendSamples(shots::killedCurve()->samples, 0);
        const ChartDocument document = chart.document();
        QCOMPARE(document.title, QStringLiteral("Run 7 · qwen3-omni-30b"));
        QCOMPARE(document.end.mark, ChartEnd::Mark::Running);
        QCOMPARE(document.limits.size(), std::size_t{1});
        QCOMPARE(document.curve->samples.size(), std::size_t{1101});
    }

    void theExportMenuGoesToTheWindowsExporter()
    {
        ChartPanel panel(m_holder);
        QList<double> scales;
        panel.setExporter([&](ExportFormat format, double scale) {
            if (format == ExportFormat::Png)
                scales << scale;
        });
        for (const auto* menu : panel.findChildren<QMenu*>())
            for (QAction* action : menu->actions())
                action->trigger();
        QCOMPARE(scales, QList<double>({1, 2}));
    }

    void atTwiceTheFontNothingIsCut()
    {
        MemoryChart chart(m_holder);
        QFont font = chart.font();
        font.setPointSizeF(font.pointSizeF() * 2);
        chart.setFont(font);
        chart.setDocument(makeDocument(shots::killedRun(), shots::killedCurve(), 122ULL << 30));
        chart.resize(1200, 900);
        chart.show();
        chart.flush();
        const QFontMetrics metrics(font);
        QVERIFY(chart.plotRect().right() + metrics.horizontalAdvance(QStringLiteral("Page cache 65.0")) * 0.93
            < chart.width());
        QVERIFY(chart.plotRect().left() > metrics.horizontalAdvance(QStringLiteral("160")) * 0.93);
        shots::keep(QStringLiteral("chart-large-font"), chart);
    }

    void aLaneCountsInOneUnit()
    {
        const QString rate = QStringLiteral("GiB/s");
        const LaneScale slow = laneScale(4.3 / 1024, rate);
        QCOMPARE(slow.topFigure(), QStringLiteral("10"));
        QCOMPARE(slow.words(4.3 / 1024), QStringLiteral("4.30 MiB/s"));
        QCOMPARE(slow.words(0), QStringLiteral("0 MiB/s"));
        QCOMPARE(laneScale(45.0 / 1024, rate).topFigure(), QStringLiteral("50"));
        QCOMPARE(laneScale(45.0 / 1024, rate).words(45.0 / 1024), QStringLiteral("45.0 MiB/s"));
        const LaneScale fast = laneScale(0.12, rate);
        QCOMPARE(fast.topFigure(), QStringLiteral("0.2"));
        QCOMPARE(fast.words(0.12), QStringLiteral("0.12 GiB/s"));
        QCOMPARE(fast.words(0.004), QStringLiteral("0.00 GiB/s"));
        const LaneScale cpu = laneScale(0.7, QStringLiteral("cores"));
        QCOMPARE(cpu.topFigure(), QStringLiteral("1"));
        QCOMPARE(cpu.words(0.698), QStringLiteral("0.698 cores"));
    }

    void lanesAreThereOnlyWhereDataIs()
    {
        ChartDocument document;
        document.curve = shots::curve(5, 20, [](double t, Sample& sample) {
            sample[Column::AnonBytes] = sample[Column::TreeBytes] = static_cast<std::int64_t>(t * 1e9);
            sample[Column::CpuNs] = static_cast<std::int64_t>(t * 1e9);
            sample[Column::ReadBytes] = 0;
        });
        const auto chart = shownChart(document);
        int visible = 0;
        for (const PlotView* view : chart->findChildren<PlotView*>())
            visible += view->isVisible() ? 1 : 0;
        QCOMPARE(visible, 2);
        chart->setLanesVisible(false);
        chart->flush();
        visible = 0;
        for (const PlotView* view : chart->findChildren<PlotView*>())
            visible += view->isVisible() ? 1 : 0;
        QCOMPARE(visible, 1);
    }

    void saysInWordsWhatItShows()
    {
        const auto chart = killedChart();
        QCOMPARE(chart->accessibleName(),
            QStringLiteral("Memory over time: the tree rises to 55.1 GiB in 55.0 s; Host OOM, killed at 55.0 s; Limit "
                           "122 GiB, all memory"));
        QVERIFY2(chart->accessibleDescription().contains(QStringLiteral("Weights from 9.00 s to 15.0 s, 0.80 GiB/s")),
            qPrintable(chart->accessibleDescription()));
    }

    void oddCurvesAreNoTrouble_data()
    {
        QTest::addColumn<int>("count");
        QTest::addColumn<double>("step");
        QTest::newRow("none") << 0 << 1.0;
        QTest::newRow("one") << 1 << 1.0;
        QTest::newRow("two at one instant") << 2 << 0.0;
        QTest::newRow("a day apart") << 3 << 86400.0;
    }
    void oddCurvesAreNoTrouble()
    {
        QFETCH(int, count);
        QFETCH(double, step);
        auto curve = std::make_shared<Curve>();
        for (int i = 0; i < count; ++i) {
            Sample sample = shots::sampleAt(i * step);
            sample[Column::AnonBytes] = sample[Column::TreeBytes] = std::int64_t{1} << (62 - 20 * i);
            sample[Column::FileBytes] = -5;
            curve->samples.push_back(sample);
        }
        ChartDocument document;
        document.curve = curve;
        document.end = {ChartEnd::Mark::Unknown, 0, QStringLiteral("?")};
        const auto chart = shownChart(document);
        for (const bool log : {false, true}) {
            chart->setLogScale(log);
            chart->setCursor(0);
            chart->zoom(1e12, 0);
            QVERIFY(!chart->grab().isNull());
            chart->fit();
            QVERIFY(!chart->grab().isNull());
        }
    }

    void chipsAndKeysAgree()
    {
        ChartPanel panel(m_holder);
        panel.show();
        const auto chips = panel.findChildren<Chip*>();
        QCOMPARE(chips.size(), 3);
        QVERIFY(chips[0]->isChecked());
        QTest::mouseClick(chips[1], Qt::LeftButton);
        QCOMPARE(panel.chart().shape(), MemoryChart::Shape::Total);
        QVERIFY(!chips[0]->isChecked() && chips[1]->isChecked());
        QTest::mouseClick(chips[1], Qt::LeftButton);
        QVERIFY(chips[1]->isChecked());
        QTest::keyClick(&panel.chart(), Qt::Key_S);
        QVERIFY(chips[0]->isChecked() && !chips[1]->isChecked());
        QTest::keyClick(&panel.chart(), Qt::Key_L);
        QVERIFY(chips[2]->isChecked());
    }

    void gallery_data() { shots::addThemes(); }
    void gallery()
    {
        QFETCH(bool, dark);
        ThemeHolder holder(dark ? Theme::dark() : Theme::light());
        shots::dress(holder);
        const QString tail = dark ? QStringLiteral("-dark") : QString();
        ChartPanel panel(holder);
        MemoryChart& chart = panel.chart();
        const auto keep = [&](const char* name) {
            chart.flush();
            shots::keep(QLatin1String(name) + tail, panel);
        };
        panel.setRateWords(QStringLiteral("20 Hz · 1,101 samples"));
        panel.resize(875, 540);
        panel.show();
        chart.setDocument(makeDocument(shots::killedRun(), shots::killedCurve(), 122ULL << 30));
        chart.setMarks({{10.3, QStringLiteral("2,034 of 2,034 weights at 10.3 s")}});
        keep("chart-killed");
        chart.setCursor(40);
        keep("chart-hover");
        chart.setShape(MemoryChart::Shape::Total);
        chart.setCursor({});
        keep("chart-total");
        chart.setDocument(makeDocument(shots::loadedRun(), shots::loadedCurve(), 12ULL << 30));
        chart.setShape(MemoryChart::Shape::Stacked);
        keep("chart-loaded");
        chart.setLogScale(true);
        keep("chart-log");
        chart.setLogScale(false);
        chart.clear();
        keep("chart-empty");
        chart.setLimit(12 * shots::kGiB, QStringLiteral("Limit 12.0 GiB, all memory"));
        chart.setEnd(ChartEnd::Mark::Running, 0, {});
        chart.appendSamples(std::span(shots::loadedCurve()->samples).first(40), 0);
        keep("chart-live");
        QVERIFY(!panel.grab().isNull());
        MemoryChart compact(holder);
        compact.setCompact(true);
        compact.resize(360, 220);
        compact.show();
        compact.setDocument(makeDocument(shots::killedRun(), shots::killedCurve(), 122ULL << 30));
        compact.flush();
        shots::keep(QStringLiteral("chart-compact") + tail, compact);
    }
};

QTEST_MAIN(tst_Charts)
#include "tst_Charts.moc"
