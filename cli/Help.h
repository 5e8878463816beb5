#pragma once

#include <string>
#include <string_view>

namespace loadlab::cli {

struct CommandSpec;

/// `loadlab --help`.
std::string generalHelp();
/// `loadlab db --help`: the commands that begin with this word.
std::string groupHelp(std::string_view group);
/// `loadlab COMMAND --help`: usage, meaning, options, examples.
std::string commandHelp(const CommandSpec& command);

} // namespace loadlab::cli
