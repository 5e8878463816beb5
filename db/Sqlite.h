#pragma once

#include "core/Result.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

/// SQLite's C interface with owners for its handles and Result for its codes. Inside db/ only.
namespace loadlab::sqlite {

struct CloseConnection {
    void operator()(sqlite3* handle) const noexcept;
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* handle) const noexcept;
};

struct Blob {
    explicit Blob(std::string_view content)
        : bytes(content)
    {
    }
    std::string_view bytes;
};
/// Borrowed: whoever is pointed to lives until the statement was stepped.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view, Blob>;

Value integer(std::uint64_t value); ///< Clamped to what SQLite holds.
Value real(double value); ///< Not-a-number and infinity become 0: SQLite would store NULL.
Value flag(bool value);

class Connection;

using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// A prepared statement in use: bind, step, read. Errors stick: a failed prepare or bind is what step() returns.
/// Goes back to the connection's cache at its end; never outlives or moves with its connection.
class Statement {
public:
    Statement(const Connection& connection, StatementHandle handle, std::optional<Error> error);
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    /// Binds the next parameter.
    Statement& bind(const Value& value);
    Statement& bindAll(std::span<const Value> values);
    /// True: there is a row. After an error: the same error again.
    Result<bool> step();
    /// Steps to the end.
    Result<void> run();

    // Columns of the row, left to right: each call reads the next one.
    std::int64_t integer();
    std::uint64_t count(); ///< integer(), never negative.
    double real();
    std::string text();
    std::string_view bytes(); ///< Valid until the next step.
    bool isNull() const; ///< The next column; does not move on.
    void skip() { ++m_column; }
    std::optional<std::int64_t> optionalInteger();
    std::optional<std::uint64_t> optionalCount();
    std::optional<double> optionalReal();
    std::optional<std::string> optionalText();

private:
    sqlite3_stmt* row() const { return m_handle.get(); }

    const Connection& m_connection;
    StatementHandle m_handle;
    std::optional<Error> m_error;
    int m_parameter = 0;
    int m_column = 0;
};

/// A column's name and its value, for insert() and update().
struct Field {
    const char* column;
    Value value;
};

/// One connection; one thread at a time. Moved only while no Statement is alive.
class Connection {
public:
    struct Options {
        bool create = false;
        bool readOnly = false;
        bool immutable = false; ///< Reads the main file alone: no locks, no files beside it. See StoreFile.cpp.
        std::chrono::milliseconds patience{0}; ///< How long to wait for locks of others.
    };
    static Result<Connection> open(const std::filesystem::path& file, const Options& options);
    static Result<Connection> openInMemory();

    /// `sql` is one statement; prepared once per text.
    [[nodiscard]] Statement prepare(std::string_view sql) const;
    /// Several statements without results.
    Result<void> execute(const char* sql) const;
    /// The first column of the first row.
    Result<std::int64_t> number(std::string_view sql) const;
    /// Returns the rowid.
    Result<std::int64_t> insert(std::string_view table, std::initializer_list<Field> fields) const;
    /// Sets columns of the row whose `key` (a column) has this value.
    Result<void> update(
        std::string_view table, std::string_view key, std::int64_t row, std::initializer_list<Field> fields) const;

    [[nodiscard]] bool inTransaction() const;
    [[nodiscard]] bool isReadOnly() const;
    /// The main file is no longer at its path (moved, deleted, replaced).
    [[nodiscard]] bool hasMoved() const;
    /// The first 100 bytes of the main file as they lie there, whatever the -wal says; none when they cannot be read.
    [[nodiscard]] std::string head() const;
    void keepLogAtClose(bool keep) const; ///< Kept: the last close does not write the -wal into the main file.
    void hardenAgainstSchema() const; ///< A schema from elsewhere can do no more than hold data.
    [[nodiscard]] std::int64_t changes() const;

    /// The last failure in words: file, reason, way out.
    [[nodiscard]] Error failure() const;
    [[nodiscard]] int errorCode() const; ///< Extended.
    [[nodiscard]] const std::filesystem::path& file() const { return m_file; }
    [[nodiscard]] sqlite3* handle() const { return m_handle.get(); }

private:
    std::filesystem::path m_file;
    std::unique_ptr<sqlite3, CloseConnection> m_handle;
    friend class Statement;
    mutable std::unordered_map<std::string, StatementHandle> m_idle; ///< Prepared, by their text, not in use.
};

/// SQLite's extended code and errno as an Error that names the file, the reason and the way out.
Error describe(const std::filesystem::path& file, int extendedCode, int systemErrno, std::string_view detail);

} // namespace loadlab::sqlite
