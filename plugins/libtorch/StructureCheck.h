#pragma once

#include "core/checkpoint/Checkpoint.h"
#include "core/worker/Protocol.h"

namespace loadlab {

/// What a family's configuration promises against what is stored. Lists hold at most 100 names, counts are whole.
struct StructureCheck {
    bool familyKnown = false; ///< False: nothing is expected, nothing was compared.
    std::vector<std::string> missing;
    std::vector<std::string> unexpected;
    std::vector<std::string> misshaped; ///< "name: expected [a, b], stored [c, d]"
    std::uint64_t missingCount = 0;
    std::uint64_t unexpectedCount = 0;
    std::uint64_t misshapedCount = 0;

    [[nodiscard]] bool agrees() const { return missingCount + unexpectedCount + misshapedCount == 0; }
    void writeTo(protocol::Loaded& loaded) const;
};

/// Compares by name and shape. Of a quantized checkpoint only modules are compared: which tensors a scheme makes of a
/// weight, and in which shape, is the scheme's. Buffers that every loader can compute (inverse frequencies) may be
/// there.
StructureCheck checkStructure(const Checkpoint& checkpoint, const FamilyCatalog& families);

/// Throws LoadFailure (structure_mismatch) with the counts and the first names.
void insistOnStructure(const StructureCheck& structure, const Checkpoint& checkpoint);

} // namespace loadlab
