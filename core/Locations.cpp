#include "core/Locations.h"

#include <cstdlib>
#include <string>
#include <string_view>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

std::string_view environment(const char* name)
{
    const char* value = std::getenv(name);
    return value ? std::string_view(value) : std::string_view();
}

fs::path homeFolder()
{
    const std::string_view home = environment("HOME");
    return home.empty() ? fs::path("/") : fs::path(home);
}

} // namespace

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
    const std::string_view data = environment("XDG_DATA_HOME");
    return (data.empty() ? homeFolder() / ".local/share" : fs::path(data)) / "loadlab/runs.sqlite";
}

fs::path sharedSettingsFile()
{
    const std::string_view config = environment("XDG_CONFIG_HOME");
    return (config.empty() ? homeFolder() / ".config" : fs::path(config)) / "loadlab/settings.json";
}

} // namespace loadlab
