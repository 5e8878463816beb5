#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

struct LogLine {
    std::string text; ///< As it stood, without terminal control sequences; at most 2,000 bytes.
    std::string lowered;
    bool indented = false;
    bool survived = false; ///< Of an exception that did not end the program (core/verdict/Tracebacks.h).
};

/// The last lines of a log as rules read them: split at line feeds and carriage returns (a progress bar's last state
/// stands), empty ones left out, at most 4,000.
std::vector<LogLine> logLines(std::string_view log);

/// The text in one line for a person: cut in the middle of nothing, at most `maxBytes`, "…" where it was cut. UTF-8.
std::string excerpt(std::string_view text, std::size_t maxBytes = 300);

} // namespace loadlab
