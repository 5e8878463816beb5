#pragma once

#include "core/checkpoint/SafetensorsHeader.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// A tensor as the header text says it, unchecked. 40 bytes: the shortest entry of a text takes 50.
struct HeaderEntry {
    const char* name = nullptr; ///< Into the text.
    const std::uint64_t* shape = nullptr; ///< Into the DimensionPool.
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint32_t nameBytes = 0;
    std::uint16_t rank = 0;
    Dtype dtype{};

    [[nodiscard]] std::string_view nameView() const { return {name, nameBytes}; }
    [[nodiscard]] std::span<const std::uint64_t> shapeView() const { return {shape, rank}; }
};

/// Where shapes lie. Addresses are stable; equal shapes that come near each other share one place, since a dimension
/// of 2 characters would otherwise cost 8 bytes.
class DimensionPool {
public:
    /// Dimensions that one shape may have. The format names no limit; torch and numpy stop at 64.
    static constexpr std::size_t kMaxRank = 65'535;

    explicit DimensionPool(std::size_t budgetBytes)
        : m_budget(budgetBytes / sizeof(std::uint64_t) + kChunk)
    {
    }
    /// The stored copy, or null when the budget is spent. `shape` holds at most kMaxRank dimensions.
    const std::uint64_t* add(std::span<const std::uint64_t> shape);
    /// Nothing will be added any more: what finds equal shapes is given back.
    void seal() { m_recent.reset(); }

private:
    static constexpr std::size_t kChunk = 4096;
    struct Recent {
        const std::uint64_t* place = nullptr;
        std::size_t rank = 0;
    };

    std::vector<std::unique_ptr<std::uint64_t[]>> m_chunks;
    std::size_t m_used = kChunk; ///< Of the last chunk.
    std::size_t m_capacity = 0; ///< Of the last chunk.
    std::size_t m_total = 0;
    std::size_t m_budget;
    using RecentShapes = std::array<Recent, 1024>; ///< By hash.
    std::unique_ptr<RecentShapes> m_recent = std::make_unique<RecentShapes>();
};

struct HeaderText {
    explicit HeaderText(std::size_t textBytes)
        : dimensions(textBytes)
    {
    }
    std::vector<HeaderEntry> entries; ///< In the order of the text.
    DimensionPool dimensions;
    bool hasMetadata = false;
    std::string metadataFormat; ///< __metadata__.format, at most 32 bytes of it.
};

/// Parses the text in place: names are views into it, escapes are undone there, so the text is no longer JSON
/// afterwards. `text` is followed by one NUL. Any JSON, any depth, in memory proportional to the text. The first thing
/// that is no header text ends it.
std::optional<HeaderDefect> parseHeaderText(std::span<char> text, HeaderText& into);

/// Where the first ill-formed sequence begins, or the run of non-ASCII bytes that holds it. Fast over ASCII: no UTF-8
/// sequence holds an ASCII byte, so each run of other bytes is well-formed or not on its own.
std::optional<std::size_t> findInvalidUtf8(std::string_view text);
/// 'name' for a message: valid UTF-8, at most about 160 bytes of it.
std::string inQuotes(std::string_view name);
/// "[2, 3, 4]"; long shapes are cut.
std::string toText(std::span<const std::uint64_t> shape);

} // namespace loadlab
