#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace loadlab {

/// One thing that the sampler was made to see.
struct SelfTestCheck {
    std::string what; ///< "64 MiB of anonymous memory", in words.
    std::string counter; ///< The column, or "VmHWM".
    std::int64_t expectedBytes = 0; ///< By how much the counter had to move.
    std::int64_t measuredBytes = 0; ///< By how much it did.
    bool passed = false; ///< Within 2 % and 1 MiB.
};

struct SelfTestResult {
    bool passed = false; ///< Every check, and no problem.
    std::vector<SelfTestCheck> checks;
    double askedHz = 0;
    double achievedHz = 0;
    std::uint64_t missedTicks = 0;
    std::chrono::nanoseconds worstLateness{};
    std::string priority; ///< Of the sampler's thread, in words.
    std::chrono::nanoseconds duration{};
    std::string problem; ///< Why it could not be done; empty: it could.
};

/// Forks a child that allocates, shares, frees and spikes known amounts of memory (at most 128 MiB at a time), samples
/// it at 100 Hz and compares. Blocking; about half a second, never more than 3 s. The child dies with the caller. Not
/// for two threads at once.
SelfTestResult runSamplerSelfTest();

/// {"passed", "checks": [{"what", "counter", "expected_bytes", "measured_bytes", "passed"}], "asked_hz", "achieved_hz",
/// "missed_ticks", "worst_lateness_us", "priority", "seconds", "problem"}
nlohmann::json toJson(const SelfTestResult& result);

} // namespace loadlab
