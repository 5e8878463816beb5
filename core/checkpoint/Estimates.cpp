#include "core/checkpoint/Estimates.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

/// Anonymous memory of a libtorch worker that has loaded nothing (Debian 12, libtorch 1.13.1, one thread).
constexpr std::uint64_t kIdleBytes = 58'000'000;
/// What reading and converting takes besides the destination: one chunk for each of two threads.
constexpr std::uint64_t kStagingBytes = std::uint64_t{16} << 20;

constexpr bool isConvertible(Dtype dtype)
{
    return dtype == Dtype::F16 || dtype == Dtype::BF16 || dtype == Dtype::F32 || dtype == Dtype::F64;
}

bool isAligned(const SafetensorsHeader& header, const SafetensorsHeader::Tensor& tensor)
{
    const std::uint64_t itemBytes = std::max<std::uint64_t>(1, bitsOf(tensor.dtype) / 8);
    return (header.dataOffset() + tensor.begin) % itemBytes == 0;
}

/// What decides over the destination of a dtype's tensors.
struct Sum {
    std::uint64_t elements = 0;
    std::uint64_t unalignedBytes = 0; ///< Cannot be mapped in place.
};
using Sums = std::array<Sum, kDtypeCount>;

Sums sumsOf(const Checkpoint& checkpoint)
{
    Sums sums{};
    for (const Checkpoint::WeightFile& file : checkpoint.weightFiles)
        for (std::size_t i = 0; file.header && i < file.header->count(); ++i) {
            const SafetensorsHeader::Tensor tensor = file.header->tensor(i);
            Sum& sum = sums[static_cast<std::size_t>(tensor.dtype)];
            sum.elements += tensor.elements();
            sum.unalignedBytes += isAligned(*file.header, tensor) ? 0 : tensor.sizeBytes();
        }
    return sums;
}

/// Anonymous bytes that the tensors take: none for a view of the mapped file.
std::uint64_t destinationBytes(const Sums& sums, std::optional<Dtype> target)
{
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const auto dtype = static_cast<Dtype>(i);
        const bool converted = target && isConvertible(dtype) && dtype != *target;
        bytes += converted ? sums[i].elements * (bitsOf(*target) / 8) : sums[i].unalignedBytes;
    }
    return bytes;
}

/// Values that mean nothing without the scales of their scheme: a conversion is refused.
bool needsScales(const Checkpoint& checkpoint, const Sums& sums)
{
    if (!checkpoint.quantization)
        return false;
    bool needed = checkpoint.quantization->packed;
    for (std::size_t i = 0; i < sums.size(); ++i)
        needed = needed || (isEightBitFloat(static_cast<Dtype>(i)) && sums[i].elements > 0);
    return needed;
}

} // namespace

std::vector<Estimate> estimateLibtorch(const Checkpoint& checkpoint)
{
    if (checkpoint.weightFiles.empty() || checkpoint.tensorCount == 0)
        return {};
    struct Choice {
        std::string_view name;
        std::optional<Dtype> target;
    };
    constexpr std::array<Choice, 4> choices{Choice{"auto", std::nullopt}, Choice{"bfloat16", Dtype::BF16},
        Choice{"float16", Dtype::F16}, Choice{"float32", Dtype::F32}};
    const Sums sums = sumsOf(checkpoint);
    std::vector<Estimate> estimates;
    for (const Choice& choice : choices) {
        if (choice.target && needsScales(checkpoint, sums))
            continue; // refused as dtype_quantization_conflict
        const std::uint64_t bytes = destinationBytes(sums, choice.target);
        estimates.push_back({"libtorch", std::string(choice.name), "cpu",
            kIdleBytes + bytes + (bytes > 0 ? kStagingBytes : 0), kIdleBytes + bytes});
    }
    return estimates;
}

} // namespace loadlab
