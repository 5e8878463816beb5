#pragma once

#include "core/worker/Protocol.h"

namespace loadlab {

/// What was loaded, in one object: destroying it lets go of the memory.
class HeldModel {
public:
    virtual ~HeldModel() = default;

    /// What is really there, asked of the tensors themselves.
    [[nodiscard]] virtual protocol::Loaded describe() const = 0;
    /// Whether the files behind mapped tensors are still whole: views of a file that shrank hold zeros.
    [[nodiscard]] virtual Result<void> check() const = 0;
};

} // namespace loadlab
