#include "core/containment/Hierarchies.h"

#include "core/Descriptor.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

/// What mountinfo says of one mount.
struct Mount {
    std::string root; ///< Of the file system, as seen at the mount point.
    fs::path point;
    std::string type;
    std::string superOptions;
};

/// Blanks and the like stand in mountinfo as \040.
std::string unescaped(const std::string& text)
{
    const auto isOctal = [](char c) { return c >= '0' && c <= '7'; };
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && std::all_of(&text[i + 1], &text[i + 4], isOctal)) {
            plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

std::vector<Mount> readMounts(const CgroupWorld& world)
{
    std::vector<Mount> mounts;
    std::ifstream file(world.root / "proc/self/mountinfo");
    for (std::string line; std::getline(file, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos)
            continue;
        std::istringstream before(line.substr(0, dash));
        std::istringstream after(line.substr(dash + 3));
        std::string skipped;
        std::string point;
        Mount mount;
        before >> skipped >> skipped >> skipped >> mount.root >> point;
        after >> mount.type >> skipped >> mount.superOptions;
        mount.root = unescaped(mount.root);
        mount.point = world.root / fs::path(unescaped(point)).relative_path();
        mounts.push_back(std::move(mount));
    }
    return mounts;
}

bool hasOption(const std::string& options, std::string_view wanted)
{
    std::istringstream words(options);
    for (std::string word; std::getline(words, word, ',');)
        if (word == wanted)
            return true;
    return false;
}

/// In a container the path may be the host's, of which only a part, or nothing, is mounted here.
Hierarchy hierarchyOf(const Mount& mount, const std::string& path)
{
    Hierarchy found{mount.point, mount.point, mount.root};
    const auto group = folderOf(found, path);
    std::error_code ignored;
    if (group && fs::is_directory(*group, ignored))
        found.ownGroup = *group;
    return found;
}

} // namespace

std::optional<fs::path> folderOf(const Hierarchy& hierarchy, const std::string& path)
{
    const fs::path inside = fs::path(path).lexically_relative(hierarchy.root);
    if (inside.empty() || *inside.begin() == "..")
        return std::nullopt;
    return inside == "." ? hierarchy.mount : (hierarchy.mount / inside).lexically_normal();
}

std::optional<std::string> groupPathOf(
    const CgroupWorld& world, const std::string& process, const std::string& controller)
{
    std::ifstream file(world.root / "proc" / process / "cgroup");
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos)
            continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        if (controllers == controller || (!controller.empty() && hasOption(controllers, controller)))
            return line.substr(second + 1);
    }
    return std::nullopt;
}

int CgroupWorld::makeGroupFolder(const fs::path& folder)
{
    return ::mkdir(folder.c_str(), 0755) == 0 ? 0 : errno;
}

int CgroupWorld::removeGroupFolder(const fs::path& folder)
{
    return ::rmdir(folder.c_str()) == 0 ? 0 : errno;
}

std::optional<Hierarchy> findMemoryHierarchyV1(const CgroupWorld& world)
{
    for (const Mount& mount : readMounts(world))
        if (mount.type == "cgroup" && hasOption(mount.superOptions, "memory"))
            return hierarchyOf(mount, groupPathOf(world, "self", "memory").value_or("/"));
    return std::nullopt;
}

std::optional<Hierarchy> findHierarchyV2(const CgroupWorld& world)
{
    for (const Mount& mount : readMounts(world))
        if (mount.type == "cgroup2")
            return hierarchyOf(mount, groupPathOf(world, "self", "").value_or("/"));
    return std::nullopt;
}

bool holdsWord(const fs::path& file, std::string_view word)
{
    std::ifstream stream(file);
    for (std::string found; stream >> found;)
        if (found == word)
            return true;
    return false;
}

int writeValue(const fs::path& file, std::string_view value)
{
    const Descriptor out(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_TRUNC));
    if (!out)
        return errno;
    return ::write(out.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size()) ? 0 : errno;
}

} // namespace loadlab
