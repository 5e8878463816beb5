#include "Shots.h"

#include <QApplication>
#include <QDir>
#include <QPixmap>
#include <QTest>

#include <algorithm>
#include <cmath>

using namespace loadlab;

namespace shots {
namespace {

std::int64_t bytes(double gib)
{
    return static_cast<std::int64_t>(gib * kGiB);
}

CurveSummary summaryOf(const Curve& curve, double hz)
{
    CurveSummary summary;
    summary.sampleCount = curve.samples.size();
    summary.rateHz = hz;
    for (const Sample& sample : curve.samples) {
        summary.peakTreeBytes = std::max(summary.peakTreeBytes, static_cast<std::uint64_t>(sample[Column::TreeBytes]));
        summary.peakRssBytes = std::max(
            summary.peakRssBytes, static_cast<std::uint64_t>(sample[Column::AnonBytes] + sample[Column::FileBytes]));
    }
    return summary;
}

RunResult baseRun(std::int64_t id, const char* name)
{
    RunResult run;
    run.run = RunId{id};
    run.identity.uuid = "0190d2f0-0000-4000-8000-000000000007";
    run.identity.checkpointName = name;
    run.identity.checkpointPath = std::string("/models/") + name;
    run.identity.variant.deviceMap = "cpu";
    run.startedUtc
        = std::chrono::sys_days(std::chrono::year(2025) / 12 / 14) + std::chrono::hours(17) + std::chrono::minutes(31);
    run.environment = {{"kernel", "6.1.0-18-amd64 x86_64"}, {"cpu", "Test CPU"}, {"libtorch", "1.13.1"}};
    return run;
}

} // namespace

void keep(const QString& name, const QImage& image)
{
    const QString folder = qEnvironmentVariable("LOADLAB_SHOTS");
    if (!folder.isEmpty() && QDir().mkpath(folder))
        image.convertToFormat(QImage::Format_RGB888).save(QStringLiteral("%1/%2.png").arg(folder, name), "PNG", 0);
}

void keep(const QString& name, QWidget& widget)
{
    keep(name, widget.grab().toImage());
}

void addThemes()
{
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
}

void dress(const ThemeHolder& holder)
{
    qApp->setPalette(holder.theme().palette());
    qApp->setStyleSheet(holder.theme().styleSheet());
}

Sample sampleAt(double seconds)
{
    Sample sample;
    sample.monotonicNs = std::llround(seconds * 1e9);
    for (const Column column :
        {Column::AnonBytes, Column::FileBytes, Column::ShmemBytes, Column::SwapBytes, Column::TreeBytes})
        sample[column] = 0;
    return sample;
}

std::shared_ptr<const Curve> curve(double seconds, double hz, const std::function<void(double, Sample&)>& fill)
{
    auto made = std::make_shared<Curve>();
    const auto count = static_cast<int>(std::lround(seconds * hz));
    made->samples.reserve(static_cast<std::size_t>(count) + 1);
    for (int i = 0; i <= count; ++i) {
        const double t = i / hz;
        made->samples.push_back(sampleAt(t));
        fill(t, made->samples.back());
    }
    return made;
}

std::shared_ptr<const Curve> killedCurve()
{
    return curve(55, 20, [](double t, Sample& sample) {
        const double cache = t < 9 ? 65 * t / 9 : 65;
        const double anon = t < 9 ? 1 + 0.1 * t : t < 15 ? 2 + 0.8 * (t - 9) : 6.8 + 1.2 * (t - 15);
        sample[Column::FileBytes] = bytes(cache);
        sample[Column::AnonBytes] = bytes(anon);
        sample[Column::ShmemBytes] = bytes(0.3);
        sample[Column::TreeBytes] = sample[Column::AnonBytes] + sample[Column::ShmemBytes];
        sample[Column::ReadBytes] = bytes(std::min(65.0, 65 * t / 9));
        sample[Column::CpuNs] = std::llround(t * 1.8e9);
        sample[Column::SystemPsiSomeUs] = std::llround(std::max(0.0, t - 30) * 34000);
    });
}

RunResult killedRun()
{
    RunResult run = baseRun(7, "qwen3-omni-30b");
    run.identity.variant.backend = "transformers";
    run.identity.variant.deviceMap = "cuda";
    run.identity.variant.options = {{"talker", "on"}};
    run.duration = std::chrono::seconds(55);
    run.curve = summaryOf(*killedCurve(), 20);
    run.curve.baselineAvailableBytes = static_cast<std::uint64_t>(bytes(116));
    run.curve.lowestAvailableBytes = static_cast<std::uint64_t>(bytes(0.31));
    run.exitSignal = 9;
    run.phases = {
        {"starting", 0, 9, 0.1 * kGiB}, {"weights", 9, 15, 0.8 * kGiB}, {"silent initialisation", 15, 55, 1.2 * kGiB}};
    run.progress = protocol::Progress{"weights", 2034, 2034, 0, 0, ""};
    Verdict verdict;
    verdict.mode = FailureMode::HostOomKilled;
    verdict.confidence = 0.99;
    verdict.summary
        = "The kernel killed the load because all 122 GiB were used. It was 15 GiB short, still growing at 1.20 GiB/s.";
    verdict.evidence = {
        {"cgroup.oom_kill", "The kernel counted one OOM kill in the load’s own cgroup: 0 → 1", "host_oom_killed", 1.0},
        {"kernel log", "Out of memory: Killed process 48213 (python3), anon-rss 53477376 kB", "host_oom_killed", 0.95},
        {"wait status", "Signal 9; the lab sent none", "host_oom_killed", 0.8},
        {"curve", "Linear growth, 1.20 GiB/s from 15 s to 50 s, up to 122 of 122 GiB", "host_oom_killed", 0.6},
        {"meminfo", "Available memory 0.31 GiB, 40 ms before the end", "host_oom_killed", 0.5},
        {"worker log", "no OutOfMemoryError in the log. A killed process cannot write one.", "host_oom_killed", -0.02},
        {"worker log", "no CUDA error", "device_oom", 0.01}};
    verdict.remedies
        = {{"no-talker", "Load without the talker", R"({"options":{"talker":"disabled"}})", "runs", {23, 24}},
            {"experts", "Experts on demand, 24 GiB budget", R"({"options":{"experts":"24 GiB"}})", "rule", {}},
            {"swap", "Allow swap on this machine, at least 16 GiB", "null", "rule", {}}};
    verdict.rule = "host-oom-cgroup";
    verdict.rulesVersion = 3;
    run.verdict = verdict;
    return run;
}

std::shared_ptr<const Curve> loadedCurve()
{
    return curve(4, 20, [](double t, Sample& sample) {
        const double share = std::clamp((t - 0.4) / 2.6, 0.0, 1.0);
        sample[Column::FileBytes] = bytes(0.09 + 0.02 * std::sin(9 * t));
        sample[Column::AnonBytes] = bytes(0.06 + 1.84 * share);
        sample[Column::TreeBytes] = sample[Column::AnonBytes];
        sample[Column::ReadBytes] = bytes(0.92 * share);
        sample[Column::CpuNs] = std::llround(1.9e9 * t - 2e8 * std::sin(5 * t));
        sample[Column::SystemPsiSomeUs] = std::llround(3000 * t);
        sample[Column::SystemAvailableBytes] = bytes(12 - 1.9 * share);
    });
}

RunResult loadedRun()
{
    RunResult run = baseRun(12, "qwen2.5-0.5b-standin");
    run.identity.variant.dtype = "float32";
    run.duration = std::chrono::milliseconds(4120);
    run.curve = summaryOf(*loadedCurve(), 20);
    run.curve.baselineAvailableBytes = static_cast<std::uint64_t>(bytes(12));
    run.curve.lowestAvailableBytes = static_cast<std::uint64_t>(bytes(10.1));
    run.identity.predictedPeakBytes = static_cast<std::uint64_t>(bytes(1.94));
    run.exitCode = 0;
    run.phases = {{"inspecting", 0, 0.4, 0}, {"reading", 0.4, 3.0, 0.7 * kGiB}, {"checking", 3.0, 3.4, 0},
        {"holding", 3.4, 4, 0}};
    run.progress = protocol::Progress{"tensors", 290, 290, 0, 0, ""};
    Verdict verdict;
    verdict.mode = FailureMode::Ok;
    verdict.confidence = 0.99;
    verdict.summary = "Loaded in 3.0 s, peak 1.90 GiB, as predicted.";
    verdict.evidence = {{"worker.loaded", "All 290 tensors matched the family’s names and shapes", "ok", 0.99},
        {"wait status", "Exit code 0", "ok", 0.8},
        {"worker.loaded", "No value that is not finite among 290,000 sampled", "ok", 0.6}};
    verdict.rule = "loaded";
    verdict.rulesVersion = 1;
    run.verdict = verdict;
    return run;
}

} // namespace shots
