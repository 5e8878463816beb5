#pragma once

#include "core/Result.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace loadlab {

/// Host memory for all tensors of a load that are no views: one anonymous mapping, sized exactly, aligned and advised
/// for huge pages (page faults, not bandwidth, are what fresh memory costs). Pages count as used when they are first
/// written. Freed when the last owner lets go.
class HostArena {
public:
    /// Io with the system's words when the memory is refused; the message holds the size.
    static Result<std::shared_ptr<HostArena>> allocate(std::uint64_t bytes);
    /// What a tensor of this size takes in an arena: whole cache lines.
    static constexpr std::uint64_t roomFor(std::uint64_t bytes)
    {
        return (bytes + kAlignment - 1) / kAlignment * kAlignment;
    }

    ~HostArena();
    HostArena(const HostArena&) = delete;
    HostArena& operator=(const HostArena&) = delete;

    /// The next piece, aligned to 64 bytes. The sum of roomFor() must not exceed what was allocated.
    std::byte* take(std::uint64_t bytes);

private:
    static constexpr std::uint64_t kAlignment = 64;
    HostArena(std::byte* base, std::uint64_t bytes)
        : m_base(base)
        , m_bytes(bytes)
    {
    }

    std::byte* m_base;
    std::uint64_t m_bytes;
    std::uint64_t m_taken = 0;
};

} // namespace loadlab
