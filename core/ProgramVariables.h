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
/// What may be shown and stored of a value: of a secret's nothing, of a URL all but its password
/// ("postgres://user:***@host/db"; the last '@' before the path ends it, and a value may hold several), a web address's
/// token ("https://***@host") and what parameters with a secret's name hold ("?token=***").
std::string shownValue(std::string_view name, std::string_view value);
/// Invalid where a secret's value, or the password of a URL, is masked: a program must not start with that.
Result<void> checkSecretsKnown(const ProgramVariables& variables);
/// "NAME=VALUE" each, as shownValue().
std::vector<std::string> shownVariables(const ProgramVariables& variables);

} // namespace loadlab
