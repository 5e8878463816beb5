#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace loadlab {

/// A file of /proc or /sys that is read again and again: the descriptor stays open, every read is one pread at 0 into
/// the caller's buffer. For /proc/PID files the descriptor is bound to the process: once that has ended, reads fail,
/// also when another process has got its pid.
class ProcFile {
public:
    ProcFile() = default;
    explicit ProcFile(const char* path);
    ~ProcFile() { close(); }
    ProcFile(ProcFile&& other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
    {
    }
    ProcFile& operator=(ProcFile&& other) noexcept
    {
        std::swap(m_fd, other.m_fd);
        return *this;
    }

    [[nodiscard]] bool isOpen() const { return m_fd >= 0; }
    [[nodiscard]] int descriptor() const { return m_fd; }
    /// What the file holds now from the offset on, at most buffer.size() bytes (some files of /proc give one page per
    /// read); nothing when it cannot be read (errno says why). Allocates nothing.
    std::optional<std::string_view> read(std::span<char> buffer, std::size_t offset = 0) const;
    void close();

private:
    int m_fd = -1;
};

/// The beginning of a file (whole, where it is small), without newlines and zero bytes at its end; empty when it cannot
/// be read.
std::string readSmallFile(const std::string& path, std::size_t maxBytes = std::size_t{64} << 10);

namespace procfs {

/// The unsigned number at the front, after blanks; `text` moves behind it. Nothing when there is none.
std::optional<std::uint64_t> takeNumber(std::string_view& text);
/// The number behind `key` at the beginning of a line ("MemTotal:" → of "MemTotal:  123 kB" 123).
std::optional<std::uint64_t> numberAfter(std::string_view text, std::string_view key);

} // namespace procfs
} // namespace loadlab
