#pragma once

#include "core/Digest.h"
#include "core/trial/RunEvent.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// Values of runs for tests of the store.
namespace loadlab::test {

inline constexpr std::int64_t kOriginNs = 5'000'000'000'000;
inline constexpr std::int64_t kTickNs = 50'000'000; ///< 20 Hz

inline MachineInfo machine()
{
    MachineInfo info;
    info.hostName = "bench";
    info.machineId = "machine-1";
    info.bootId = "boot-1";
    info.kernel = "6.1.0-18-amd64 x86_64";
    info.distribution = "Debian GNU/Linux 12";
    info.cpuModel = "EPYC";
    info.cpuCount = 2;
    info.memoryBytes = std::uint64_t{24} << 30;
    info.swapBytes = std::uint64_t{2} << 30;
    return info;
}

inline RunStarted started(const std::string& name = "qwen2.5-0.5b", const std::string& uuid = makeUuid())
{
    RunStarted begin;
    TrialIdentity& identity = begin.identity;
    identity.uuid = uuid;
    identity.checkpointPath = "/models/" + name;
    identity.checkpointName = name;
    identity.family = "qwen2";
    identity.fingerprint = "f00d";
    identity.checkpointBytes = 988'097'824;
    identity.checkpointParameters = 494'032'768;
    identity.variant.dtype = "float32";
    identity.variant.options = {{"threads", "2"}};
    identity.limits.timeout = std::chrono::minutes(5);
    identity.limits.guard = GuardMargin{.bytes = std::uint64_t{2} << 30};
    identity.predictedPeakBytes = 2'000'000'000;
    begin.startedUtc = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'770'000'000'123));
    begin.originNs = kOriginNs;
    begin.machine = machine();
    begin.labPid = 2'000'000'000; // no such process
    begin.labStartTicks = 77;
    return begin;
}

/// A load that grows by 1 MiB a tick, `count` samples from number `first` on.
inline std::vector<Sample> samples(std::size_t count, std::size_t first = 0)
{
    std::vector<Sample> list(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto n = static_cast<std::int64_t>(first + i);
        Sample& sample = list[i];
        sample.monotonicNs = kOriginNs + n * kTickNs + (n * 7919) % 20'000; // ticks are never on time to the nanosecond
        sample[Column::AnonBytes] = n << 20;
        sample[Column::FileBytes] = 95 << 20;
        sample[Column::ShmemBytes] = 0;
        sample[Column::SwapBytes] = 0;
        sample[Column::TreeBytes] = n << 20;
        sample[Column::RssBytes] = (n + 95) << 20;
        sample[Column::Processes] = 1;
        sample[Column::SystemAvailableBytes] = (std::int64_t{20} << 30) - (n << 20);
    }
    return list;
}

inline RunEvent at(double seconds, RunEventBody body)
{
    return {kOriginNs + static_cast<std::int64_t>(seconds * 1e9), std::move(body)};
}

inline RunEvent said(double seconds, protocol::Body body)
{
    const std::int64_t ns = kOriginNs + static_cast<std::int64_t>(seconds * 1e9);
    return {ns, protocol::Message{ns, std::move(body)}};
}

inline Verdict verdict(FailureMode mode)
{
    Verdict verdict;
    verdict.mode = mode;
    verdict.confidence = 0.95;
    verdict.summary
        = mode == FailureMode::Ok ? "The checkpoint was loaded." : "The file model.safetensors is cut short.";
    verdict.evidence = {{"worker.error", "header promises 988097824 bytes", std::string(toWireName(mode)), 1.0}};
    if (mode != FailureMode::Ok)
        verdict.remedies = {{"fetch-again", "Fetch the file again.", R"({"dtype":"auto"})", "rule", {3, 4}}};
    verdict.rule = "worker-error";
    verdict.rulesVersion = 3;
    return verdict;
}

/// Everything filled in, so that whatever is lost on the way shows.
inline RunResult finished(const RunStarted& begin, FailureMode mode = FailureMode::Ok)
{
    RunResult result;
    result.identity = begin.identity;
    result.startedUtc = begin.startedUtc;
    result.duration = std::chrono::nanoseconds(5'123'456'789);
    result.verdict = verdict(mode);
    result.exitCode = mode == FailureMode::Ok ? 0 : 1;
    result.curve.sampleCount = 100;
    result.curve.rateHz = 19.98;
    result.curve.peakTreeBytes = 99 << 20;
    result.curve.peakRssBytes = 194 << 20;
    result.curve.peakSwapBytes = 5;
    result.curve.peakGpuBytes = 6;
    result.curve.baselineAvailableBytes = std::uint64_t{20} << 30;
    result.curve.lowestAvailableBytes = std::uint64_t{19} << 30;
    result.curve.swapBeganS = 1.5;
    result.curve.meanRateBytesPerS = 20e6;
    result.hwmBytes = 200 << 20;
    result.projectedNeedBytes = 123;
    result.containment = "cgroup1";
    result.capKeptBy = "cgroup";
    result.swapCapKeptBy = "none";
    result.phases = {{"reading", 0.1, 4.2, 20e6, 3e5}, {"checking", 4.2, 5.0, 0.0, {}}};
    result.counters = {{Column::AnonBytes, "/proc/PID/status RssAnon", 19.98, {}},
        {Column::GpuBytes, "NVML running processes", {}, "no library"}};
    result.progress = protocol::Progress{"tensors", 291, 291, 988'097'824, 988'097'824, "lm_head.weight"};
    protocol::Loaded loaded;
    loaded.parameters = 494'032'768;
    loaded.dtypes = {{"F32", 494'032'768}};
    loaded.devices = {{"cpu", 1'976'131'072}};
    result.loaded = loaded;
    result.environment = {{"kernel", "6.1.0"}, {"libtorch", "1.13.1"}, {"loadlab", "0.1.0 (abc)"}};
    result.missedTicks = 2;
    result.worstLatenessNs = 1'234'567;
    return result;
}

} // namespace loadlab::test
