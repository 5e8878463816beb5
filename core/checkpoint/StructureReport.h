#pragma once

#include "core/checkpoint/Family.h"
#include "core/checkpoint/TensorTable.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// A count of names and the first few of them.
class NameSample {
public:
    void add(std::string_view name);
    [[nodiscard]] std::uint64_t count() const { return m_count; }
    /// "3 tensors"
    [[nodiscard]] std::string counted() const;
    /// "'a', 'b', 'c' and 12 more"
    [[nodiscard]] std::string words() const;

private:
    std::uint64_t m_count = 0;
    std::vector<std::string> m_first;
};

/// How the stored tensors differ from those that the family expects.
struct StructureReport {
    NameSample missing; ///< Expected, not optional, and stored neither plain nor quantized.
    NameSample unexpected; ///< Stored and neither expected nor part of a quantized weight.
    NameSample misshaped; ///< Plain weights only.
    std::vector<std::uint64_t> expectedShape; ///< Of the first misshaped.
    std::vector<std::uint64_t> storedShape;
};

/// Compares names and shapes. A weight that is stored quantized (MODEL_FACTS 4.2) counts as there, and its shape is not
/// compared: it follows from the scheme.
StructureReport compareStructure(
    const std::vector<ExpectedTensor>& expected, const TensorTable& stored, const Family& family);

/// The same, difference by difference, for who wants more than the first names. All three are called.
struct StructureListener {
    std::function<void(std::string_view name)> missing;
    std::function<void(std::string_view name)> unexpected;
    std::function<void(const ExpectedTensor& expected, std::span<const std::uint64_t> stored)> misshaped;
};
void compareStructure(const std::vector<ExpectedTensor>& expected, const TensorTable& stored, const Family& family,
    const StructureListener& listener);

/// Whether a name ends like a part of a quantized weight: packed values, scales, zero points, shapes (MODEL_FACTS 4.2).
bool isQuantizedPart(std::string_view tensorName);

} // namespace loadlab
