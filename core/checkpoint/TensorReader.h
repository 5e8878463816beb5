#pragma once

#include "core/Result.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace loadlab {

/// The bytes of one weight file, either as views of a mapping or read into a buffer of the caller. Every member may be
/// called from several threads at once; views live as long as the reader.
///
/// A file that shrinks under a mapping does not end the process: MappedFaultGuard puts zeros in place of what is gone,
/// and touch(), read() and check() say so from then on. Whoever uses a view asks check() after it.
class TensorReader {
public:
    virtual ~TensorReader() = default;

    /// Copies [offset, offset + into.size()) of the file. Errors: Invalid when the file ends before (its length now and
    /// the length at opening are in the message), Io with the system's words.
    virtual Result<void> read(std::uint64_t offset, std::span<std::byte> into) = 0;
    /// A view of the bytes without a copy; empty where this reader cannot give one, or the range is not in the file.
    [[nodiscard]] virtual std::span<const std::byte> view(std::uint64_t offset, std::uint64_t length) const = 0;
    /// Makes a view's bytes resident, from disk where needed; nothing for a reader without views. Errors as read().
    virtual Result<void> touch(std::uint64_t offset, std::uint64_t length) = 0;
    /// Asks the kernel to begin reading a range that will be wanted soon; does not wait.
    virtual void expect(std::uint64_t offset, std::uint64_t length) = 0;
    /// Says that the range will not be needed again: pages of a mapping leave the resident set (never the contents).
    virtual void release(std::uint64_t offset, std::uint64_t length) = 0;
    /// Whether the file still has its bytes. Invalid when it shrank (with both lengths), Io when a page could not be
    /// read.
    [[nodiscard]] virtual Result<void> check() const = 0;
    [[nodiscard]] virtual std::uint64_t fileBytes() const = 0; ///< At opening.
};

/// Keep the file open; refuse everything but regular files, which includes what turns out to be none after opening.
/// Errors: NotFound, Invalid (no regular file), Io (permission, a file system without mmap …).
Result<std::unique_ptr<TensorReader>> openMappedReader(const std::filesystem::path& file);
Result<std::unique_ptr<TensorReader>> openReadingReader(const std::filesystem::path& file);

} // namespace loadlab
