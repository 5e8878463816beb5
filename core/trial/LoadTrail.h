#pragma once

#include "core/curve/Forecast.h"
#include "core/worker/Protocol.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace loadlab {

/// What the tree held as the load went on: memory over progress, in at most 1024 points however many tensors there are.
class LoadTrail {
public:
    /// Of every sample.
    void noteTree(double treeBytes);
    /// Bytes count where the worker tells them, else its unit.
    void note(const protocol::Progress& progress);
    /// projectedNeed() of the trail of a load that did not get to its end, when at least five points lie on it and its
    /// 95 % interval reaches no further than a quarter of the figure to either side: a guess that is wider helps nobody
    /// to choose a machine.
    [[nodiscard]] std::optional<ProjectedNeed> need() const;
    /// Its figure alone.
    [[nodiscard]] std::optional<std::uint64_t> projectedNeedBytes() const;

private:
    std::vector<ProgressPoint> m_points;
    std::optional<double> m_treeBytes;
    double m_peakBytes = 0;
    double m_highestShare = 0;
};

} // namespace loadlab
