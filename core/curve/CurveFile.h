#pragma once

#include "core/Result.h"
#include "core/curve/Decimate.h"

#include <filesystem>
#include <string>
#include <vector>

namespace loadlab {

/// A curve that was recorded as a CSV file, by `loadlab samples` or anything else.
struct CurveFile {
    std::string usedColumn; ///< What `used` was read from: "used_bytes", "used_gb", "tree_bytes" or "rss + swap".
    std::vector<Point> used; ///< Bytes over the file's own seconds, in order of time.
    std::vector<Point> resident; ///< Of rss_bytes or rss_gb; empty when the file has neither.
    std::vector<Point> swap; ///< Of swap_bytes or swap_gb; likewise.
};

/// Reads such a file. The first line names the columns, in any order, separated by commas: `t_s` (seconds) and one of
/// `used_bytes`, `used_gb` (10^9 bytes), `tree_bytes`, or else `rss_bytes`/`rss_gb` (plus `swap_bytes`/`swap_gb`), the
/// first of these that is there; all other columns are ignored, but a column `run` (of `loadlab export`) may hold one
/// value only: each run has seconds of its own. Rows in any order; of several with one time the highest value counts. A
/// cell may stand in double quotes; an empty one, or "nan", was not measured, a time excepted: every row needs its own.
/// Empty lines and lines that begin with '#' are skipped. UTF-8, with or
/// without a mark; lines end in LF or CRLF and hold at most 1 MiB.
///
/// NotFound: there is no such file. Io: it cannot be read. Invalid: it is no such table; the message names file and
/// line, quotes the cell and says what would be right. Never waits (for the other end of a pipe, say).
Result<CurveFile> readCurveFile(const std::filesystem::path& file);

} // namespace loadlab
