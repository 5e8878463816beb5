#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace loadlab::cli {

/// One way in which this machine could keep a load within limits.
struct ContainmentOffer {
    std::string kind; ///< "cgroup2", "cgroup1", "systemd scope"
    bool available = false; ///< To this user, now.
    std::string detail; ///< Where, or why not.
};
nlohmann::json toJson(const ContainmentOffer& offer);

/// Looks only; makes nothing.
std::vector<ContainmentOffer> findContainment();

} // namespace loadlab::cli
