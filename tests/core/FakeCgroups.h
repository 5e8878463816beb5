#pragma once

#include "core/containment/Hierarchies.h"

#include <QTemporaryDir>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

/// A tree of files that looks like a machine's cgroups: what the kernel would put into a new folder appears in it, and
/// a folder goes when rmdir is called though files are in it, as the kernel's do.
class FakeCgroups {
public:
    std::vector<std::string> filesOfNewGroups;
    int refuseToMake = 0; ///< errno of mkdir.
    int busyRemovals = 0; ///< So many rmdirs fail with EBUSY.

    FakeCgroups() { write("proc/self/cgroup", ""); }

    static FakeCgroups v2(const std::string& ownGroup)
    {
        FakeCgroups fake;
        fake.write("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n");
        fake.write("proc/self/cgroup", "0::" + ownGroup + "\n");
        fake.filesOfNewGroups = {"memory.max", "memory.swap.max", "memory.events", "memory.current", "memory.stat",
            "memory.swap.current", "memory.peak"};
        fake.group("", "memory cpu", "memory cpu", "");
        return fake;
    }
    static FakeCgroups v1()
    {
        FakeCgroups fake;
        fake.write("proc/self/mountinfo",
            "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
            "36 31 0:33 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n");
        fake.write("proc/self/cgroup", "4:memory:/lab\n3:cpu,cpuacct:/\n");
        fake.filesOfNewGroups = {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control",
            "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.failcnt", "memory.stat"};
        fake.write("sys/fs/cgroup/memory/lab/cgroup.procs", "");
        return fake;
    }

    [[nodiscard]] std::filesystem::path root() const { return m_folder->path().toStdString(); }
    [[nodiscard]] std::filesystem::path at(const std::string& path) const { return root() / path; }
    [[nodiscard]] std::string read(const std::string& path) const { return readFile(at(path)); }
    static std::string readFile(const std::filesystem::path& file)
    {
        std::ifstream stream(file);
        std::ostringstream text;
        text << stream.rdbuf();
        return text.str();
    }
    void write(const std::string& path, const std::string& text) const
    {
        std::filesystem::create_directories(at(path).parent_path());
        std::ofstream(at(path)) << text;
    }
    /// A v2 group with its controllers, what it passes on, and its processes.
    void group(
        const std::string& path, const std::string& has, const std::string& passesOn, const std::string& pids) const
    {
        const std::string folder = "sys/fs/cgroup/" + path + "/";
        write(folder + "cgroup.controllers", has + "\n");
        write(folder + "cgroup.subtree_control", passesOn + "\n");
        write(folder + "cgroup.procs", pids);
    }
    [[nodiscard]] loadlab::CgroupWorld world()
    {
        loadlab::CgroupWorld world;
        world.root = root();
        world.make = [this](const std::filesystem::path& folder) { return make(folder); };
        world.remove = [this](const std::filesystem::path& folder) { return remove(folder); };
        return world;
    }
    /// Folders with a lab's name below a path.
    [[nodiscard]] std::vector<std::string> labGroups(const std::string& below = "sys/fs/cgroup") const
    {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(at(below)))
            if (entry.is_directory() && entry.path().filename().string().starts_with("loadlab-"))
                found.push_back(entry.path().string());
        return found;
    }

private:
    int make(const std::filesystem::path& folder) const
    {
        if (refuseToMake != 0)
            return refuseToMake;
        if (std::error_code failed; !std::filesystem::create_directory(folder, failed))
            return failed ? failed.value() : EEXIST;
        std::ofstream(folder / "cgroup.procs") << "";
        for (const std::string& file : filesOfNewGroups)
            std::ofstream(folder / file) << (file == "memory.max" || file == "memory.swap.max" ? "max\n" : "0\n");
        return 0;
    }
    int remove(const std::filesystem::path& folder)
    {
        if (busyRemovals > 0 && busyRemovals-- > 0)
            return EBUSY;
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            if (entry.is_directory())
                return EBUSY;
        std::error_code failed;
        std::filesystem::remove_all(folder, failed);
        return failed.value();
    }

    std::shared_ptr<QTemporaryDir> m_folder = std::make_shared<QTemporaryDir>();
};
