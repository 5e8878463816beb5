#pragma once

#include "core/Result.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace loadlab {

/// The bytes of one weight file, either as views of a mapping or read into a buffer of the caller.
/// A reader belongs to one thread at a time; views live as long as the reader.
class TensorReader {
public:
    virtual ~TensorReader() = default;

    /// Copies [offset, offset + into.size()) of the file. Errors: Invalid when the file ends before (its length now and
    /// the length at opening are in the message), Io with the system's words.
    virtual Result<void> read(std::uint64_t offset, std::span<std::byte> into) = 0;
    /// A view of the bytes without a copy, or an empty span where this reader cannot give one. Touching it may fault: a
    /// file that shrinks below raises SIGBUS, which MappedFaultGuard turns into an error.
    virtual std::span<const std::byte> view(std::uint64_t offset, std::uint64_t length) = 0;
    /// Says that the range will not be needed again: pages of a mapping leave the resident set (never the contents).
    virtual void release(std::uint64_t offset, std::uint64_t length) = 0;
    [[nodiscard]] virtual std::uint64_t fileBytes() const = 0; ///< At opening.
};

/// Keeps the file open; refuses everything but regular files.
Result<std::unique_ptr<TensorReader>> openMappedReader(const std::filesystem::path& file);
Result<std::unique_ptr<TensorReader>> openReadingReader(const std::filesystem::path& file);

/// Whether the file still has the bytes it had (fstat of the open descriptor): Invalid with both lengths when it shrank.
Result<void> checkUnshrunk(TensorReader& reader);

} // namespace loadlab
