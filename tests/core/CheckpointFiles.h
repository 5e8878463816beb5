#pragma once

#include "core/checkpoint/Dtype.h"
#include "core/checkpoint/Family.h"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab::test {

struct TensorSpec {
    std::string name;
    std::string dtype = "F32";
    std::vector<std::uint64_t> shape;
};

/// How the data behind a header is made.
enum class Fill {
    Sparse, ///< A hole: no disk, all zeros. Any size.
    Pattern ///< Bytes that are never zero.
};

/// Creates folders above and replaces what was there.
void writeText(const std::filesystem::path& file, std::string_view text);
/// 8 bytes of length, the text as it is, then `dataBytes` of data.
void writeRaw(
    const std::filesystem::path& file, std::string_view header, std::uint64_t dataBytes, Fill fill = Fill::Pattern);
/// A well-formed file with these tensors one after the other; returns the bytes of the data.
std::uint64_t writeSafetensors(
    const std::filesystem::path& file, const std::vector<TensorSpec>& tensors, Fill fill = Fill::Pattern);
/// The header of these tensors; `dataBytes` becomes the end of the last.
std::string headerText(const std::vector<TensorSpec>& tensors, std::uint64_t* dataBytes = nullptr);

/// A folder with this config and every tensor that the family promises for it, in so many shards (1: model.safetensors,
/// more: with an index). Sparse: costs no room on disk.
void writeStandIn(const std::filesystem::path& folder, const FamilyCatalog& catalog, const nlohmann::json& config,
    std::size_t shards = 1, Fill fill = Fill::Sparse, const std::string& dtype = "BF16");

/// A temporary folder that is removed with all it holds.
class Scratch {
public:
    Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();
    [[nodiscard]] std::filesystem::path path() const { return m_path; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return m_path / name; }

private:
    std::filesystem::path m_path;
};

} // namespace loadlab::test
