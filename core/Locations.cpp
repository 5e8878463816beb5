#include "core/Locations.h"

#include <array>
#include <cstdlib>
#include <pwd.h>
#include <string>
#include <string_view>
#include <unistd.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

std::string_view environment(const char* name)
{
    const char* value = std::getenv(name);
    return value ? std::string_view(value) : std::string_view();
}

/// An XDG folder; what is not absolute does not count (XDG Base Directory Specification).
fs::path xdgFolder(const char* name, const char* belowHome)
{
    const std::string_view given = environment(name);
    return given.starts_with('/') ? fs::path(given) : homeFolder() / belowHome;
}

} // namespace

fs::path homeFolder()
{
    if (const std::string_view home = environment("HOME"); home.starts_with('/'))
        return home;
    std::array<char, 16384> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    const bool known = ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found;
    return known && entry.pw_dir && *entry.pw_dir == '/' ? fs::path(entry.pw_dir) : fs::path("/");
}

Locations Locations::ofThisProgram()
{
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    return ofProgramsIn(error ? fs::path("/usr/bin") : self.parent_path());
}

Locations Locations::ofProgramsIn(const fs::path& binFolder)
{
    Locations found;
    found.programs = binFolder;
    std::string_view extra = environment("LOADLAB_PLUGIN_PATH");
    while (!extra.empty()) {
        const std::size_t colon = extra.find(':');
        if (colon != 0)
            found.pluginRoots.emplace_back(extra.substr(0, colon));
        extra = colon == std::string_view::npos ? std::string_view() : extra.substr(colon + 1);
    }
    const fs::path prefix = binFolder.parent_path();
    found.pluginRoots.push_back(prefix / "lib/loadlab/plugins");
    const std::string_view resources = environment("LOADLAB_RESOURCES");
    found.resources = resources.empty() ? prefix / "share/loadlab" : fs::path(resources);
    return found;
}

fs::path defaultDatabase()
{
    if (const std::string_view given = environment("LOADLAB_DB"); !given.empty())
        return given;
    return xdgFolder("XDG_DATA_HOME", ".local/share") / "loadlab/runs.sqlite";
}

fs::path sharedSettingsFile()
{
    return xdgFolder("XDG_CONFIG_HOME", ".config") / "loadlab/settings.json";
}

} // namespace loadlab
