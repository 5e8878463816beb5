#include "core/Text.h"
#include "core/curve/ChunkCodec.h"
#include "db/LogText.h"
#include "db/StoreState.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <system_error>
#include <unistd.h>

namespace loadlab {
namespace {

using sqlite::Connection;
using sqlite::Statement;
using Findings = std::vector<std::string>;

constexpr std::size_t kMaxFindings = 100;

/// Each row of the query, as text, is a finding.
Result<void> collect(const Connection& database, std::string_view sql, std::string_view prefix, Findings& into)
{
    Statement rows = database.prepare(sql);
    while (into.size() < kMaxFindings) {
        const Result<bool> row = rows.step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        if (std::string text = rows.text(); text != "ok")
            into.push_back(std::string(prefix) + toUtf8(text));
    }
    return {};
}

Result<void> checkChunks(const Connection& database, Findings& into)
{
    Statement rows = database.prepare("SELECT run, first, count, data FROM sample_chunks ORDER BY run, first");
    RunId run;
    std::int64_t expected = 0;
    while (into.size() < kMaxFindings) {
        const Result<bool> row = rows.step();
        if (!row || !*row)
            return row ? Result<void>() : row.error();
        const RunId at{rows.integer()};
        const std::int64_t first = rows.integer();
        const std::int64_t count = rows.integer();
        const std::string place
            = "run " + std::to_string(at.value) + ", samples from number " + std::to_string(first) + ": ";
        if (first != (at == run ? expected : 0))
            into.push_back(place + "the samples before them are missing");
        const Result<std::vector<Sample>> samples = decodeChunk(rows.bytes());
        if (!samples)
            into.push_back(place + samples.error().message);
        else if (static_cast<std::int64_t>(samples->size()) != count)
            into.push_back(place + std::to_string(samples->size()) + " instead of " + std::to_string(count));
        run = at;
        expected = first + count;
    }
    return {};
}

Result<void> checkLogs(const Connection& database, Findings& into)
{
    Statement rows = database.prepare("SELECT run, at, size, data FROM log_blocks");
    while (into.size() < kMaxFindings) {
        const Result<bool> row = rows.step();
        if (!row || !*row)
            return row ? Result<void>() : row.error();
        const std::string run = std::to_string(rows.integer());
        const std::string place = "run " + run + ", log from byte " + std::to_string(rows.integer()) + ": ";
        const std::uint64_t size = rows.count();
        const Result<std::vector<LogPiece>> pieces = decodeLogBlock(rows.bytes());
        std::uint64_t found = 0;
        if (pieces)
            for (const LogPiece& piece : *pieces)
                found += piece.bytes.size();
        if (!pieces)
            into.push_back(place + pieces.error().message);
        else if (found != size)
            into.push_back(place + std::to_string(found) + " bytes instead of " + std::to_string(size));
    }
    return {};
}

/// What no constraint of the schema can say.
constexpr const char* kOwnRules
    = "SELECT 'run ' || id || ' has ended without a verdict' FROM runs WHERE ended_utc_ms IS NOT NULL"
      " AND NOT EXISTS (SELECT 1 FROM verdicts WHERE run = runs.id AND current = 1)"
      " UNION ALL SELECT 'run ' || run || ' has a verdict and no end' FROM verdicts JOIN runs ON runs.id = run"
      " WHERE ended_utc_ms IS NULL"
      " UNION ALL SELECT 'run ' || id || ' has no details' FROM runs WHERE id NOT IN (SELECT run FROM run_details)"
      " UNION ALL SELECT 'run ' || id || ' has no uuid' FROM runs WHERE length(uuid) = 0"
      " UNION ALL SELECT 'machine ' || id || ': its facts are no JSON' FROM machines WHERE NOT json_valid(facts)"
      " UNION ALL SELECT 'run ' || id || ': its variant is no JSON' FROM runs"
      " WHERE NOT json_valid(options) OR NOT json_valid(coalesce(max_memory, 'null'))"
      " UNION ALL SELECT 'run ' || run || ': its details are no JSON' FROM run_details WHERE NOT json_valid(settings)"
      " OR NOT json_valid(environment) OR NOT json_valid(coalesce(hello, 'null')) OR NOT json_valid(coalesce(progress, "
      "'null'))"
      " OR NOT json_valid(coalesce(loaded, 'null')) OR NOT json_valid(coalesce(facts, 'null'))"
      " OR NOT json_valid(coalesce(counters, 'null'))"
      " UNION ALL SELECT 'run ' || run || ': event ' || seq || ' is no JSON' FROM events WHERE NOT json_valid(json)"
      " UNION ALL SELECT 'run ' || run || ': its verdict is no JSON' FROM verdicts"
      " WHERE NOT json_valid(evidence) OR NOT json_valid(remedies)";

Result<void> checkAll(const Connection& database, Findings& into)
{
    Result<void> done = collect(database, "PRAGMA integrity_check(100)", "integrity: ", into);
    if (done)
        done = collect(database,
            "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ' points to nothing in ' || parent"
            " FROM pragma_foreign_key_check",
            "foreign key: ", into);
    if (done)
        done = collect(database, kOwnRules, "", into);
    if (done)
        done = checkChunks(database, into);
    return done ? checkLogs(database, into) : done;
}

Error backupFailure(const std::filesystem::path& target, const std::string& words)
{
    return {ErrorKind::Io, toUtf8(target.native()) + ": " + words};
}

Result<void> copyPages(const Connection& source, const Connection& copy, const std::stop_token& stop)
{
    constexpr int kPagesAtOnce = 4096;
    sqlite3_backup* const backup = ::sqlite3_backup_init(copy.handle(), "main", source.handle(), "main");
    if (!backup)
        return copy.failure();
    int code = SQLITE_OK;
    while (code == SQLITE_OK && !stop.stop_requested())
        code = ::sqlite3_backup_step(backup, kPagesAtOnce);
    if (::sqlite3_backup_finish(backup) != SQLITE_OK)
        return copy.failure();
    return code == SQLITE_DONE ? Result<void>() : Error{ErrorKind::Cancelled, "stopped"};
}

Result<void> copyInto(const Connection& source, const std::filesystem::path& file, const std::stop_token& stop)
{
    const Result<Connection> copy = Connection::open(file, {.create = true});
    if (!copy)
        return copy.error();
    // One read over all pieces: they are of one state, and with a -wal nobody waits for it.
    Result<void> done = source.execute("BEGIN");
    if (done)
        done = source.prepare("SELECT count(*) FROM sqlite_schema").run();
    if (done)
        done = copyPages(source, *copy, stop);
    if (source.inTransaction())
        static_cast<void>(source.execute("ROLLBACK"));
    if (done) // one file, readable also where nothing can be written
        done = copy->prepare("PRAGMA journal_mode = DELETE").run();
    return done;
}

Result<void> syncFolder(const std::filesystem::path& folder)
{
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        ::fsync(descriptor);
        ::close(descriptor);
    }
    return {};
}

/// Gives the finished copy its name, unless that is taken by now.
Result<void> publish(const std::filesystem::path& copy, const std::filesystem::path& target)
{
    if (::link(copy.c_str(), target.c_str()) != 0) {
        if (errno == EEXIST)
            return Error{ErrorKind::Invalid,
                toUtf8(target.native()) + ": exists already and is not overwritten; name another file"};
        if (::renameat2(AT_FDCWD, copy.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0)
            return backupFailure(target, std::string("cannot be made (") + std::strerror(errno) + ")");
        return syncFolder(target.parent_path());
    }
    ::unlink(copy.c_str());
    return syncFolder(target.parent_path());
}

} // namespace

Result<DatabaseCheck> RunStore::check() const
{
    const Connection& database = m_state->database;
    DatabaseCheck check;
    const auto schema = database.number("PRAGMA user_version");
    const auto runs = database.number("SELECT count(*) FROM runs WHERE deleted_utc_ms IS NULL");
    const auto pages = database.number("PRAGMA page_count");
    const auto pageBytes = database.number("PRAGMA page_size");
    if (Result<void> done = checkAll(database, check.findings); !done)
        check.findings.push_back(done.error().message);
    for (const auto* number : {&schema, &runs, &pages, &pageBytes})
        if (!*number)
            check.findings.push_back(number->error().message);
    check.schema = static_cast<int>(schema ? *schema : 0);
    check.runs = static_cast<std::uint64_t>(runs ? *runs : 0);
    check.sizeBytes = pages && pageBytes ? static_cast<std::uint64_t>(*pages * *pageBytes) : 0;
    check.ok = check.findings.empty();
    return check;
}

Result<void> RunStore::backupTo(const std::filesystem::path& given, const std::stop_token& stop) const
{
    std::error_code failed;
    const std::filesystem::path target = std::filesystem::absolute(given, failed);
    if (failed || !target.has_filename())
        return Error{ErrorKind::Invalid, toUtf8(given.native()) + ": this names no file"};
    if (std::filesystem::exists(std::filesystem::symlink_status(target, failed)))
        return Error{
            ErrorKind::Invalid, toUtf8(target.native()) + ": exists already and is not overwritten; name another file"};
    if (!std::filesystem::is_directory(target.parent_path(), failed))
        return backupFailure(target, "its folder does not exist; make it first");
    std::filesystem::path copy = target;
    copy += ".part-" + std::to_string(::getpid());
    Result<void> done = copyInto(m_state->database, copy, stop);
    if (done)
        done = publish(copy, target);
    if (!done)
        for (const char* suffix : {"", "-journal", "-wal", "-shm"})
            ::unlink((copy.native() + suffix).c_str());
    if (!done)
        return std::move(done).error().in("back up the database");
    return done;
}

} // namespace loadlab
