#pragma once

#include "core/FailureMode.h"
#include "core/Variant.h"
#include "core/trial/RunResult.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// A row of the run list.
struct RunRow {
    RunId run;
    std::string uuid;
    std::optional<FailureMode> mode; ///< Nothing: in progress.
    double confidence = 0;
    std::string checkpointName;
    std::string checkpointPath; ///< UTF-8.
    std::string program; ///< Of a watched program, in few words (programWords()); UTF-8.
    std::string family;
    Variant variant;
    std::chrono::system_clock::time_point startedUtc;
    std::chrono::nanoseconds duration{};
    std::uint64_t peakTreeBytes = 0;
    std::string summary;
    std::vector<float> sparkline; ///< At most 64 values, tree_bytes, for the table; empty while in progress.
};

enum class RunOrder {
    Newest,
    Oldest,
    Model,
    Mode,
    Dtype,
    DeviceMap,
    Backend,
    PeakUp,
    PeakDown,
    DurationUp,
    DurationDown
};

struct RunFilter {
    std::vector<FailureMode> modes{}; ///< Empty: all.
    bool onlyFailed = false; ///< Ended, and neither ok nor cancelled.
    std::string model{}; ///< Part of the checkpoint's name; case of ASCII letters is ignored. Empty: all.
    std::string dtype{};
    std::string deviceMap{};
    std::string backend{};
    std::optional<std::chrono::system_clock::time_point> since{};
    /// Every word must begin a word of log, verdict, name or path; case and accents are ignored, punctuation separates.
    std::string words{};
    RunOrder order = RunOrder::Newest;
    std::uint64_t limit = 0; ///< 0: all.
    std::uint64_t offset = 0;
};

} // namespace loadlab
