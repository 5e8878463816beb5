#pragma once

#include "core/trial/TrialRunner.h"

#include <filesystem>
#include <string>

namespace loadlab {

/// The line that does with `loadlab` what the form would do: `loadlab [--db FILE] run CHECKPOINT …`, or
/// `cd FOLDER && loadlab run --backend command … -- PROGRAM ARG…`. Options that stand
/// at the manifest's default are left out; --db is there when the window's database is not the default one. Secrets of
/// the program are named, not told: --env HF_TOKEN="$HF_TOKEN".
std::string commandLineOf(const TrialSpec& spec, const std::filesystem::path& database);

} // namespace loadlab
