#include "gui/CommandLine.h"

#include "core/LimitWords.h"
#include "core/Locations.h"
#include "core/ShellWords.h"
#include "core/Units.h"
#include "gui/Words.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace loadlab {
namespace {

std::string numberWord(double value)
{
    std::array<char, 32> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    return {buffer.data(), written.ptr};
}

std::string maxMemoryWord(const std::map<std::string, std::uint64_t>& maxMemory)
{
    std::string word;
    for (const auto& [device, bytes] : maxMemory)
        word += (word.empty() ? "" : ",") + device + "=" + std::to_string(bytes);
    return word;
}

bool isDefault(const PluginManifest& plugin, const std::string& option, const std::string& value)
{
    return std::any_of(plugin.options.begin(), plugin.options.end(),
        [&](const PluginOption& known) { return known.name == option && known.defaultValue == value; });
}

/// Below the home folder with a "~", which every shell expands where the word is not quoted.
std::string pathWord(const std::filesystem::path& path)
{
    const std::string shown = shownPath(path).toStdString();
    const std::string whole = quotedForShell(path.native());
    return shown.starts_with("~/") && whole == path.native() ? shown : whole;
}

/// A secret comes from the shell's own environment: the line is shown, and copied.
std::string variableWord(const std::string& name, const std::string& value)
{
    return shownValue(name, value) == value ? quotedForShell(name + "=" + value)
                                            : quotedForShell(name + "=") + "\"$" + name + "\"";
}

} // namespace

std::string commandLineOf(const TrialSpec& spec, const std::filesystem::path& database)
{
    std::string line = spec.workingFolder.empty() ? "loadlab" : "cd " + pathWord(spec.workingFolder) + " && loadlab";
    const auto add = [&line](const char* option, const std::string& value) {
        line += std::string(" ") + option + " " + quotedForShell(value);
    };
    if (database != defaultDatabase())
        line += " --db " + pathWord(database);
    line += " run";
    if (!spec.checkpoint.empty())
        line += " " + pathWord(spec.checkpoint);
    add("--backend", spec.variant.backend);
    if (spec.program.empty()) {
        add("--dtype", spec.variant.dtype);
        add("--device-map", spec.variant.deviceMap);
    }
    if (!spec.variant.maxMemory.empty())
        add("--max-memory", maxMemoryWord(spec.variant.maxMemory));
    for (const auto& [name, value] : spec.variables)
        line += " --env " + variableWord(name, value);
    for (const auto& [option, value] : spec.variant.options)
        if (!isDefault(spec.plugin, option, value))
            add("--option", option + "=" + value);
    if (spec.limits.guard)
        add("--guard", toWord(*spec.limits.guard));
    if (spec.limits.capMemoryBytes)
        add("--cap-memory", exactSize(*spec.limits.capMemoryBytes));
    if (spec.limits.capSwapBytes)
        add("--cap-swap", exactSize(*spec.limits.capSwapBytes));
    if (spec.limits.timeout)
        add("--timeout", exactDuration(*spec.limits.timeout));
    if (spec.limits.stall)
        add("--stall", exactDuration(*spec.limits.stall));
    if (spec.limits.sampleHz != Limits().sampleHz)
        add("--sample-hz", numberWord(spec.limits.sampleHz));
    return spec.program.empty() ? line : line + " -- " + shellLine(spec.program);
}

} // namespace loadlab
