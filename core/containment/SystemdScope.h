#pragma once

#include "core/Result.h"
#include "core/containment/Hierarchies.h"

#include <chrono>
#include <filesystem>
#include <memory>

namespace loadlab {

/// A scope of the user's systemd that is delegated to this lab, kept alive by a `cat` in it that ends with this object
/// or with the lab. The scope's own group holds no process, so that groups with controllers can be made below it.
class SystemdScope {
public:
    /// Asks `systemd-run --user --scope -p Delegate=yes`, and waits until the scope is there. NotFound: no user
    /// instance of systemd; Io: it would not, in its own words.
    static Result<std::shared_ptr<SystemdScope>> make(
        const CgroupWorld& world, const Hierarchy& v2, std::chrono::milliseconds limit = std::chrono::seconds(2));
    ~SystemdScope();
    SystemdScope(const SystemdScope&) = delete;
    SystemdScope& operator=(const SystemdScope&) = delete;

    [[nodiscard]] const std::filesystem::path& group() const;

private:
    struct State;
    explicit SystemdScope(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
