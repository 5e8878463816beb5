#pragma once

#include "core/Result.h"
#include "core/trial/RunEvent.h"
#include "core/trial/RunResult.h"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace loadlab {
namespace sqlite {
class Connection;
}

/// A run's rows from values and back. Everything here runs inside the caller's transaction. Inside db/ only.

/// How JSON is stored: one line, always valid UTF-8.
std::string toText(const nlohmann::json& value);

/// The rows that a run begins with.
Result<RunId> insertRun(const sqlite::Connection& database, const RunStarted& started);

/// What an event tells besides its own row: worker, versions, progress, phases, what was loaded.
Result<void> insertEvent(const sqlite::Connection& database, RunId run, const RunEvent& event, std::int64_t originNs);

/// Ends the run's rows: figures, phases, verdict. Its samples and log are complete and merged before.
/// `judgedBy`: "lab" or "next_start" (docs/SCHEMA.md, verdicts).
Result<void> endRun(const sqlite::Connection& database, RunId run, const RunResult& result, const char* judgedBy);

/// A run in progress comes without what only its end writes: see reconstruct(). NotFound names what there is. Deleted
/// runs are not found.
struct StoredRun {
    RunResult result;
    bool ended = false;
};
Result<StoredRun> readRun(const sqlite::Connection& database, RunId run);

/// Fills in what only the end would have written, from what is stored so far: figures, phases, duration.
Result<void> reconstruct(const sqlite::Connection& database, RunId run, RunResult& into);

/// NotFound, saying which runs there are.
Error noSuchRun(const sqlite::Connection& database, std::string_view word);

} // namespace loadlab
