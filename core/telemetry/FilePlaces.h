#pragma once

#include "core/telemetry/Whereabouts.h"

#include <filesystem>
#include <sys/types.h>
#include <vector>

namespace loadlab {

using Places = std::vector<Whereabouts>;

/// The folder and, since hub caches keep their blobs beside the snapshot, what its links lead to; canonical. Empty when
/// there is none.
std::vector<std::filesystem::path> placesOf(const std::filesystem::path& folder);

/// The files below these places that the process has open; without places what findWhereabouts() takes for a load.
Places openFilesOf(pid_t pid, const std::vector<std::filesystem::path>& places, ReadWriteFiles& readWrite);

/// Likewise the mapped ones. A file that is mapped in parts, as tensor by tensor, counts with all of them, what is
/// mapped twice once; one of which nothing is in memory is only open.
Places mappedFilesOf(pid_t pid, const std::vector<std::filesystem::path>& places, ReadWriteFiles& readWrite);

} // namespace loadlab
