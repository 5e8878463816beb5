#include "core/containment/KernelLog.h"

#include "core/Text.h"
#include "core/telemetry/ProcFile.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace loadlab {
namespace {

/// The first pid namespace's inode, fixed in the kernel's interface: pids in its log are that namespace's.
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFCU;
/// One record with its continuation lines; the kernel itself bounds them below this.
constexpr std::size_t kRecordBytes = 16 << 10;

bool pidsAreOurs()
{
    struct stat space { };
    return ::stat("/proc/self/ns/pid", &space) == 0 && space.st_ino == kFirstPidNamespace;
}

std::optional<pid_t> numberAt(std::string_view text)
{
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    return error == std::errc() && pid > 0 ? std::optional(pid) : std::nullopt;
}

/// A record begins with priority + 8 × facility. The kernel's own facility is 0; what programs write never has it.
bool isTheKernels(std::string_view record)
{
    const std::size_t comma = record.find(',');
    return comma == 1 && record.front() >= '0' && record.front() <= '7';
}

/// The kB behind the last such words: a name may hold them as well, and stands before.
std::uint64_t bytesAfter(std::string_view line, std::string_view words)
{
    const std::size_t at = line.rfind(words);
    if (at == std::string_view::npos)
        return 0;
    line.remove_prefix(at + words.size());
    constexpr std::uint64_t most = std::uint64_t{1} << 50; // A line is text: what cannot be is no figure.
    const std::uint64_t kib = procfs::takeNumber(line).value_or(0);
    return kib < most / 1024 ? kib * 1024 : 0;
}

/// "…Killed process 4711 (python3) total-vm:…", "…Killed process 4711 (python3), UID 0, …" of older kernels. The name
/// may hold any bytes, brackets included.
std::optional<OomVictim> killedIn(std::string_view line)
{
    constexpr std::string_view words = "Killed process ";
    const std::size_t at = line.find(words);
    if (at == std::string_view::npos)
        return std::nullopt;
    line.remove_prefix(at + words.size());
    const std::optional<pid_t> pid = numberAt(line);
    const std::size_t open = line.find('(');
    std::size_t close = line.find(") total-vm");
    if (close == std::string_view::npos)
        close = line.rfind(')');
    if (!pid || open == std::string_view::npos || close == std::string_view::npos || close < open)
        return std::nullopt;
    OomVictim victim;
    victim.pid = *pid;
    victim.name = toUtf8(line.substr(open + 1, close - open - 1));
    victim.heldBytes = bytesAfter(line, " anon-rss:") + bytesAfter(line, " shmem-rss:");
    return victim;
}

/// "oom-kill:constraint=…,oom_memcg=/path,task_memcg=/path,task=python3,pid=4711,uid=0", of the machine with
/// ",global_oom" in place of the first path: pid and groups of the victim that comes next.
std::optional<OomVictim> announcedIn(std::string_view line)
{
    constexpr std::string_view limited = ",oom_memcg=";
    constexpr std::string_view memcg = ",task_memcg=";
    const std::size_t limit = line.find(limited);
    const std::size_t group = line.find(memcg);
    const std::size_t task = line.find(",task=", group == line.npos ? 0 : group);
    const std::size_t number = line.rfind(",pid=");
    if (line.find("oom-kill:") == line.npos || group == line.npos || task == line.npos || number == line.npos)
        return std::nullopt;
    OomVictim victim;
    victim.pid = numberAt(line.substr(number + 5)).value_or(0);
    victim.group = toUtf8(line.substr(group + memcg.size(), task - group - memcg.size()));
    victim.ofMachine = line.substr(0, group).ends_with(",global_oom");
    if (limit < group)
        victim.limitedGroup = toUtf8(line.substr(limit + limited.size(), group - limit - limited.size()));
    return victim;
}

} // namespace

std::optional<OomVictim> victimIn(std::string_view line)
{
    return killedIn(line.substr(0, line.find('\n')));
}

KernelLog::KernelLog(const char* device)
{
    if (!pidsAreOurs())
        return;
    m_device = Descriptor(::open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (m_device && ::lseek(m_device.get(), 0, SEEK_END) < 0)
        m_device.reset();
}

std::vector<OomVictim> KernelLog::takeVictims()
{
    std::vector<OomVictim> victims;
    std::array<char, kRecordBytes> record;
    while (m_device) {
        const ssize_t got = ::read(m_device.get(), record.data(), record.size());
        if (got < 0 && (errno == EPIPE || errno == EINTR)) // EPIPE: records were overwritten; the next read goes on.
            continue;
        if (got <= 0)
            break;
        const std::string_view line(record.data(), static_cast<std::size_t>(got));
        if (!isTheKernels(line))
            continue;
        if (std::optional<OomVictim> announced = announcedIn(line.substr(0, line.find('\n'))))
            m_announced = *std::move(announced);
        if (std::optional<OomVictim> victim = victimIn(line)) {
            if (victim->pid == m_announced.pid) {
                victim->group = m_announced.group;
                victim->limitedGroup = m_announced.limitedGroup;
                victim->ofMachine = m_announced.ofMachine;
            }
            victims.push_back(*std::move(victim));
        }
    }
    return victims;
}

} // namespace loadlab
