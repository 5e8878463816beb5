#include "tests/cli/Cli.h"

#include <QDir>
#include <QDirIterator>

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace {

constexpr const char* kProgram = LOADLAB_BINARY_DIR "/bin/loadlab";

std::vector<std::string> mergedEnvironment(const std::map<std::string, std::string>& changes)
{
    std::map<std::string, std::string> all;
    for (char** entry = environ; *entry; ++entry) {
        const std::string text(*entry);
        all[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
    }
    for (const char* leaking : {"LOADLAB_DB", "LOADLAB_RESOURCES", "NO_COLOR", "HF_HOME", "LOADLAB_RUN"})
        all.erase(leaking);
    for (const auto& [name, value] : changes)
        all[name] = value;
    std::vector<std::string> lines;
    for (const auto& [name, value] : all)
        lines.push_back(name + "=" + value);
    return lines;
}

std::vector<char*> pointers(std::vector<std::string>& words)
{
    std::vector<char*> list;
    for (std::string& word : words)
        list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

bool readInto(int& fd, QByteArray& to)
{
    std::array<char, 65536> buffer{};
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
        to.append(buffer.data(), got);
        return true;
    }
    if (got < 0 && errno == EINTR)
        return true;
    ::close(fd);
    fd = -1;
    return false;
}

} // namespace

CliProcess::CliProcess(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
    const std::function<void()>& inChild)
{
    std::vector<std::string> words{kProgram};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> lines = mergedEnvironment(environment);
    std::vector<char*> argv = pointers(words);
    std::vector<char*> envp = pointers(lines);
    std::array<int, 2> outPipe{};
    std::array<int, 2> errPipe{};
    if (::pipe2(outPipe.data(), O_CLOEXEC) != 0 || ::pipe2(errPipe.data(), O_CLOEXEC) != 0)
        qFatal("no pipes");
    m_pid = ::fork();
    if (m_pid == 0) {
        ::dup2(outPipe[1], STDOUT_FILENO);
        ::dup2(errPipe[1], STDERR_FILENO);
        if (inChild)
            inChild();
        ::execve(kProgram, argv.data(), envp.data());
        ::_exit(126);
    }
    ::close(outPipe[1]);
    ::close(errPipe[1]);
    m_out = outPipe[0];
    m_err = errPipe[0];
}

CliProcess::~CliProcess()
{
    if (m_pid > 0) {
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }
    closeOutput();
    if (m_err >= 0)
        ::close(m_err);
}

bool CliProcess::readSome()
{
    std::array<pollfd, 2> polled{{{m_out, POLLIN, 0}, {m_err, POLLIN, 0}}};
    if (m_out < 0 && m_err < 0)
        return false;
    ::poll(polled.data(), polled.size(), 100);
    if (m_out >= 0 && polled[0].revents)
        readInto(m_out, out);
    if (m_err >= 0 && polled[1].revents)
        readInto(m_err, err);
    return m_out >= 0 || m_err >= 0;
}

bool CliProcess::waitFor(const std::function<bool(const QByteArray&)>& condition, std::chrono::seconds limit)
{
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition(out))
        if (!readSome() || std::chrono::steady_clock::now() > deadline)
            return condition(out);
    return true;
}

int CliProcess::wait(std::chrono::seconds limit)
{
    const auto deadline = std::chrono::steady_clock::now() + limit;
    bool late = false;
    while (readSome()) {
        if (!late && std::chrono::steady_clock::now() > deadline) {
            late = true;
            ::kill(m_pid, SIGKILL);
        }
    }
    int status = 0;
    ::waitpid(m_pid, &status, 0);
    m_pid = -1;
    if (late)
        return -2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void CliProcess::signal(int number) const
{
    ::kill(m_pid, number);
}

void CliProcess::closeOutput()
{
    if (m_out >= 0)
        ::close(m_out);
    m_out = -1;
}

CliLab::CliLab()
{
    m_folder.setAutoRemove(false);
    const std::string root = m_folder.path().toStdString();
    environment = {{"HOME", root + "/home"}, {"XDG_DATA_HOME", root + "/data"}, {"XDG_CONFIG_HOME", root + "/config"},
        {"HF_HUB_CACHE", root + "/hub"}, {"LOADLAB_PLUGIN_PATH", LOADLAB_BINARY_DIR "/tests/plugins"}};
}

CliLab::~CliLab()
{
    // Not QTemporaryDir's own way: it cannot remove names that are no UTF-8.
    std::error_code ignored;
    std::filesystem::remove_all(m_folder.path().toStdString(), ignored);
}

std::string CliLab::path(const std::string& name) const
{
    return m_folder.path().toStdString() + "/" + name;
}

QStringList CliLab::files() const
{
    QStringList found;
    QDirIterator entries(
        m_folder.path(), QDir::AllEntries | QDir::NoDotAndDotDot | QDir::Hidden, QDirIterator::Subdirectories);
    while (entries.hasNext())
        found.append(QDir(m_folder.path()).relativeFilePath(entries.next()));
    found.sort();
    return found;
}

CliResult CliLab::run(const std::vector<std::string>& arguments) const
{
    CliProcess process(arguments, environment);
    const int code = process.wait();
    return {code, process.out, process.err};
}

std::unique_ptr<CliProcess> CliLab::start(
    const std::vector<std::string>& arguments, const std::function<void()>& inChild) const
{
    return std::make_unique<CliProcess>(arguments, environment, inChild);
}
