#include "TensorDigests.h"

#include "core/Digest.h"

#include <algorithm>
#include <c10/core/InferenceMode.h>

namespace loadlab {

std::string sha256OfTensor(const at::Tensor& tensor)
{
    constexpr std::int64_t pieceElements = std::int64_t{1} << 20;
    const c10::InferenceMode noAutograd;
    Sha256 hash;
    const at::Tensor flat = tensor.contiguous().view({-1});
    for (std::int64_t from = 0; from < flat.numel(); from += pieceElements) {
        const at::Tensor piece = flat.narrow(0, from, std::min(pieceElements, flat.numel() - from)).to(at::kCPU);
        hash.add({static_cast<const char*>(piece.data_ptr()), piece.nbytes()});
    }
    return hash.hex();
}

} // namespace loadlab
