#pragma once

#include "core/telemetry/ProcessReader.h"
#include "core/telemetry/ProcessTree.h"
#include "core/telemetry/Turnover.h"

#include <cstdint>
#include <optional>

namespace loadlab {

/// A process of the tree with what was last read from it.
struct TreeMember {
    ProcessId id;
    ProcessReader reader;
    ProcessReading now;
    std::uint64_t reapedFaultsBefore = 0; ///< At the reading before.
    std::uint64_t mostFileBytes = 0; ///< Since its exec.
    ProcessTurnover turnover{};
    std::optional<std::uint64_t> leastBytes{}; ///< Resident and swapped, since its start was over.
    bool forked = false; ///< Has relatives of the same image: no exec since its fork.
    std::uint64_t inheritedAnon = 0; ///< Came with the fork.
    std::uint64_t inheritedSwap = 0;
    std::uint64_t residentAnon = 0; ///< The last cheap reading.
    std::uint64_t sharedSince = 0; ///< Of files and shared memory: what it shows more than the last full reading.
    std::uint64_t minorFaults = 0; ///< The last reading of any depth.
    std::uint64_t faultsAtCpuNs = 0; ///< When they were read between full samples.
    bool fresh = true; ///< Not read as a member yet.
    bool gone = false;
    bool counted = false; ///< While adding up.
};

/// Of `whole` bytes what a fork cannot share with its relatives: what it grew by, or faulted in.
[[nodiscard]] std::uint64_t ownAnon(const TreeMember& member, std::uint64_t whole);
[[nodiscard]] std::uint64_t ownSwap(const TreeMember& member, std::uint64_t whole);

/// What the rise of a high-water mark since the reading before proves of anonymous and shared memory, in bytes.
[[nodiscard]] std::uint64_t provenBetween(const TreeMember& member, const ProcessReading& before);

/// Bytes, resident and swapped, that it has more than at its least since its start was over; notes that.
[[nodiscard]] std::int64_t grownBy(TreeMember& member, std::int64_t nowNs);

} // namespace loadlab
