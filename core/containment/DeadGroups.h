#pragma once

#include "core/containment/Hierarchies.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace loadlab {

/// A group of a lab that died, and what became of it.
struct DeadGroup {
    std::filesystem::path folder;
    std::string runUuid; ///< All zeros: the lab's own leaf, no run's.
    std::size_t processes = 0; ///< That were still in it.
    bool removed = false;
};
/// "removed the cgroup of run …, whose lab died, and ended the process in it"
std::string toWords(const DeadGroup& group);

/// Finds groups of labs that died, in the hierarchies that containment uses (nearest first, for at most 100 ms), ends
/// what is in them and removes them. A group whose lab lives, or is of another pid namespace, is not touched. Blocks
/// up to `limit` longer where a process does not end.
std::vector<DeadGroup> removeDeadGroups(
    const CgroupWorld& world = {}, std::chrono::milliseconds limit = std::chrono::seconds(2));

} // namespace loadlab
