#include "db/StoreState.h"

#include "db/TextIndex.h"

#include <sqlite3.h>

namespace loadlab {

Result<void> RunStore::State::use(Durability durability)
{
    const bool full = durability == Durability::Disk || !writeAheadLog;
    return database.execute(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

Result<void> RunStore::State::begin(Durability durability)
{
    if (open)
        return Error{ErrorKind::Invalid, "the run store is in a transaction already"};
    if (!file.empty() && database.hasMoved()) // SQLite would go on writing into a file that nobody can find again
        return sqlite::describe(file, SQLITE_READONLY_DBMOVED, 0, "");
    Result<void> begun = use(durability);
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
    started.clear();
    for (const RunId run : std::exchange(ended, {})) // what is missing is made up for at the next start
        if (use(Durability::PageCache))
            static_cast<void>(indexLog(database, run));
    return done;
}

void RunStore::State::rollback()
{
    if (database.inTransaction()) // some errors make SQLite roll back by itself
        static_cast<void>(database.execute("ROLLBACK"));
    open = false;
    broken.reset();
    ended.clear();
    for (const RunId run : std::exchange(started, {}))
        lock.release(run); // its number may become another lab's
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
