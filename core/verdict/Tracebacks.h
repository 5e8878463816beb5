#pragma once

#include "core/verdict/LogLines.h"
#include "core/verdict/RunFacts.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace loadlab {

/// A Python traceback in a log, with those that it was raised from or while handling. Those behind the prefix of a
/// process or a logger are not looked for.
struct Traceback {
    std::size_t from = 0; ///< First line, that of the log record which it belongs to included.
    std::size_t error = 0; ///< The line that names the last exception; one past the log where that is cut off.
    bool logged = false; ///< Printed below a record of level ERROR: somebody caught it.
};
std::vector<Traceback> tracebacksOf(const std::vector<LogLine>& log);

/// Sets LogLine::survived for tracebacks after which the program went on, as far as the log shows: that were logged;
/// that another one follows which stands for itself (not "failed to load", "a worker died, see above"); or all, where a
/// fault's signal ended the program, which no exception does (SIGABRT excepted). Returns the line that names the one
/// exception which was not: the last.
std::optional<std::size_t> markSurvived(std::vector<LogLine>& log, const RunFacts& facts);

} // namespace loadlab
