#include "core/telemetry/SystemCounters.h"

#include "core/telemetry/ProcessReader.h"

#include <sys/sysinfo.h>

namespace loadlab {
namespace {

using procfs::numberAfter;

std::uint64_t kib(std::string_view meminfo, std::string_view key)
{
    return numberAfter(meminfo, key).value_or(0) * 1024;
}

/// The total of one line of a PSI file: "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234".
std::optional<std::uint64_t> psiTotal(std::string_view text, std::string_view line)
{
    constexpr std::string_view kTotal = "total=";
    if (text.substr(0, line.size()) != line) {
        const auto at = text.find('\n');
        if (at == std::string_view::npos)
            return std::nullopt;
        return psiTotal(text.substr(at + 1), line);
    }
    const auto at = text.find(kTotal);
    if (at == std::string_view::npos)
        return std::nullopt;
    auto rest = text.substr(at + kTotal.size());
    return procfs::takeNumber(rest);
}

std::optional<std::uint64_t> inPages(std::string_view vmstat, std::string_view key)
{
    const auto pages = numberAfter(vmstat, key);
    return pages ? std::optional(*pages * pageBytes()) : std::nullopt;
}

std::int64_t valueOf(std::uint64_t bytes)
{
    return static_cast<std::int64_t>(bytes);
}

} // namespace

SystemCounters::SystemCounters()
    : m_meminfo("/proc/meminfo")
    , m_pressure("/proc/pressure/memory")
    , m_vmstat("/proc/vmstat")
{
}

SystemMemory SystemCounters::read()
{
    SystemMemory memory;
    if (const auto text = m_meminfo.read(m_buffer)) {
        memory.totalBytes = kib(*text, "MemTotal:");
        memory.freeBytes = kib(*text, "MemFree:");
        memory.availableBytes = kib(*text, "MemAvailable:");
        const auto cached = kib(*text, "Cached:") + kib(*text, "Buffers:") + kib(*text, "SReclaimable:");
        const auto shmem = kib(*text, "Shmem:");
        memory.cacheBytes = cached > shmem ? cached - shmem : 0;
        memory.swapTotalBytes = kib(*text, "SwapTotal:");
        const auto swapFree = kib(*text, "SwapFree:");
        memory.swapUsedBytes = memory.swapTotalBytes > swapFree ? memory.swapTotalBytes - swapFree : 0;
    }
    if (const auto text = m_pressure.read(m_buffer)) {
        memory.psiSomeUs = psiTotal(*text, "some");
        memory.psiFullUs = psiTotal(*text, "full");
    }
    if (const auto text = m_vmstat.read(m_buffer)) {
        memory.swapInBytes = inPages(*text, "pswpin ");
        memory.swapOutBytes = inPages(*text, "pswpout ");
    }
    return memory;
}

void SystemCounters::sample(Sample& into)
{
    const auto memory = read();
    if (memory.totalBytes != 0) {
        into[Column::SystemAvailableBytes] = valueOf(memory.availableBytes);
        into[Column::SystemFreeBytes] = valueOf(memory.freeBytes);
        into[Column::SystemCacheBytes] = valueOf(memory.cacheBytes);
        into[Column::SystemSwapUsedBytes] = valueOf(memory.swapUsedBytes);
    }
    if (memory.psiSomeUs)
        into[Column::SystemPsiSomeUs] = valueOf(*memory.psiSomeUs);
    if (memory.psiFullUs)
        into[Column::SystemPsiFullUs] = valueOf(*memory.psiFullUs);
    if (memory.swapInBytes)
        into[Column::SystemSwapInBytes] = valueOf(*memory.swapInBytes);
    if (memory.swapOutBytes)
        into[Column::SystemSwapOutBytes] = valueOf(*memory.swapOutBytes);
}

void SystemCounters::sampleFree(Sample& into)
{
    struct sysinfo info { };
    if (::sysinfo(&info) == 0)
        into[Column::SystemFreeBytes] = valueOf(std::uint64_t{info.freeram} * info.mem_unit);
}

} // namespace loadlab
