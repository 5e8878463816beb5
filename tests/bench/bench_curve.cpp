// What finding phases, foretelling, watching what is left and zooming cost. Latencies are told as percentiles of single
// calls, because a page that stutters once stutters.
#include "core/curve/Forecast.h"
#include "core/curve/Pyramid.h"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cmath>
#include <ctime>
#include <random>
#include <vector>

using namespace loadlab;

namespace {

constexpr double kGB = 1e9;
constexpr std::size_t kColumns = 1600;

/// 20 Hz: grows in bursts, holds, grows on; with noise.
double usedAt(double t, double noise)
{
    const double bursts = std::floor(t / 3) * 0.6 + std::min(1.0, std::fmod(t, 3.0)) * 0.6;
    return (t < 1800 ? bursts : 360 + 0.01 * (t - 1800)) * kGB / 10 + noise * 1e6;
}

/// Cost of phases() after range(0) seconds of samples.
void phasesAfter(benchmark::State& state)
{
    std::mt19937 random(3);
    std::normal_distribution<double> noise;
    PhaseFinder finder;
    for (int i = 0; i < state.range(0) * 20; ++i)
        finder.add({i / 20.0, usedAt(i / 20.0, noise(random))});
    for (auto _ : state)
        benchmark::DoNotOptimize(finder.phases());
    state.counters["means"] = static_cast<double>(finder.means().size());
    // A page that asks four times a second.
    state.counters["core_at_4_Hz"]
        = benchmark::Counter(0.25, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// phases() and forecast() together, as a live page asks for them.
void forecastAfter(benchmark::State& state)
{
    PhaseFinder finder;
    for (int i = 0; i < state.range(0) * 20; ++i)
        finder.add({i / 20.0, usedAt(i / 20.0, 0)});
    for (auto _ : state)
        benchmark::DoNotOptimize(forecast(finder, 122 * kGB));
}

/// A sample into the finder; hours of them, so that making room is in it.
void addSample(benchmark::State& state)
{
    PhaseFinder finder;
    double t = 0;
    for (auto _ : state) {
        finder.add({t, usedAt(t, 0)});
        t += 0.05;
    }
}

/// A sample and the guard's question, at range(0) Hz.
void watchTick(benchmark::State& state)
{
    std::mt19937 random(3);
    std::normal_distribution<double> noise(0, 1e6);
    std::vector<double> left(4096);
    for (std::size_t i = 0; i < left.size(); ++i)
        left[i] = 100 * kGB - static_cast<double>(i % 2048) * 1e7 + noise(random);
    FallWatch watch;
    const double step = 1 / static_cast<double>(state.range(0));
    double t = 0;
    std::size_t i = 0;
    for (auto _ : state) {
        watch.add(t, left[i++ % left.size()]);
        benchmark::DoNotOptimize(watch.crossing(4 * kGB, 5));
        t += step;
    }
    state.counters["core"]
        = benchmark::Counter(step, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// 10^7 points at 1000 Hz, with a single peak per million that nothing else comes near.
const Track& longTrack()
{
    static const Track track = [] {
        std::mt19937_64 random(3);
        std::vector<Point> points(10'000'000);
        for (std::size_t i = 0; i < points.size(); ++i)
            points[i] = {static_cast<double>(i) / 1000, static_cast<double>(random() % 1'000'000)};
        for (std::size_t i = 500'000; i < points.size(); i += 1'000'000)
            points[i + random() % 400'000].y = 5e6 + static_cast<double>(i);
        return Track(std::move(points));
    }();
    return track;
}

struct Zoom {
    double from, to;
};

/// From the whole to a second, any place.
std::vector<Zoom> randomZooms(std::size_t count)
{
    std::mt19937_64 random(11);
    std::uniform_real_distribution<double> unit(0, 1);
    const double whole = longTrack().back().x;
    std::vector<Zoom> zooms;
    for (std::size_t i = 0; i < count; ++i) {
        const double width = whole * std::pow(1 / whole, unit(random));
        const double from = unit(random) * (whole - width);
        zooms.push_back({from, from + width});
    }
    return zooms;
}

/// Time that this thread had a core for: what the machine's other programs take does not count.
double threadMs()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double percentile(std::vector<double>& values, double share)
{
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

/// Columns whose highest point of all is not among those kept.
std::size_t lostPeaks(const std::vector<Point>& kept, Zoom zoom)
{
    const auto& points = longTrack().points();
    const double perColumn = static_cast<double>(kColumns) / (zoom.to - zoom.from);
    const auto columnOf = [&](double x) {
        return static_cast<std::size_t>(
            std::clamp(std::floor((x - zoom.from) * perColumn), 0.0, static_cast<double>(kColumns - 1)));
    };
    std::vector<double> truth(kColumns, -1);
    std::vector<double> drawn(kColumns, -1);
    const auto gather = [&](const auto& from, std::vector<double>& highest) {
        auto point = std::ranges::lower_bound(from, zoom.from, {}, &Point::x);
        for (; point != from.end() && point->x <= zoom.to; ++point)
            highest[columnOf(point->x)] = std::max(highest[columnOf(point->x)], point->y);
    };
    gather(points, truth);
    gather(kept, drawn);
    std::size_t lost = 0;
    for (std::size_t i = 0; i < kColumns; ++i)
        lost += truth[i] != drawn[i] ? 1 : 0;
    return lost;
}

template <typename Decimate> void zoomAnywhere(benchmark::State& state, Decimate&& decimate, std::size_t checks)
{
    const auto zooms = randomZooms(2000);
    std::vector<double> took;
    std::vector<double> worked;
    std::size_t next = 0;
    for (auto _ : state) {
        const Zoom zoom = zooms[next++ % zooms.size()];
        const auto begin = std::chrono::steady_clock::now();
        const double beganMs = threadMs();
        benchmark::DoNotOptimize(decimate(zoom));
        worked.push_back(threadMs() - beganMs);
        took.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::size_t lost = 0;
    for (std::size_t i = 0; i < checks; ++i)
        lost += lostPeaks(decimate(zooms[i]), zooms[i]);
    state.counters["p50_ms"] = percentile(took, 0.5);
    state.counters["p99_ms"] = percentile(took, 0.99);
    state.counters["p99_cpu_ms"] = percentile(worked, 0.99);
    state.counters["worst_cpu_ms"] = *std::ranges::max_element(worked);
    state.counters["worst_ms"] = *std::ranges::max_element(took);
    state.counters["peaks_lost"] = static_cast<double>(lost);
}

void zoomByPyramid(benchmark::State& state)
{
    zoomAnywhere(
        state, [](Zoom zoom) { return longTrack().m4(zoom.from, zoom.to, kColumns); }, 100);
}

/// What it replaces: every point in sight is looked at.
void zoomByLookingAtAll(benchmark::State& state)
{
    zoomAnywhere(
        state, [](Zoom zoom) { return decimateM4(longTrack().points(), zoom.from, zoom.to, kColumns); }, 5);
}

void appendToTrack(benchmark::State& state)
{
    Track track;
    double x = 0;
    for (auto _ : state) {
        track.push_back({x, std::fmod(x * 7, 13)});
        x += 0.001;
    }
}

BENCHMARK(phasesAfter)->Arg(15)->Arg(60)->Arg(600)->Arg(4 * 3600)->Unit(benchmark::kMicrosecond);
BENCHMARK(forecastAfter)->Arg(60)->Arg(4 * 3600)->Unit(benchmark::kMicrosecond);
BENCHMARK(addSample)->Unit(benchmark::kNanosecond);
BENCHMARK(watchTick)->Arg(20)->Arg(1000)->Unit(benchmark::kNanosecond);
BENCHMARK(zoomByPyramid)->Iterations(4000)->Unit(benchmark::kMillisecond);
BENCHMARK(zoomByLookingAtAll)->Iterations(300)->Unit(benchmark::kMillisecond);
BENCHMARK(appendToTrack)->Unit(benchmark::kNanosecond);

} // namespace

BENCHMARK_MAIN();
