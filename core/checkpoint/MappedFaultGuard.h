#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace loadlab {

/// Watches one mapping of a file. When a page of it cannot be had any more (the file shrank, the disk failed) the
/// kernel raises SIGBUS; the guard then maps zeros from that page to the end of the mapping and remembers the place,
/// and the thread goes on. Any thread may touch the mapping. A SIGBUS anywhere else does what it did before.
///
/// The first guard of a process installs the handler, which stays. Destroy the guard before unmapping.
class MappedFaultGuard {
public:
    MappedFaultGuard(void* begin, std::size_t length);
    ~MappedFaultGuard();
    MappedFaultGuard(const MappedFaultGuard&) = delete;
    MappedFaultGuard& operator=(const MappedFaultGuard&) = delete;

    /// False when all kMaxGuards places are taken or the handler could not be installed: the mapping is not protected.
    [[nodiscard]] bool watches() const { return m_slot >= 0; }
    /// Offset of the lowest page that was replaced by zeros; nothing while all is well.
    [[nodiscard]] std::optional<std::uint64_t> firstFault() const;

    static constexpr int kMaxGuards = 4096;

private:
    int m_slot = -1;
};

} // namespace loadlab
