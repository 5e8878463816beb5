#include "gui/Lab.h"

#include "gui/Words.h"

namespace loadlab {

const PluginManifest* Lab::findPlugin(std::string_view name) const
{
    for (const PluginEntry& entry : plugins)
        if (entry.name == name && entry.manifest)
            return &*entry.manifest;
    return nullptr;
}

TrialSurroundings Lab::surroundings() const
{
    TrialSurroundings given;
    given.families = &families;
    given.rules = &rules;
    given.machine = machine;
    given.resources = locations.resources;
    given.stopTimes = stopTimes;
    given.containment = containment.valid() ? &containment.get() : nullptr;
    return given;
}

QString Lab::machineName() const
{
    return toQString(machine.hostName.empty() ? machine.cpuModel : machine.hostName);
}

Lab openLab(Locations locations, std::filesystem::path database, std::filesystem::path settingsFile)
{
    Lab lab;
    lab.families = FamilyCatalog::load(locations.resources / "families");
    lab.rules = Rules::load(locations.resources / "rules");
    lab.plugins = findPlugins(locations.pluginRoots);
    lab.machine = readMachine();
    lab.containment = std::async(std::launch::async, [] { return Containment::probe(); }).share();
    lab.windowSettingsFile = toQString((settingsFile.parent_path() / "window.ini").native());
    lab.locations = std::move(locations);
    lab.database = std::move(database);
    lab.settingsFile = std::move(settingsFile);
    return lab;
}

} // namespace loadlab
