#pragma once

#include "gui/models/LiveForecast.h"

#include <cmath>
#include <functional>

/// Runs made of nothing but events, for what looks at a load in progress.
namespace growth {

inline constexpr double kGiB = 1024.0 * 1024 * 1024;

struct Host {
    double memoryGiB = 122;
    double otherGiB = 5.3; ///< Held by everybody else.
    double swapGiB = 0;
    bool unified = false;
    bool capIsAround = false; ///< The cap is a limit of a group around the run's.
    loadlab::Limits limits;
};

inline loadlab::RunEvent at(double seconds, loadlab::RunEventBody body)
{
    return {std::llround(seconds * 1e9), std::move(body)};
}

inline loadlab::RunEvent started(const Host& host)
{
    loadlab::RunStarted begin;
    begin.identity.checkpointName = "made";
    begin.identity.limits = host.limits;
    begin.machine.memoryBytes = static_cast<std::uint64_t>(host.memoryGiB * kGiB);
    begin.machine.swapBytes = static_cast<std::uint64_t>(host.swapGiB * kGiB);
    begin.machine.unifiedMemory = host.unified;
    return at(0, begin);
}

/// `gib` of the load at that time; what does not fit into memory is in swap.
inline loadlab::Sample sampleAt(double seconds, double gib, const Host& host, double gpuGiB = 0)
{
    using loadlab::Column;
    const auto bytes = [](double value) { return std::llround(value * kGiB); };
    const double room = host.memoryGiB - host.otherGiB - gpuGiB;
    const double swapped = std::max(0.0, gib - room);
    loadlab::Sample sample;
    sample.monotonicNs = std::llround(seconds * 1e9);
    sample[Column::AnonBytes] = bytes(gib - swapped);
    sample[Column::FileBytes] = 0;
    sample[Column::ShmemBytes] = 0;
    sample[Column::SwapBytes] = bytes(swapped);
    sample[Column::TreeBytes] = bytes(gib);
    sample[Column::SystemAvailableBytes] = bytes(std::max(0.0, room - gib));
    sample[Column::SystemSwapUsedBytes] = bytes(swapped);
    sample[Column::CpuNs] = 0;
    if (gpuGiB > 0)
        sample[Column::GpuBytes] = bytes(gpuGiB);
    return sample;
}

/// What a guard sees then.
inline loadlab::RunEvent seenAt(const loadlab::Sample& sample, const Host& host)
{
    using loadlab::Column;
    using Pool = loadlab::Guard::Pool;
    const auto bytes = [&sample](Column column) { return static_cast<std::uint64_t>(sample[column]); };
    Pool pool{bytes(Column::SystemAvailableBytes), static_cast<std::uint64_t>(host.memoryGiB * kGiB)};
    if (const auto& cap = host.limits.capMemoryBytes) {
        const std::uint64_t left = *cap - std::min(*cap, bytes(Column::AnonBytes));
        if (left < pool.leftBytes)
            pool = {left, *cap, host.capIsAround ? Pool::Of::Group : Pool::Of::Cap};
    }
    return {sample.monotonicNs, loadlab::GuardLooked{{sample.monotonicNs, pool, 0.0}, 0}};
}

/// Twenty samples a second of `gib` from `fromS` on, looked at every tenth of a second as the window does. Returns how
/// often the forecast was worked out.
inline int feed(loadlab::LiveForecast& forecast, const Host& host, double fromS, double toS,
    const std::function<double(double)>& gib, const std::function<double(double)>& gpuGiB = {}, bool guardLooks = true)
{
    int looks = 0;
    loadlab::SamplesTaken taken;
    for (int i = 0; fromS + i * 0.05 < toS - 1e-9; ++i) {
        const double t = fromS + i * 0.05;
        taken.samples.push_back(sampleAt(t, gib(t), host, gpuGiB ? gpuGiB(t) : 0));
        if (guardLooks && i % 10 == 0)
            forecast.apply(seenAt(taken.samples.back(), host));
        if (i % 2 == 1) {
            forecast.apply(at(t, std::exchange(taken, {})));
            looks += forecast.refresh() ? 1 : 0;
        }
    }
    return looks;
}

/// The load of the notes' table: a slow start, then linear at 1.2 GiB/s; full at 122 GiB with what others hold.
inline double ofTheNotes(double t)
{
    return 65.7 + (t < 9 ? 0.1 * t : t < 15 ? 0.9 + 0.8 * (t - 9) : 5.7 + 1.2 * (t - 15));
}

} // namespace growth
