#pragma once

#include <QtGlobal>
#include <filesystem>
#include <sqlite3.h>
#include <string>

namespace loadlab::test {

/// SQLite without the store: to make files of other programs, and to see what the store has written.
class RawDatabase {
public:
    explicit RawDatabase(const std::filesystem::path& file)
    {
        if (::sqlite3_open(file.c_str(), &m_handle) != SQLITE_OK)
            qFatal("%s: %s", file.c_str(), ::sqlite3_errmsg(m_handle));
    }
    ~RawDatabase() { ::sqlite3_close(m_handle); }
    RawDatabase(const RawDatabase&) = delete;
    RawDatabase& operator=(const RawDatabase&) = delete;

    void execute(const std::string& sql) const
    {
        if (::sqlite3_exec(m_handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
            qFatal("%s: %s", sql.c_str(), ::sqlite3_errmsg(m_handle));
    }
    /// The first column of all rows, joined by "|".
    [[nodiscard]] std::string text(const std::string& sql) const
    {
        std::string joined;
        const auto add = [](void* into, int, char** values, char**) {
            auto& all = *static_cast<std::string*>(into);
            all += (all.empty() ? "" : "|") + std::string(values[0] ? values[0] : "NULL");
            return 0;
        };
        if (::sqlite3_exec(m_handle, sql.c_str(), add, &joined, nullptr) != SQLITE_OK)
            qFatal("%s: %s", sql.c_str(), ::sqlite3_errmsg(m_handle));
        return joined;
    }
    [[nodiscard]] long long number(const std::string& sql) const { return std::stoll(text(sql)); }

private:
    sqlite3* m_handle = nullptr;
};

} // namespace loadlab::test
