#pragma once

#include <string>

namespace loadlab::cli {

struct CommandSpec;

/// `loadlab --help`.
std::string generalHelp();
/// `loadlab COMMAND --help`: usage, meaning, options, examples.
std::string commandHelp(const CommandSpec& command);

} // namespace loadlab::cli
