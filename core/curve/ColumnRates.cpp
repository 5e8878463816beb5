#include "core/curve/ColumnRates.h"

namespace loadlab {

void ColumnRates::add(const Sample& sample)
{
    for (std::size_t i = 0; i < kColumnCount; ++i) {
        if (sample.values[i] == kAbsent)
            continue;
        Seen& seen = m_seen[i];
        if (seen.count++ == 0)
            seen.firstNs = sample.monotonicNs;
        seen.lastNs = sample.monotonicNs;
    }
}

std::optional<double> ColumnRates::hz(Column column) const
{
    const Seen& seen = of(column);
    if (seen.count < 2 || seen.lastNs <= seen.firstNs)
        return std::nullopt;
    return static_cast<double>(seen.count - 1) * 1e9 / static_cast<double>(seen.lastNs - seen.firstNs);
}

} // namespace loadlab
