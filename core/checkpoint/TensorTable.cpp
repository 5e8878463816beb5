#include "core/checkpoint/TensorTable.h"

#include <bit>
#include <functional>

namespace loadlab {

TensorTable::TensorTable(const std::vector<Checkpoint::WeightFile>& files)
    : m_files(files)
{
    std::size_t total = 0;
    for (const Checkpoint::WeightFile& file : files)
        total += file.header ? file.header->count() : 0;
    m_places.reserve(total);
    m_slots.assign(std::bit_ceil(total + total / 2 + 1), 0);
    for (std::uint32_t file = 0; file < files.size(); ++file)
        for (std::uint32_t i = 0; files[file].header && i < files[file].header->count(); ++i) {
            const std::string_view name = files[file].header->tensor(i).name;
            std::uint32_t& slot = m_slots[slotOf(name)];
            if (slot == 0) {
                m_places.push_back({file, i});
                slot = static_cast<std::uint32_t>(m_places.size());
            } else if (m_repeats.count++ == 0) {
                m_repeats = {1, name, m_places[slot - 1].file, file};
            }
        }
}

SafetensorsHeader::Tensor TensorTable::tensor(std::size_t index) const
{
    return m_files[m_places[index].file].header->tensor(m_places[index].tensor);
}

std::optional<std::size_t> TensorTable::find(std::string_view name) const
{
    const std::uint32_t slot = m_slots[slotOf(name)];
    return slot == 0 ? std::nullopt : std::optional<std::size_t>(slot - 1);
}

/// The slot that holds the name, or the free one where it would go: at least a third of them is free.
std::size_t TensorTable::slotOf(std::string_view name) const
{
    const std::size_t mask = m_slots.size() - 1;
    std::size_t at = std::hash<std::string_view>{}(name)&mask;
    while (m_slots[at] != 0 && tensor(m_slots[at] - 1).name != name)
        at = (at + 1) & mask;
    return at;
}

} // namespace loadlab
