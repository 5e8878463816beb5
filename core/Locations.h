#pragma once

#include <filesystem>
#include <vector>

namespace loadlab {

/// Where this program's companions are. The build tree has the shape of an installation
/// (bin/, lib/loadlab/plugins/, share/loadlab/), so one rule serves both: relative to the executable's folder.
struct Locations {
    std::filesystem::path programs; ///< Folder of loadlab, loadlab-gui.
    std::vector<std::filesystem::path> pluginRoots; ///< Each holds one folder per plugin. $LOADLAB_PLUGIN_PATH (':'-separated) comes first.
    std::filesystem::path resources; ///< families/, rules/, conversations/. $LOADLAB_RESOURCES replaces it.

    /// Of the running program (through /proc/self/exe).
    static Locations ofThisProgram();
    /// As if the program stood in this folder.
    static Locations ofProgramsIn(const std::filesystem::path& binFolder);
};

/// $HOME; where that is not set (a system service) or not absolute, the user's entry in the user database, else "/".
std::filesystem::path homeFolder();
/// $LOADLAB_DB, else $XDG_DATA_HOME/loadlab/runs.sqlite, else ~/.local/share/loadlab/runs.sqlite.
std::filesystem::path defaultDatabase();
/// $XDG_CONFIG_HOME/loadlab/settings.json, else ~/.config/…: what window and command line both remember (zoo folders).
std::filesystem::path sharedSettingsFile();

} // namespace loadlab
