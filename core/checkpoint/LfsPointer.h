#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace loadlab {

/// What a git-lfs pointer file says about the file that it stands for (MODEL_FACTS 5.6).
struct LfsPointer {
    std::optional<std::uint64_t> sizeBytes;
    std::string oid; ///< "sha256:…"; may be empty.
};

/// Enough bytes of a file's beginning to tell.
inline constexpr std::size_t kLfsPointerBytes = 512;

/// A pointer, when the text begins like one. Nothing for any other file.
std::optional<LfsPointer> findLfsPointer(std::string_view head);
/// "git-lfs pointer: the 988,097,824 bytes that it stands for were not fetched (git lfs pull)".
std::string describe(const LfsPointer& pointer);

} // namespace loadlab
