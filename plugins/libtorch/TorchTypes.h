#pragma once

#include "core/checkpoint/Dtype.h"

#include <c10/core/ScalarType.h>
#include <optional>

namespace loadlab {

/// libtorch's dtype for a safetensors dtype; nothing where this libtorch has none.
std::optional<c10::ScalarType> scalarTypeOf(Dtype dtype);
/// The way back, for what a tensor of libtorch is; nothing for dtypes that safetensors does not know.
std::optional<Dtype> dtypeOf(c10::ScalarType type);

} // namespace loadlab
