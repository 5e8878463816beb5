#include "core/telemetry/Sampler.h"
#include "core/trial/RunAccount.h"

#include <QtTest>
#include <cmath>

using namespace loadlab;

namespace {

constexpr double kGB = 1e9;

/// Half a second in, then `usedGB(t)` until `endS`, 20 samples a second.
template <typename Used> void play(RunAccount& account, double endS, Used&& usedGB)
{
    for (int i = 10; i <= static_cast<int>(endS * 20); ++i) {
        Sample sample;
        sample.monotonicNs = i * 50'000'000LL;
        sample[Column::TreeBytes] = std::llround(usedGB(i / 20.0) * kGB);
        account.noteSamples({sample});
    }
}

protocol::Message phaseAt(double atS, const char* name)
{
    protocol::Message message;
    message.monotonicNs = std::llround(atS * 1e9);
    message.body = protocol::PhaseEntered{name};
    return message;
}

protocol::Message progress(std::uint64_t doneBytes, std::uint64_t totalBytes)
{
    protocol::Progress body;
    body.unit = "tensors";
    body.done = doneBytes > 0 ? 1 : 0;
    body.total = 3;
    body.doneBytes = doneBytes;
    body.totalBytes = totalBytes;
    protocol::Message message;
    message.body = body;
    return message;
}

RunAccount account()
{
    RunAccount made(TrialIdentity(), 0, {});
    made.beginPhase("starting", 500'000'000);
    return made;
}

} // namespace

class tst_RunAccount : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aWorkerThatNamesNoPhasesGetsThoseOfItsCurve()
    {
        RunAccount run = account();
        play(run, 40, [](double t) { return 1 + std::max(0.0, t - 20) * 1.2; });
        run.end(40'000'000'000);
        const auto phases = run.phases();
        QCOMPARE(phases.size(), std::size_t{2});
        QCOMPARE(phases[0].name, std::string("level"));
        QCOMPARE(phases[1].name, std::string("growth"));
        QVERIFY(std::fabs(phases[1].fromS - 20) < 0.3);
        QVERIFY(std::fabs(phases[1].rateBytesPerS - 1.2 * kGB) < 0.02 * kGB);
    }

    void aWorkersOwnWordsCount()
    {
        RunAccount run = account();
        run.note(phaseAt(10, "reading"));
        play(run, 40, [](double t) { return 1 + std::max(0.0, t - 20) * 1.2; });
        run.end(40'000'000'000);
        const auto phases = run.phases();
        QCOMPARE(phases.size(), std::size_t{2});
        QCOMPARE(phases[0].name, std::string("starting"));
        QCOMPARE(phases[1].name, std::string("reading"));
        QCOMPARE(phases[1].fromS, 10.0);
    }

    void aRunWithoutSamplesKeepsItsStart()
    {
        RunAccount run = account();
        run.end(700'000'000);
        QCOMPARE(run.phases().size(), std::size_t{1});
        QCOMPARE(run.phases()[0].name, std::string("starting"));
    }

    void aLoadThatWasStoppedHasAProjectedNeed()
    {
        RunAccount run = account();
        for (int i = 0; i <= 40; ++i) {
            play(run, 0.5, [i](double) { return 0.1 + 0.7 * i; });
            run.note(progress(static_cast<std::uint64_t>(i) * 700'000'000, 70'000'000'000));
        }
        QVERIFY(run.projectedNeedBytes());
        QVERIFY(std::fabs(static_cast<double>(*run.projectedNeedBytes()) - 70.1 * kGB) < 0.1 * kGB);
        // What got to its end needs no guess.
        run.facts.loaded = protocol::Loaded{};
        QVERIFY(!run.projectedNeedBytes());
    }

    void whatGrowsAfterTheLastTensorIsNotProjected()
    {
        RunAccount run = account();
        for (int i = 0; i <= 20; ++i) {
            play(run, 0.5, [i](double) { return 0.1 + 0.7 * i; });
            run.note(progress(static_cast<std::uint64_t>(i), 20));
        }
        play(run, 5, [](double t) { return 15 + t; });
        QVERIFY(!run.projectedNeedBytes());
    }

    void theKernelsWordOnAVictimBoundsThePeakFromBelow()
    {
        RunAccount run = account();
        play(run, 2, [](double) { return 0.1; });
        run.facts.kernelVictims = {{5, "other", false, 900'000'000}, {7, "worker", true, 300'000'000}};
        run.end(2'000'000'000);
        RunResult result;
        run.conclude({}, {}, {}, result);
        QCOMPARE(result.curve.peakTreeBytes, std::uint64_t{300'000'000});
    }

    void noProgressProjectsNothing()
    {
        RunAccount run = account();
        play(run, 20, [](double t) { return t; });
        QVERIFY(!run.projectedNeedBytes());
        for (int i = 0; i < 50; ++i)
            run.note(progress(0, 70'000'000'000));
        QVERIFY(!run.projectedNeedBytes());
    }
};

QTEST_GUILESS_MAIN(tst_RunAccount)
#include "tst_RunAccount.moc"
