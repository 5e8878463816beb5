#include "Growth.h"
#include "gui/models/ForecastCourse.h"
#include "gui/models/ForecastWords.h"
#include "gui/widgets/Figures.h"

#include <QTest>

using namespace loadlab;
using growth::kGiB;
using Why = Forecast::Why;

namespace {

std::uint64_t gib(double value)
{
    return static_cast<std::uint64_t>(value * kGiB);
}

/// A run up to that time.
LiveForecast after(double seconds, const growth::Host& host, const std::function<double(double)>& curve)
{
    LiveForecast forecast;
    forecast.apply(growth::started(host));
    growth::feed(forecast, host, 0, seconds, curve);
    return forecast;
}

growth::Host guarded(GuardMargin margin)
{
    growth::Host host;
    host.limits.guard = margin;
    return host;
}

/// When the notes' load is full, or has so much less left.
double notesFullAtS(double lessGiB = 0)
{
    return 15 + (122 - 5.3 - lessGiB - 65.7 - 5.7) / 1.2;
}

double saturating(double t)
{
    return 40 * (1 - std::exp(-t / 8));
}

} // namespace

class TestLiveForecast : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }

    void foretellsTheLimitOfTheNotesLoad()
    {
        const LiveForecast forecast = after(30, growth::Host{}, growth::ofTheNotes);
        const LiveOutlook& look = forecast.outlook();
        QCOMPARE(look.toLimit.why, Why::Foretold);
        const double truth = notesFullAtS();
        QVERIFY2(
            qAbs(*look.toLimit.limitReachedS - truth) < 0.1 * (truth - 30), qPrintable(limitReadout(look, 30).remark));
        QVERIFY(*look.toLimit.lowS <= truth && *look.toLimit.highS >= truth);
        QCOMPARE(look.memory->kind, MemoryPool::Kind::Machine);
        QVERIFY(qAbs(look.limitBytes - (122 - 5.3) * kGiB) < 1e6);
        QVERIFY(look.found.size() >= 2);
        QVERIFY(growthReadout(look).figure == QStringLiteral("1.20 GiB/s"));
        QVERIFY(growthReadout(look).remark.startsWith(QStringLiteral("± 0.0")));
        QVERIFY(limitReadout(look, 30).remark.contains(QStringLiteral(" · at ")));
        QVERIFY2(noVerdictYet(look, 30).startsWith(
                     QStringLiteral("No verdict yet. If it went on like this: out of memory in ")),
            qPrintable(noVerdictYet(look, 30)));
    }

    void foretellsTheGuardBeforeTheLimit()
    {
        const LiveForecast forecast = after(30, guarded({gib(4), 0}), growth::ofTheNotes);
        const LiveOutlook& look = forecast.outlook();
        QCOMPARE(look.toGuard->why, Why::Foretold);
        QVERIFY(qAbs(*look.toGuard->limitReachedS - notesFullAtS(4)) < 1.5);
        QVERIFY(guardReadout(look, 30).remark.endsWith(QStringLiteral("4.00 GiB left")));
        QVERIFY(noVerdictYet(look, 30).contains(QStringLiteral("stopped by guard in ")));
        QVERIFY(guardReadout(after(30, growth::Host{}, growth::ofTheNotes).outlook(), 30).remark
            == QStringLiteral("not armed"));
    }

    void saysThatItWrites()
    {
        const growth::Host host;
        LiveForecast forecast;
        forecast.apply(growth::started(host));
        for (int i = 0; i < 200; ++i) {
            const double t = i * 0.05;
            forecast.apply(growth::at(t,
                SamplesTaken{{growth::sampleAt(t, 1, host)},
                    {.writtenBytes = static_cast<std::uint64_t>(i) << 18}})); // 5 MiB a second
        }
        QVERIFY(forecast.refresh());
        QVERIFY2(silenceWords(forecast.outlook(), 10).endsWith(QStringLiteral("; writing at 5.00 MiB/s")),
            qPrintable(silenceWords(forecast.outlook(), 10)));
    }

    void foretellsNothingOfWhatLevelsOff()
    {
        for (double seconds = 5; seconds < 60; seconds += 5) {
            growth::Host host;
            host.memoryGiB = 50;
            const LiveForecast forecast = after(seconds, host, saturating);
            const LiveOutlook& look = forecast.outlook();
            QVERIFY2(look.toLimit.why != Why::Foretold, qPrintable(QString::number(seconds)));
            QCOMPARE(limitReadout(look, seconds).figure, figures::kNone);
            QVERIFY(limitReadout(look, seconds).remark.startsWith(QStringLiteral("not foretold: ")));
            if (const auto shown = chartForecastOf(look))
                QVERIFY(shown->arrows.empty());
            QVERIFY(forecastRows(look, 5).empty());
        }
    }

    void stairsAreOneGrowth()
    {
        growth::Host host;
        host.memoryGiB = 16;
        const auto stairs = [](double t) { return 0.25 * std::floor(4 * t); };
        const LiveForecast forecast = after(6, host, stairs);
        const LiveOutlook& look = forecast.outlook();
        QVERIFY2(look.toLimit.why == Why::Foretold, qPrintable(limitReadout(look, 6).remark));
        QVERIFY2(qAbs(*look.toLimit.limitReachedS - 10.7) < 1, qPrintable(limitReadout(look, 6).remark));
        QVERIFY(look.found.size() <= 3);
        // Stairs that ended are no growth.
        const auto ended = [&](double t) { return stairs(std::min(t, 6.0)); };
        QCOMPARE(limitReadout(after(9, host, ended).outlook(), 9).figure, figures::kNone);
    }

    void theCapCountsWhereItIsSmaller()
    {
        growth::Host host = guarded({std::nullopt, 10});
        host.limits.capMemoryBytes = gib(80);
        const LiveForecast forecast = after(12, host, growth::ofTheNotes);
        const LiveOutlook& look = forecast.outlook();
        QCOMPARE(look.memory->kind, MemoryPool::Kind::Cap);
        QVERIFY(qAbs(look.limitBytes - 80 * kGiB) < 1e6);
        QVERIFY2(qAbs(*look.guardBytes - 72 * kGiB) < 1e6, "a percentage is of the cap");
        QCOMPARE(limitsOf(look).front().words, QStringLiteral("Cap 80.0 GiB"));
        QCOMPARE(limitsOf(look).size(), std::size_t{2});
        host.capIsAround = true;
        const LiveForecast around = after(12, host, growth::ofTheNotes);
        QCOMPARE(around.outlook().memory->kind, MemoryPool::Kind::Group);
        QCOMPARE(limitsOf(around.outlook()).front().words, QStringLiteral("Limit 80.0 GiB, of a group around it"));
        QVERIFY(noVerdictYet(around.outlook(), 12).contains(QStringLiteral("guard")));
    }

    void killsOfTheKernelAreSeenWhileItRuns()
    {
        LiveForecast forecast = after(5, {}, growth::ofTheNotes);
        QCOMPARE(forecast.outlook().oomKills, std::optional<std::uint64_t>(0));
        const Guard::Pool pool{gib(8), gib(122)};
        forecast.apply(growth::at(5, GuardLooked{{5'000'000'000, pool, 0.25}, 2}));
        growth::feed(forecast, {}, 5.05, 5.4, growth::ofTheNotes, {}, false);
        growth::feed(forecast, {}, 5.4, 5.9, growth::ofTheNotes, {}, false);
        QCOMPARE(forecast.outlook().oomKills, std::optional<std::uint64_t>(2));
        QCOMPARE(forecast.outlook().stalledShare, std::optional(0.25));
        // What is left, and what the load held, are of one moment.
        QVERIFY(qAbs(forecast.outlook().limitBytes - (growth::ofTheNotes(4.95) + 8) * kGiB) < 1e6);
    }

    void onceInSwapTheLimitIsMemoryAndSwap()
    {
        growth::Host host;
        host.memoryGiB = 64;
        host.swapGiB = 150;
        const auto curve = [](double t) { return t < 50 ? t * 1.2 : 60 + (t - 50) * 0.37; };
        LiveForecast forecast = after(40, host, curve);
        QCOMPARE(forecast.outlook().limit->kind, MemoryPool::Kind::Machine);
        QVERIFY(!forecast.outlook().swapBeganS);
        growth::feed(forecast, host, 40, 80, curve);
        const LiveOutlook& look = forecast.outlook();
        QCOMPARE(look.limit->kind, MemoryPool::Kind::WithSwap);
        QVERIFY(qAbs(*look.swapBeganS - 48.9) < 0.2);
        QVERIFY(qAbs(look.limitBytes - (64 - 5.3 + 150) * kGiB) < 1e6);
        QVERIFY(usedReadout(look).remark.contains(QStringLiteral("of it in swap")));
        host.limits.capSwapBytes = gib(20);
        QVERIFY(qAbs(after(80, host, curve).outlook().limitBytes - (64 - 5.3 + 20) * kGiB) < 1e6);
    }

    void ofOnePoolGpuMemoryBelongsToTheLoad()
    {
        growth::Host host;
        host.unified = true;
        LiveForecast forecast;
        forecast.apply(growth::started(host));
        growth::feed(
            forecast, host, 0, 20, [](double) { return 2.0; }, [](double t) { return 3 * t; });
        QVERIFY(qAbs(forecast.outlook().toLimit.rateBytesPerS - 3 * kGiB) < 0.1 * kGiB);
        QCOMPARE(forecast.outlook().toLimit.why, Why::Foretold);
    }

    void looksTwiceASecondAtMost()
    {
        LiveForecast forecast;
        forecast.apply(growth::started({}));
        const int looks = growth::feed(forecast, {}, 0, 10, growth::ofTheNotes);
        QVERIFY2(looks >= 15 && looks <= 20, qPrintable(QString::number(looks)));
    }

    void anotherMarginIsLookedAtAtOnce()
    {
        LiveForecast forecast = after(30, {}, growth::ofTheNotes);
        forecast.setMargin(GuardMargin{gib(4), 0});
        QVERIFY(forecast.refresh());
        QCOMPARE(forecast.outlook().toGuard->why, Why::Foretold);
        forecast.setMargin(std::nullopt);
        QVERIFY(forecast.refresh());
        QVERIFY(!forecast.outlook().toGuard);
    }

    void saysWhatIsNewAndNotEveryHalfSecond()
    {
        LiveForecast forecast;
        const growth::Host host = guarded({gib(4), 0});
        forecast.apply(growth::started(host));
        QStringList news;
        for (double t = 0; t < 40; t += 0.5) {
            growth::feed(forecast, host, t, t + 0.5, growth::ofTheNotes);
            for (const std::string& line : forecast.takeNews())
                news << QString::fromStdString(line);
        }
        const QString all = news.join(QLatin1Char('\n'));
        QVERIFY2(all.contains(QStringLiteral("1.20 GiB/s")), qPrintable(all));
        QVERIFY2(all.contains(QStringLiteral("forecast: limit in ")), qPrintable(all));
        QVERIFY2(all.contains(QStringLiteral(", guard in ")), qPrintable(all));
        QVERIFY2(news.size() >= 2 && news.size() <= 8, qPrintable(all));
    }

    void projectsTheNeedFromProgress()
    {
        LiveForecast forecast;
        growth::Host host;
        forecast.apply(growth::started(host));
        for (int i = 0; i < 60; ++i) {
            const auto line = [](double t) { return 1 + t * 2; };
            growth::feed(forecast, host, i * 0.5, i * 0.5 + 0.5, line);
            const auto done = static_cast<std::uint64_t>(i + 1);
            forecast.apply(growth::at(i * 0.5 + 0.5,
                protocol::Message{0, protocol::Progress{"tensors", done, 120, done * 1000, 120'000, ""}}));
        }
        growth::feed(forecast, host, 30, 31, [](double t) { return 1 + t * 2; });
        const LiveOutlook& look = forecast.outlook();
        QVERIFY(look.need);
        QVERIFY2(qAbs(look.need->bytes - 121 * kGiB) < 5 * kGiB, qPrintable(needWords(look)));
        QVERIFY(needWords(look).startsWith(QStringLiteral("of projected 1")));
        QCOMPARE(chartForecastOf(look)->need->bytes, look.need->bytes);
    }

    void theCourseGoesThroughTheForecastsInstants()
    {
        const LiveForecast forecast = after(30, {}, growth::ofTheNotes);
        const LiveOutlook& look = forecast.outlook();
        const ForecastCourse course(look.toLimit, look.limitBytes);
        const auto near = [&](double bytes) { return qAbs(bytes - look.limitBytes) < 0.2 * kGiB; };
        QVERIFY(near(course.at(*look.toLimit.limitReachedS).bytes));
        QVERIFY(near(course.at(*look.toLimit.lowS).highBytes));
        QVERIFY(near(course.at(*look.toLimit.highS).lowBytes));
        QVERIFY(qAbs(course.at(look.atS).bytes - look.loadBytes) < 1);
        double last = 0;
        for (double t = look.atS; t < 90; t += 0.5) {
            const auto moment = course.at(t);
            QVERIFY(moment.lowBytes <= moment.bytes && moment.bytes <= moment.highBytes && moment.bytes >= last);
            last = moment.bytes;
        }
    }

    void aProfileGoesOnUpToTheLimit()
    {
        const LiveForecast forecast = after(35, guarded({gib(4), 0}), growth::ofTheNotes);
        const std::vector<ProfileRow> rows = forecastRows(forecast.outlook(), 5);
        QVERIFY(rows.size() >= 3 && rows.size() <= 6);
        QCOMPARE(rows.front().tS, 35.0);
        QCOMPARE(rows.front().phase, QStringLiteral("forecast"));
        QCOMPARE(rows.back().kind, ProfileRow::Kind::Limit);
        QVERIFY(std::any_of(rows.begin(), rows.end(),
            [](const ProfileRow& row) { return row.phase.contains(QStringLiteral("guard")); }));
        QVERIFY(qAbs(*rows.front().rateBytesPerS - 1.2 * kGiB) < 0.1 * kGiB);
        ProfileModel model;
        model.setRows(rows);
        QVERIFY(model.index(model.rowCount() - 1, ProfileModel::Used).data().toString().startsWith(u'('));
        QVERIFY(model.index(0, 0).data(Qt::ForegroundRole).isValid());
        QCOMPARE(model.measuredRows(), 0);
    }

    void aProfileGoesOnUpToTheGuardWhereThatAloneIsForetold()
    {
        growth::Host host = guarded({gib(8), 0});
        host.memoryGiB = 50; // 44.7 of it free: what levels off at 40 meets the guard, not the limit.
        const LiveForecast forecast = after(12, host, saturating);
        QVERIFY(forecast.outlook().toLimit.why != Why::Foretold);
        QCOMPARE(forecast.outlook().toGuard->why, Why::Foretold);
        const std::vector<ProfileRow> rows = forecastRows(forecast.outlook(), 2);
        QVERIFY(!rows.empty());
        QCOMPARE(rows.back().phase, QStringLiteral("forecast: guard stops"));
        QVERIFY(qAbs(static_cast<double>(rows.back().usedBytes) - 36.7 * kGiB) < 0.5 * kGiB);
        QVERIFY(qAbs(rows.back().tS - *forecast.outlook().toGuard->limitReachedS) < 1e-9);
    }

    void silenceIsToldInWords()
    {
        LiveForecast forecast = after(30, {}, growth::ofTheNotes);
        QVERIFY(silenceWords(forecast.outlook(), 30)
                    .startsWith(QStringLiteral("Last word 30 s ago; growing by 1.20 GiB/s")));
        forecast.apply(growth::at(29.5, LogText{LogStream::Stderr, "x"}));
        QCOMPARE(silenceWords(forecast.outlook(), 30).section(u';', 0, 0), QStringLiteral("Speaking now"));
    }

    void beforeAnythingIsKnownNothingIsClaimed()
    {
        const LiveOutlook nothing;
        QVERIFY(!chartForecastOf(nothing));
        QVERIFY(limitsOf(nothing).empty());
        QCOMPARE(limitReadout(nothing, 0).figure, figures::kNone);
        QCOMPARE(growthReadout(nothing).figure, figures::kNone);
        QCOMPARE(noVerdictYet(nothing, 0), QStringLiteral("No verdict yet: it comes when the load ends."));
    }
};

QTEST_MAIN(TestLiveForecast)
#include "tst_LiveForecast.moc"
