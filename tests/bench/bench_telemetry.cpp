// What a sample costs, and what showing and storing samples costs. Ratios of one run count, never absolute times.
#include "core/curve/ChunkCodec.h"
#include "core/curve/Decimate.h"
#include "core/telemetry/ProcessTree.h"
#include "core/telemetry/SystemCounters.h"
#include "core/verdict/Judge.h"

#include <array>
#include <benchmark/benchmark.h>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <random>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loadlab;

namespace {

/// A process with `children` children, all of which wait.
class Family {
public:
    explicit Family(int children)
    {
        std::array<int, 2> ready{};
        if (::pipe(ready.data()) != 0)
            std::abort();
        m_root = ::fork();
        if (m_root == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            const pid_t root = ::getpid();
            for (int i = 0; i < children; ++i)
                if (::fork() == 0) {
                    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                    while (::getppid() == root) // It may have ended before that.
                        ::pause();
                }
            if (::write(ready[1], "x", 1) == 1)
                for (;;)
                    ::pause();
        }
        char byte = 0;
        if (::read(ready[0], &byte, 1) != 1)
            std::abort();
        ::close(ready[0]);
        ::close(ready[1]);
    }
    ~Family()
    {
        ::kill(m_root, SIGKILL);
        ::waitpid(m_root, nullptr, 0);
    }
    [[nodiscard]] pid_t root() const { return m_root; }

private:
    pid_t m_root = 0;
};

void sampleTree(benchmark::State& state, ProcessTree::Depth depth)
{
    const Family family(static_cast<int>(state.range(0)) - 1);
    ProcessTree tree(family.root());
    Sample sample;
    tree.sample(sample);
    for (auto _ : state)
        tree.sample(sample, depth);
    state.counters["processes"] = static_cast<double>(state.range(0));
}

void sampleTreeFull(benchmark::State& state)
{
    sampleTree(state, ProcessTree::Depth::Full);
}

void sampleTreeResident(benchmark::State& state)
{
    sampleTree(state, ProcessTree::Depth::Resident);
}

std::size_t readOnce(const std::string& path, std::array<char, 4096>& buffer)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto got = ::read(fd, buffer.data(), buffer.size());
    ::close(fd);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

/// What a monitor does that opens every file for every sample: children, stat and status of each process.
void openEveryTime(benchmark::State& state)
{
    const Family family(static_cast<int>(state.range(0)) - 1);
    ProcessTree tree(family.root());
    const auto living = tree.living();
    std::array<char, 4096> buffer{};
    for (auto _ : state)
        for (const auto& process : living) {
            const auto folder = "/proc/" + std::to_string(process.pid);
            for (const auto* file : {"/stat", "/status", "/io"})
                benchmark::DoNotOptimize(readOnce(folder + file, buffer));
            benchmark::DoNotOptimize(readOnce(folder + "/task/" + std::to_string(process.pid) + "/children", buffer));
        }
    state.counters["processes"] = static_cast<double>(state.range(0));
}

void sampleSystem(benchmark::State& state)
{
    SystemCounters system;
    Sample sample;
    for (auto _ : state)
        system.sample(sample);
}

std::vector<Point> manyPoints(std::size_t count)
{
    std::mt19937_64 random(3);
    std::vector<Point> points(count);
    for (std::size_t i = 0; i < count; ++i)
        points[i] = {static_cast<double>(i) / 1000, static_cast<double>(random() % 1'000'000)};
    return points;
}

/// range(0) points, of which one in range(1) is in sight.
void decimate(benchmark::State& state)
{
    const auto points = manyPoints(static_cast<std::size_t>(state.range(0)));
    const auto from = points.back().x / 3;
    const auto to
        = state.range(1) == 1 ? points.back().x : from + points.back().x / static_cast<double>(state.range(1));
    for (auto _ : state)
        benchmark::DoNotOptimize(decimateM4(points, state.range(1) == 1 ? 0 : from, to, 1600));
    state.SetItemsProcessed(state.iterations() * state.range(0) / state.range(1));
}

/// A load at 20 Hz as the sampler stores it, of this process: real noise in the system's columns.
std::vector<Sample> recordedSamples(std::size_t count)
{
    ProcessTree tree(::getpid());
    SystemCounters system;
    std::vector<Sample> samples(count);
    std::mt19937_64 random(5);
    std::int64_t grown = 0;
    for (std::size_t i = 0; i < count; ++i) {
        tree.sample(samples[i]);
        system.sample(samples[i]);
        grown += i < count * 8 / 10 ? static_cast<std::int64_t>(13'000 + random() % 1'000) * 4096 : 0;
        samples[i].monotonicNs = 7'000'000'000'000 + static_cast<std::int64_t>(i) * 50'000'000
            + static_cast<std::int64_t>(random() % 60) * 1000;
        for (const auto column : {Column::AnonBytes, Column::TreeBytes, Column::RssBytes})
            samples[i][column] += grown;
        samples[i][Column::SystemAvailableBytes] -= grown;
        samples[i][Column::SystemFreeBytes] -= grown;
    }
    return samples;
}

void encode(benchmark::State& state)
{
    const auto samples = recordedSamples(static_cast<std::size_t>(state.range(0)));
    std::string blob;
    for (auto _ : state)
        blob = encodeChunk(samples);
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.counters["bytes_per_sample"] = static_cast<double>(blob.size()) / static_cast<double>(state.range(0));
}

/// Time and tree_bytes alone, the figure that other stores are compared by.
void encodeTimeAndOneValue(benchmark::State& state)
{
    auto samples = recordedSamples(static_cast<std::size_t>(state.range(0)));
    for (auto& sample : samples) {
        const auto tree = sample[Column::TreeBytes];
        sample.values = Sample::absentValues();
        sample[Column::TreeBytes] = tree;
    }
    std::string blob;
    for (auto _ : state)
        blob = encodeChunk(samples);
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.counters["bytes_per_sample"] = static_cast<double>(blob.size()) / static_cast<double>(state.range(0));
}

void decode(benchmark::State& state)
{
    const auto blob = encodeChunk(recordedSamples(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state)
        benchmark::DoNotOptimize(decodeChunk(blob));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

/// A failed run with 64 KiB of log against all rules.
void judgeLog(benchmark::State& state)
{
    const auto rules = Rules::load(LOADLAB_SOURCE_DIR "/resources/rules");
    RunFacts facts;
    facts.hello = protocol::Hello{};
    facts.wait = WaitStatus{};
    facts.wait->code = 1;
    while (facts.logTail.size() < 64'000)
        facts.logTail += "2026-01-31 12:00:00 INFO loading shard 3 of 15: model.layers.11.mlp.down_proj.weight\n";
    facts.logTail += "RuntimeError: PytorchStreamReader failed reading zip archive\n";
    for (auto _ : state)
        benchmark::DoNotOptimize(judge(facts, rules));
}

BENCHMARK(sampleTreeFull)->Arg(1)->Arg(9)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(sampleTreeResident)->Arg(1)->Arg(9)->Unit(benchmark::kMicrosecond);
BENCHMARK(openEveryTime)->Arg(1)->Arg(9)->Unit(benchmark::kMicrosecond);
BENCHMARK(sampleSystem)->Unit(benchmark::kMicrosecond);
BENCHMARK(decimate)
    ->Args({1'000'000, 1})
    ->Args({10'000'000, 1})
    ->Args({10'000'000, 100})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(encode)->Arg(20)->Arg(1200)->Arg(4096)->Unit(benchmark::kMicrosecond);
BENCHMARK(encodeTimeAndOneValue)->Arg(4096)->Unit(benchmark::kMicrosecond);
BENCHMARK(decode)->Arg(1200)->Unit(benchmark::kMicrosecond);
BENCHMARK(judgeLog)->Unit(benchmark::kMicrosecond);

} // namespace

BENCHMARK_MAIN();
