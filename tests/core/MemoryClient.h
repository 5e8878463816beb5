#pragma once

#include <QString>
#include <QtTest>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

/// A memory_client with its own process group that obeys one command at a time; ends with its object. Started by
/// posix_spawn: QProcess forks in a way that ThreadSanitizer does not understand.
class MemoryClient {
public:
    /// With a mark, LOADLAB_RUN is set to it, as a run's worker has it.
    explicit MemoryClient(const std::string& runMark = {})
    {
        std::array<int, 2> orders{};
        std::array<int, 2> answers{};
        if (::pipe2(orders.data(), O_CLOEXEC) != 0 || ::pipe2(answers.data(), O_CLOEXEC) != 0)
            qFatal("no pipes");
        spawn(runMark, orders[0], answers[1]);
        ::close(orders[0]);
        ::close(answers[1]);
        m_orders = orders[1];
        m_answers = answers[0];
        tell("nothing"); // its start-up is over
    }
    ~MemoryClient()
    {
        ::close(m_orders);
        ::close(m_answers);
        if (m_pid > 0) {
            ::kill(m_pid, SIGKILL);
            ::waitpid(m_pid, nullptr, 0);
        }
    }
    MemoryClient(const MemoryClient&) = delete;
    MemoryClient& operator=(const MemoryClient&) = delete;

    [[nodiscard]] pid_t pid() const { return m_pid; }

    /// Returns when the client has obeyed; what it answered behind "ok", e.g. a pid.
    pid_t tell(const QString& command)
    {
        send(command.toStdString() + "\n");
        std::string line;
        for (char c = 0; c != '\n'; line.push_back(c)) {
            pollfd wanted{m_answers, POLLIN, 0};
            if (::poll(&wanted, 1, 20'000) != 1 || ::read(m_answers, &c, 1) != 1)
                qFatal("memory_client does not answer to '%s'", qPrintable(command));
        }
        return std::atoi(line.c_str() + std::string_view("ok").size());
    }
    /// Ends in order and is reaped.
    void leave()
    {
        send("exit\n");
        ::waitpid(m_pid, nullptr, 0);
        m_pid = -1;
    }

private:
    void send(const std::string& text) const
    {
        if (::write(m_orders, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            qFatal("memory_client is gone");
    }

    static std::vector<std::string> environmentWith(const std::string& runMark)
    {
        std::vector<std::string> entries;
        for (char** entry = environ; *entry; ++entry)
            if (std::string(*entry).rfind("LOADLAB_RUN=", 0) != 0)
                entries.emplace_back(*entry);
        if (!runMark.empty())
            entries.push_back("LOADLAB_RUN=" + runMark);
        return entries;
    }

    void spawn(const std::string& runMark, int input, int output)
    {
        posix_spawn_file_actions_t files{};
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
        posix_spawnattr_t attributes{};
        ::posix_spawnattr_init(&attributes);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        std::string program = LOADLAB_BINARY_DIR "/tests/memory_client";
        std::array<char*, 2> arguments{program.data(), nullptr};
        auto entries = environmentWith(runMark);
        std::vector<char*> environment;
        for (auto& entry : entries)
            environment.push_back(entry.data());
        environment.push_back(nullptr);
        if (::posix_spawn(&m_pid, program.c_str(), &files, &attributes, arguments.data(), environment.data()) != 0)
            qFatal("cannot start %s", program.c_str());
        ::posix_spawnattr_destroy(&attributes);
        ::posix_spawn_file_actions_destroy(&files);
    }

    pid_t m_pid = -1;
    int m_orders = -1;
    int m_answers = -1;
};
