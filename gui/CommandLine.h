#pragma once

#include "core/trial/TrialRunner.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace loadlab {

/// One word of a POSIX shell command: as it is where that is safe, else in quotes; bytes that are not printable ASCII
/// become $'\xff' where they are not UTF-8.
std::string quotedForShell(std::string_view word);

/// The line that does with `loadlab` what the form would do: `loadlab [--db FILE] run CHECKPOINT …`. Options that stand
/// at the manifest's default are left out; --db is there when the window's database is not the default one.
std::string commandLineOf(const TrialSpec& spec, const std::filesystem::path& database);

} // namespace loadlab
