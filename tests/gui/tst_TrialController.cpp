#include "../db/Take.h"
#include "LabBench.h"

#include <QSignalSpy>
#include <QTest>

#include <csignal>

using namespace loadlab;
using test::take;

class TestTrialController : public QObject {
    Q_OBJECT

    std::unique_ptr<LabBench> m_bench;

    std::vector<RunRow> storedRuns() const
    {
        RunFilter oldest;
        oldest.order = RunOrder::Oldest;
        return take(take(RunStore::open(m_bench->lab().database)).runs(oldest));
    }

private Q_SLOTS:
    void init() { m_bench = std::make_unique<LabBench>(); }

    void runsATrialAndRecordsIt()
    {
        TrialController controller(m_bench->lab());
        QSignalSpy recorded(&controller, &TrialController::runRecorded);
        QSignalSpy ended(&controller, &TrialController::runEnded);
        controller.run(m_bench->fakeTrial("ok"), QStringLiteral("fake"));
        QVERIFY(controller.isRunning());
        QTRY_COMPARE_WITH_TIMEOUT(recorded.size(), 1, 20'000);
        QCOMPARE(ended.size(), 1);
        QCOMPARE(controller.live().result()->verdict->mode, FailureMode::Ok);
        QVERIFY(!controller.recordingError());
        QVERIFY(controller.liveRunId());
        QCOMPARE(controller.queue().front().state, QueuedTrial::State::Done);
        const std::vector<RunRow> runs = storedRuns();
        QCOMPARE(runs.size(), std::size_t{1});
        QCOMPARE(runs[0].run, *controller.liveRunId());
        QCOMPARE(*runs[0].mode, FailureMode::Ok);
    }

    void everyEventArrivesOnceAndInOrder()
    {
        TrialController controller(m_bench->lab());
        QSignalSpy idle(&controller, &TrialController::becameIdle);
        std::vector<std::string> kinds;
        std::int64_t last = 0;
        bool inOrder = true;
        connect(&controller, &TrialController::runUpdated, this, [&](const LiveUpdate& update) {
            for (const RunEvent& event : update.events) {
                kinds.emplace_back(kindOf(event));
                if (const auto* samples = std::get_if<SamplesTaken>(&event.body))
                    for (const Sample& sample : samples->samples) {
                        inOrder = inOrder && sample.monotonicNs > last;
                        last = sample.monotonicNs;
                    }
            }
        });
        controller.run(m_bench->fakeTrial("ok", {{"seconds", "0.5"}}), QStringLiteral("fake"));
        QTRY_COMPARE_WITH_TIMEOUT(idle.size(), 1, 20'000);
        QCOMPARE(kinds.front(), std::string("run_started"));
        QCOMPARE(kinds.back(), std::string("run_finished"));
        QCOMPARE(std::count(kinds.begin(), kinds.end(), "run_started"), 1);
        QVERIFY(inOrder);
        QCOMPARE(controller.live().curve().samples.size(), controller.live().result()->curve.sampleCount);
    }

    void theQueueGoesOnByItself()
    {
        TrialController controller(m_bench->lab());
        QSignalSpy idle(&controller, &TrialController::becameIdle);
        controller.enqueue(m_bench->fakeTrial("exit"), QStringLiteral("second"));
        QVERIFY2(!controller.isBusy(), "adding starts nothing");
        controller.enqueue(m_bench->fakeTrial("ok"), QStringLiteral("third"));
        controller.run(m_bench->fakeTrial("ok"), QStringLiteral("first"));
        QTRY_COMPARE_WITH_TIMEOUT(idle.size(), 1, 40'000);
        QCOMPARE(controller.waitingCount(), 0);
        QCOMPARE(storedRuns().size(), std::size_t{3});
        QCOMPARE(controller.queue()[0].name, QStringLiteral("first"));
        QCOMPARE(*controller.queue()[0].mode, FailureMode::Ok);
        QVERIFY(*controller.queue()[1].mode != FailureMode::Ok);
    }

    void stopEndsTheRunAndTheQueueWaits()
    {
        TrialController controller(m_bench->lab());
        QSignalSpy idle(&controller, &TrialController::becameIdle);
        controller.enqueue(m_bench->fakeTrial("ok"), QStringLiteral("later"));
        controller.run(m_bench->fakeTrial("slow", {{"seconds", "600"}}), QStringLiteral("now"));
        QTRY_COMPARE_WITH_TIMEOUT(controller.live().state(), TrialState::Loading, 20'000);
        controller.stop();
        QTRY_COMPARE_WITH_TIMEOUT(idle.size(), 1, 20'000);
        QCOMPARE(controller.live().result()->verdict->mode, FailureMode::Cancelled);
        QCOMPARE(controller.waitingCount(), 1);
        QCOMPARE(storedRuns().size(), std::size_t{1});
    }

    void stopAgainKillsWhatIgnoresTheFirst()
    {
        m_bench->lab().stopTimes = {std::chrono::minutes(5), std::chrono::minutes(5)};
        TrialController controller(m_bench->lab());
        QSignalSpy idle(&controller, &TrialController::becameIdle);
        controller.run(m_bench->fakeTrial("stubborn", {{"seconds", "600"}}), QStringLiteral("stubborn"));
        QTRY_COMPARE_WITH_TIMEOUT(controller.live().state(), TrialState::Loading, 20'000);
        controller.stop();
        QTRY_VERIFY(controller.live().stopAsked());
        controller.stop();
        QTRY_COMPARE_WITH_TIMEOUT(idle.size(), 1, 20'000);
        QCOMPARE(controller.live().result()->verdict->mode, FailureMode::Cancelled);
        QCOMPARE(controller.live().result()->exitSignal.value_or(0), SIGKILL);
    }

    void aCrashIsAResultLikeAnyOther()
    {
        TrialController controller(m_bench->lab());
        QSignalSpy idle(&controller, &TrialController::becameIdle);
        controller.run(m_bench->fakeTrial("crash"), QStringLiteral("fake"));
        QTRY_COMPARE_WITH_TIMEOUT(idle.size(), 1, 20'000);
        QCOMPARE(controller.live().result()->verdict->mode, FailureMode::NativeCrash);
        QCOMPARE(*storedRuns().at(0).mode, FailureMode::NativeCrash);
    }

    void aFloodOfLogReachesTheWindowInBounds()
    {
        TrialController controller(m_bench->lab());
        QSignalSpy idle(&controller, &TrialController::becameIdle);
        std::size_t most = 0;
        connect(&controller, &TrialController::runUpdated, this, [&most](const LiveUpdate& update) {
            std::size_t bytes = 0;
            for (const RunEvent& event : update.events)
                if (const auto* text = std::get_if<LogText>(&event.body))
                    bytes += text->bytes.size();
            most = std::max(most, bytes);
        });
        controller.run(
            m_bench->fakeTrial("log", {{"lines", "200000"}, {"text", "words words words"}}), QStringLiteral("fake"));
        QTRY_COMPARE_WITH_TIMEOUT(idle.size(), 1, 60'000);
        QVERIFY(most > 0);
        QVERIFY(most <= EventInbox::kLogBytesPerTaking + 1000);
    }

    void runsWithoutADatabase()
    {
        m_bench->lab().database = "/proc/no/such/place/runs.sqlite";
        TrialController controller(m_bench->lab());
        QSignalSpy idle(&controller, &TrialController::becameIdle);
        controller.run(m_bench->fakeTrial("ok"), QStringLiteral("fake"));
        QTRY_COMPARE_WITH_TIMEOUT(idle.size(), 1, 20'000);
        QCOMPARE(controller.live().result()->verdict->mode, FailureMode::Ok);
        QVERIFY(controller.recordingError());
        QVERIFY(!controller.liveRunId());
    }

    void leavesNoWorkerBehindWhenItGoes()
    {
        std::string uuid;
        {
            TrialController controller(m_bench->lab());
            controller.run(m_bench->fakeTrial("stubborn", {{"seconds", "600"}}), QStringLiteral("stubborn"));
            QTRY_COMPARE_WITH_TIMEOUT(controller.live().state(), TrialState::Loading, 20'000);
            uuid = controller.live().started().identity.uuid;
            QVERIFY(!findProcessesOfRun(uuid).empty());
        }
        QTRY_VERIFY(findProcessesOfRun(uuid).empty());
    }
};

QTEST_MAIN(TestTrialController)
#include "tst_TrialController.moc"
