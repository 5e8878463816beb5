#include "TorchTypes.h"

#include <torch/version.h>

// 1.13 has only MAJOR, MINOR and PATCH.
#define LOADLAB_TORCH_AT_LEAST(major, minor)                                                                           \
    (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace loadlab {
namespace {

struct Pair {
    Dtype dtype;
    c10::ScalarType type;
};

/// Four- and six-bit floats stay raw bytes everywhere: libtorch's packed float4 counts pairs, not values.
constexpr Pair kPairs[] = {
    {Dtype::Bool, c10::ScalarType::Bool},
    {Dtype::U8, c10::ScalarType::Byte},
    {Dtype::I8, c10::ScalarType::Char},
    {Dtype::I16, c10::ScalarType::Short},
    {Dtype::I32, c10::ScalarType::Int},
    {Dtype::I64, c10::ScalarType::Long},
    {Dtype::F16, c10::ScalarType::Half},
    {Dtype::BF16, c10::ScalarType::BFloat16},
    {Dtype::F32, c10::ScalarType::Float},
    {Dtype::F64, c10::ScalarType::Double},
    {Dtype::C64, c10::ScalarType::ComplexFloat},
#if LOADLAB_TORCH_AT_LEAST(2, 1)
    {Dtype::F8E5M2, c10::ScalarType::Float8_e5m2},
    {Dtype::F8E4M3, c10::ScalarType::Float8_e4m3fn},
#endif
#if LOADLAB_TORCH_AT_LEAST(2, 2)
    {Dtype::F8E5M2Fnuz, c10::ScalarType::Float8_e5m2fnuz},
    {Dtype::F8E4M3Fnuz, c10::ScalarType::Float8_e4m3fnuz},
#endif
#if LOADLAB_TORCH_AT_LEAST(2, 3)
    {Dtype::U16, c10::ScalarType::UInt16},
    {Dtype::U32, c10::ScalarType::UInt32},
    {Dtype::U64, c10::ScalarType::UInt64},
#endif
#if LOADLAB_TORCH_AT_LEAST(2, 7)
    {Dtype::F8E8M0, c10::ScalarType::Float8_e8m0fnu},
#endif
};

} // namespace

std::optional<c10::ScalarType> scalarTypeOf(Dtype dtype)
{
    for (const Pair& pair : kPairs)
        if (pair.dtype == dtype)
            return pair.type;
    return std::nullopt;
}

std::optional<Dtype> dtypeOf(c10::ScalarType type)
{
    for (const Pair& pair : kPairs)
        if (pair.type == type)
            return pair.dtype;
    return std::nullopt;
}

} // namespace loadlab
