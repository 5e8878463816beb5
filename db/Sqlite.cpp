#include "db/Sqlite.h"

#include "core/Text.h"

#include <cerrno>
#include <cmath>
#include <limits>
#include <sqlite3.h>

namespace loadlab::sqlite {

void CloseConnection::operator()(sqlite3* handle) const noexcept
{
    ::sqlite3_close_v2(handle);
}

void FinalizeStatement::operator()(sqlite3_stmt* handle) const noexcept
{
    ::sqlite3_finalize(handle);
}

Value integer(std::uint64_t value)
{
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(std::min(value, kLargest));
}

Value real(double value)
{
    return std::isfinite(value) ? value : 0.0;
}

Value flag(bool value)
{
    return std::int64_t{value};
}

// --- Statement

Statement::Statement(const Connection& connection, StatementHandle handle, std::optional<Error> error)
    : m_connection(connection)
    , m_handle(std::move(handle))
    , m_error(std::move(error))
{
}

Statement::~Statement()
{
    if (!m_handle)
        return;
    ::sqlite3_reset(row());
    ::sqlite3_clear_bindings(row());
    m_connection.m_idle[::sqlite3_sql(row())] = std::move(m_handle);
}

Statement& Statement::bind(const Value& value)
{
    if (m_error)
        return *this;
    struct Binder {
        sqlite3_stmt* statement;
        int index;
        int operator()(std::nullptr_t) const { return ::sqlite3_bind_null(statement, index); }
        int operator()(std::int64_t number) const { return ::sqlite3_bind_int64(statement, index, number); }
        int operator()(double number) const { return ::sqlite3_bind_double(statement, index, number); }
        int operator()(std::string_view text) const
        {
            return ::sqlite3_bind_text64(
                statement, index, text.data() ? text.data() : "", text.size(), nullptr, SQLITE_UTF8);
        }
        int operator()(Blob blob) const
        {
            const char* data = blob.bytes.data() ? blob.bytes.data() : "";
            return ::sqlite3_bind_blob64(statement, index, data, blob.bytes.size(), nullptr);
        }
    };
    if (std::visit(Binder{row(), ++m_parameter}, value) != SQLITE_OK)
        m_error = m_connection.failure();
    return *this;
}

Statement& Statement::bindAll(std::span<const Value> values)
{
    for (const Value& value : values)
        bind(value);
    return *this;
}

Result<bool> Statement::step()
{
    if (m_error)
        return *m_error;
    m_column = 0;
    errno = 0; // for failure()
    const int code = ::sqlite3_step(row());
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE)
        return false;
    m_error = m_connection.failure();
    return *m_error;
}

Result<void> Statement::run()
{
    while (true) {
        Result<bool> more = step();
        if (!more)
            return std::move(more).error();
        if (!*more)
            return {};
    }
}

std::int64_t Statement::integer()
{
    return ::sqlite3_column_int64(row(), m_column++);
}

std::uint64_t Statement::count()
{
    return static_cast<std::uint64_t>(std::max<std::int64_t>(integer(), 0));
}

double Statement::real()
{
    return ::sqlite3_column_double(row(), m_column++);
}

std::string_view Statement::bytes()
{
    const int column = m_column++;
    const void* data = ::sqlite3_column_blob(row(), column);
    const int size = ::sqlite3_column_bytes(row(), column);
    return data ? std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size)) : std::string_view();
}

std::string Statement::text()
{
    return std::string(bytes());
}

bool Statement::isNull() const
{
    return ::sqlite3_column_type(row(), m_column) == SQLITE_NULL;
}

std::optional<std::int64_t> Statement::optionalInteger()
{
    const bool absent = isNull();
    const std::int64_t value = integer();
    return absent ? std::nullopt : std::optional(value);
}

std::optional<std::uint64_t> Statement::optionalCount()
{
    const bool absent = isNull();
    const std::uint64_t value = count();
    return absent ? std::nullopt : std::optional(value);
}

std::optional<double> Statement::optionalReal()
{
    const bool absent = isNull();
    const double value = real();
    return absent ? std::nullopt : std::optional(value);
}

std::optional<std::string> Statement::optionalText()
{
    const bool absent = isNull();
    std::string value = text();
    return absent ? std::nullopt : std::optional(std::move(value));
}

// --- Connection

Result<Connection> Connection::open(const std::filesystem::path& file, const Options& options)
{
    // Debian's SQLite takes every name that begins with "file:" for a URI; an absolute path never does.
    std::string name = file.native();
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags
        |= options.readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | (options.create ? SQLITE_OPEN_CREATE : 0);
    if (options.immutable) {
        flags |= SQLITE_OPEN_URI;
        std::string escaped = "file:";
        for (const char byte : name)
            escaped += std::string_view("%?#").find(byte) == std::string_view::npos
                ? std::string(1, byte)
                : "%" + toHex(std::string_view(&byte, 1));
        name = escaped + "?immutable=1&mode=ro";
    }
    sqlite3* raw = nullptr;
    const int code = ::sqlite3_open_v2(name.c_str(), &raw, flags, nullptr);
    Connection connection;
    connection.m_file = file;
    connection.m_handle.reset(raw);
    if (code != SQLITE_OK)
        return raw ? connection.failure() : describe(file, SQLITE_NOMEM, 0, "");
    ::sqlite3_busy_timeout(raw, static_cast<int>(options.patience.count()));
    return connection;
}

Result<Connection> Connection::openInMemory()
{
    return open(":memory:", {.create = true});
}

Statement Connection::prepare(std::string_view sql) const
{
    if (auto idle = m_idle.extract(std::string(sql)); !idle.empty())
        return {*this, std::move(idle.mapped()), std::nullopt};
    sqlite3_stmt* raw = nullptr;
    const int code = ::sqlite3_prepare_v3(
        handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    return {*this, StatementHandle(raw), code == SQLITE_OK ? std::nullopt : std::optional(failure())};
}

Result<void> Connection::execute(const char* sql) const
{
    errno = 0; // for failure()
    if (::sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return failure();
    return {};
}

Result<std::int64_t> Connection::number(std::string_view sql) const
{
    Statement statement = prepare(sql);
    return statement.step().transform([&statement](bool row) { return row ? statement.integer() : 0; });
}

Result<std::int64_t> Connection::insert(std::string_view table, std::initializer_list<Field> fields) const
{
    std::string columns;
    std::string marks;
    for (const Field& field : fields) {
        columns += (columns.empty() ? "" : ", ") + std::string(field.column);
        marks += marks.empty() ? "?" : ", ?";
    }
    Statement statement = prepare("INSERT INTO " + std::string(table) + " (" + columns + ") VALUES (" + marks + ")");
    for (const Field& field : fields)
        statement.bind(field.value);
    if (Result<void> done = statement.run(); !done)
        return std::move(done).error();
    return ::sqlite3_last_insert_rowid(handle());
}

Result<void> Connection::update(
    std::string_view table, std::string_view key, std::int64_t row, std::initializer_list<Field> fields) const
{
    std::string sets;
    for (const Field& field : fields)
        sets += (sets.empty() ? "" : ", ") + std::string(field.column) + " = ?";
    Statement statement
        = prepare("UPDATE " + std::string(table) + " SET " + sets + " WHERE " + std::string(key) + " = ?");
    for (const Field& field : fields)
        statement.bind(field.value);
    return statement.bind(row).run();
}

bool Connection::inTransaction() const
{
    return ::sqlite3_get_autocommit(handle()) == 0;
}

bool Connection::isReadOnly() const
{
    return ::sqlite3_db_readonly(handle(), "main") == 1;
}

bool Connection::hasMoved() const
{
    int moved = 0;
    return ::sqlite3_file_control(handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

std::string Connection::head() const
{
    std::string bytes(100, '\0');
    sqlite3_file* main = nullptr;
    ::sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &main);
    if (!main || !main->pMethods
        || main->pMethods->xRead(main, bytes.data(), static_cast<int>(bytes.size()), 0) != SQLITE_OK)
        bytes.clear();
    return bytes;
}

void Connection::keepLogAtClose(bool keep) const
{
    ::sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

void Connection::hardenAgainstSchema() const
{
    ::sqlite3_db_config(handle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    ::sqlite3_db_config(handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
}

std::int64_t Connection::changes() const
{
    return ::sqlite3_changes64(handle());
}

Error Connection::failure() const
{
    // SQLite 3.40 does not note errno when a COMMIT fails, and keeps that of an earlier failure.
    const int own = errno;
    const int noted = ::sqlite3_system_errno(handle());
    const bool preferOwn = own != 0 && (errorCode() & 0xff) == SQLITE_IOERR;
    return describe(m_file, errorCode(), preferOwn ? own : noted, ::sqlite3_errmsg(handle()));
}

int Connection::errorCode() const
{
    return ::sqlite3_extended_errcode(handle());
}

} // namespace loadlab::sqlite
