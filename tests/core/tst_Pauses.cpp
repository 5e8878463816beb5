#include "tests/core/WatchedRun.h"

#include <QTemporaryDir>
#include <QtTest>
#include <atomic>
#include <fstream>

using namespace loadlab;
using namespace loadlab::test;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kTwoHours = std::chrono::nanoseconds(2h).count();

/// A run of a shell line under clocks that the test sets.
struct ClockedRun : Watched {
    std::atomic<std::int64_t> suspendedNs = 55; ///< The machine may have slept before.
    std::atomic<int> calendarReadings = 0;
    std::chrono::system_clock::time_point startUtc{1'770'000'000'000ms};
    Rules rules = Rules::load(std::string(LOADLAB_SOURCE_DIR) + "/resources/rules");

    ~ClockedRun() { runner.reset(); } // It asks these clocks.
    void start(const std::string& line, const Limits& limits)
    {
        TrialSurroundings around = commandSurroundings(rules, nullptr);
        around.orphans = Orphans::Marked;
        around.clock.suspendedNs = [this] { return suspendedNs.load(); };
        around.clock.utc = [this] { return startUtc - calendarReadings++ * 1h; }; // Set back again and again.
        Watched::start(line, limits, around);
    }
    std::string words(const std::string& act)
    {
        const std::lock_guard lock(mutex);
        for (const RunEvent& event : events)
            if (const auto* acted = std::get_if<LabActed>(&event.body); acted && acted->act == act)
                return acted->why;
        return {};
    }
};

bool evidenceHas(const RunResult& result, const std::string& words)
{
    return std::ranges::any_of(result.verdict->evidence,
        [&words](const Evidence& item) { return item.fact.find(words) != std::string::npos; });
}

} // namespace

/// What a run does when the calendar is set, or the machine sleeps: shown by clocks of the test's own.
class tst_Pauses : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void theRealClocksAgree()
    {
        const std::int64_t first = suspendedNs();
        QVERIFY(first > -1'000'000'000);
        QVERIFY(std::abs(suspendedNs() - first) < 50'000'000); // This machine does not sleep in between.
    }

    void aCalendarThatIsSetChangesNothing()
    {
        ClockedRun run;
        run.start("echo one; echo two", {});
        const RunResult result = run.runner->wait();
        QCOMPARE(result.verdict->mode, FailureMode::Ok);
        QCOMPARE(run.calendarReadings.load(), 1);
        QVERIFY(result.startedUtc == run.startUtc);
        QVERIFY(result.duration > 0ns && result.duration < 60s);
        for (std::size_t i = 1; i < run.events.size(); ++i)
            QVERIFY(run.events[i].monotonicNs >= run.events.front().monotonicNs);
    }

    void aSuspendIsNotedAndCountsNeitherAsTimeNorAsSilence()
    {
        ClockedRun run;
        QTemporaryDir folder;
        const std::string go = folder.path().toStdString() + "/go";
        Limits limits;
        limits.stall = 30s;
        limits.timeout = 60s;
        run.start("echo ready; while [ ! -e " + go + " ]; do sleep 0.02; done", limits);
        QTRY_VERIFY(run.log(LogStream::Stdout) == "ready\n");
        run.suspendedNs += kTwoHours;
        QTRY_VERIFY(!run.words("suspend").empty());
        std::ofstream(go) << "";
        const RunResult result = run.runner->wait();
        QVERIFY2(result.verdict->mode == FailureMode::Ok, allWords(result).c_str());
        QCOMPARE(run.words("suspend"), std::string("the machine was suspended for 2 h 00 min"));
        QCOMPARE(run.words("pause"), std::string());
        QVERIFY(result.duration < 60s);
        QCOMPARE(result.traces.pauses.size(), std::size_t{1});
        QVERIFY(result.traces.pauses.front().ofMachine);
        QCOMPARE(result.traces.pauses.front().length.count(), kTwoHours);
        QVERIFY(result.traces.pauses.front().atS > 0);
        QVERIFY2(evidenceHas(result, "the machine was suspended for 2 h 00 min, "), allWords(result).c_str());
        const nlohmann::json json = toJson(result);
        QCOMPARE(json.at("host").at("pauses").at(0).at("of"), "machine");
        QCOMPARE(toJson(*resultFromJson(json)).dump(), json.dump());
    }

    void afterASuspendTheWatchBeginsAnew()
    {
        ClockedRun run;
        Limits limits;
        limits.stall = 1s;
        run.start("exec sleep 1000", limits);
        // As a suspend does to a worker that has been silent for a while.
        QTRY_VERIFY([&run] {
            const std::lock_guard lock(run.mutex);
            return std::ranges::any_of(run.events, [](const RunEvent& event) {
                const auto* taken = std::get_if<SamplesTaken>(&event.body);
                return taken && !taken->samples.empty() && taken->samples.back().has(Column::TreeBytes);
            });
        }());
        run.suspendedNs += kTwoHours;
        const RunResult result = run.runner->wait();
        QVERIFY2(result.verdict->mode == FailureMode::Hang, allWords(result).c_str());
        QCOMPARE(result.traces.pauses.size(), std::size_t{1});
        const double silentFromS = result.traces.pauses.front().atS;
        QVERIFY2(std::chrono::duration<double>(result.duration).count() - silentFromS >= 1.0, allWords(result).c_str());
        QVERIFY2(evidenceHas(result, "the machine was suspended"), allWords(result).c_str());
    }

    void whatIsNoPauseIsNotNoted()
    {
        ClockedRun run;
        run.suspendedNs = 0;
        run.start("sleep 0.3", {});
        QTRY_VERIFY(run.runner->finished() || ++run.suspendedNs < 0); // The two clocks are never read at one instant.
        QVERIFY(run.runner->wait().traces.pauses.empty());
    }
};

QTEST_GUILESS_MAIN(tst_Pauses)
#include "tst_Pauses.moc"
