#pragma once

#include <QByteArray>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QStringList>
#include <QTemporaryDir>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

/// The real program, started as a shell would: argv and environment are bytes, signals can be sent, and whoever waits
/// waits for a condition with a limit.
class CliProcess {
public:
    CliProcess(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
        const std::function<void()>& inChild = {});
    ~CliProcess();
    CliProcess(const CliProcess&) = delete;
    CliProcess& operator=(const CliProcess&) = delete;

    /// Reads until the condition holds; false when the program ended or the limit passed before.
    bool waitFor(const std::function<bool(const QByteArray& out)>& condition,
        std::chrono::seconds limit = std::chrono::seconds(30));
    /// Reads to the end of both streams and reaps; -1: ended by signal; -2: still there after the limit (then killed).
    int wait(std::chrono::seconds limit = std::chrono::seconds(60));
    void signal(int number) const;
    void closeOutput();

    [[nodiscard]] pid_t pid() const { return m_pid; }
    QByteArray out;
    QByteArray err;

private:
    /// False at the end of both streams.
    bool readSome();

    pid_t m_pid = -1;
    int m_out = -1;
    int m_err = -1;
};

struct CliResult {
    int code = 0;
    QByteArray out;
    QByteArray err;

    [[nodiscard]] QJsonObject object() const { return QJsonDocument::fromJson(out).object(); }
    [[nodiscard]] QJsonArray array() const { return QJsonDocument::fromJson(out).array(); }
    /// For messages of a failing test.
    [[nodiscard]] QByteArray words() const
    {
        return "exit " + QByteArray::number(code) + "\nstdout: " + out + "\nstderr: " + err;
    }
};

/// A lab of its own in a temporary folder: database, settings, home and hub cache; with the fake backend.
class CliLab {
public:
    CliLab();
    ~CliLab();
    CliLab(const CliLab&) = delete;
    CliLab& operator=(const CliLab&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const;
    [[nodiscard]] std::string database() const { return path("data/loadlab/runs.sqlite"); }
    /// Everything below the folder, relative, sorted.
    [[nodiscard]] QStringList files() const;
    [[nodiscard]] CliResult run(const std::vector<std::string>& arguments) const;
    [[nodiscard]] std::unique_ptr<CliProcess> start(
        const std::vector<std::string>& arguments, const std::function<void()>& inChild = {}) const;

    std::map<std::string, std::string> environment;

private:
    QTemporaryDir m_folder;
};
