#include "core/containment/RunGroup.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/ProcessReader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

/// Of a process that has not begun to end; nothing of another, also where the pid is somebody else's by now.
std::optional<pid_t> findParent(const ProcessId& process)
{
    const auto stat = readProcessStat(process.pid);
    return stat && !stat->exiting && stat->startTicks == process.startTicks ? std::optional(stat->parent)
                                                                            : std::nullopt;
}

constexpr std::array<std::string_view, 3> kKinds{"none", "cgroup1", "cgroup2"};
constexpr std::string_view kNameBegins = "loadlab-";
constexpr int kNotJoined = -1;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62;

std::optional<std::uint64_t> readNumber(const fs::path& file)
{
    const std::string text = readSmallFile(file.string());
    std::string_view rest(text);
    return procfs::takeNumber(rest);
}

/// "cache 123" in memory.stat, "oom_kill 1" in memory.events.
std::optional<std::uint64_t> numberIn(const std::string& text, std::string_view key)
{
    return procfs::numberAfter(text, std::string(key) + " ");
}

std::vector<fs::path> groupsBelow(const fs::path& group)
{
    std::vector<fs::path> below;
    std::error_code error;
    for (fs::directory_iterator at(group, error), end; !error && at != end; at.increment(error))
        if (std::error_code ignored; at->is_directory(ignored) && !at->is_symlink(ignored))
            below.push_back(at->path());
    return below;
}

/// v1 counts a victim in its own group only, v2 in every group above as well.
std::optional<std::uint64_t> oomKillsV1(const fs::path& group)
{
    std::optional<std::uint64_t> kills = numberIn(readSmallFile((group / "memory.oom_control").string()), "oom_kill");
    for (const fs::path& below : groupsBelow(group))
        if (const auto more = oomKillsV1(below))
            kills = kills.value_or(0) + *more;
    return kills;
}

/// failcnt of both limits. Newer kernels (seen: 6.18) count for the one on memory and swap no longer: when that was
/// reached without a count, how often is not known.
std::optional<std::uint64_t> limitHitsV1(const fs::path& group)
{
    const auto memory = readNumber(group / "memory.failcnt");
    const std::uint64_t hits = memory.value_or(0) + readNumber(group / "memory.memsw.failcnt").value_or(0);
    const auto highest = readNumber(group / "memory.memsw.max_usage_in_bytes");
    const auto limit = readNumber(group / "memory.memsw.limit_in_bytes");
    const bool uncounted = hits == 0 && highest && limit && *highest >= *limit;
    return memory && !uncounted ? std::optional(hits) : std::nullopt;
}

GroupReading readV1(const fs::path& group)
{
    const std::string stat = readSmallFile((group / "memory.stat").string());
    GroupReading reading;
    reading.usageBytes = readNumber(group / "memory.usage_in_bytes").value_or(0);
    reading.highestUsageBytes = readNumber(group / "memory.max_usage_in_bytes");
    reading.highestWithSwapBytes = readNumber(group / "memory.memsw.max_usage_in_bytes");
    reading.limitHits = limitHitsV1(group);
    reading.swapBytes = numberIn(stat, "total_swap");
    reading.anonBytes = numberIn(stat, "total_rss").value_or(0);
    reading.shmemBytes = numberIn(stat, "total_shmem").value_or(0);
    reading.fileBytes = pageCacheIn(GroupKind::V1, stat).value_or(0);
    reading.oomKills = oomKillsV1(group);
    return reading;
}

GroupReading readV2(const fs::path& group)
{
    const std::string stat = readSmallFile((group / "memory.stat").string());
    const std::string events = readSmallFile((group / "memory.events").string());
    GroupReading reading;
    reading.usageBytes = readNumber(group / "memory.current").value_or(0);
    reading.highestUsageBytes = readNumber(group / "memory.peak");
    if (const auto swap = readNumber(group / "memory.swap.peak"); swap && reading.highestUsageBytes)
        reading.highestWithSwapBytes = *reading.highestUsageBytes + *swap;
    reading.swapBytes = readNumber(group / "memory.swap.current");
    reading.anonBytes = numberIn(stat, "anon").value_or(0);
    reading.shmemBytes = numberIn(stat, "shmem").value_or(0);
    reading.fileBytes = pageCacheIn(GroupKind::V2, stat).value_or(0);
    reading.limitHits = numberIn(events, "max");
    reading.oomKills = numberIn(events, "oom_kill");
    return reading;
}

Error refused(const fs::path& file, std::string_view value, int error)
{
    return {ErrorKind::Io,
        "cannot write " + std::string(value) + " to " + toUtf8(file.string()) + ": " + std::strerror(error)};
}

/// Nothing, or why the kernel would not take it.
Result<void> set(const fs::path& file, std::uint64_t bytes)
{
    const std::string value = std::to_string(bytes);
    const int error = writeValue(file, value);
    return error == 0 ? Result<void>() : Result<void>(refused(file, value, error));
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b)
{
    return a > kMostBytes - std::min(b, kMostBytes) ? kMostBytes : a + b;
}

template <typename T> bool takeField(std::string_view& text, T& into)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    if (error != std::errc())
        return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty() && text.front() == '-')
        text.remove_prefix(1);
    return true;
}

} // namespace

std::string_view toWireName(GroupKind kind)
{
    return kKinds[static_cast<std::size_t>(kind)];
}

GroupKind groupKindFrom(std::string_view wireName)
{
    const auto found = std::ranges::find(kKinds, wireName);
    return found == kKinds.end() ? GroupKind::None : static_cast<GroupKind>(found - kKinds.begin());
}

std::optional<std::uint64_t> pageCacheIn(GroupKind kind, std::string_view stat)
{
    const bool v1 = kind == GroupKind::V1; // Where the names without total_ leave out the groups below.
    const auto cache = procfs::numberAfter(stat, v1 ? "total_cache " : "file ");
    const auto shmem = procfs::numberAfter(stat, v1 ? "total_shmem " : "shmem ").value_or(0);
    return cache ? std::optional(*cache - std::min(*cache, shmem)) : std::nullopt;
}

std::string groupNameOf(const GroupOwner& owner)
{
    return std::string(kNameBegins) + owner.runUuid + "-" + std::to_string(owner.lab.pid) + "-"
        + std::to_string(owner.lab.startTicks) + "-" + std::to_string(owner.pidNamespace);
}

std::optional<GroupOwner> ownerOfGroup(std::string_view folderName)
{
    constexpr std::size_t uuidLength = 36;
    if (!folderName.starts_with(kNameBegins) || folderName.size() < kNameBegins.size() + uuidLength + 1)
        return std::nullopt;
    folderName.remove_prefix(kNameBegins.size());
    GroupOwner owner;
    owner.runUuid = folderName.substr(0, uuidLength);
    folderName.remove_prefix(uuidLength);
    if (folderName.front() != '-' || owner.runUuid.find_first_not_of("0123456789abcdef-") != std::string::npos)
        return std::nullopt;
    folderName.remove_prefix(1);
    const bool whole = takeField(folderName, owner.lab.pid) && takeField(folderName, owner.lab.startTicks)
        && takeField(folderName, owner.pidNamespace) && folderName.empty();
    return whole && owner.lab.pid > 0 ? std::optional(owner) : std::nullopt;
}

GroupOwner thisLab(std::string runUuid)
{
    GroupOwner owner;
    owner.runUuid = std::move(runUuid);
    owner.lab = identify(::getpid()).value_or(ProcessId{::getpid(), 0});
    struct stat space { };
    if (::stat("/proc/self/ns/pid", &space) == 0)
        owner.pidNamespace = space.st_ino;
    return owner;
}

RunGroup::RunGroup(const CgroupWorld& world, GroupKind kind, const Hierarchy& place, fs::path folder)
    : m_world(world)
    , m_kind(kind)
    , m_place(place)
    , m_folder(std::move(folder))
{
}

Result<std::unique_ptr<RunGroup>> RunGroup::make(
    const CgroupWorld& world, GroupKind kind, const Hierarchy& place, const std::string& runUuid, const Caps& caps)
{
    const fs::path folder = place.ownGroup / groupNameOf(thisLab(runUuid));
    if (const int error = world.make(folder); error != 0)
        return Error{ErrorKind::Io, "cannot make " + toUtf8(folder.string()) + ": " + std::strerror(error)};
    std::unique_ptr<RunGroup> group(new RunGroup(world, kind, place, folder));
    if (const Result<void> capped = group->setCaps(caps); !capped)
        return capped.error();
    if (!group->prepareJoin())
        return Error{
            ErrorKind::Io, toUtf8((folder / "cgroup.procs").string()) + " cannot be written: " + std::strerror(errno)};
    return group;
}

RunGroup::~RunGroup()
{
    if (!m_gone)
        m_world.remove(m_folder);
    if (m_joined)
        ::munmap(m_joined, sizeof *m_joined);
}

bool RunGroup::prepareJoin()
{
    m_procs = Descriptor(::open((m_folder / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    void* shared = ::mmap(nullptr, sizeof *m_joined, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return false;
    m_joined = static_cast<int*>(shared);
    *m_joined = kNotJoined;
    return static_cast<bool>(m_procs);
}

Result<void> RunGroup::setCaps(const Caps& caps)
{
    return m_kind == GroupKind::V1 ? setCapsV1(caps) : setCapsV2(caps);
}

/// v1 limits memory, and the sum of memory and swap: swap alone cannot be limited, nor without swap accounting.
Result<void> RunGroup::setCapsV1(const Caps& caps)
{
    if (!caps.memoryBytes)
        return {};
    if (Result<void> done = set(m_folder / "memory.limit_in_bytes", *caps.memoryBytes); !done)
        return done;
    m_keepsMemory = true;
    const fs::path both = m_folder / "memory.memsw.limit_in_bytes";
    if (!caps.swapBytes || ::access(both.c_str(), F_OK) != 0)
        return {};
    if (Result<void> done = set(both, sum(*caps.memoryBytes, *caps.swapBytes)); !done)
        return done;
    m_keepsSwap = true;
    return {};
}

Result<void> RunGroup::setCapsV2(const Caps& caps)
{
    if (caps.memoryBytes) {
        if (Result<void> done = set(m_folder / "memory.max", *caps.memoryBytes); !done)
            return done;
        m_keepsMemory = true;
    }
    const fs::path swap = m_folder / "memory.swap.max";
    if (!caps.swapBytes || ::access(swap.c_str(), F_OK) != 0)
        return {};
    if (Result<void> done = set(swap, *caps.swapBytes); !done)
        return done;
    m_keepsSwap = true;
    return {};
}

int RunGroup::join() const
{
    const ssize_t written = ::write(m_procs.get(), "0", 1);
    const int error = written == 1 ? 0 : errno;
    *m_joined = error;
    return error;
}

std::optional<int> RunGroup::joined() const
{
    const int told = *static_cast<volatile int*>(m_joined);
    return told == kNotJoined ? std::nullopt : std::optional(told);
}

GroupReading RunGroup::read() const
{
    return m_kind == GroupKind::V1 ? readV1(m_folder) : readV2(m_folder);
}

std::vector<pid_t> RunGroup::processes() const
{
    return processesIn(m_folder);
}

std::optional<ProcessOutside> RunGroup::findOutside(const ProcessId& process) const
{
    const std::string pid = std::to_string(process.pid);
    const auto group = groupPathOf(m_world, pid, m_kind == GroupKind::V1 ? "memory" : "");
    if (!group || group->find(m_folder.filename().string()) != std::string::npos)
        return std::nullopt;
    // Asked last: one that is not ending now was not when its group was read, and v1 told no "/" for that.
    const std::optional<pid_t> parent = findParent(process);
    return parent ? std::optional(ProcessOutside{*group, *parent}) : std::nullopt;
}

std::vector<fs::path> RunGroup::withEnclosing(const std::optional<std::string>& path) const
{
    std::vector<fs::path> groups;
    const fs::path& mount = m_place.mount;
    fs::path group = path ? folderOf(m_place, *path).value_or(fs::path()) : m_folder;
    for (; group.native().size() >= mount.native().size(); group = group.parent_path()) {
        groups.push_back(group);
        if (group == mount)
            break;
    }
    return groups;
}

bool RunGroup::remove(std::chrono::milliseconds limit)
{
    m_procs.reset();
    m_gone = m_gone || removeGroup(m_world, m_folder, limit);
    return m_gone;
}

std::vector<pid_t> processesIn(const fs::path& group)
{
    std::vector<pid_t> pids;
    std::ifstream file(group / "cgroup.procs");
    for (pid_t pid = 0; file >> pid;)
        if (pid > 0) // 0: a process of another pid namespace.
            pids.push_back(pid);
    for (const fs::path& below : groupsBelow(group))
        for (const pid_t pid : processesIn(below))
            pids.push_back(pid);
    return pids;
}

namespace {

/// cgroup.kill (v2, since 5.14) misses none; else one by one, and again at the next try.
void killAllIn(const fs::path& group)
{
    if (::access((group / "cgroup.kill").c_str(), F_OK) == 0 && writeValue(group / "cgroup.kill", "1") == 0)
        return;
    for (const pid_t pid : processesIn(group)) {
        // Looked for again once it is held: the number may have been given away meanwhile.
        const Descriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        const std::vector<pid_t> now = processesIn(group);
        if (pid != ::getpid() && handle && std::ranges::find(now, pid) != now.end())
            ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
    }
}

/// From the leaves up. 0, or why the last one stays.
int removeWhole(const CgroupWorld& world, const fs::path& group)
{
    for (const fs::path& below : groupsBelow(group))
        removeWhole(world, below);
    const int error = world.remove(group);
    return error == ENOENT ? 0 : error;
}

} // namespace

bool removeGroup(const CgroupWorld& world, const fs::path& group, std::chrono::milliseconds limit)
{
    constexpr int pauseMs = 5;
    const std::int64_t until = monotonicNs() + std::chrono::nanoseconds(limit).count();
    for (;;) {
        if (removeWhole(world, group) == 0)
            return true;
        if (monotonicNs() >= until)
            return false;
        killAllIn(group);
        ::poll(nullptr, 0, pauseMs);
    }
}

} // namespace loadlab
