#pragma once

#include <string>
#include <vector>

namespace loadlab::cli {

/// The whole program: argv without the program's name in, exit code out. Throws nothing.
int runProgram(const std::vector<std::string>& arguments);

} // namespace loadlab::cli
