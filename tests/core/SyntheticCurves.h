#pragma once

#include "core/curve/Sample.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

/// Curves of loads as they come about, each with the truth about it. Memory in GB (10^9), 20 samples a second.
namespace loadlab::synthetic {

constexpr double kGB = 1e9;
constexpr double kHz = 20;
constexpr double kNever = std::numeric_limits<double>::infinity();

struct Load {
    std::string name;
    double limitGB;
    double lengthS;
    double levelS; ///< From here on it stays below the limit for good; kNever for one that reaches it.
    std::function<double(double)> usedGB;
    double noiseGB = 0;
    std::function<double(double)> cacheGB = [](double) { return 0.0; }; ///< Files in the page cache: free memory.
    double tolerance = 0.15; ///< Of the time left: how near a forecast can come.

    [[nodiscard]] bool reachesLimit() const { return std::isinf(levelS); }
    /// As the sampler has it: tree_bytes, file_bytes, system_available_bytes of a machine of the limit's size.
    [[nodiscard]] Curve curve() const
    {
        std::mt19937 random(17);
        std::normal_distribution<double> noise(0, 1);
        Curve all;
        for (int i = 0; i <= static_cast<int>(lengthS * kHz); ++i) {
            const double t = i / kHz;
            const double used = usedGB(t) + noiseGB * noise(random);
            Sample sample;
            sample.monotonicNs = static_cast<std::int64_t>(i) * 50'000'000;
            sample[Column::TreeBytes] = std::llround(std::max(0.0, used) * kGB / 4096) * 4096;
            sample[Column::FileBytes] = std::llround(cacheGB(t) * kGB / 4096) * 4096;
            sample[Column::SystemAvailableBytes] = std::llround(limitGB * kGB) - sample[Column::TreeBytes];
            all.samples.push_back(sample);
        }
        return all;
    }
    /// When it would reach the limit without the noise.
    [[nodiscard]] double limitS() const
    {
        double t = 0;
        while (usedGB(t) < limitGB)
            t += 1 / kHz;
        return t;
    }
};

/// `rate` GB/s from `fromS` on for at most `most` GB.
inline double ramp(double t, double fromS, double rate, double most = kNever)
{
    return std::min(most, rate * std::max(0.0, t - fromS));
}

/// `times` steps of `height` GB, each risen within `riseS`, `everyS` apart, the first at `fromS`.
inline double stairs(double t, double fromS, int times, double height, double riseS, double everyS)
{
    double sum = 0;
    for (int i = 0; i < times; ++i)
        sum += ramp(t, fromS + i * everyS, height / riseS, height);
    return sum;
}

inline std::vector<Load> loads()
{
    return {
        {"a jump", 122, 60, 10.2, [](double t) { return 5 + ramp(t, 10, 100, 20); }},
        // That they have ended is known when the next one did not come.
        {"jumps between two samples", 122, 60, 51, [](double t) { return 5 + stairs(t, 10, 4, 15, 1e-6, 10); }},
        {"shards, read and held", 122, 70, 46, [](double t) { return 3 + stairs(t, 1, 16, 5, 1, 3); }},
        {"a plateau", 122, 120, 66, [](double t) { return 1 + ramp(t, 0, 1.2, 79); }},
        {"a plateau after a fast load", 122, 60, 20, [](double t) { return ramp(t, 0, 4, 80); }},
        {"slow, then fast, then level", 122, 120, 76,
            [](double t) { return ramp(t, 0, 0.2, 4) + ramp(t, 20, 1.5, 84); }},
        {"fast, then slow, then level", 122, 120, 70,
            [](double t) { return ramp(t, 0, 3, 60) + ramp(t, 20, 0.3, 15); }},
        {"saturating", 122, 120, 45, [](double t) { return 100 * -std::expm1(-t / 15); }},
        {"saturating near the limit", 122, 150, 60, [](double t) { return 112 * -std::expm1(-t / 20); }},
        {"saturating fast", 122, 40, 12, [](double t) { return 100 * -std::expm1(-t / 3); }},
        {"saturating slowly", 122, 300, 120, [](double t) { return 105 * t / (t + 12); }},
        {"late onset, then level", 122, 150, 90, [](double t) { return 4 + ramp(t, 60, 2, 60); }},
        {"noisy, then level", 122, 120, 70, [](double t) { return ramp(t, 0, 1, 70); }, 0.5},
        {"noise near the limit", 122, 120, 0, [](double) { return 115.0; }, 0.5},
        {"swap onset, then level", 90, 140, 87.4,
            [](double t) { return ramp(t, 0, 1.2, 53) + ramp(t, 44.17, 0.37, 16); }},
        {"page cache alone", 122, 120, 0, [](double t) { return 8 + 0.001 * std::sin(t); }, 0.01,
            [](double t) { return ramp(t, 5, 1.5, 110); }},
        {"buffers taken and given back", 90, 90, 0, [](double t) { return 40 + 4 * std::fmod(t, 2); }},
        {"grown and given back", 122, 90, 55, [](double t) { return ramp(t, 0, 2, 90) - ramp(t, 50, 12, 60); }},
        {"a leak that stops", 2, 900, 600, [](double t) { return 0.5 + ramp(t, 0, 0.0015, 0.9); }},
        {"the table of 14 December", 122, 60, kNever,
            [](double t) { return 71 + ramp(t, 5, 0.2, 1) + ramp(t, 11.5, 1.2); }},
        {"steady to the limit", 122, 65, kNever, [](double t) { return ramp(t, 0, 2); }},
        {"late onset to the limit", 122, 120, kNever, [](double t) { return 4 + ramp(t, 60, 3); }},
        {"noisy to the limit", 122, 130, kNever, [](double t) { return ramp(t, 0, 1); }, 0.5},
        {"small steps to the limit", 122, 130, kNever, [](double t) { return std::floor(4 * t) / 4; }},
        {"ever faster to the limit", 122, 70, kNever, [](double t) { return 0.03 * t * t; }, 0,
            [](double) { return 0.0; }, 0.3},
        {"swap onset to the limit", 90, 150, kNever,
            [](double t) { return ramp(t, 0, 1.2, 53) + ramp(t, 44.17, 0.37); }},
        {"a leak to the limit", 2, 1100, kNever, [](double t) { return 0.5 + ramp(t, 0, 0.0015); }},
        {"a plateau, then on to the limit", 122, 130, kNever,
            [](double t) { return ramp(t, 0, 2, 60) + ramp(t, 70, 1.5); }},
    };
}

} // namespace loadlab::synthetic
