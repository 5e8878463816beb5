#include "core/checkpoint/MappedFaultGuard.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <limits>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace loadlab {
namespace {

constexpr std::uint64_t kNoFault = std::numeric_limits<std::uint64_t>::max();

/// Everything that the handler reads is a lock-free atomic: it may run at any instruction of any thread.
struct Slot {
    std::atomic<bool> taken{false};
    std::atomic<std::uintptr_t> begin{0};
    std::atomic<std::uintptr_t> end{0}; ///< 0: not watched (yet, or any more).
    std::atomic<std::uint64_t> fault{kNoFault};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);

std::array<Slot, MappedFaultGuard::kMaxGuards> g_slots;
std::atomic<int> g_slotsUsed{0}; ///< Slots beyond were never taken.
std::uintptr_t g_pageBytes = 4096;
struct sigaction g_before { };

void lower(std::atomic<std::uint64_t>& value, std::uint64_t candidate)
{
    std::uint64_t known = value.load();
    while (candidate < known && !value.compare_exchange_weak(known, candidate)) { }
}

bool replaceByZeros(std::uintptr_t address)
{
    const int used = g_slotsUsed.load();
    for (int i = 0; i < used; ++i) {
        Slot& slot = g_slots[static_cast<std::size_t>(i)];
        const std::uintptr_t end = slot.end.load();
        const std::uintptr_t begin = slot.begin.load();
        if (address < begin || address >= end)
            continue;
        const std::uintptr_t page = address & ~(g_pageBytes - 1);
        // The bare system call: POSIX does not list mmap() as async-signal-safe, and others may have put theirs before it.
        if (::syscall(SYS_mmap, page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == -1)
            return false;
        lower(slot.fault, page - begin);
        return true;
    }
    return false;
}

/// Returning from here repeats the faulting instruction, which then ends the process as if nobody had listened.
void listenNoLonger()
{
    struct sigaction byDefault { };
    byDefault.sa_handler = SIG_DFL;
    ::sigaction(SIGBUS, &byDefault, nullptr);
}

void passOn(int signal, siginfo_t* info, void* context)
{
    const bool takesInfo = (g_before.sa_flags & SA_SIGINFO) != 0;
    const bool isHandler = takesInfo || (g_before.sa_handler != SIG_DFL && g_before.sa_handler != SIG_IGN);
    if (!isHandler || (g_before.sa_flags & static_cast<int>(SA_RESETHAND)) != 0)
        listenNoLonger();
    if (takesInfo)
        g_before.sa_sigaction(signal, info, context);
    else if (isHandler)
        g_before.sa_handler(signal);
}

void onSigbus(int signal, siginfo_t* info, void* context)
{
    const int savedErrno = errno;
    if (!replaceByZeros(reinterpret_cast<std::uintptr_t>(info->si_addr)))
        passOn(signal, info, context);
    errno = savedErrno;
}

bool installHandler()
{
    static const bool installed = [] {
        g_pageBytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        struct sigaction action { };
        action.sa_sigaction = onSigbus;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        ::sigemptyset(&action.sa_mask);
        return ::sigaction(SIGBUS, &action, &g_before) == 0;
    }();
    return installed;
}

int takeSlot()
{
    for (int i = 0; i < MappedFaultGuard::kMaxGuards; ++i) {
        bool taken = false;
        if (!g_slots[static_cast<std::size_t>(i)].taken.compare_exchange_strong(taken, true))
            continue;
        int used = g_slotsUsed.load();
        while (used <= i && !g_slotsUsed.compare_exchange_weak(used, i + 1)) { }
        return i;
    }
    return -1;
}

Slot& slotAt(int index)
{
    return g_slots[static_cast<std::size_t>(index)];
}

} // namespace

MappedFaultGuard::MappedFaultGuard(void* begin, std::size_t length)
    : m_slot(installHandler() ? takeSlot() : -1)
{
    if (m_slot < 0)
        return;
    Slot& slot = slotAt(m_slot);
    slot.fault = kNoFault;
    slot.begin = reinterpret_cast<std::uintptr_t>(begin);
    slot.end = reinterpret_cast<std::uintptr_t>(begin) + length;
}

MappedFaultGuard::~MappedFaultGuard()
{
    if (m_slot < 0)
        return;
    slotAt(m_slot).end = 0;
    slotAt(m_slot).taken = false;
}

std::optional<std::uint64_t> MappedFaultGuard::firstFault() const
{
    const std::uint64_t fault = m_slot < 0 ? kNoFault : slotAt(m_slot).fault.load();
    return fault == kNoFault ? std::nullopt : std::optional(fault);
}

} // namespace loadlab
