#pragma once

#include "core/containment/RunGroup.h"
#include "core/telemetry/ProcFile.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace loadlab {

/// What the limits of a run's group, and of every group around it, still leave: for the guard's looks. Descriptors stay
/// open and reading allocates nothing. Limits change rarely and are read again once a second; what is held, at every
/// look. What is gone tells nothing; this object may outlive the group. One thread at a time.
class GroupLimits {
public:
    struct Left {
        std::uint64_t leftBytes = 0; ///< limit − usage + page cache
        std::uint64_t limitBytes = 0;
        bool ofRun = false; ///< The run's own limit, else one of a group around it.
    };

    explicit GroupLimits(const RunGroup& group);

    /// Of all groups with a limit the one that leaves least; nothing where none has one. `nowNs`: CLOCK_MONOTONIC.
    [[nodiscard]] std::optional<Left> nearest(std::int64_t nowNs);

private:
    struct Level {
        ProcFile limit;
        ProcFile usage;
        ProcFile stat;
        std::optional<std::uint64_t> limitBytes; ///< As last read.
    };
    void readLimits();
    std::optional<std::uint64_t> heldIn(const Level& level);

    GroupKind m_kind;
    std::vector<Level> m_levels; ///< From the run's own outwards.
    std::optional<std::int64_t> m_limitsReadNs;
    std::array<char, 16384> m_buffer{};
};

} // namespace loadlab
