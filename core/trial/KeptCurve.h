#pragma once

#include "core/curve/CurveSummary.h"
#include "core/curve/Sample.h"

#include <cstddef>
#include <cstdint>

namespace loadlab {

/// A run's samples in bounded memory, for its figures: from 2^17 samples on (22 MB) every second one is dropped, but
/// never one that holds an extreme. What listeners get is not thinned.
class KeptCurve {
public:
    explicit KeptCurve(std::int64_t originNs, std::size_t mostSamples = std::size_t{1} << 17);

    void add(const Sample& sample);
    [[nodiscard]] const Curve& curve() const { return m_curve; }
    /// As of all samples ever added, but for the rate: a run tells its sampler's.
    [[nodiscard]] CurveSummary summary() const;

private:
    void thin();

    Curve m_curve;
    std::size_t m_mostSamples;
    std::uint64_t m_added = 0;
};

} // namespace loadlab
