#pragma once

#include "core/Result.h"
#include "core/curve/Sample.h"

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// The columns of a curve as text, in the order of docs/CLI.md (`samples`): anon, file, shmem, swap, tree, gpu,
/// system_available, then the others. Always all of them, so that scripts meet the same header on every machine.
const std::vector<Column>& textColumns();

/// CSV (RFC 4180 without quoting, "\n"): a header "t_s,anon_bytes,…", then a row per sample. Seconds since the run's
/// origin with 6 decimals, decimal point whatever the locale; absent values are empty.
void writeCsv(std::ostream& out, const Curve& curve);
/// {"columns": ["t_s", …], "rows": [[0.050000, 1234, null], …]}: the same table, absent values null. Written row by
/// row: needs no memory of the table's size.
void writeJson(std::ostream& out, const Curve& curve);
/// `object`, the text of a JSON object, with that table as its last member "curve".
void writeJsonWithCurve(std::ostream& out, std::string_view object, const Curve& curve);
std::string toCsv(const Curve& curve);
std::string toJsonText(const Curve& curve);

/// Reads what writeJson wrote; columns in any order, unknown ones ignored, rows sorted by t_s. Origin is 0.
/// Invalid: no "columns"/"rows", no t_s, a row of another length, a cell that is neither number nor null.
Result<Curve> curveFromJson(const nlohmann::json& json);

} // namespace loadlab
