#include "db/StoreFile.h"

#include "core/Text.h"
#include "db/FileMarks.h"
#include "db/Schema.h"

#include <cerrno>
#include <cstring>
#include <sqlite3.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <thread>

namespace loadlab {
namespace {

using sqlite::Connection;
using std::filesystem::path;

/// Whose file it is, as far as its main part tells. Unsettled: nobody's mark yet, but something is being written beside
/// it.
enum class Owner { Nobody, Ours, Unsettled };

constexpr const char* kElsewhere = "name another file with --db or LOADLAB_DB";

Error refusal(ErrorKind kind, const path& file, const std::string& words)
{
    return {kind, toUtf8(file.native()) + ": " + words};
}

bool hasBytes(const path& file, const char* suffix)
{
    struct stat status { };
    path beside = file;
    beside += suffix;
    return ::stat(beside.c_str(), &status) == 0 && status.st_size > 0;
}

bool isBeingWritten(const path& file)
{
    return hasBytes(file, "-wal") || hasBytes(file, "-journal");
}

Result<void> refuseNewer(const path& file, std::int64_t schema)
{
    if (schema <= schema::newest())
        return {};
    return refusal(ErrorKind::Invalid, file,
        "made by a newer LoadLab (schema " + std::to_string(schema) + ", this one knows up to "
            + std::to_string(schema::newest()) + "); update LoadLab, or " + kElsewhere);
}

Error refuseForeign(const path& file, std::int64_t applicationId)
{
    return refusal(ErrorKind::Invalid, file,
        "this database belongs to another program (application id " + std::to_string(applicationId)
            + ") and is left alone; " + kElsewhere);
}

/// Whose unfinished work it is, where `marks` can tell.
Result<Owner> ownerInMidWork(const path& file, const std::optional<FileMarks>& marks)
{
    if (!marks || !marks->areOurs())
        return Owner::Unsettled;
    if (Result<void> known = refuseNewer(file, marks->schema); !known)
        return std::move(known).error();
    return Owner::Ours;
}

/// Reads the marks in the file's header. Immutable: SQLite then takes no lock and makes no file beside it; through
/// SQLite rather than by a descriptor of our own, because closing that would drop the locks of this process's other
/// connections.
Result<Owner> ownerByHeader(const path& file)
{
    Result<Connection> opened = Connection::open(file, {.readOnly = true, .immutable = true});
    if (!opened)
        return std::move(opened).error();
    // One look: page 1, which holds the marks and the list of tables, may be written between two.
    const Result<void> begun = opened->execute("BEGIN");
    const auto id = begun ? opened->number("PRAGMA application_id") : begun.error();
    if (!id) {
        if (id.error().kind != ErrorKind::Invalid || !isBeingWritten(file))
            return id.error();
        // A checkpoint or commit that was cut off: the header may count pages that lie only in the log.
        return ownerInMidWork(file, marksInHeader(opened->head()));
    }
    const auto schema = opened->number("PRAGMA user_version");
    if (!schema)
        return schema.error();
    if (*id == schema::kApplicationId) {
        if (Result<void> known = refuseNewer(file, *schema); !known)
            return std::move(known).error();
        return Owner::Ours;
    }
    const auto tables = opened->number("SELECT count(*) FROM sqlite_schema");
    if (!tables)
        return tables.error();
    if (*id != 0 || *schema != 0 || *tables != 0)
        return refuseForeign(file, *id);
    return isBeingWritten(file) ? ownerInMidWork(file, marksInLog(file)) : Owner::Nobody;
}

/// NotFound: there is no such file.
Result<Owner> findOwner(const path& file)
{
    struct stat status { };
    if (::stat(file.c_str(), &status) != 0) {
        if (errno == ENOENT)
            return refusal(ErrorKind::NotFound, file,
                std::string("there is no such database; record a run first, or ") + kElsewhere);
        return refusal(ErrorKind::Io, file, std::string(std::strerror(errno)) + "; correct the path, or " + kElsewhere);
    }
    if (S_ISDIR(status.st_mode))
        return refusal(
            ErrorKind::Invalid, file, "this is a folder, not a database; name a file in it with --db or LOADLAB_DB");
    if (!S_ISREG(status.st_mode)) // a FIFO would block whoever opens it
        return refusal(ErrorKind::Invalid, file, std::string("this is not a regular file; ") + kElsewhere);
    if (status.st_size == 0) // a journal beside it can only say that it was empty before
        return hasBytes(file, "-wal") ? Owner::Unsettled : Owner::Nobody;
    if (status.st_size < 512) // SQLite takes one stray byte for an empty database
        return sqlite::describe(file, SQLITE_NOTADB, 0, "");
    return ownerByHeader(file);
}

Result<Owner> waitForOwner(const path& file, std::chrono::milliseconds patience)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
        Result<Owner> owner = findOwner(file);
        if (!owner || *owner != Owner::Unsettled)
            return owner;
        if (std::chrono::steady_clock::now() >= deadline)
            return refusal(ErrorKind::Invalid, file,
                std::string(
                    "has no mark of LoadLab, and another program's unfinished work lies beside it (-wal, -journal); ")
                    + kElsewhere);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

/// Retries what SQLite answers BUSY without asking its busy handler.
template <typename Work>
Result<void> patiently(const Connection& database, std::chrono::milliseconds patience, Work work)
{
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
        Result<void> done = work();
        if (done || (database.errorCode() & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() >= deadline)
            return done;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

Result<void> useWriteAheadLog(const Connection& database, std::chrono::milliseconds patience)
{
    return patiently(database, patience, [&]() -> Result<void> {
        // Where the file system cannot do it SQLite stays with its rollback journal, which is slower and as safe.
        return database.prepare("PRAGMA journal_mode = WAL").run();
    });
}

Result<void> configure(const Connection& database)
{
    database.hardenAgainstSchema();
    // secure_delete: Debian turns it on, and every merged chunk would be overwritten with zeros first.
    return database.execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF;"
                            "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
                            "PRAGMA journal_size_limit = 16777216");
}

/// Both as they were at one moment: another lab may be setting them right now.
Result<FileMarks> readMarks(const Connection& database)
{
    if (Result<void> begun = database.execute("BEGIN"); !begun)
        return std::move(begun).error();
    const auto id = database.number("PRAGMA application_id");
    const auto schema = id ? database.number("PRAGMA user_version") : id;
    const Result<void> ended = database.execute("COMMIT");
    if (!schema || !ended)
        return schema ? ended.error() : schema.error();
    return FileMarks{*id, *schema};
}

Result<void> checkMarksInUse(const Connection& database)
{
    const Result<FileMarks> marks = readMarks(database);
    if (!marks)
        return marks.error();
    if (!marks->areOurs() && marks->schema != 0)
        return refuseForeign(database.file(), marks->applicationId);
    return refuseNewer(database.file(), marks->schema);
}

Result<Connection> openForWriting(const path& file, std::chrono::milliseconds patience)
{
    Result<Connection> database = Connection::open(file, {.create = true, .patience = patience});
    if (!database)
        return database;
    if (database->isReadOnly())
        return sqlite::describe(file, SQLITE_READONLY, 0, "");
    // What the header cannot tell, a newer schema that lies in the -wal, shows only now: then too no byte may change.
    database->keepLogAtClose(true);
    Result<void> ready = checkMarksInUse(*database);
    const auto before = ready ? database->number("PRAGMA user_version") : Result<std::int64_t>(0);
    if (ready)
        ready = schema::migrate(*database);
    if (ready)
        ready = useWriteAheadLog(*database, patience);
    if (ready && before.has_value()
        && *before < schema::newest()) // the header tells the new schema to other labs at once
        ready = database->prepare("PRAGMA wal_checkpoint(PASSIVE)").run();
    if (ready)
        ready = configure(*database);
    if (!ready)
        return std::move(ready).error();
    database->keepLogAtClose(false);
    return database;
}

Result<void> readyForReading(const Connection& database)
{
    const auto schema = database.number("PRAGMA user_version");
    if (!schema)
        return schema.error();
    if (Result<void> known = refuseNewer(database.file(), *schema); !known)
        return known;
    if (*schema < schema::newest())
        return refusal(ErrorKind::Invalid, database.file(),
            "made by an older LoadLab (schema " + std::to_string(*schema)
                + "); open it once for writing to bring it up to date");
    if (Result<void> configured = configure(database); !configured)
        return configured;
    return database.execute("PRAGMA query_only = ON");
}

Result<Connection> openForReading(const path& file, std::chrono::milliseconds patience)
{
    // Opened for writing where that is allowed, so that the last one to close tidies up -wal and -shm; query_only
    // holds.
    Result<Connection> database = Connection::open(file, {.patience = patience});
    Result<void> ready = database ? readyForReading(*database) : database.error();
    if (ready)
        return database;
    // A read-only folder has no room for -shm. Without a -wal the main file is the whole database, and nobody writes
    // it.
    if (ready.error().kind == ErrorKind::Io && !hasBytes(file, "-wal")) {
        Result<Connection> alone = Connection::open(file, {.readOnly = true, .immutable = true});
        if (alone && readyForReading(*alone))
            return alone;
    }
    return std::move(ready).error();
}

} // namespace

Result<Connection> openStoreFile(const path& given, RunStore::Mode mode, std::chrono::milliseconds patience)
{
    std::error_code failed;
    const path file = std::filesystem::absolute(given, failed);
    if (failed || !file.has_filename())
        return refusal(ErrorKind::Invalid, given, "this names no file; name one with --db or LOADLAB_DB");
    const Result<Owner> owner = waitForOwner(file, patience);
    if (mode == RunStore::Mode::ReadOnly) {
        if (!owner)
            return owner.error();
        if (*owner == Owner::Nobody)
            return refusal(ErrorKind::NotFound, file,
                std::string("is empty: no run was ever recorded in it; record one, or ") + kElsewhere);
        return openForReading(file, patience);
    }
    if (!owner && owner.error().kind != ErrorKind::NotFound)
        return owner.error();
    if (!owner && !std::filesystem::is_directory(file.parent_path(), failed)) {
        std::filesystem::create_directories(file.parent_path(), failed);
        if (failed)
            return refusal(ErrorKind::Io, file,
                "its folder cannot be made (" + failed.message() + "); make it yourself, or " + kElsewhere);
    }
    return openForWriting(file, patience);
}

Result<Connection> openStoreInMemory()
{
    Result<Connection> database = Connection::openInMemory();
    if (!database)
        return database;
    Result<void> ready = schema::migrate(*database);
    if (ready)
        ready = configure(*database);
    if (!ready)
        return std::move(ready).error();
    return database;
}

} // namespace loadlab
