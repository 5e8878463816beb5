#pragma once

#include "core/checkpoint/Checkpoint.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace loadlab {

/// Every stored tensor once, by name. Views into the headers of `files`, which must outlive it.
class TensorTable {
public:
    struct Repeat {
        std::string_view name;
        std::size_t firstFile = 0;
        std::size_t otherFile = 0;
    };

    explicit TensorTable(const std::vector<Checkpoint::WeightFile>& files);

    [[nodiscard]] std::optional<TensorPlace> find(std::string_view name) const;
    [[nodiscard]] SafetensorsHeader::Tensor at(TensorPlace place) const;
    /// In the order of files and data, without repeats.
    [[nodiscard]] const std::vector<TensorPlace>& places() const { return m_places; }
    /// Tensors that a later file holds again.
    [[nodiscard]] const std::vector<Repeat>& repeats() const { return m_repeats; }

private:
    const std::vector<Checkpoint::WeightFile>& m_files;
    std::unordered_map<std::string_view, TensorPlace> m_byName;
    std::vector<TensorPlace> m_places;
    std::vector<Repeat> m_repeats;
};

/// How the stored tensors differ from those that the family expects.
struct StructureReport {
    struct Misshaped {
        std::string name;
        std::vector<std::uint64_t> expected;
        std::vector<std::uint64_t> stored;
    };
    std::vector<std::string> missing; ///< Expected, not optional, and not stored, neither plain nor quantized.
    std::vector<std::string> unexpected; ///< Stored and neither expected nor part of a quantized weight.
    std::vector<Misshaped> misshaped; ///< Plain weights only.
};

/// Compares names and shapes. A weight that is stored quantized (MODEL_FACTS 4.2) counts as there, and its shape is not
/// compared: it follows from the scheme.
StructureReport compareStructure(
    const std::vector<ExpectedTensor>& expected, const TensorTable& stored, const Family& family);

/// The part before a suffix that only a quantized weight has: "a.b" of "a.b.qweight"; empty for a plain name.
/// `isData`: the suffix holds the values themselves, not a scale, zero point or shape.
std::string_view quantizedModule(std::string_view tensorName, bool* isData = nullptr);

} // namespace loadlab
