#pragma once

#include "core/Result.h"
#include "core/containment/Hierarchies.h"
#include "core/containment/RunGroup.h"

#include <memory>
#include <string>
#include <vector>

namespace loadlab {

/// One way of containing a run, in the order of preference, and whether this machine lets this user have it.
struct ContainmentOffer {
    std::string kind; ///< "cgroup2", "cgroup1", "systemd scope"
    bool available = false;
    std::string detail; ///< Where, and what it can cap; or why not, in words that name the file.
};

/// How this lab can contain its runs: found once by trying, in this order: cgroup v2 by delegation (below the lab's own
/// group, or beside it where that is allowed), a delegated scope of the user's systemd, cgroup v1 with the memory
/// controller, else none. Immutable once made; may be used from several threads.
class Containment {
public:
    /// Makes and removes a group for a trial, with a child that joins it; so it takes a few milliseconds, and up to 2 s
    /// where the user's systemd is asked for a scope.
    static Containment probe(const CgroupWorld& world = {});
    /// None, for the reason given.
    static Containment none(std::string why);

    [[nodiscard]] GroupKind kind() const { return m_kind; }
    [[nodiscard]] const std::vector<ContainmentOffer>& offers() const { return m_offers; }
    /// "cgroup v1 at /sys/fs/cgroup/memory/…; caps memory and swap", or why there is none.
    [[nodiscard]] const std::string& detail() const { return m_detail; }

    /// NotFound where there is no containment; else as RunGroup::make().
    [[nodiscard]] Result<std::unique_ptr<RunGroup>> makeGroup(const std::string& runUuid, const Caps& caps) const;

private:
    void choose(GroupKind kind, Hierarchy place, ContainmentOffer offer);

    CgroupWorld m_world;
    GroupKind m_kind = GroupKind::None;
    Hierarchy m_place;
    std::vector<ContainmentOffer> m_offers;
    std::string m_detail;
    std::shared_ptr<void> m_scope; ///< Keeps the scope of the user's systemd alive.
};

} // namespace loadlab
