#include "core/Units.h"
#include "core/trial/TrialRunner.h"
#include "core/worker/Leftovers.h"
#include "tests/Sanitized.h"

#include <QTemporaryDir>
#include <QtTest>
#include <atomic>
#include <csignal>
#include <fstream>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace loadlab;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// One run of the fake worker, with everything it told.
struct Trial {
    std::mutex mutex;
    std::vector<RunEvent> events;
    std::function<void(const RunEvent&)> onEvent; ///< On the runner's thread.
    std::unique_ptr<TrialRunner> runner;

    template <typename T> std::vector<T> all()
    {
        const std::lock_guard lock(mutex);
        std::vector<T> found;
        for (const RunEvent& event : events)
            if (const T* body = std::get_if<T>(&event.body))
                found.push_back(*body);
        return found;
    }
    template <typename T> std::vector<T> messages()
    {
        std::vector<T> found;
        for (const protocol::Message& message : all<protocol::Message>())
            if (const T* body = std::get_if<T>(&message.body))
                found.push_back(*body);
        return found;
    }
    std::vector<std::string> states()
    {
        std::vector<std::string> names;
        for (const StateChanged& changed : all<StateChanged>())
            names.emplace_back(toWireName(changed.state));
        return names;
    }
    std::string acts()
    {
        std::string names;
        for (const LabActed& acted : all<LabActed>())
            names += acted.act + "\n";
        return names;
    }
    std::string log(LogStream stream)
    {
        std::string text;
        for (const LogText& log : all<LogText>())
            if (log.stream == stream)
                text += log.bytes;
        return text;
    }
    bool reached(TrialState state)
    {
        const std::vector<StateChanged> changes = all<StateChanged>();
        return std::ranges::any_of(changes, [state](const StateChanged& changed) { return changed.state == state; });
    }
    void begin(const TrialSpec& spec, const TrialSurroundings& surroundings)
    {
        runner = std::make_unique<TrialRunner>(spec, surroundings, [this](const RunEvent& event) {
            if (onEvent)
                onEvent(event);
            const std::lock_guard lock(mutex);
            events.push_back(event);
        });
    }
};

std::string modeOf(const RunResult& result)
{
    return result.verdict ? std::string(toWireName(result.verdict->mode)) : "none";
}

std::string allEvidence(const RunResult& result)
{
    return nlohmann::json(toJson(result)).at("evidence").dump() + result.verdict->summary;
}

} // namespace

class tst_TrialRunner : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void aRunTellsItsWholeLife();
    void theResultHoldsWhatWasMeasured();
    void theEnvironmentIsKept();
    void endsAsItsMode_data();
    void endsAsItsMode();
    void cancelIsOrderly();
    void cancelNowKillsAtOnce();
    void cancelBeforeTheStartStartsNothing();
    void theTimeLimitEndsIt();
    void aStallIsAHang_data();
    void aStallIsAHang();
    void aWorkerThatNeverSaysHelloIsAHang();
    void aWorkerThatClosesItsOutputIsNotKept();
    void signsOfLifeKeepItAlive_data();
    void signsOfLifeKeepItAlive();
    void withoutLimitsTheLabWaits();
    void holdsUntilReleased();
    void aHeldModelCanBeCancelled();
    void twoRunSideBySide();
    void theDestructorKills();
    void nothingOutlivesTheRun_data();
    void nothingOutlivesTheRun();
    void aDaemonWithoutAnyMarkIsFoundAmongTheOrphans();
    void aFloodOfProgressReachesTheListenerThinned();
    void logBytesArriveUnchanged();
    void aProgramThatIsGoneIsNoRunTime();
    void aMissingCheckpointIsAFact();
    void whatItPrintsIsLog();
    void theLabAddsLittle();
    void samplesComeInOrderAndInBatches();
    void everyEventHasAJsonForm();
    void aListenerThatThrowsEndsTheRun();
    void aListenerThatKeepsThrowingStillEndsTheRun();

private:
    [[nodiscard]] TrialSpec fake(const std::map<std::string, std::string>& options) const;
    [[nodiscard]] TrialSurroundings surroundings() const;
    RunResult run(Trial& trial, const std::map<std::string, std::string>& options, const Limits& limits = {});

    QTemporaryDir m_folder;
    PluginManifest m_plugin;
    Rules m_rules;
    FamilyCatalog m_families;
    MachineInfo m_machine;
};

void tst_TrialRunner::initTestCase()
{
    becomeSubreaper();
    m_plugin = loadManifest(fs::path(LOADLAB_BINARY_DIR) / "tests/plugins/fake").value();
    m_families = FamilyCatalog::load(fs::path(LOADLAB_SOURCE_DIR) / "resources/families");
    m_rules = Rules::load(fs::path(LOADLAB_SOURCE_DIR) / "resources/rules");
    m_machine = readMachine();
    fs::create_directories(m_folder.path().toStdString() + "/model");
}

TrialSpec tst_TrialRunner::fake(const std::map<std::string, std::string>& options) const
{
    TrialSpec spec;
    spec.checkpoint = m_folder.path().toStdString() + "/model";
    Variant asked;
    asked.backend = "fake";
    asked.dtype = "bfloat16";
    asked.options = options;
    spec.variant = m_plugin.normalise(asked).value();
    spec.plugin = m_plugin;
    return spec;
}

TrialSurroundings tst_TrialRunner::surroundings() const
{
    TrialSurroundings around;
    around.rules = &m_rules;
    around.machine = m_machine;
    around.resources = fs::path(LOADLAB_SOURCE_DIR) / "resources";
    around.stopTimes = {200ms, 200ms};
    around.settleTimeout = 200ms;
    return around;
}

RunResult tst_TrialRunner::run(Trial& trial, const std::map<std::string, std::string>& options, const Limits& limits)
{
    TrialSpec spec = fake(options);
    spec.limits = limits;
    trial.begin(spec, surroundings());
    trial.runner->start();
    return trial.runner->wait();
}

void tst_TrialRunner::aRunTellsItsWholeLife()
{
    Trial trial;
    const RunResult result = run(trial, {{"mode", "ok"}});
    QVERIFY2(modeOf(result) == "ok", allEvidence(result).c_str());
    QCOMPARE(exitCodeOf(result), 0);
    QVERIFY(trial.runner->finished());
    QVERIFY(std::holds_alternative<RunStarted>(trial.events.front().body));
    QVERIFY(std::holds_alternative<RunFinished>(trial.events.back().body));
    QCOMPARE(trial.all<RunStarted>().size(), std::size_t{1});
    QCOMPARE(trial.all<RunFinished>().size(), std::size_t{1});
    QCOMPARE(
        trial.states(), (std::vector<std::string>{"baseline", "starting", "loading", "loaded", "stopping", "settled"}));
    QCOMPARE(trial.messages<protocol::Hello>().size(), std::size_t{1});
    QCOMPARE(trial.messages<protocol::Loaded>().size(), std::size_t{1});
    QCOMPARE(trial.messages<protocol::Bye>().size(), std::size_t{1});
    QCOMPARE(trial.messages<protocol::Progress>().back().done, std::uint64_t{10});
    const RunStarted started = trial.all<RunStarted>().front();
    QCOMPARE(started.identity.uuid, trial.runner->uuid());
    QCOMPARE(started.labPid, static_cast<std::int64_t>(::getpid()));
    QVERIFY(started.labStartTicks > 0);
    QCOMPARE(trial.all<WorkerEnded>().size(), std::size_t{1});
    QCOMPARE(trial.acts(), std::string());
}

void tst_TrialRunner::theResultHoldsWhatWasMeasured()
{
    Trial trial;
    const RunResult result = run(trial, {{"mode", "ok"}, {"mib", "200"}, {"seconds", "0.4"}});
    constexpr std::uint64_t grown = std::uint64_t{200} << 20;
    QVERIFY2(result.curve.peakTreeBytes >= grown, std::to_string(result.curve.peakTreeBytes).c_str());
    QVERIFY2(test::kSanitized || result.curve.peakTreeBytes < grown + (48 << 20),
        std::to_string(result.curve.peakTreeBytes).c_str());
    QVERIFY(result.curve.peakRssBytes >= grown);
    QVERIFY(result.hwmBytes >= grown);
    QVERIFY(result.curve.baselineAvailableBytes > 0);
    QVERIFY(result.curve.sampleCount >= 5);
    QCOMPARE(result.exitCode, std::optional(0));
    QVERIFY(!result.exitSignal);
    QCOMPARE(result.progress->done, std::uint64_t{10});
    QCOMPARE(result.loaded->dtypes.begin()->first, std::string("BF16"));
    std::vector<std::string> phases;
    for (const Phase& phase : result.phases) {
        phases.push_back(phase.name);
        QVERIFY(phase.toS >= phase.fromS);
    }
    QCOMPARE(phases, (std::vector<std::string>{"starting", "reading", "holding"}));
    const Phase& reading = result.phases[1]; // However long a busy machine made it.
    const double byItsRate = reading.rateBytesPerS * (reading.toS - reading.fromS);
    QVERIFY2(byItsRate > static_cast<double>(grown) / 2, std::to_string(byItsRate).c_str());
    QCOMPARE(result.capKeptBy, std::string("none"));
    QVERIFY(result.duration > 400ms);
}

void tst_TrialRunner::theEnvironmentIsKept()
{
    Trial trial;
    const RunResult result = run(trial, {});
    QCOMPARE(result.environment.at("fake"), std::string("1.0"));
    QVERIFY(!result.environment.at("kernel").empty());
    QVERIFY(!result.environment.at("loadlab").empty());
    QVERIFY(!result.environment.at("loadlab_revision").empty());
    QCOMPARE(result.environment.at("memory_bytes"), std::to_string(m_machine.memoryBytes));
}

void tst_TrialRunner::endsAsItsMode_data()
{
    QTest::addColumn<QByteArray>("mode");
    QTest::addColumn<QByteArray>("option");
    QTest::addColumn<QByteArray>("verdict");
    QTest::addColumn<QByteArray>("says"); ///< In summary or evidence.
    const auto row = [](const char* mode, const char* option, const char* verdict, const char* says) {
        QTest::newRow(*option ? (std::string(mode) + " " + option).c_str() : mode)
            << QByteArray(mode) << QByteArray(option) << QByteArray(verdict) << QByteArray(says);
    };
    row("crash", "signal=11", "native_crash", "SIGSEGV");
    row("crash", "signal=6", "native_crash", "SIGABRT");
    row("crash", "signal=7", "native_crash", "SIGBUS");
    row("crash", "signal=9", "unknown", "SIGKILL");
    row("crash-early", "signal=11", "native_crash", "SIGSEGV");
    row("exit", "code=3", "unknown", "3");
    row("exit", "code=137", "unknown", "137");
    row("garbage", "", "unknown", "Loading checkpoint shards");
    row("garbage-late", "", "unknown", "Traceback (most recent call last)");
    row("huge-line", "", "unknown", "more than");
    row("wrong-protocol", "", "unknown", "protocol 99");
    row("partial-line", "", "unknown", "inside a line");
    row("error", "text=corrupt_file", "corrupt_file", "model.safetensors is broken");
    row("error", "text=device_map_error", "device_map_error", "model.safetensors is broken");
    row("error-stays", "text=host_alloc_failed", "host_alloc_failed", "model.safetensors is broken");
    row("loader-error", "", "missing_dependency", "libtorch_cpu.so");
    row("no-bye", "", "ok", "");
    row("no-loaded", "", "unknown", "");
    row("killed-child", "", "ok", "");
    row("late-hello", "", "ok", "");
    row("close-stdout", "", "timed_out", "");
    row("steps", "", "ok", "");
}

void tst_TrialRunner::endsAsItsMode()
{
    QFETCH(QByteArray, mode);
    QFETCH(QByteArray, option);
    QFETCH(QByteArray, verdict);
    QFETCH(QByteArray, says);
    std::map<std::string, std::string> options{{"mode", mode.toStdString()}};
    if (!option.isEmpty())
        options[option.split('=').front().toStdString()] = option.split('=').back().toStdString();
    Trial trial;
    Limits limits;
    if (mode == "close-stdout")
        limits.timeout = 300ms;
    const RunResult result = run(trial, options, limits);
    QVERIFY2(modeOf(result) == verdict.toStdString(), (modeOf(result) + ": " + allEvidence(result)).c_str());
    QVERIFY2(allEvidence(result).find(says.toStdString()) != std::string::npos, allEvidence(result).c_str());
    QCOMPARE(exitCodeOf(result), verdict == "ok" ? 0 : 1);
    QVERIFY(result.exitCode.has_value() != result.exitSignal.has_value());
    QVERIFY(findProcessesOfRun(trial.runner->uuid()).empty());
}

void tst_TrialRunner::cancelIsOrderly()
{
    Trial trial;
    trial.begin(fake({{"mode", "slow"}, {"seconds", "600"}, {"steps", "60000"}}), surroundings());
    trial.runner->start();
    QTRY_VERIFY(!trial.messages<protocol::Progress>().empty());
    trial.runner->cancel();
    const RunResult result = trial.runner->wait();
    QCOMPARE(modeOf(result), std::string("cancelled"));
    QCOMPARE(exitCodeOf(result), 130);
    QCOMPARE(trial.acts(), std::string("cancel\n"));
    QCOMPARE(result.exitSignal, std::optional(SIGTERM)); // It looks at stdin only when it has loaded.
}

void tst_TrialRunner::cancelNowKillsAtOnce()
{
    Trial trial;
    TrialSurroundings around = surroundings();
    around.stopTimes = {1h, 1h};
    trial.begin(fake({{"mode", "stubborn"}, {"seconds", "600"}}), around);
    trial.runner->start();
    QTRY_VERIFY(!trial.messages<protocol::Progress>().empty());
    trial.runner->cancel();
    QTRY_VERIFY(trial.acts() == "cancel\n");
    trial.runner->cancel(true);
    const RunResult result = trial.runner->wait();
    QCOMPARE(modeOf(result), std::string("cancelled"));
    QCOMPARE(result.exitSignal, std::optional(SIGKILL));
    QCOMPARE(trial.acts(), std::string("cancel\nkill\n"));
}

void tst_TrialRunner::cancelBeforeTheStartStartsNothing()
{
    Trial trial;
    trial.begin(fake({}), surroundings());
    trial.runner->cancel();
    trial.runner->start();
    const RunResult result = trial.runner->wait();
    QCOMPARE(modeOf(result), std::string("cancelled"));
    QVERIFY(!result.exitCode && !result.exitSignal);
    QVERIFY(trial.all<WorkerStarted>().empty());
    QVERIFY(std::holds_alternative<RunStarted>(trial.events.front().body));
    QVERIFY(std::holds_alternative<RunFinished>(trial.events.back().body));
}

void tst_TrialRunner::theTimeLimitEndsIt()
{
    Trial trial;
    Limits limits;
    limits.timeout = 300ms;
    const RunResult result = run(trial, {{"mode", "slow"}, {"seconds", "600"}, {"steps", "60000"}}, limits);
    QCOMPARE(modeOf(result), std::string("timed_out"));
    QCOMPARE(trial.acts(), std::string("timeout\n"));
    QVERIFY(result.duration >= 300ms);
}

void tst_TrialRunner::aStallIsAHang_data()
{
    QTest::addColumn<QByteArray>("mode");
    for (const char* mode : {"hello-only", "silent", "wakeups"})
        QTest::newRow(mode) << QByteArray(mode);
}

void tst_TrialRunner::aStallIsAHang()
{
    QFETCH(QByteArray, mode);
    Trial trial;
    Limits limits;
    limits.stall = 700ms;
    const RunResult result = run(trial, {{"mode", mode.toStdString()}}, limits);
    QVERIFY2(modeOf(result) == "hang", allEvidence(result).c_str());
    QCOMPARE(trial.acts(), std::string("stall\n"));
    QCOMPARE(exitCodeOf(result), 1);
    QVERIFY2(allEvidence(result).find("standstill") != std::string::npos, allEvidence(result).c_str());
}

void tst_TrialRunner::aWorkerThatNeverSaysHelloIsAHang()
{
    Trial trial;
    TrialSurroundings around = surroundings();
    around.helloTimeout = 300ms;
    trial.begin(fake({{"mode", "silent"}}), around);
    trial.runner->start();
    const RunResult result = trial.runner->wait();
    QVERIFY2(modeOf(result) == "hang", allEvidence(result).c_str());
    QCOMPARE(trial.acts(), std::string("hello_timeout\n"));
}

void tst_TrialRunner::aWorkerThatClosesItsOutputIsNotKept()
{
    Trial trial;
    TrialSurroundings around = surroundings();
    around.helloTimeout = 300ms;
    trial.begin(fake({{"mode", "close-stdout"}}), around);
    trial.runner->start();
    const RunResult result = trial.runner->wait();
    QVERIFY2(modeOf(result) == "unknown", allEvidence(result).c_str());
    QVERIFY2(result.verdict->summary.find("closed its stdout") != std::string::npos, result.verdict->summary.c_str());
    QCOMPARE(trial.acts(), std::string("mute\n"));
}

void tst_TrialRunner::signsOfLifeKeepItAlive_data()
{
    QTest::addColumn<QByteArray>("mode");
    for (const char* mode : {"spins", "reads", "chatters", "slow", "steps"})
        QTest::newRow(mode) << QByteArray(mode);
}

void tst_TrialRunner::signsOfLifeKeepItAlive()
{
    QFETCH(QByteArray, mode);
    std::ofstream(m_folder.path().toStdString() + "/bytes") << std::string(1 << 20, 'x');
    Trial trial;
    Limits limits;
    limits.stall = 1s;
    limits.timeout = 2500ms; // Much longer than a silence may last.
    const RunResult result = run(trial,
        {{"mode", mode.toStdString()}, {"seconds", "600"}, {"steps", "6000"}, {"mib", "12000"},
            {"text", m_folder.path().toStdString() + "/bytes"}},
        limits);
    QVERIFY2(modeOf(result) == "timed_out", allEvidence(result).c_str());
    QCOMPARE(trial.acts(), std::string("timeout\n"));
}

void tst_TrialRunner::withoutLimitsTheLabWaits()
{
    Trial trial;
    trial.begin(fake({{"mode", "hello-only"}}), surroundings());
    trial.runner->start();
    QTRY_VERIFY(trial.reached(TrialState::Loading));
    QTRY_VERIFY(trial.all<SamplesTaken>().size() >= 10); // A second, say.
    QVERIFY(!trial.runner->finished());
    QCOMPARE(trial.acts(), std::string());
    trial.runner->cancel();
    QCOMPARE(modeOf(trial.runner->wait()), std::string("cancelled"));
}

void tst_TrialRunner::holdsUntilReleased()
{
    Trial trial;
    TrialSpec spec = fake({});
    spec.limits.timeout = 2s;
    spec.limits.stall = 1s;
    trial.begin(spec, surroundings());
    trial.runner->holdAfterLoad();
    trial.runner->start();
    QTRY_VERIFY(trial.reached(TrialState::Loaded));
    // Limits are for the exercise: holding goes on past both.
    const auto sampledFor = [&trial] {
        const std::vector<SamplesTaken> all = trial.all<SamplesTaken>();
        return all.empty()
            ? 0ns
            : std::chrono::nanoseconds(all.back().samples.back().monotonicNs - all.front().samples.front().monotonicNs);
    };
    QTRY_VERIFY_WITH_TIMEOUT(sampledFor() > 2500ms, 20000);
    QVERIFY(!trial.reached(TrialState::Stopping));
    trial.runner->release();
    const RunResult result = trial.runner->wait();
    QVERIFY2(modeOf(result) == "ok", allEvidence(result).c_str());
    QCOMPARE(trial.acts(), std::string());
}

void tst_TrialRunner::aHeldModelCanBeCancelled()
{
    Trial trial;
    trial.begin(fake({}), surroundings());
    trial.runner->holdAfterLoad();
    trial.runner->start();
    QTRY_VERIFY(trial.reached(TrialState::Loaded));
    trial.runner->cancel();
    QCOMPARE(modeOf(trial.runner->wait()), std::string("cancelled"));
}

void tst_TrialRunner::twoRunSideBySide()
{
    Trial one;
    Trial two;
    one.begin(fake({{"mib", "64"}}), surroundings());
    two.begin(fake({{"mib", "16"}, {"mode", "daemon"}}), surroundings());
    one.runner->holdAfterLoad();
    two.runner->holdAfterLoad();
    one.runner->start();
    two.runner->start();
    QTRY_VERIFY(one.reached(TrialState::Loaded) && two.reached(TrialState::Loaded));
    two.runner->release();
    const RunResult second = two.runner->wait();
    QCOMPARE(modeOf(second), std::string("ok"));
    QVERIFY(!one.runner->finished()); // Whatever the second cleaned up, the first one lives.
    QCOMPARE(findProcessesOfRun(one.runner->uuid()).size(), std::size_t{1});
    one.runner->release();
    const RunResult first = one.runner->wait();
    QCOMPARE(modeOf(first), std::string("ok"));
    QVERIFY(first.curve.peakTreeBytes >= (64 << 20));
    QVERIFY(test::kSanitized || second.curve.peakTreeBytes < (64 << 20));
}

void tst_TrialRunner::theDestructorKills()
{
    std::string uuid;
    Trial trial;
    trial.begin(fake({{"mode", "stubborn"}}), surroundings());
    uuid = trial.runner->uuid();
    trial.runner->start();
    QTRY_VERIFY(trial.reached(TrialState::Loading));
    QVERIFY(!findProcessesOfRun(uuid).empty());
    trial.runner.reset();
    QVERIFY(findProcessesOfRun(uuid).empty());
    QVERIFY(std::holds_alternative<RunFinished>(trial.events.back().body));
}

void tst_TrialRunner::nothingOutlivesTheRun_data()
{
    QTest::addColumn<QByteArray>("mode");
    QTest::newRow("a child in the group") << QByteArray("children");
    QTest::newRow("a daemon") << QByteArray("daemon");
}

void tst_TrialRunner::nothingOutlivesTheRun()
{
    QFETCH(QByteArray, mode);
    Trial trial;
    const RunResult result = run(trial, {{"mode", mode.toStdString()}});
    QVERIFY2(modeOf(result) == "ok", allEvidence(result).c_str());
    QVERIFY(findProcessesOfRun(trial.runner->uuid()).empty());
    QCOMPARE(trial.acts(), std::string("leftovers\n"));
    QVERIFY2(trial.all<LabActed>().front().why.find("(fake-worker)") != std::string::npos,
        trial.all<LabActed>().front().why.c_str());
    QVERIFY2(allEvidence(result).find("fake-worker") != std::string::npos, allEvidence(result).c_str());
}

void tst_TrialRunner::aDaemonWithoutAnyMarkIsFoundAmongTheOrphans()
{
    Trial trial;
    TrialSurroundings around = surroundings();
    around.orphans = Orphans::All;
    trial.begin(fake({{"mode", "stripped-daemon"}}), around);
    trial.runner->start();
    const RunResult result = trial.runner->wait();
    QVERIFY2(modeOf(result) == "ok", allEvidence(result).c_str());
    QVERIFY2(allEvidence(result).find("(sleep)") != std::string::npos, allEvidence(result).c_str());
    QCOMPARE(::waitpid(-1, nullptr, WNOHANG), -1); // Neither children nor zombies are left.
}

void tst_TrialRunner::aFloodOfProgressReachesTheListenerThinned()
{
    Trial trial;
    const RunResult result = run(trial, {{"mode", "burst"}, {"lines", "30000"}});
    QVERIFY2(modeOf(result) == "ok", allEvidence(result).c_str());
    const std::vector<protocol::Progress> progress = trial.messages<protocol::Progress>();
    QCOMPARE(progress.back().done, std::uint64_t{30'000}); // The last one always comes.
    QVERIFY(trial.all<SamplesTaken>().back().use.writtenBytes > 30'000); // And those that look on know of writing.
    // Whatever else leaves takes the progress before it along.
    const std::size_t gathered = trial.all<SamplesTaken>().size() + trial.all<LogText>().size() + progress.size();
    const std::size_t others = trial.events.size() - gathered;
    const double gaps = 20 * std::chrono::duration<double>(result.duration).count();
    QVERIFY2(static_cast<double>(progress.size()) <= 2 + gaps + static_cast<double>(others),
        std::to_string(progress.size()).c_str());
}

void tst_TrialRunner::logBytesArriveUnchanged()
{
    Trial trial;
    (void)run(trial, {{"mode", "log"}, {"lines", "3000"}, {"text", "Loading shard"}});
    std::string expected;
    for (int i = 0; i < 3000; ++i)
        expected += "Loading shard " + std::to_string(i) + (i % 100 == 0 ? " \xff\xfe" : "") + "\n";
    QVERIFY(trial.log(LogStream::Stderr) == expected);
}

void tst_TrialRunner::aProgramThatIsGoneIsNoRunTime()
{
    TrialSpec spec = fake({});
    spec.plugin.folder = m_folder.path().toStdString();
    std::ofstream(spec.plugin.programPath()) << "#!/no/such/interpreter\n";
    ::chmod(spec.plugin.programPath().c_str(), 0755);
    Trial trial;
    trial.begin(spec, surroundings());
    trial.runner->start();
    const RunResult result = trial.runner->wait();
    QVERIFY2(modeOf(result) == "missing_dependency", allEvidence(result).c_str());
    QCOMPARE(exitCodeOf(result), 1);
    QVERIFY(allEvidence(result).find("interpreter") != std::string::npos);
    QVERIFY(!result.exitCode && !result.exitSignal);
}

void tst_TrialRunner::aMissingCheckpointIsAFact()
{
    TrialSpec spec = fake({{"mode", "error"}, {"text", "FileNotFoundError"}, {"message", "No such file or directory"}});
    spec.checkpoint = m_folder.path().toStdString() + "/absent";
    TrialSurroundings around = surroundings();
    around.families = &m_families;
    Trial trial;
    trial.begin(spec, around);
    trial.runner->start();
    const RunResult result = trial.runner->wait();
    QVERIFY2(modeOf(result) == "model_missing", allEvidence(result).c_str());
    QCOMPARE(result.identity.checkpointName, std::string("absent"));
}

void tst_TrialRunner::whatItPrintsIsLog()
{
    Trial trial;
    const RunResult result = run(trial, {{"mode", "prints"}, {"steps", "3"}});
    QCOMPARE(modeOf(result), std::string("ok"));
    QCOMPARE(trial.log(LogStream::Stderr),
        std::string("printed by a library: 1\nprinted by a library: 2\nprinted by a library: 3\n"));
    QCOMPARE(trial.log(LogStream::Stdout), std::string());
}

void tst_TrialRunner::theLabAddsLittle()
{
    // No timing assert: 1 Hz is the slowest rate there is, and neither baseline nor mark may wait for its tick.
    Trial trial;
    Limits limits;
    limits.sampleHz = 1;
    const RunResult result = run(trial, {{"seconds", "0"}}, limits);
    QCOMPARE(modeOf(result), std::string("ok"));
    QVERIFY(result.curve.sampleCount >= 2); // The baseline and the mark.
    QVERIFY(result.curve.rateHz > 0 && result.curve.rateHz <= 1); // Which count as no pace.
    qInfo("at 1 Hz: %.3f s", std::chrono::duration<double>(result.duration).count());
}

void tst_TrialRunner::samplesComeInOrderAndInBatches()
{
    Trial trial;
    Limits limits;
    limits.sampleHz = 500;
    const RunResult result = run(trial, {{"seconds", "1"}}, limits);
    std::vector<Sample> samples;
    const std::vector<SamplesTaken> batches = trial.all<SamplesTaken>();
    for (const SamplesTaken& batch : batches) {
        QVERIFY(!batch.samples.empty());
        samples.insert(samples.end(), batch.samples.begin(), batch.samples.end());
    }
    QCOMPARE(samples.size(), result.curve.sampleCount);
    QVERIFY(std::ranges::is_sorted(samples, {}, &Sample::monotonicNs));
    QVERIFY(samples.front().monotonicNs >= trial.all<RunStarted>().front().originNs);
    QVERIFY(static_cast<double>(batches.size()) <= 3 + 25 * std::chrono::duration<double>(result.duration).count());
}

void tst_TrialRunner::everyEventHasAJsonForm()
{
    Trial trial;
    (void)run(trial, {{"mode", "children"}});
    const std::int64_t origin = trial.all<RunStarted>().front().originNs;
    for (const RunEvent& event : trial.events) {
        const nlohmann::json form = nlohmann::json::parse(toJson(event, origin).dump());
        const Result<RunEvent> back = eventFromJson(form, origin);
        QVERIFY2(back, form.dump().c_str());
        QCOMPARE(toJson(*back, origin).dump(), form.dump());
    }
}

void tst_TrialRunner::aListenerThatThrowsEndsTheRun()
{
    Trial trial;
    trial.onEvent = [](const RunEvent& event) {
        if (const auto* message = std::get_if<protocol::Message>(&event.body);
            message && std::holds_alternative<protocol::Loaded>(message->body))
            throw std::runtime_error("no room left");
    };
    const RunResult result = run(trial, {{"mode", "stubborn"}});
    QCOMPARE(modeOf(result), std::string("unknown"));
    QVERIFY2(result.verdict->summary.find("no room left") != std::string::npos, result.verdict->summary.c_str());
    QVERIFY(std::holds_alternative<RunFinished>(trial.events.back().body));
    QVERIFY(findProcessesOfRun(trial.runner->uuid()).empty());
}

void tst_TrialRunner::aListenerThatKeepsThrowingStillEndsTheRun()
{
    Trial trial;
    bool throws = false;
    trial.onEvent = [&throws](const RunEvent& event) {
        throws = throws || std::holds_alternative<WorkerStarted>(event.body);
        if (throws)
            throw std::runtime_error("no room left");
    };
    const RunResult result = run(trial, {{"mode", "stubborn"}});
    QCOMPARE(modeOf(result), std::string("unknown"));
    QVERIFY2(result.verdict->summary.find("no room left") != std::string::npos, result.verdict->summary.c_str());
    QVERIFY(findProcessesOfRun(trial.runner->uuid()).empty());
}

QTEST_GUILESS_MAIN(tst_TrialRunner)
#include "tst_TrialRunner.moc"
