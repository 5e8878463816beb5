#pragma once

#include "core/curve/Sample.h"

#include <array>
#include <cstdint>
#include <optional>

namespace loadlab {

/// How often each column was there. A passive object that allocates nothing.
class ColumnRates {
public:
    /// In order of time.
    void add(const Sample& sample);
    [[nodiscard]] bool has(Column column) const { return of(column).count > 0; }
    /// Values a second between the first and the last; nothing with fewer than two.
    [[nodiscard]] std::optional<double> hz(Column column) const;

private:
    struct Seen {
        std::uint64_t count = 0;
        std::int64_t firstNs = 0;
        std::int64_t lastNs = 0;
    };
    [[nodiscard]] const Seen& of(Column column) const { return m_seen[static_cast<std::size_t>(column)]; }

    std::array<Seen, kColumnCount> m_seen;
};

} // namespace loadlab
