#pragma once

#include "core/Variant.h"

#include <QProcess>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// The real worker program over pipes, as the lab drives it.
class WorkerDriver {
public:
    explicit WorkerDriver(QStringList arguments = {}, std::function<void()> inChild = {});
    ~WorkerDriver();

    static QString program();

    void sendJob(const std::filesystem::path& checkpoint, const loadlab::Variant& variant = {});
    void send(const nlohmann::json& command) { sendLine(command.dump()); }
    void sendLine(const std::string& line);
    void closeStdin() { m_process.closeWriteChannel(); }

    /// Reads until an event of this name came (in `event`), or the worker ended, or 60 s passed (false).
    bool waitFor(const std::string& name, nlohmann::json* event = nullptr);
    /// Reads until the worker ended; false after 60 s.
    bool waitForEnd();

    [[nodiscard]] const std::vector<nlohmann::json>& events() const { return m_events; }
    /// The last of that name; null when none came.
    [[nodiscard]] nlohmann::json last(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> phases() const;
    [[nodiscard]] int exitCode() const { return m_process.exitCode(); }
    [[nodiscard]] bool crashed() const { return m_process.exitStatus() == QProcess::CrashExit; }
    [[nodiscard]] qint64 pid() const { return m_process.processId(); }
    /// Of /proc/PID/status, in bytes.
    [[nodiscard]] std::uint64_t memory(const std::string& field) const;
    [[nodiscard]] bool sawNonsense() const { return m_nonsense; }
    [[nodiscard]] QByteArray standardError() { return m_process.readAllStandardError(); }
    /// All events as text, for messages of failed tests.
    [[nodiscard]] std::string story();

private:
    void takeLines();

    QProcess m_process;
    QByteArray m_rest;
    std::vector<nlohmann::json> m_events;
    std::size_t m_looked = 0; ///< Events that waitFor has passed.
    bool m_nonsense = false;
};
