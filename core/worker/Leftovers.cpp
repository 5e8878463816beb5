#include "core/worker/Leftovers.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/worker/Spawn.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kRunVariable = "LOADLAB_RUN=";
/// An environment larger than this is read no further; the kernel's own limit is of this order.
constexpr std::size_t kMostEnvironment = 8 << 20;

std::string procFile(pid_t pid, const char* name)
{
    return "/proc/" + std::to_string(pid) + "/" + name;
}

std::string readSome(const std::string& file, std::size_t most)
{
    std::ifstream stream(file, std::ios::binary);
    std::string text;
    std::array<char, 4096> piece{};
    while (text.size() < most) {
        stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        if (stream.gcount() <= 0)
            break;
        text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    }
    return text;
}

bool hasVariable(std::string_view environment, std::string_view variable)
{
    while (!environment.empty()) {
        const std::size_t end = std::min(environment.find('\0'), environment.size());
        if (environment.substr(0, end) == variable)
            return true;
        environment.remove_prefix(std::min(end + 1, environment.size()));
    }
    return false;
}

bool belongsToAnother(pid_t pid, const std::string& variable)
{
    const std::string environment = readSome(procFile(pid, "environ"), kMostEnvironment);
    const bool marked = environment.starts_with(kRunVariable)
        || environment.find(std::string(1, '\0') + std::string(kRunVariable)) != std::string::npos;
    return marked && !hasVariable(environment, variable);
}

/// Of /proc/PID/stat, what follows the name, which may hold any bytes.
struct StatLine {
    char state = 'X';
    pid_t parent = 0;
    pid_t group = 0;
    int threads = 0; ///< Field 20. Of a zombie more than 1 while others of its threads are still ending.
};

StatLine statLine(pid_t pid)
{
    const std::string text = readSome(procFile(pid, "stat"), 4096);
    const std::size_t afterName = text.rfind(')');
    StatLine line;
    if (afterName == std::string::npos)
        return line;
    std::istringstream fields(text.substr(afterName + 1));
    fields >> line.state >> line.parent >> line.group;
    std::string skipped;
    for (int field = 6; field < 20; ++field)
        fields >> skipped;
    fields >> line.threads;
    return line;
}

/// Until its last thread has ended a process holds its memory and cannot be reaped, whatever its state says.
bool lives(pid_t pid)
{
    const StatLine line = statLine(pid);
    return line.state != 'X' && (line.state != 'Z' || line.threads > 1);
}

NamedProcess named(pid_t pid)
{
    std::string name = readSome(procFile(pid, "comm"), 64);
    if (!name.empty() && name.back() == '\n')
        name.pop_back();
    return {pid, name.empty() ? "?" : toUtf8(name)};
}

std::vector<pid_t> allPids()
{
    std::vector<pid_t> pids;
    std::error_code error;
    for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
            pids.push_back(static_cast<pid_t>(std::atol(name.c_str())));
    }
    return pids;
}

/// Sends SIGKILL to the process that `stillIt` recognises after its descriptor was taken, and waits up to `wait` for
/// it.
template <typename F> void killSurely(pid_t pid, F stillIt)
{
    const Descriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!stillIt())
        return;
    if (handle)
        ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
    else
        ::kill(pid, SIGKILL);
}

/// Its ru_maxrss, or 0 when it has not ended.
std::uint64_t reap(pid_t pid)
{
    rusage use{};
    const bool reaped = ::wait4(pid, nullptr, WNOHANG, &use) == pid;
    return reaped ? static_cast<std::uint64_t>(use.ru_maxrss) << 10 : 0;
}

} // namespace

std::string toWords(const NamedProcess& process)
{
    return "pid " + std::to_string(process.pid) + " (" + process.name + ")";
}

void becomeSubreaper()
{
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::vector<pid_t> findProcessesOfRun(std::string_view runUuid)
{
    const std::string variable = std::string(kRunVariable) + std::string(runUuid);
    std::vector<pid_t> found;
    for (const pid_t pid : allPids()) {
        struct stat owner { };
        if (pid == ::getpid() || ::stat(("/proc/" + std::to_string(pid)).c_str(), &owner) != 0
            || owner.st_uid != ::geteuid())
            continue;
        if (hasVariable(readSome(procFile(pid, "environ"), kMostEnvironment), variable) && lives(pid))
            found.push_back(pid);
    }
    return found;
}

LeftoverReport endLeftovers(
    std::string_view runUuid, const std::vector<pid_t>& alsoThese, std::chrono::milliseconds limit)
{
    const std::string variable = std::string(kRunVariable) + std::string(runUuid);
    const std::int64_t until = monotonicNs() + std::chrono::nanoseconds(limit).count();
    std::map<pid_t, std::string> seen;
    for (const pid_t pid : alsoThese) {
        if (pid <= 1 || pid == ::getpid() || !lives(pid) || belongsToAnother(pid, variable))
            continue;
        seen.emplace(pid, named(pid).name);
        killSurely(pid, [] { return true; });
    }
    for (;;) {
        const std::vector<pid_t> marked = findProcessesOfRun(runUuid);
        for (const pid_t pid : marked) {
            seen.emplace(pid, named(pid).name);
            killSurely(
                pid, [&] { return hasVariable(readSome(procFile(pid, "environ"), kMostEnvironment), variable); });
        }
        const bool anyLives = std::ranges::any_of(seen, [](const auto& entry) { return lives(entry.first); });
        if ((marked.empty() && !anyLives) || monotonicNs() >= until)
            break;
        ::poll(nullptr, 0, 5);
    }
    LeftoverReport report;
    for (const auto& [pid, name] : seen) {
        (lives(pid) ? report.survivors : report.ended).push_back({pid, name});
        if (statLine(pid).parent == ::getpid())
            report.maxRssBytes = std::max(report.maxRssBytes, reap(pid));
    }
    return report;
}

std::uint64_t reapAdopted(pid_t group)
{
    std::uint64_t maxRssBytes = 0;
    for (const auto& task : fs::directory_iterator("/proc/self/task", fs::directory_options::skip_permission_denied)) {
        std::istringstream children(readSome((task.path() / "children").string(), 1 << 20));
        for (pid_t pid = 0; children >> pid;) {
            const StatLine line = statLine(pid);
            if (line.state == 'Z' && line.group == group && pid != group)
                maxRssBytes = std::max(maxRssBytes, reap(pid));
        }
    }
    return maxRssBytes;
}

} // namespace loadlab
