#pragma once

#include "core/Result.h"
#include "core/curve/Decimate.h"
#include "db/RunStore.h"

#include <string_view>
#include <vector>

namespace loadlab::cli {

class Lab;

/// The database, opened for reading, and a run in it.
struct History {
    RunStore store;
    RunId run;
};

/// RUN of the command line. NotFound: there is no such run, or none at all.
Result<History> openRun(Lab& lab, std::string_view word);
/// A word that names no run is wrong usage; a database that cannot be read is the lab's.
int historyFailed(Lab& lab, const Error& error);
/// tree_bytes over seconds.
std::vector<Point> treeOf(const Curve& curve);

} // namespace loadlab::cli
