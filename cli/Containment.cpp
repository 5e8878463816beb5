#include "cli/Containment.h"

#include "cli/Output.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace loadlab::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCgroupRoot = "/sys/fs/cgroup";

/// The path of this process's group: in the v1 hierarchy of `controller`, or with "" in the v2 one.
std::string ownGroup(const std::string& controller)
{
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos)
            continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        if (controllers == controller
            || (!controller.empty() && ("," + controllers + ",").find("," + controller + ",") != std::string::npos))
            return line.substr(second + 1);
    }
    return {};
}

bool holdsWord(const fs::path& file, const std::string& word)
{
    std::ifstream stream(file);
    for (std::string found; stream >> found;)
        if (found == word)
            return true;
    return false;
}

ContainmentOffer cgroup2()
{
    const fs::path root(kCgroupRoot);
    if (std::error_code ignored; !fs::exists(root / "cgroup.controllers", ignored))
        return {"cgroup2", false, "no cgroup v2 at " + root.string()};
    const fs::path group = root / fs::path(ownGroup("")).relative_path();
    if (!holdsWord(group / "cgroup.controllers", "memory"))
        return {"cgroup2", false, printable(group.string()) + " has no memory controller"};
    if (::access(group.c_str(), W_OK) != 0)
        return {"cgroup2", false, printable(group.string()) + " may not be written by this user"};
    return {"cgroup2", true, printable(group.string())};
}

ContainmentOffer cgroup1()
{
    const fs::path root = fs::path(kCgroupRoot) / "memory";
    if (std::error_code ignored; !fs::exists(root / "memory.limit_in_bytes", ignored))
        return {"cgroup1", false, "no cgroup v1 memory controller at " + root.string()};
    fs::path group = root / fs::path(ownGroup("memory")).relative_path();
    // In a container the path may be the host's, which is not mounted here.
    if (std::error_code ignored; !fs::exists(group, ignored))
        group = root;
    if (::access(group.c_str(), W_OK) != 0)
        return {"cgroup1", false, printable(group.string()) + " may not be written by this user"};
    return {"cgroup1", true, printable(group.string())};
}

ContainmentOffer systemdScope()
{
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const fs::path socket = fs::path(runtime ? runtime : "") / "systemd/private";
    if (std::error_code ignored; !runtime || !fs::exists(socket, ignored))
        return {"systemd scope", false, "no user instance of systemd"};
    return {"systemd scope", true, "systemd-run --user --scope"};
}

} // namespace

nlohmann::json toJson(const ContainmentOffer& offer)
{
    return {{"kind", offer.kind}, {"available", offer.available}, {"detail", offer.detail}};
}

std::vector<ContainmentOffer> findContainment()
{
    return {cgroup2(), cgroup1(), systemdScope()};
}

} // namespace loadlab::cli
