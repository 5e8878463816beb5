#pragma once

#include "core/checkpoint/Checkpoint.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace loadlab {

/// Every stored tensor once, by name. Views into the headers of `files`, which must outlive it. Takes 16 to 24 bytes a
/// tensor, so that two million tiny ones stay affordable.
class TensorTable {
public:
    explicit TensorTable(const std::vector<Checkpoint::WeightFile>& files);

    /// Tensors, without those that a later file holds again; in the order of files and data.
    [[nodiscard]] std::size_t count() const { return m_places.size(); }
    [[nodiscard]] TensorPlace place(std::size_t index) const { return {m_places[index].file, m_places[index].tensor}; }
    [[nodiscard]] SafetensorsHeader::Tensor tensor(std::size_t index) const;
    /// The index of a name.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

    /// Tensors that more than one file holds: how many, and the first.
    struct Repeats {
        std::size_t count = 0;
        std::string_view name;
        std::size_t firstFile = 0;
        std::size_t otherFile = 0;
    };
    [[nodiscard]] const Repeats& repeats() const { return m_repeats; }

private:
    struct Place {
        std::uint32_t file;
        std::uint32_t tensor;
    };

    [[nodiscard]] std::size_t slotOf(std::string_view name) const;

    const std::vector<Checkpoint::WeightFile>& m_files;
    std::vector<Place> m_places;
    std::vector<std::uint32_t> m_slots; ///< Open addressing: 1 + index of a place, or 0. A power of two.
    Repeats m_repeats;
};

} // namespace loadlab
