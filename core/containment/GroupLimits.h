#pragma once

#include "core/containment/RunGroup.h"
#include "core/telemetry/ProcFile.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace loadlab {

/// What the limits of a run's group, of every group around it, and of those that its processes moved to, still leave:
/// for the guard's looks. Descriptors stay open and reading allocates nothing. Limits change rarely and are read again
/// once a second; what is held, at every look. What is gone tells nothing; this object may outlive the group. One
/// thread at a time.
class GroupLimits {
public:
    struct Left {
        std::uint64_t leftBytes = 0; ///< limit − usage + page cache
        std::uint64_t limitBytes = 0;
        bool ofRun = false; ///< The run's own limit, else one of a group around it.
    };

    explicit GroupLimits(const RunGroup& group);

    /// The groups, by their paths, in which processes of the run are now that left its own: theirs and the limits
    /// around them count until the next call.
    void follow(const RunGroup& group, const std::set<std::string>& others);

    /// Of all groups with a limit the one that leaves least; nothing where none has one. `nowNs`: CLOCK_MONOTONIC.
    [[nodiscard]] std::optional<Left> nearest(std::int64_t nowNs);

private:
    struct Level {
        std::filesystem::path folder;
        ProcFile limit;
        ProcFile usage;
        ProcFile stat;
        std::optional<std::uint64_t> limitBytes; ///< As last read.
    };
    void add(const std::filesystem::path& folder);
    void readLimits();
    std::optional<std::uint64_t> heldIn(const Level& level);

    GroupKind m_kind;
    std::vector<Level> m_levels; ///< From the run's own outwards, then those that are followed.
    std::size_t m_ownLevels = 0;
    std::optional<std::int64_t> m_limitsReadNs;
    std::array<char, 16384> m_buffer{};
};

} // namespace loadlab
