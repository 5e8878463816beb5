#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace loadlab {

/// Element types of safetensors 0.8 in alignment order (MODEL_FACTS 5.1).
enum class Dtype : std::uint8_t {
    Bool, F4, F6E2M3, F6E3M2, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4M3Fnuz, F8E5M2Fnuz, I16, U16, F16, BF16, I32, U32,
    F32, C64, F64, I64, U64
};
inline constexpr std::size_t kDtypeCount = static_cast<std::size_t>(Dtype::U64) + 1;

/// The name in a safetensors header, e.g. "F8_E4M3".
std::string_view toHeaderName(Dtype dtype);
std::optional<Dtype> findDtype(std::string_view headerName);
/// Bits of one element: 4 for F4, 6 for F6, else a multiple of 8.
unsigned bitsOf(Dtype dtype);
/// F16, BF16, F32, F64 and the 4, 6 and 8 bit floats; neither integers nor C64.
bool isFloat(Dtype dtype);
/// F8_E4M3, F8_E5M2 and their FNUZ kinds; not F8_E8M0, which holds scales.
bool isEightBitFloat(Dtype dtype);

/// What the operator asks for.
enum class RequestedDtype : std::uint8_t { Auto, Float16, BFloat16, Float32 };
/// "auto", "float16" …; the torch spelling.
std::string_view toTorchName(RequestedDtype dtype);
/// Takes torch's and safetensors' spellings ("bfloat16", "bf16", "BF16", "half", "float", "fp32", "torch.float32" …).
std::optional<RequestedDtype> findRequestedDtype(std::string_view word);

} // namespace loadlab
