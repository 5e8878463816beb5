#pragma once

#include "core/Result.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// Environment variables of a watched program, added to those of the lab. Names and values are bytes.
using ProgramVariables = std::map<std::string, std::string>;

/// What stands for a secret's value wherever variables are shown or stored.
inline constexpr std::string_view kMasked = "***";
/// By its name, in any case; docs/CLI.md says by which words of it.
bool isSecret(std::string_view name);

/// Of "NAME=VALUE" each. Invalid says what is wrong with which: no "=", no name, a NUL, a name given twice, or one that
/// is the lab's own. Never tells a value.
Result<ProgramVariables> parseVariables(const std::vector<std::string>& words);
/// Invalid where a secret's value is masked: a program must not start with that.
Result<void> checkSecretsKnown(const ProgramVariables& variables);
/// "NAME=VALUE" each, secrets masked.
std::vector<std::string> shownVariables(const ProgramVariables& variables);

} // namespace loadlab
