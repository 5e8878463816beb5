#pragma once

#include "db/LabLock.h"
#include "db/LogText.h"
#include "db/RunStore.h"
#include "db/SampleChunks.h"
#include "db/Sqlite.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace loadlab {

/// What a RunStore holds. Inside db/ only.
struct RunStore::State {
    sqlite::Connection database;
    std::filesystem::path file;
    LabLock lock;
    SampleWriter samples{};
    LogWriter logs{};
    bool writeAheadLog = false; ///< Else a commit that is not synced could damage the file in a power cut.
    bool open = false; ///< Between begin() and commit().
    std::optional<Error> broken{}; ///< The first error between begin() and commit().
    std::vector<RunId> started{}; ///< In the open transaction: their locks go when it is undone.
    std::vector<RunId> ended{}; ///< In the open transaction: their logs are to be indexed after it.

    Result<void> use(Durability durability);
    /// BEGIN, after making sure that the file is still where it was.
    Result<void> begin(Durability durability);
    Result<void> commit();
    void rollback();
    /// Does the work as a transaction of its own, or as part of the one that is open.
    Result<void> write(const std::function<Result<void>()>& work);
};

} // namespace loadlab
