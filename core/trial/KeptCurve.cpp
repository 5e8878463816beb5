#include "core/trial/KeptCurve.h"

#include <algorithm>
#include <array>
#include <set>

namespace loadlab {
namespace {

/// The samples that figures rest on: largest of each size, least memory left, first with swap.
std::set<std::size_t> extremes(const std::vector<Sample>& samples)
{
    constexpr std::array highest{Column::TreeBytes, Column::RssBytes, Column::SwapBytes, Column::GpuBytes};
    std::set<std::size_t> kept{0, samples.size() - 1};
    for (const Column column : highest) {
        std::size_t peak = 0;
        for (std::size_t i = 0; i < samples.size(); ++i)
            if (samples[i][column] > samples[peak][column])
                peak = i;
        kept.insert(peak);
    }
    std::optional<std::size_t> least;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const Sample& sample = samples[i];
        if (sample.has(Column::SystemAvailableBytes)
            && (!least || sample[Column::SystemAvailableBytes] < samples[*least][Column::SystemAvailableBytes]))
            least = i;
    }
    if (least)
        kept.insert(*least);
    const auto swap = std::find_if(
        samples.begin(), samples.end(), [](const Sample& sample) { return sample[Column::SwapBytes] > 0; });
    if (swap != samples.end())
        kept.insert(static_cast<std::size_t>(swap - samples.begin()));
    // The first that has these columns at all is what rates and the baseline begin from.
    for (const Column column : {Column::TreeBytes, Column::SystemAvailableBytes}) {
        const auto first = std::find_if(
            samples.begin(), samples.end(), [column](const Sample& sample) { return sample.has(column); });
        if (first != samples.end())
            kept.insert(static_cast<std::size_t>(first - samples.begin()));
    }
    return kept;
}

} // namespace

KeptCurve::KeptCurve(std::int64_t originNs, std::size_t mostSamples)
    : m_curve{originNs, {}}
    , m_mostSamples(mostSamples)
{
}

void KeptCurve::add(const Sample& sample)
{
    ++m_added;
    m_curve.samples.push_back(sample);
    if (m_curve.samples.size() >= m_mostSamples)
        thin();
}

void KeptCurve::thin()
{
    const std::set<std::size_t> always = extremes(m_curve.samples);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < m_curve.samples.size(); ++i)
        if (i % 2 == 0 || always.contains(i))
            m_curve.samples[kept++] = m_curve.samples[i];
    m_curve.samples.resize(kept);
}

CurveSummary KeptCurve::summary() const
{
    CurveSummary summary = summarise(m_curve);
    summary.sampleCount = m_added;
    return summary;
}

} // namespace loadlab
