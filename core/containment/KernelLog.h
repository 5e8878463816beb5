#pragma once

#include "core/Descriptor.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace loadlab {

/// A process that the kernel says it killed for lack of memory.
struct OomVictim {
    pid_t pid = 0;
    std::string name; ///< UTF-8.
    std::uint64_t heldBytes = 0; ///< Anonymous and shared memory that it had at that moment; 0: not told.
    std::string group; ///< Path of its memory cgroup, where the kernel says it.
    std::string limitedGroup; ///< Path of the memory cgroup that had met its limit, where the kernel says it.
    bool ofMachine = false; ///< The kernel says that the whole machine had run out.
};

/// Of one line of the kernel's log; nothing when it names no victim.
std::optional<OomVictim> victimIn(std::string_view line);

/// /dev/kmsg from a mark on. Where it may not be read (dmesg_restrict), or the log's pids are not this namespace's,
/// nothing is known.
class KernelLog {
public:
    /// Sets the mark: what is in the log by now does not count.
    explicit KernelLog(const char* device = "/dev/kmsg");

    [[nodiscard]] bool isReadable() const { return static_cast<bool>(m_device); }
    /// Victims since the mark, or since the last call. Never waits.
    std::vector<OomVictim> takeVictims();

private:
    Descriptor m_device;
    OomVictim m_announced; ///< By the record before the victim's own.
};

} // namespace loadlab
