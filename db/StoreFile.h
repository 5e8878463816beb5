#pragma once

#include "core/Result.h"
#include "db/RunStore.h"
#include "db/Sqlite.h"

#include <chrono>
#include <filesystem>

namespace loadlab {

/// Opens, makes or migrates the database file, after making sure whose it is. A file that is refused keeps every byte,
/// and nothing appears beside it. Errors as RunStore::open says. Inside db/ only.
Result<sqlite::Connection> openStoreFile(
    const std::filesystem::path& file, RunStore::Mode mode, std::chrono::milliseconds patience);

/// A database of the newest schema that lives in memory.
Result<sqlite::Connection> openStoreInMemory();

} // namespace loadlab
