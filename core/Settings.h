#pragma once

#include "core/Result.h"

#include <filesystem>
#include <functional>
#include <vector>

namespace loadlab {

/// What window and command line both remember (core/Locations.h: sharedSettingsFile()).
struct SharedSettings {
    std::vector<std::filesystem::path> zooFolders; ///< Absolute, in the order in which they were added, each once.
    bool operator==(const SharedSettings&) const = default;
};

/// Reads {"zoo_folders": [...]}. A file that does not exist gives the defaults. A folder whose name is not UTF-8 stands
/// as {"hex": "2f…"}. Errors: Io (unreadable), Invalid (no JSON object, wrong types); both name the file.
Result<SharedSettings> loadSettings(const std::filesystem::path& file);

/// Loads, changes and replaces the file: written beside, synced, renamed, so a reader sees the old text or the new one.
/// Keys this version does not know are kept. Several processes may do so at once: the folder is locked meanwhile. A
/// file that cannot be understood is left as it is (Invalid). Makes the folder. Returns what was saved. Any thread;
/// blocks on the disk.
Result<SharedSettings> changeSettings(
    const std::filesystem::path& file, const std::function<void(SharedSettings&)>& change);

} // namespace loadlab
