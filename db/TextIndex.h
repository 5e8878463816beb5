#pragma once

#include "core/Result.h"
#include "core/trial/RunResult.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {
namespace sqlite {
class Connection;
}

/// Full text over what a run said and was (docs/SCHEMA.md, run_text). A run is several documents, so that neither a
/// long log nor a later verdict means indexing all of it at once. Inside db/ only.
enum class TextPart : std::int64_t { Identity = 0, Verdict = 1, FirstOfLog = 2 };

/// Inside the caller's transaction; each part of a run once.
Result<void> indexText(const sqlite::Connection& database, RunId run, TextPart part, std::string_view text);

/// Indexes the log of an ended run in short transactions of its own and marks the run as done. Goes on where another
/// process, or an earlier start, left off. Outside any transaction.
Result<void> indexLog(const sqlite::Connection& database, RunId run);

/// For `WHERE run_text MATCH ?`, one expression per word of the query, cut as the index cuts words. A word matches
/// every word that begins with it.
Result<std::vector<std::string>> matchExpressions(std::string_view words);

/// The SQL expression that gives the run's number of a row of run_text.
inline constexpr const char* kRunOfText = "(rowid >> 24)";

} // namespace loadlab
