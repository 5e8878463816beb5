#include "HostArena.h"

#include "core/Units.h"

#include <cassert>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace loadlab {
namespace {

constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;

std::uint64_t roundedUp(std::uint64_t bytes, std::uint64_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

} // namespace

Result<std::shared_ptr<HostArena>> HostArena::allocate(std::uint64_t bytes)
{
    const auto pageBytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t whole = roundedUp(bytes, pageBytes);
    const std::uint64_t mapped = whole + kHugePage;
    void* const got = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED)
        return Error{ErrorKind::Io,
            formatSize(bytes) + " (" + std::to_string(bytes)
                + " bytes) of host memory were refused: " + std::strerror(errno)};
    const auto address = reinterpret_cast<std::uintptr_t>(got);
    const std::uint64_t before = roundedUp(address, kHugePage) - address;
    auto* const base = static_cast<std::byte*>(got) + before;
    if (before != 0)
        ::munmap(got, before);
    if (const std::uint64_t after = mapped - before - whole; after != 0)
        ::munmap(base + whole, after);
    // Without the last, partly used 2 MiB, which would be taken whole.
    if (const std::uint64_t huge = whole / kHugePage * kHugePage; huge != 0)
        ::madvise(base, huge, MADV_HUGEPAGE);
    return std::shared_ptr<HostArena>(new HostArena(base, whole));
}

HostArena::~HostArena()
{
    if (m_bytes != 0)
        ::munmap(m_base, m_bytes);
}

std::byte* HostArena::take(std::uint64_t bytes)
{
    assert(m_taken + roomFor(bytes) <= roundedUp(m_bytes, kAlignment));
    std::byte* const piece = m_base + m_taken;
    m_taken += roomFor(bytes);
    return piece;
}

} // namespace loadlab
