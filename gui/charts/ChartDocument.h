#pragma once

#include "core/Result.h"
#include "core/curve/Forecast.h"
#include "core/curve/Sample.h"
#include "core/trial/RunResult.h"

#include <QString>

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

namespace loadlab {

/// A horizontal line that a curve must not reach.
struct ChartLimit {
    enum class Kind { Limit, Guard };
    double bytes = 0;
    QString words; ///< "Limit 122 GiB, all memory"
    Kind kind = Kind::Limit;
    /// Page cache does not count: where that is stacked below the load, the line is drawn so much higher.
    bool aboveCache = false;
};

/// Where a run in progress is heading, from its last sample on. Bytes of the load without page cache, as of a
/// ChartLimit that is `aboveCache`.
struct ChartForecast {
    /// Given together, at the same times; the first is where the curve stands. Low and high: 95 %.
    struct Moment {
        double atS = 0;
        double bytes = 0;
        double lowBytes = 0;
        double highBytes = 0;
    };
    /// From now to where a limit is met.
    struct Arrow {
        double atS = 0;
        double bytes = 0;
        QString words; ///< "limit 18.3 s"
        ChartLimit::Kind kind = ChartLimit::Kind::Limit;
    };
    std::vector<Moment> course;
    std::vector<Arrow> arrows;
    std::optional<ProjectedNeed> need; ///< Of the whole load; told at the right edge.
    QString words; ///< For those who cannot see it: "limit reached in 18.3 s".
};

/// What stands where the curve ends.
struct ChartEnd {
    enum class Mark { None, Running, Loaded, Failed, Unknown };
    Mark mark = Mark::None;
    double atS = 0;
    QString words; ///< "AttributeError at 111.5 s"; may be empty.
};
/// The mark of a verdict's wire name; Running for an empty one.
ChartEnd::Mark markOf(const QString& modeWireName);

/// An instant worth a tick: "2,034 of 2,034 weights at 10.3 s".
struct ChartMark {
    double atS = 0;
    QString words;
};
/// "swap began at 68.3 s"
ChartMark swapMark(double atS);

/// All that a chart of one run shows and all that its exports say with it. A value.
struct ChartDocument {
    std::shared_ptr<const Curve> curve;
    std::vector<ChartLimit> limits;
    std::vector<Phase> phases;
    ChartEnd end;
    std::vector<ChartMark> marks;
    std::optional<ChartForecast> forecast; ///< Of a run in progress only.
    bool gpuInPool
        = false; ///< Unified memory: GPU memory is part of the machine's and stacks; else it is a line of its own.

    QString title; ///< "Run 7 · qwen3-omni-30b", "Run 8 · python load.py"
    QString subtitle; ///< "transformers · auto · cuda · cap 2.00 GiB · 14 Dec 17:31:06 · Host OOM, killed"
    QString machine; ///< "Jetson AGX Thor · 122 GiB"
    QString source; ///< "20.0 Hz, 1,101 samples · counters: /proc of the process tree"
    std::string runJson; ///< RunResult as JSON (docs/CLI.md), for the JSON export; may be empty.
};

/// From a run and its curve (may be null: an empty chart that says so). A run without a verdict is in progress: with
/// its first event it makes the document that appendSamples() then fills. Limit: the run's cap, else the machine's
/// memory when `machineMemoryBytes` > 0. Phases: as shownPhases().
ChartDocument makeDocument(const RunResult& run, std::shared_ptr<const Curve> curve,
    std::uint64_t machineMemoryBytes = 0, const QString& machineName = {});
/// From the JSON of a finished run (docs/CLI.md) and of its samples. Invalid when the samples cannot be read; missing
/// fields of the run only make the texts shorter.
Result<ChartDocument> makeDocument(const nlohmann::json& run, const nlohmann::json& samples,
    std::uint64_t machineMemoryBytes = 0, const QString& machineName = {});

} // namespace loadlab
