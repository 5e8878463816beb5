#pragma once

#include "core/Result.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace loadlab {

/// How loadlab-gui was called. Paths are bytes, as typed.
struct WindowCall {
    std::optional<std::filesystem::path> database;
    std::vector<std::filesystem::path> zooFolders;
    std::vector<std::filesystem::path> addedFolders; ///< Of --add-zoo.
    std::optional<std::filesystem::path> renderJob;
    bool helpAsked = false;
    bool versionAsked = false;
    bool platformChosen = false; ///< By one of Qt's own options (-platform, -display).
};

/// Takes argv (without the program's name) apart, by the rules of the command line (docs/CLI.md, "Rules for every
/// command"). Qt's own options are left to Qt. Invalid is wrong usage: the message quotes the word as typed and names
/// the right one. Before any QApplication, which would abort where there is no display.
Result<WindowCall> parseWindowCall(std::span<const std::string> arguments);

/// What --help prints.
std::string windowHelp();

} // namespace loadlab
