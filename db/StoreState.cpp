#include "db/StoreState.h"

#include "db/TextIndex.h"

#include <sqlite3.h>

namespace loadlab {

Result<void> RunStore::State::begin(Durability durability)
{
    if (open)
        return Error{ErrorKind::Invalid, "the run store is in a transaction already"};
    if (!file.empty() && database.hasMoved()) // SQLite would go on writing into a file that nobody can find again
        return sqlite::describe(file, SQLITE_READONLY_DBMOVED, 0, "");
    Result<void> begun = database.execute(
        durability == Durability::Disk ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (begun)
        begun = database.prepare("BEGIN IMMEDIATE").run();
    open = begun.has_value();
    return begun;
}

Result<void> RunStore::State::commit()
{
    if (!open)
        return Error{ErrorKind::Invalid, "the run store is in no transaction"};
    Result<void> done = broken ? Result<void>(*broken) : samples.flush(database);
    if (done)
        done = logs.flush(database);
    if (done)
        done = database.prepare("COMMIT").run();
    if (!done) {
        rollback();
        return done;
    }
    open = false;
    for (const RunId run : std::exchange(ended, {}))
        static_cast<void>(indexLog(database, run)); // what is missing is made up for at the next start
    return done;
}

void RunStore::State::rollback()
{
    if (database.inTransaction()) // some errors make SQLite roll back by itself
        static_cast<void>(database.execute("ROLLBACK"));
    open = false;
    broken.reset();
    ended.clear();
    samples.forget();
    logs.forget();
}

Result<void> RunStore::State::write(const std::function<Result<void>()>& work)
{
    if (open) {
        Result<void> done = broken ? Result<void>(*broken) : work();
        if (!done && !broken)
            broken = done.error();
        return done;
    }
    if (Result<void> begun = begin(Durability::Disk); !begun)
        return begun;
    if (Result<void> done = work(); !done) {
        rollback();
        return done;
    }
    return commit();
}

} // namespace loadlab
