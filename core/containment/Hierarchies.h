#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace loadlab {

/// Where the kernel's files are. A test gives a tree of its own as root, and fills new folders as the kernel would.
struct CgroupWorld {
    std::filesystem::path root = "/";
    /// As mkdir and rmdir: 0 or errno.
    std::function<int(const std::filesystem::path&)> make = makeGroupFolder;
    std::function<int(const std::filesystem::path&)> remove = removeGroupFolder;

    static int makeGroupFolder(const std::filesystem::path& folder);
    static int removeGroupFolder(const std::filesystem::path& folder);
};

/// One mounted hierarchy, as far as this process sees it.
struct Hierarchy {
    std::filesystem::path mount; ///< Below the world's root.
    std::filesystem::path ownGroup; ///< The lab's own; the mount itself where its path is not visible here.
    std::string root = "/"; ///< The group that is mounted there.
};
/// Of a group by its path, as groupPathOf() tells it; nothing where it is not below the mount.
std::optional<std::filesystem::path> folderOf(const Hierarchy& hierarchy, const std::string& path);

/// The v1 hierarchy that has the memory controller; nothing where none is mounted.
std::optional<Hierarchy> findMemoryHierarchyV1(const CgroupWorld& world);
/// The v2 hierarchy, with whatever controllers.
std::optional<Hierarchy> findHierarchyV2(const CgroupWorld& world);

/// The group of a process ("self", "4711"): in the v1 hierarchy of `controller`, or with "" in the v2 one. Nothing when
/// it is gone, or that hierarchy is not there. The v1 ones tell "/" of a process that is ending.
std::optional<std::string> groupPathOf(
    const CgroupWorld& world, const std::string& process, const std::string& controller);
/// Whether a list of words (cgroup.controllers, cgroup.subtree_control) holds this one.
bool holdsWord(const std::filesystem::path& file, std::string_view word);
/// Writes a whole value in one write, as these files want it. 0 or errno.
int writeValue(const std::filesystem::path& file, std::string_view value);

} // namespace loadlab
