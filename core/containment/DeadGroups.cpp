#include "core/containment/DeadGroups.h"

#include "core/Units.h"
#include "core/containment/RunGroup.h"

#include <algorithm>
#include <deque>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::nanoseconds kSearchLimit = std::chrono::milliseconds(100);

struct Found {
    fs::path folder;
    GroupOwner owner;
};

/// Nearest first: the lab's own group, then the whole hierarchy, breadth first, as far as the time goes.
std::vector<Found> findGroupsOfLabs(const Hierarchy& place)
{
    const std::int64_t until = monotonicNs() + kSearchLimit.count();
    std::vector<Found> found;
    std::deque<fs::path> toSee{place.ownGroup, place.mount};
    while (!toSee.empty() && (monotonicNs() < until || toSee.front() == place.ownGroup)) {
        const fs::path group = std::move(toSee.front());
        toSee.pop_front();
        std::error_code error;
        for (fs::directory_iterator at(group, error), end; !error && at != end; at.increment(error)) {
            std::error_code ignored;
            if (!at->is_directory(ignored) || at->is_symlink(ignored))
                continue;
            const std::optional<GroupOwner> owner = ownerOfGroup(at->path().filename().native());
            const bool known = std::ranges::find(found, at->path(), &Found::folder) != found.end();
            if (owner && !known)
                found.push_back({at->path(), *owner});
            else if (!owner && at->path() != place.ownGroup)
                toSee.push_back(at->path());
        }
    }
    return found;
}

} // namespace

std::string toWords(const DeadGroup& group)
{
    std::string words = group.removed ? "removed the cgroup of run " : "could not remove the cgroup of run ";
    words += group.runUuid + ", whose lab died";
    if (group.processes == 1)
        words += ", and ended the process in it";
    else if (group.processes > 1)
        words += ", and ended the " + std::to_string(group.processes) + " processes in it";
    return words;
}

std::vector<DeadGroup> removeDeadGroups(const CgroupWorld& world, std::chrono::milliseconds limit)
{
    std::vector<DeadGroup> dead;
    const std::uint64_t here = thisLab({}).pidNamespace;
    const std::int64_t until = monotonicNs() + std::chrono::nanoseconds(limit).count();
    for (const auto& place : {findHierarchyV2(world), findMemoryHierarchyV1(world)}) {
        for (const Found& group : place ? findGroupsOfLabs(*place) : std::vector<Found>()) {
            if (group.owner.pidNamespace != here || isAlive(group.owner.lab))
                continue;
            DeadGroup one{group.folder, group.owner.runUuid, processesIn(group.folder).size(), false};
            const auto left = std::chrono::nanoseconds(std::max<std::int64_t>(0, until - monotonicNs()));
            one.removed = removeGroup(world, group.folder, std::chrono::floor<std::chrono::milliseconds>(left));
            dead.push_back(std::move(one));
        }
    }
    return dead;
}

} // namespace loadlab
