#include "core/telemetry/ProcessReader.h"

#include "core/ClockNs.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace loadlab {
namespace {

using Path = std::array<char, 64>;

std::uint64_t nsPerTick()
{
    static const auto ns = 1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return ns;
}

Path threadPath(pid_t pid, pid_t thread, const char* name)
{
    Path path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/task/%d/%s", pid, thread, name);
    return path;
}

Path pathOf(pid_t pid, const char* name)
{
    Path path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/%s", pid, name);
    return path;
}

/// Numbers of one line after another; a negative one counts as its magnitude (nice, tty: never used here).
class Fields {
public:
    explicit Fields(std::string_view text)
        : m_text(text)
    {
    }
    void skip(int count)
    {
        for (; count > 0; --count)
            next();
    }
    std::uint64_t next()
    {
        while (!m_text.empty() && (m_text.front() == ' ' || m_text.front() == '-'))
            m_text.remove_prefix(1);
        return procfs::takeNumber(m_text).value_or(0);
    }

private:
    std::string_view m_text;
};

constexpr std::uint64_t kExitingFlag = 0x4; ///< PF_EXITING

bool parseStatLine(std::string_view line, ProcessReading& into)
{
    // The name in brackets may hold blanks and brackets of its own: the last one ends it.
    const auto nameEnd = line.rfind(')');
    if (nameEnd == line.npos || nameEnd + 4 > line.size())
        return false;
    const char state = line[nameEnd + 2];
    Fields fields(line.substr(nameEnd + 3));
    into.parent = static_cast<pid_t>(fields.next());
    into.group = static_cast<pid_t>(fields.next());
    into.session = static_cast<pid_t>(fields.next());
    fields.skip(2); // tty_nr, tpgid
    into.exiting = (fields.next() & kExitingFlag) != 0;
    into.use.minorFaults = fields.next();
    into.use.reapedMinorFaults = fields.next();
    into.use.majorFaults = fields.next();
    into.use.reapedMajorFaults = fields.next();
    into.use.cpuNs = (fields.next() + fields.next()) * nsPerTick();
    into.use.reapedCpuNs = (fields.next() + fields.next()) * nsPerTick();
    fields.skip(2); // priority, nice
    into.threads = fields.next();
    // A process whose first thread has left shows that thread's Z, and lives on.
    const bool firstHasEnded = state == 'Z' || state == 'X';
    into.zombie = firstHasEnded && into.threads <= 1;
    into.leaderless = firstHasEnded && !into.zombie;
    fields.skip(1); // itrealvalue
    into.startTicks = fields.next();
    fields.skip(5); // vsize, rss, rsslim, startcode, endcode
    into.imageMark = fields.next();
    return into.startTicks != 0;
}

std::optional<ProcessReading> readStat(const Path& path)
{
    std::array<char, 1024> buffer{};
    const ProcFile file(path.data());
    const auto text = file.read(buffer);
    ProcessReading reading;
    if (!text || !parseStatLine(*text, reading))
        return std::nullopt;
    return reading;
}

/// The kB behind "\nKey:" in bytes; `text` moves on, so keys must be asked in the order of the file.
std::uint64_t takeKib(std::string_view& text, std::string_view key)
{
    const auto at = text.find(key);
    if (at == text.npos)
        return 0;
    text.remove_prefix(at + key.size());
    return procfs::takeNumber(text).value_or(0) * 1024;
}

/// Calls with the pid of every thread; no allocation, unlike opendir.
template <typename Each> void eachThread(pid_t pid, Each each)
{
    const auto path = pathOf(pid, "task");
    const int folder = ::open(path.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    alignas(dirent64) std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::getdents64(folder, buffer.data(), buffer.size())) > 0;)
        for (ssize_t at = 0; at < got;) {
            const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
            std::string_view name(entry->d_name);
            if (const auto thread = procfs::takeNumber(name))
                each(static_cast<pid_t>(*thread));
            at += entry->d_reclen;
        }
    ::close(folder);
}

LivingThread findLivingThread(pid_t pid)
{
    LivingThread found;
    eachThread(pid, [&](pid_t thread) {
        const auto stat = found.id == 0 ? readStat(threadPath(pid, thread, "stat")) : std::nullopt;
        if (stat && !stat->exiting)
            found = {thread, stat->imageMark};
    });
    return found;
}

/// Of statm and status, which tell sizes while there is memory.
bool tellsOfMemory(std::string_view text)
{
    return text.starts_with("Name:") ? text.find("\nVmHWM:") != text.npos : Fields(text).next() != 0;
}

} // namespace

std::uint64_t pageBytes()
{
    static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

ProcessReader::ProcessReader(pid_t pid, ReaderPool& pool)
    : m_pid(pid)
    , m_pool(&pool)
{
    if (clockid_t clock{}; ::clock_getcpuclockid(pid, &clock) == 0)
        m_cpuClock = clock;
}

ProcessReader::~ProcessReader()
{
    for (auto& kept : m_files)
        if (m_pool && kept.file.isOpen())
            ++m_pool->descriptors;
}

ProcessReader::ProcessReader(ProcessReader&& other) noexcept
    : m_pid(other.m_pid)
    , m_through(other.m_through)
    , m_cpuClock(other.m_cpuClock)
    , m_pool(std::exchange(other.m_pool, nullptr))
    , m_files(std::move(other.m_files))
{
}

ProcessReader& ProcessReader::operator=(ProcessReader&& other) noexcept
{
    std::swap(m_pid, other.m_pid);
    std::swap(m_through, other.m_through);
    std::swap(m_cpuClock, other.m_cpuClock);
    std::swap(m_pool, other.m_pool);
    std::swap(m_files, other.m_files);
    return *this;
}

ProcFile ProcessReader::open(File file)
{
    static constexpr std::array<const char*, FileCount> kNames{"stat", "status", "io", "statm", "children"};
    const pid_t thread = file == Children ? m_pid : file == Status || file == Statm ? m_through.id : 0;
    const auto path = thread != 0 ? threadPath(m_pid, thread, kNames[file]) : pathOf(m_pid, kNames[file]);
    ProcFile opened(path.data());
    m_files[file].refused = !opened.isOpen() && (errno == EACCES || errno == EPERM);
    return opened;
}

bool ProcessReader::keep(File file, ProcFile&& opened)
{
    if (!opened.isOpen() || m_pool->descriptors <= 0)
        return false;
    --m_pool->descriptors;
    m_files[file].file = std::move(opened);
    return true;
}

std::optional<std::string_view> ProcessReader::readFile(File file)
{
    auto& kept = m_files[file];
    if (kept.file.isOpen())
        return kept.file.read(m_pool->buffer);
    if (kept.refused)
        return std::nullopt;
    auto opened = open(file);
    const auto text = opened.isOpen() ? opened.read(m_pool->buffer) : std::nullopt;
    keep(file, std::move(opened));
    return text;
}

void ProcessReader::readThrough(const LivingThread& thread)
{
    if (std::exchange(m_through, thread).id == thread.id)
        return;
    for (const auto file : {Status, Statm}) {
        m_pool->descriptors += m_files[file].file.isOpen() ? 1 : 0;
        m_files[file].file.close();
    }
}

/// Looks for a thread that lives where the one that told so far has ended. Asks stat first: a pid that is free by now
/// may be another process's.
std::optional<std::string_view> ProcessReader::readMemory(File file)
{
    const auto text = readFile(file);
    if (text && tellsOfMemory(*text))
        return text;
    const auto stat = readFile(Stat);
    ProcessReading now;
    if (!stat || !parseStatLine(*stat, now))
        return std::nullopt;
    readThrough(now.leaderless ? findLivingThread(m_pid) : LivingThread());
    return readFile(file);
}

/// Finer than the ticks of stat, and for a third of a microsecond.
std::optional<std::uint64_t> ProcessReader::cpuClockNs() const
{
    const auto ns = m_cpuClock ? clockNs(*m_cpuClock) : std::nullopt;
    return ns ? std::optional(static_cast<std::uint64_t>(*ns)) : std::nullopt;
}

bool ProcessReader::read(ProcessReading& into)
{
    const auto cpuNs = cpuClockNs(); // First: what happens while the files are read moves it again.
    const auto stat = readFile(Stat);
    if (!stat || !parseStatLine(*stat, into))
        return false;
    parseStatus(into);
    if (into.leaderless)
        into.imageMark = m_through.imageMark;
    parseIo(into);
    if (cpuNs)
        into.use.cpuNs = *cpuNs;
    return true;
}

bool ProcessReader::isAsBefore(const ProcessReading& last)
{
    if (last.swapBytes != 0 || cpuClockNs() != last.use.cpuNs)
        return false;
    if (last.zombie)
        return true;
    std::uint64_t anon = 0;
    std::uint64_t resident = 0;
    return readResident(anon, resident) && anon == last.anonBytes
        && resident == last.anonBytes + last.fileBytes + last.shmemBytes;
}

void ProcessReader::parseStatus(ProcessReading& into)
{
    auto text = into.zombie ? std::string_view() : readMemory(Status).value_or(std::string_view());
    into.highWaterBytes = takeKib(text, "\nVmHWM:");
    into.anonBytes = takeKib(text, "\nRssAnon:");
    into.fileBytes = takeKib(text, "\nRssFile:");
    into.shmemBytes = takeKib(text, "\nRssShmem:");
    into.swapBytes = takeKib(text, "\nVmSwap:");
}

void ProcessReader::parseIo(ProcessReading& into)
{
    const auto text = readFile(Io);
    into.ioKnown = text && !text->empty();
    if (!into.ioKnown)
        return;
    into.use.readCharBytes = procfs::numberAfter(*text, "rchar:").value_or(0);
    into.use.writtenBytes = procfs::numberAfter(*text, "wchar:").value_or(0);
    into.use.readBytes = procfs::numberAfter(*text, "read_bytes:").value_or(0);
    into.use.dirtiedBytes = procfs::numberAfter(*text, "write_bytes:").value_or(0);
}

bool ProcessReader::readResident(std::uint64_t& anonBytes, std::uint64_t& residentBytes)
{
    const auto text = readMemory(Statm);
    if (!text || text->empty())
        return false;
    Fields fields(*text);
    fields.skip(1); // size
    const auto resident = fields.next();
    const auto fileAndShmem = fields.next();
    residentBytes = resident * pageBytes();
    anonBytes = (resident - std::min(resident, fileAndShmem)) * pageBytes();
    return true;
}

bool ProcessReader::hasRunSince(std::uint64_t& cpuNs) const
{
    const auto now = cpuClockNs();
    return !now || std::exchange(cpuNs, *now) != *now;
}

std::optional<std::uint64_t> ProcessReader::minorFaults()
{
    ProcessReading reading;
    const auto stat = readFile(Stat);
    return stat && parseStatLine(*stat, reading) ? std::optional(reading.use.minorFaults) : std::nullopt;
}

std::size_t ProcessReader::children(std::span<pid_t> out, std::uint64_t threads)
{
    std::size_t count = 0;
    auto& kept = m_files[Children];
    if (threads <= 1 && (kept.file.isOpen() || keep(Children, open(Children)))) {
        return readPids(kept.file, m_pool->buffer, out);
    }
    eachThread(m_pid, [&](pid_t thread) {
        const ProcFile file(threadPath(m_pid, thread, "children").data());
        if (file.isOpen())
            count += readPids(file, m_pool->buffer, out.subspan(count));
    });
    return count;
}

std::size_t readPids(const ProcFile& file, std::span<char> buffer, std::span<pid_t> out)
{
    std::size_t count = 0;
    for (std::size_t offset = 0; count < out.size();) {
        const auto text = file.read(buffer, offset);
        // A number that the buffer cuts is read again, whole, by the next read.
        const auto whole = text ? text->find_last_of(" \n") + 1 : 0;
        if (whole == 0)
            break;
        offset += whole;
        auto rest = text->substr(0, whole);
        while (const auto pid = procfs::takeNumber(rest)) {
            if (count == out.size())
                break;
            out[count++] = static_cast<pid_t>(*pid);
            rest.remove_prefix(1); // What parts it from the next.
        }
    }
    return count;
}

std::optional<ProcessReading> readProcessStat(pid_t pid)
{
    auto reading = readStat(pathOf(pid, "stat"));
    const auto thread = reading && reading->leaderless ? findLivingThread(pid) : LivingThread();
    if (thread.id != 0) {
        reading->imageMark = thread.imageMark;
        reading->exiting = false;
    }
    return reading;
}

std::optional<std::chrono::nanoseconds> processAge(pid_t pid)
{
    const auto stat = readProcessStat(pid);
    const auto now = clockNs(CLOCK_BOOTTIME);
    if (!stat || !now)
        return std::nullopt;
    return std::chrono::nanoseconds(*now - static_cast<std::int64_t>(stat->startTicks * nsPerTick()));
}

std::optional<std::uint64_t> firstThreadReadBytes(pid_t pid)
{
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/task/%d/io", pid, pid);
    std::array<char, 512> buffer{};
    const auto text = ProcFile(path.data()).read(buffer);
    return text ? procfs::numberAfter(*text, "rchar:") : std::nullopt;
}

std::string livingFolder(pid_t pid)
{
    const auto stat = readStat(pathOf(pid, "stat"));
    const auto thread = stat && stat->leaderless ? findLivingThread(pid) : LivingThread();
    return thread.id != 0 ? "/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread.id)
                          : "/proc/" + std::to_string(pid);
}

} // namespace loadlab
