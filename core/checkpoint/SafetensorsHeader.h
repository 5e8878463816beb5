#pragma once

#include "core/FailureMode.h"
#include "core/Result.h"
#include "core/checkpoint/Dtype.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

class RegularFile;

/// A rule of the format that a file breaks. The mode tells truncated (IncompleteDownload) from wrong (CorruptFile).
struct HeaderDefect {
    FailureMode mode = FailureMode::CorruptFile;
    std::string text; ///< Names tensor and numbers; the caller adds the file.
    bool tolerated = false; ///< Readers accept it all the same (duplicate keys): a problem, but the file stays usable.
};

/// The header of one safetensors file: every tensor with dtype, shape and place, in the order of the data.
/// Immutable; names and shapes point into memory that the object owns. Costs at most twice the header's text.
class SafetensorsHeader {
public:
    /// Largest header the format allows (safetensors tensor.rs: MAX_HEADER_SIZE).
    static constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

    struct Tensor {
        std::string_view name;
        Dtype dtype {};
        std::span<const std::uint64_t> shape;
        std::uint64_t begin = 0; ///< Relative to the data buffer.
        std::uint64_t end = 0;

        /// 0 where a broken header lets the tensor end before it begins.
        [[nodiscard]] std::uint64_t sizeBytes() const { return end > begin ? end - begin : 0; }
        [[nodiscard]] std::uint64_t elements() const; ///< Product of the shape; 1 for a scalar.
    };

    /// Reads and checks all rules of MODEL_FACTS 5.1. An Error only where the file cannot be opened or read (Io,
    /// NotFound, or Invalid for a FIFO, socket, device or folder, none of which is opened for reading); a broken file
    /// is a header with defects(), which then may hold no tensors.
    static Result<SafetensorsHeader> load(const std::filesystem::path& file);
    /// The same from a file that is open already; messages leave out its path. Errors: Io.
    static Result<SafetensorsHeader> read(const RegularFile& file);

    SafetensorsHeader(SafetensorsHeader&&) noexcept;
    SafetensorsHeader& operator=(SafetensorsHeader&&) noexcept;
    ~SafetensorsHeader();

    [[nodiscard]] std::size_t count() const;
    [[nodiscard]] Tensor tensor(std::size_t index) const; ///< Sorted by begin.
    [[nodiscard]] std::uint64_t dataOffset() const; ///< 8 + length of the header text.
    [[nodiscard]] std::uint64_t fileBytes() const;
    [[nodiscard]] const std::vector<HeaderDefect>& defects() const;
    /// What the format allows, worth a word: unaligned data, odd names.
    [[nodiscard]] const std::vector<std::string>& remarks() const;
    /// No defect but tolerated ones.
    [[nodiscard]] bool usable() const;
    [[nodiscard]] bool isLfsPointer() const;
    /// SHA-256 over header text and file size: part of a checkpoint's fingerprint.
    [[nodiscard]] std::string digest() const;

private:
    struct State;
    explicit SafetensorsHeader(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace loadlab
