#pragma once

#include "core/Result.h"
#include "core/checkpoint/Dtype.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace loadlab {

/// A tensor to be written, without its values.
struct TensorSpec {
    std::string name;
    Dtype dtype = Dtype::BF16;
    std::vector<std::uint64_t> shape;

    [[nodiscard]] std::uint64_t sizeBytes() const; ///< Sub-byte dtypes rounded up.
};

/// Where the tensors of a file go, and the bytes that come before them: the format's rules for writers
/// (MODEL_FACTS 5.1: largest dtype first, then by name; header padded so that the data begins at a multiple of 8).
struct SafetensorsLayout {
    std::vector<TensorSpec> tensors; ///< In the order of their data.
    std::vector<std::uint64_t> begins; ///< Relative to the data, one for each tensor.
    std::string head; ///< Length and header text.
    std::uint64_t dataBytes = 0;

    [[nodiscard]] std::uint64_t fileBytes() const { return head.size() + dataBytes; }
};
SafetensorsLayout layOutSafetensors(std::vector<TensorSpec> tensors);

struct SafetensorsWriting {
    /// Fills a block of a tensor's bytes; `offset` is within the tensor, a multiple of 8 MiB.
    std::function<void(const TensorSpec& tensor, std::uint64_t offset, std::span<std::byte> into)> fill;
    /// After each block, with the bytes written since the last call; false stops.
    std::function<bool(std::uint64_t writtenBytes)> wrote;
    std::uint64_t cutAtBytes = UINT64_MAX; ///< Writes no more than this: a download that broke off.
};

/// Writes a file (truncating what is there) in blocks of at most 8 MiB. Errors: Io with path and the system's words,
/// the bytes wanted where the disk is full; Cancelled. What was written then stays: write into a place that is thrown
/// away.
Result<void> writeSafetensors(
    const std::filesystem::path& file, const SafetensorsLayout& layout, const SafetensorsWriting& writing);

/// The same care for a small file.
Result<void> writeFileBytes(const std::filesystem::path& file, std::string_view bytes);

} // namespace loadlab
