#include "core/containment/Containment.h"

#include "core/Digest.h"
#include "core/Text.h"
#include "core/containment/SystemdScope.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr const char* kScope = "systemd scope";

std::string words(const fs::path& path)
{
    return toUtf8(path.string());
}

/// A child moves itself into the group and ends. 0, or what kept it out.
int tryToJoin(const RunGroup& group)
{
    const pid_t child = ::fork();
    if (child == 0) {
        group.join();
        ::_exit(0);
    }
    if (child < 0)
        return errno;
    ::waitpid(child, nullptr, 0);
    return group.joined().value_or(EPERM);
}

bool isThere(const fs::path& file)
{
    std::error_code ignored;
    return fs::exists(file, ignored);
}

/// The files that a group needs for evidence and caps; empty: all there.
std::string missingFile(GroupKind kind, const fs::path& group)
{
    const char* limit = kind == GroupKind::V1 ? "memory.limit_in_bytes" : "memory.max";
    const char* events = kind == GroupKind::V1 ? "memory.oom_control" : "memory.events";
    for (const char* file : {limit, events})
        if (!isThere(group / file))
            return file;
    return {};
}

bool capsSwap(GroupKind kind, const fs::path& group)
{
    return isThere(group / (kind == GroupKind::V1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max"));
}

/// Whether a run's group can be had here: tried with a group that is removed again.
ContainmentOffer tryPlace(const CgroupWorld& world, GroupKind kind, const Hierarchy& place, std::string name)
{
    ContainmentOffer offer{std::move(name), false, {}};
    const Result<std::unique_ptr<RunGroup>> group = RunGroup::make(world, kind, place, makeUuid(), {});
    if (!group) {
        offer.detail = group.error().message;
        return offer;
    }
    const fs::path& folder = (*group)->folder();
    if (const std::string file = missingFile(kind, folder); !file.empty())
        offer.detail = words(place.ownGroup) + " gives new groups no " + file;
    else if (const int error = tryToJoin(**group); error != 0)
        offer.detail
            = "a process may not move into a group below " + words(place.ownGroup) + ": " + std::strerror(error);
    else
        offer = {offer.kind, true,
            words(place.ownGroup)
                + (capsSwap(kind, folder) ? "; caps memory and swap" : "; caps memory, not swap (no swap accounting)")};
    constexpr std::chrono::milliseconds untilTheChildHasLeft{500};
    (*group)->remove(untilTheChildHasLeft);
    return offer;
}

/// Passes the memory controller on to groups below, where no process is in the way. 0 or errno.
int passOnMemory(const fs::path& group)
{
    return holdsWord(group / "cgroup.subtree_control", "memory")
        ? 0
        : writeValue(group / "cgroup.subtree_control", "+memory");
}

/// A group with processes may not pass controllers on. Where the lab is the only one, it moves to a leaf of its own.
std::string makeRoom(const CgroupWorld& world, const fs::path& group)
{
    if (holdsWord(group / "cgroup.subtree_control", "memory"))
        return {};
    if (!holdsWord(group / "cgroup.controllers", "memory"))
        return words(group) + " has no memory controller";
    if (::access(group.c_str(), W_OK) != 0)
        return words(group) + " may not be written by this user";
    const std::vector<pid_t> inside = processesIn(group);
    if (inside != std::vector<pid_t>{::getpid()})
        return words(group) + " holds other processes, so it cannot pass the memory controller on";
    const fs::path leaf = group / groupNameOf(thisLab("00000000-0000-0000-0000-000000000000"));
    if (const int error = world.make(leaf); error != 0 && error != EEXIST)
        return "cannot make " + words(leaf) + ": " + std::strerror(error);
    int error = writeValue(leaf / "cgroup.procs", "0");
    if (error == 0)
        error = passOnMemory(group);
    return error == 0 ? std::string()
                      : words(group) + " does not pass the memory controller on: " + std::strerror(error);
}

/// Below the lab's own group, else beside it.
ContainmentOffer tryDelegation(const CgroupWorld& world, Hierarchy& place)
{
    if (const std::string why = makeRoom(world, place.ownGroup); !why.empty()) {
        const fs::path parent = place.ownGroup.parent_path();
        const bool beside = place.ownGroup != place.mount && holdsWord(parent / "cgroup.subtree_control", "memory")
            && ::access(parent.c_str(), W_OK) == 0;
        if (!beside)
            return {"cgroup2", false, why};
        place.ownGroup = parent;
    }
    return tryPlace(world, GroupKind::V2, place, "cgroup2");
}

} // namespace

Containment Containment::none(std::string why)
{
    Containment containment;
    containment.m_detail = std::move(why);
    return containment;
}

void Containment::choose(GroupKind kind, Hierarchy place, ContainmentOffer offer)
{
    if (offer.available && m_kind == GroupKind::None) {
        m_kind = kind;
        m_place = std::move(place);
        m_detail = "cgroup v" + std::string(kind == GroupKind::V1 ? "1" : "2") + " at " + offer.detail;
    }
    m_offers.push_back(std::move(offer));
}

Containment Containment::probe(const CgroupWorld& world)
{
    Containment found;
    found.m_world = world;
    std::optional<Hierarchy> v2 = findHierarchyV2(world);
    if (v2)
        found.choose(GroupKind::V2, *v2, tryDelegation(world, *v2));
    else
        found.m_offers.push_back({"cgroup2", false, "no cgroup v2 is mounted"});

    const bool scopeCanHelp = v2 && holdsWord(v2->mount / "cgroup.controllers", "memory");
    if (found.m_kind != GroupKind::None) {
        found.m_offers.push_back({kScope, false, "not needed"});
    } else if (!scopeCanHelp) {
        found.m_offers.push_back({kScope, false, "cgroup v2 has no memory controller here"});
    } else if (auto scope = SystemdScope::make(world, *v2); !scope) {
        found.m_offers.push_back({kScope, false, scope.error().message});
    } else {
        const Hierarchy place{v2->mount, (*scope)->group(), v2->root};
        const int error = passOnMemory(place.ownGroup);
        found.choose(GroupKind::V2, place,
            error == 0 ? tryPlace(world, GroupKind::V2, place, kScope)
                       : ContainmentOffer{kScope, false,
                           words(place.ownGroup) + " does not pass the memory controller on: " + std::strerror(error)});
        if (found.m_kind == GroupKind::V2)
            found.m_scope = *scope;
    }

    if (const std::optional<Hierarchy> v1 = findMemoryHierarchyV1(world))
        found.choose(GroupKind::V1, *v1, tryPlace(world, GroupKind::V1, *v1, "cgroup1"));
    else
        found.m_offers.push_back({"cgroup1", false, "no cgroup v1 with the memory controller is mounted"});

    if (found.m_kind == GroupKind::None)
        for (const ContainmentOffer& offer : found.m_offers)
            found.m_detail += (found.m_detail.empty() ? "" : "; ") + offer.kind + ": " + offer.detail;
    return found;
}

Result<std::unique_ptr<RunGroup>> Containment::makeGroup(const std::string& runUuid, const Caps& caps) const
{
    if (m_kind == GroupKind::None)
        return Error{ErrorKind::NotFound, m_detail};
    return RunGroup::make(m_world, m_kind, m_place, runUuid, caps);
}

} // namespace loadlab
