#pragma once

#include <ATen/core/Tensor.h>
#include <string>

namespace loadlab {

/// SHA-256 over the values in row-major order. A tensor of a device comes to the host in pieces.
std::string sha256OfTensor(const at::Tensor& tensor);

} // namespace loadlab
