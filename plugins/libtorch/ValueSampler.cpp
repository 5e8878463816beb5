#include "ValueSampler.h"

#include <algorithm>
#include <cstring>

namespace loadlab {
namespace {

constexpr std::uint64_t kRun = 64;

/// Whether the bits of one element say infinite or NaN; nullptr for dtypes that cannot say it.
using Test = bool (*)(const std::byte*);

template <typename Bits> Bits bitsAt(const std::byte* at)
{
    Bits bits;
    std::memcpy(&bits, at, sizeof bits);
    return bits;
}

/// All ones in the exponent.
template <typename Bits, Bits exponent> bool fullExponent(const std::byte* at)
{
    return (bitsAt<Bits>(at) & exponent) == exponent;
}

template <std::uint8_t value> bool equals(const std::byte* at)
{
    return bitsAt<std::uint8_t>(at) == value;
}

Test testFor(Dtype dtype)
{
    switch (dtype) {
    case Dtype::F16:
        return fullExponent<std::uint16_t, 0x7c00>;
    case Dtype::BF16:
        return fullExponent<std::uint16_t, 0x7f80>;
    case Dtype::F32:
    case Dtype::C64: // Two of them.
        return fullExponent<std::uint32_t, 0x7f800000>;
    case Dtype::F64:
        return fullExponent<std::uint64_t, 0x7ff0000000000000>;
    case Dtype::F8E5M2:
        return fullExponent<std::uint8_t, 0x7c>;
    case Dtype::F8E4M3: // No infinities; one NaN of either sign.
        return fullExponent<std::uint8_t, 0x7f>;
    case Dtype::F8E8M0:
        return equals<0xff>;
    case Dtype::F8E4M3Fnuz:
    case Dtype::F8E5M2Fnuz:
        return equals<0x80>;
    default:
        return nullptr;
    }
}

} // namespace

SampledValues sampleValues(Dtype dtype, std::span<const std::byte> bytes, std::uint64_t atMost)
{
    SampledValues seen;
    const Test isNonFinite = testFor(dtype);
    const std::uint64_t width = dtype == Dtype::C64 ? 4 : bitsOf(dtype) / 8;
    if (!isNonFinite || bytes.size() < width)
        return seen;
    const std::uint64_t count = bytes.size() / width;
    const auto look = [&](std::uint64_t from, std::uint64_t length) {
        for (std::uint64_t i = from; i < from + length; ++i)
            seen.nonFinite += isNonFinite(bytes.data() + i * width) ? 1 : 0;
        seen.looked += length;
    };
    atMost = std::clamp<std::uint64_t>(atMost, 2, count < 2 ? 2 : count);
    if (atMost >= count) {
        look(0, count);
        return seen;
    }
    const std::uint64_t runs = std::max<std::uint64_t>(2, atMost / kRun);
    const std::uint64_t length = atMost / runs;
    for (std::uint64_t run = 0; run < runs; ++run) // The last one ends with the last value.
        look((count - length) / (runs - 1) * run + (run + 1 == runs ? (count - length) % (runs - 1) : 0), length);
    return seen;
}

} // namespace loadlab
