#pragma once

#include "core/Locations.h"
#include "core/checkpoint/Family.h"
#include "core/telemetry/Machine.h"
#include "core/trial/TrialRunner.h"
#include "core/verdict/Judge.h"
#include "core/worker/PluginManifest.h"

#include <QString>

#include <filesystem>
#include <future>
#include <optional>
#include <string_view>
#include <vector>

namespace loadlab {

/// What the window works with: read once before it opens, never changed afterwards; any thread may read it.
struct Lab {
    Locations locations;
    FamilyCatalog families;
    Rules rules;
    std::vector<PluginEntry> plugins;
    MachineInfo machine;
    std::filesystem::path database;
    std::filesystem::path settingsFile; ///< Shared with the command line: zoo folders.
    QString windowSettingsFile; ///< INI: geometry, columns, splitters, filters.
    std::vector<std::filesystem::path> zooFolders; ///< Of --zoo; when there are some the remembered ones are not used.
    std::vector<std::filesystem::path> addedZooFolders; ///< Of --add-zoo: remembered and shown beside the others.
    StopTimes stopTimes{};
    std::shared_future<Containment> containment; ///< Found in the background; empty: runs are not contained.

    [[nodiscard]] const PluginManifest* findPlugin(std::string_view name) const; ///< Good manifests only.
    /// Borrows from this object. Waits for containment to be known, which it is by the time that somebody presses Run.
    [[nodiscard]] TrialSurroundings surroundings() const;
    /// "Intel Xeon …" or the board's name, shortened for the status bar.
    [[nodiscard]] QString machineName() const;
};

/// Reads families, rules, manifests and the machine (a few dozen small files).
Lab openLab(Locations locations, std::filesystem::path database, std::filesystem::path settingsFile);

} // namespace loadlab
