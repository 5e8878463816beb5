#include "core/Text.h"
#include "core/Units.h"
#include "core/trial/EventOutlet.h"
#include "core/trial/KeptCurve.h"
#include "core/trial/RunEvent.h"

#include <QtTest>
#include <nlohmann/json.hpp>

using namespace loadlab;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

RunResult sampleResult()
{
    RunResult result;
    result.run = RunId{12};
    result.identity.uuid = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b";
    result.identity.checkpointPath = "/models/qwen";
    result.identity.checkpointName = "org/qwen";
    result.identity.family = "qwen2";
    result.identity.fingerprint = "abc";
    result.identity.checkpointBytes = 988;
    result.identity.checkpointParameters = 494;
    result.identity.variant.dtype = "bfloat16";
    result.identity.variant.deviceMap = R"({"lm_head":"cpu"})";
    result.identity.limits.timeout = 90s;
    result.identity.limits.capMemoryBytes = 1 << 30;
    result.identity.parentUuid = "parent";
    result.identity.predictedPeakBytes = 777;
    result.startedUtc = parseIsoUtc("2026-01-31T12:34:56.789Z").value();
    result.duration = 54'123'456'789ns;
    result.verdict
        = Verdict{FailureMode::HostOomKilled, 0.99, "Killed.", {{"cgroup.oom_kill", "0 -> 1", "host_oom_killed", 1.0}},
            {{"smaller-dtype", "Use bfloat16.", R"({"dtype":"bfloat16"})", "rule", {4, 7}}}, "kernel", 3};
    result.exitSignal = 9;
    result.curve = {1082, 20.0, 100, 200, 300, 400, 500, 50, 68.3, 1.5};
    result.hwmBytes = 250;
    result.capKeptBy = result.swapCapKeptBy = result.containment = "none";
    result.projectedNeedBytes = 900;
    result.phases = {{"reading", 0.5, 8.25, 1e9, 2e7}, {"checking", 8.25, 8.5, 0, {}}};
    result.counters = {{Column::TreeBytes, "anon_bytes + shmem_bytes + swap_bytes", 20.0, {}},
        {Column::GpuBytes, "NVML running processes", {}, "no library"}};
    result.progress = protocol::Progress{"tensors", 100, 291, 5, 9, "x"};
    result.loaded = protocol::Loaded{};
    result.loaded->dtypes = {{"BF16", 7}};
    result.environment = {{"kernel", "6.1"}, {"memory_bytes", "25769803776"}, {"torch", "1.13.1"}};
    result.missedTicks = 3;
    result.worstLatenessNs = 12345;
    return result;
}

Sample sampleAt(std::int64_t atNs, std::int64_t tree)
{
    Sample sample;
    sample.monotonicNs = atNs;
    sample[Column::TreeBytes] = tree;
    return sample;
}

} // namespace

class tst_RunEvents : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aResultHasThePromisedNames();
    void aResultComesBackAsItWent();
    void aRunInProgressHasNoMode();
    void withoutACheckpointThereIsNull();
    void exitCodesFollowTheVerdict_data();
    void exitCodesFollowTheVerdict();
    void bytesOfAPathSurvive();
    void logBytesSurvive();
    void whatHoldsARunSurvives();
    void whatTheGuardSawSurvives();
    void aHighWaterMarkSurvives();
    void whatLeftTheGroupSurvives();
    void whatNobodyToldIsNull();
    void samplesAreATable();
    void brokenEventsAreRefused_data();
    void brokenEventsAreRefused();
    void theOutletKeepsTheOrder();
    void theOutletThinsProgressButNotItsEnd();
    void theOutletGathersLogAndSamples();
    void aLongCurveKeepsItsExtremes();
};

void tst_RunEvents::aResultHasThePromisedNames()
{
    const json form = toJson(sampleResult());
    const json promised = json::parse(R"({
        "run": 12, "uuid": "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b",
        "checkpoint": {"path": "/models/qwen", "name": "org/qwen", "family": "qwen2", "fingerprint": "abc"},
        "variant": {"backend": "libtorch", "environment": null, "dtype": "bfloat16", "device_map": {"lm_head": "cpu"},
                    "max_memory": null, "options": {}},
        "mode": "host_oom_killed", "confidence": 0.99, "summary": "Killed.",
        "evidence": [{"source": "cgroup.oom_kill", "fact": "0 -> 1", "supports": "host_oom_killed", "weight": 1.0}],
        "remedies": [{"id": "smaller-dtype", "text": "Use bfloat16.", "change": {"dtype": "bfloat16"}, "basis": "rule", "runs": [4, 7]}],
        "exit": {"code": null, "signal": 9}, "started_utc": "2026-01-31T12:34:56.789Z", "duration_s": 54.123456789,
        "memory": {"peak_tree_bytes": 100, "peak_rss_bytes": 200, "hwm_bytes": 250, "peak_swap_bytes": 300, "peak_gpu_bytes": 400,
                   "baseline_available_bytes": 500, "predicted_peak_bytes": 777, "projected_need_bytes": 900, "swap_began_s": 68.3},
        "cap": {"memory_bytes": 1073741824, "kept_by": "none"}, "containment": "none",
        "phases": [{"name": "reading", "from_s": 0.5, "to_s": 8.25, "rate_bytes_per_s": 1e9, "rate_error_bytes_per_s": 2e7},
                   {"name": "checking", "from_s": 8.25, "to_s": 8.5, "rate_bytes_per_s": 0.0, "rate_error_bytes_per_s": null}],
        "counters": [{"column": "tree_bytes", "source": "anon_bytes + shmem_bytes + swap_bytes", "rate_hz": 20.0, "problem": null},
                     {"column": "gpu_bytes", "source": "NVML running processes", "rate_hz": null, "problem": "no library"}],
        "progress": {"unit": "tensors", "done": 100, "total": 291},
        "loaded": {"parameters": 0, "dtypes": {"BF16": 7}, "devices": {}},
        "samples": {"count": 1082, "rate_hz": 20.0}, "environment": {"torch": "1.13.1", "kernel": "6.1", "memory_bytes": 25769803776}})");
    // Everything promised is there with this value; more may be there.
    const std::function<void(const json&, const json&, std::string)> contains
        = [&](const json& whole, const json& part, std::string where) {
              if (!part.is_object()) {
                  QVERIFY2(whole == part, (where + ": " + whole.dump() + " is not " + part.dump()).c_str());
                  return;
              }
              for (const auto& [key, value] : part.items()) {
                  QVERIFY2(whole.contains(key), (where + "." + key).c_str());
                  contains(whole.at(key), value, where + "." + key);
              }
          };
    contains(form, promised, "run");
}

void tst_RunEvents::whatHoldsARunSurvives()
{
    RunContained contained{"cgroup1", "/sys/fs/cgroup/x", "cgroup", "watchdog", {}};
    contained.before.availableBytes = 20;
    const json form = toJson(RunEvent{2'500'000'000, contained}, 1'000'000'000);
    QCOMPARE(form.at("event"), "contained");
    const Result<RunEvent> back = eventFromJson(form, 1'000'000'000);
    QVERIFY2(back, back ? "" : back.error().message.c_str());
    QCOMPARE(toJson(*back, 1'000'000'000).dump(), form.dump());
    RunResult result;
    copyTo(result, std::get<RunContained>(back->body));
    QCOMPARE(result.containment, "cgroup1");
    QCOMPARE(result.containmentDetail, "/sys/fs/cgroup/x");
    QCOMPARE(result.swapCapKeptBy, "watchdog");
    QCOMPARE(result.traces.before.value().availableBytes, contained.before.availableBytes);
}

/// A run that was lost early: zero ticks missed, or no containment, would be claims.
void tst_RunEvents::whatTheGuardSawSurvives()
{
    const Guard::Pool pool{300, 4000, Guard::Pool::Of::Group};
    const json form = toJson(RunEvent{2'500'000'000, GuardLooked{{2'500'000'000, pool, 0.25}, 2}}, 1'000'000'000);
    QCOMPARE(
        form, json::parse(R"({"event": "guard", "t_s": 1.5, "pool": "group", "left_bytes": 300, "total_bytes": 4000,
                        "stalled_share": 0.25, "oom_kills": 2})"));
    const Result<RunEvent> back = eventFromJson(form, 1'000'000'000);
    QVERIFY(back);
    QCOMPARE(std::get<GuardLooked>(back->body).look.monotonicNs, std::int64_t{2'500'000'000});
    QCOMPARE(toJson(*back, 1'000'000'000), form);
    json unknown = form;
    unknown["pool"] = "sea";
    QVERIFY(!eventFromJson(unknown, 1'000'000'000));
}

void tst_RunEvents::aHighWaterMarkSurvives()
{
    const json form = toJson(RunEvent{2'500'000'000, HighWaterRose{300}}, 1'000'000'000);
    QCOMPARE(form, json::parse(R"({"event": "high_water", "t_s": 1.5, "hwm_bytes": 300})"));
    const Result<RunEvent> back = eventFromJson(form, 1'000'000'000);
    QVERIFY(back);
    QCOMPARE(std::get<HighWaterRose>(back->body).bytes, std::uint64_t{300});
}

void tst_RunEvents::whatLeftTheGroupSurvives()
{
    const RunEvent event{1'500'000'000, LabActed{"outside_group", "pid 7 (sh), in /batch: it left", "pid 7 (sh)"}};
    const json form = toJson(event, 0);
    QCOMPARE(form.at("process"), json("pid 7 (sh)"));
    QCOMPARE(std::get<LabActed>(eventFromJson(form, 0).value().body).process, std::string("pid 7 (sh)"));
    QVERIFY(!toJson(RunEvent{0, LabActed{"cap", "why"}}, 0).contains("process"));
}

void tst_RunEvents::whatNobodyToldIsNull()
{
    const json form = toJson(RunResult{});
    QVERIFY(form.at("containment").is_null());
    QVERIFY(form.at("cap").at("kept_by").is_null());
    QVERIFY(form.at("cap").at("swap_kept_by").is_null());
    QVERIFY(form.at("samples").at("missed_ticks").is_null());
    QVERIFY(form.at("samples").at("worst_lateness_ns").is_null());
    for (const char* unseen : {"peak_tree_bytes", "peak_rss_bytes", "hwm_bytes"})
        QVERIFY2(form.at("memory").at(unseen).is_null(), unseen);
    QCOMPARE(toJson(resultFromJson(form).value()), form);
}

void tst_RunEvents::aResultComesBackAsItWent()
{
    const json form = toJson(sampleResult());
    const Result<RunResult> back = resultFromJson(json::parse(form.dump()));
    QVERIFY2(back, back ? "" : back.error().message.c_str());
    QCOMPARE(toJson(*back).dump(), form.dump());
    QVERIFY(!form["memory"]["hwm_at_least"].get<bool>());
    RunResult notTold = sampleResult();
    notTold.hwmWasNotTold = true;
    QVERIFY(toJson(resultFromJson(toJson(notTold)).value())["memory"]["hwm_at_least"].get<bool>());
    RunResult stored;
    circumstancesFromJson(circumstancesToJson(notTold), stored);
    QVERIFY(stored.hwmWasNotTold);
    QCOMPARE(back->duration, sampleResult().duration);
    QVERIFY(back->identity.variant == sampleResult().identity.variant);

    json broken = form;
    broken["duration_s"] = "long";
    QVERIFY(resultFromJson(broken).error().message.find("duration_s") != std::string::npos);
    broken = form;
    broken.erase("variant");
    QVERIFY(!resultFromJson(broken));
}

void tst_RunEvents::aRunInProgressHasNoMode()
{
    RunResult result = sampleResult();
    result.verdict.reset();
    result.run.reset();
    const json form = toJson(result);
    QVERIFY(form.at("mode").is_null() && form.at("run").is_null() && form.at("summary").is_null());
    QVERIFY(form.at("evidence").is_array() && form.at("remedies").is_array());
    const Result<RunResult> back = resultFromJson(form);
    QVERIFY(back && !back->verdict && !back->run);
}

void tst_RunEvents::withoutACheckpointThereIsNull()
{
    RunResult result = sampleResult();
    result.identity.checkpointPath.clear();
    result.identity.predictedPeakBytes = 0;
    result.progress.reset();
    result.loaded.reset();
    const json form = toJson(result);
    for (const char* name : {"checkpoint", "progress", "loaded"})
        QVERIFY2(form.at(name).is_null(), name);
    QVERIFY(form.at("memory").at("predicted_peak_bytes").is_null());
    QVERIFY(resultFromJson(form));
}

void tst_RunEvents::exitCodesFollowTheVerdict_data()
{
    QTest::addColumn<int>("mode");
    QTest::addColumn<int>("code");
    for (std::size_t i = 0; i < kFailureModeCount; ++i) {
        const auto mode = static_cast<FailureMode>(i);
        const int code = mode == FailureMode::Ok ? 0 : mode == FailureMode::Cancelled ? 130 : 1;
        QTest::newRow(std::string(toWireName(mode)).c_str()) << static_cast<int>(i) << code;
    }
}

void tst_RunEvents::exitCodesFollowTheVerdict()
{
    QFETCH(int, mode);
    QFETCH(int, code);
    RunResult result;
    result.verdict = Verdict{};
    result.verdict->mode = static_cast<FailureMode>(mode);
    QCOMPARE(exitCodeOf(result), code);
}

void tst_RunEvents::bytesOfAPathSurvive()
{
    RunResult result = sampleResult();
    result.identity.checkpointPath = "/models/\xff";
    result.identity.checkpointName = "\xff";
    result.environment["odd"] = "\xfe";
    result.verdict->summary = "\xfd";
    const std::string text = toJson(result).dump();
    QVERIFY(isUtf8(text));
    QCOMPARE(resultFromJson(json::parse(text))->identity.checkpointPath, std::string("/models/\xff"));
}

void tst_RunEvents::logBytesSurvive()
{
    const RunEvent event{5'000'000'000, LogText{LogStream::Stdout, std::string("50%\r\xff\0x", 7)}};
    const json form = toJson(event, 4'000'000'000);
    QCOMPARE(form.at("event").get<std::string>(), std::string("log"));
    QCOMPARE(form.at("t_s").get<double>(), 1.0);
    const Result<RunEvent> back = eventFromJson(json::parse(form.dump()), 4'000'000'000);
    QVERIFY(back);
    QCOMPARE(back->monotonicNs, event.monotonicNs);
    QVERIFY(std::get<LogText>(back->body).bytes == std::get<LogText>(event.body).bytes);
    QVERIFY(std::get<LogText>(back->body).stream == LogStream::Stdout);
}

void tst_RunEvents::samplesAreATable()
{
    Sample first = sampleAt(1'000'000'000, 10);
    Sample second = sampleAt(1'050'000'000, 20);
    second[Column::SwapBytes] = 5;
    const json form = toJson(RunEvent{1'050'000'000, SamplesTaken{{first, second}}}, 1'000'000'000);
    QCOMPARE(form.at("columns"), (json{"t_s", "swap_bytes", "tree_bytes"}));
    QCOMPARE(form.at("rows"), json::parse("[[0.0, null, 10], [0.05, 5, 20]]"));
    const Result<RunEvent> back = eventFromJson(form, 1'000'000'000);
    QVERIFY(back);
    QVERIFY((std::get<SamplesTaken>(back->body).samples == std::vector<Sample>{first, second}));
}

void tst_RunEvents::brokenEventsAreRefused_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("no object") << QByteArray("[]");
    QTest::newRow("no name") << QByteArray(R"({"t_s": 0})");
    QTest::newRow("no time") << QByteArray(R"({"event": "state", "state": "loading"})");
    QTest::newRow("no such event") << QByteArray(R"({"event": "dance", "t_s": 0})");
    QTest::newRow("no such state") << QByteArray(R"({"event": "state", "t_s": 0, "state": "dancing"})");
    QTest::newRow("rows") << QByteArray(R"({"event": "samples", "t_s": 0, "columns": ["t_s"], "rows": [[1, 2]]})");
    QTest::newRow("no result") << QByteArray(R"({"event": "run_finished", "t_s": 0, "result": {}})");
    QTest::newRow("no origin") << QByteArray(R"({"event": "run_started", "t_s": 0})");
    QTest::newRow("a log of another type")
        << QByteArray(R"({"event": "log", "t_s": 0, "stream": "stderr", "text": 5})");
}

void tst_RunEvents::brokenEventsAreRefused()
{
    QFETCH(QByteArray, text);
    const Result<RunEvent> event = eventFromJson(json::parse(text.toStdString()), 0);
    QVERIFY(!event);
    QCOMPARE(event.error().kind, ErrorKind::Invalid);
}

void tst_RunEvents::theOutletKeepsTheOrder()
{
    std::string order;
    EventOutlet outlet([&order](const RunEvent& event) { order += std::string(kindOf(event)) + " "; });
    outlet.log(LogStream::Stderr, "a");
    outlet.progress({1, protocol::Progress{"tensors", 1, 2, 0, 0, ""}});
    outlet.progress({1, protocol::Progress{"tensors", 2, 2, 0, 0, ""}});
    outlet.emit(StateChanged{TrialState::Loaded}, 2);
    QCOMPARE(order, std::string("progress log progress state "));
}

void tst_RunEvents::theOutletThinsProgressButNotItsEnd()
{
    std::vector<std::uint64_t> seen;
    EventOutlet outlet([&seen](const RunEvent& event) {
        if (const auto* message = std::get_if<protocol::Message>(&event.body))
            seen.push_back(std::get<protocol::Progress>(message->body).done);
    });
    const std::int64_t begin = monotonicNs();
    for (std::uint64_t i = 1; i <= 1000; ++i)
        outlet.progress({1, protocol::Progress{"tensors", i, 1000, 0, 0, ""}});
    const auto tookS = static_cast<double>(monotonicNs() - begin) / 1e9;
    QVERIFY(static_cast<double>(seen.size()) <= 1 + tookS * 20);
    QVERIFY(outlet.dueNs());
    outlet.flush();
    QCOMPARE(seen.back(), std::uint64_t{1000});
    QVERIFY(!outlet.dueNs());
}

void tst_RunEvents::theOutletGathersLogAndSamples()
{
    std::vector<RunEvent> events;
    EventOutlet outlet([&events](const RunEvent& event) { events.push_back(event); });
    outlet.log(LogStream::Stderr, "one ");
    outlet.log(LogStream::Stderr, "two");
    outlet.log(LogStream::Stdout, "other");
    outlet.samples({sampleAt(1, 1)});
    outlet.samples({sampleAt(2, 2), sampleAt(3, 3)});
    outlet.flush();
    QCOMPARE(events.size(), std::size_t{3});
    QCOMPARE(std::get<LogText>(events[0].body).bytes, std::string("one two"));
    QCOMPARE(std::get<LogText>(events[1].body).bytes, std::string("other"));
    QCOMPARE(std::get<SamplesTaken>(events[2].body).samples.size(), std::size_t{3});
    outlet.log(LogStream::Stderr, std::string(100'000, 'x')); // Too much to gather: leaves at once.
    QCOMPARE(events.size(), std::size_t{4});
}

void tst_RunEvents::aLongCurveKeepsItsExtremes()
{
    KeptCurve kept(0, 100);
    Curve all{0, {}};
    for (int i = 0; i < 10'007; ++i) {
        Sample sample = sampleAt(std::int64_t{i} * 1'000'000, 1000 + i % 10);
        sample[Column::SystemAvailableBytes] = i == 1 ? 7 : i == 5001 ? 3 : 500;
        sample[Column::SwapBytes] = i < 7003 ? 0 : i;
        if (i == 3333)
            sample[Column::TreeBytes] = 1'000'000;
        all.samples.push_back(sample);
        kept.add(sample);
    }
    QVERIFY(kept.curve().samples.size() < 120);
    const CurveSummary expected = summarise(all);
    const CurveSummary got = kept.summary();
    QCOMPARE(got.sampleCount, expected.sampleCount);
    QCOMPARE(got.peakTreeBytes, std::uint64_t{1'000'000});
    QCOMPARE(got.peakSwapBytes, expected.peakSwapBytes);
    QCOMPARE(got.lowestAvailableBytes, std::uint64_t{3});
    QCOMPARE(got.baselineAvailableBytes, expected.baselineAvailableBytes);
    QCOMPARE(got.meanRateBytesPerS, expected.meanRateBytesPerS);
    QCOMPARE(*got.swapBeganS, *expected.swapBeganS);
}

QTEST_APPLESS_MAIN(tst_RunEvents)
#include "tst_RunEvents.moc"
