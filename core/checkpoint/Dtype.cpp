#include "core/checkpoint/Dtype.h"

#include <array>
#include <string>

namespace loadlab {
namespace {

struct Facts {
    std::string_view name;
    unsigned bits;
    bool isFloat;
};

constexpr std::array<Facts, kDtypeCount> kFacts {{
    {"BOOL", 8, false}, {"F4", 4, true}, {"F6_E2M3", 6, true}, {"F6_E3M2", 6, true}, {"U8", 8, false}, {"I8", 8, false},
    {"F8_E5M2", 8, true}, {"F8_E4M3", 8, true}, {"F8_E8M0", 8, true}, {"F8_E4M3FNUZ", 8, true}, {"F8_E5M2FNUZ", 8, true},
    {"I16", 16, false}, {"U16", 16, false}, {"F16", 16, true}, {"BF16", 16, true}, {"I32", 32, false}, {"U32", 32, false},
    {"F32", 32, true}, {"C64", 64, false}, {"F64", 64, true}, {"I64", 64, false}, {"U64", 64, false},
}};

const Facts& factsOf(Dtype dtype)
{
    return kFacts[static_cast<std::size_t>(dtype)];
}

struct Spelling {
    std::string_view word;
    RequestedDtype dtype;
};

constexpr std::array kSpellings {
    Spelling {"auto", RequestedDtype::Auto},
    Spelling {"float16", RequestedDtype::Float16}, Spelling {"fp16", RequestedDtype::Float16},
    Spelling {"f16", RequestedDtype::Float16}, Spelling {"half", RequestedDtype::Float16},
    Spelling {"bfloat16", RequestedDtype::BFloat16}, Spelling {"bf16", RequestedDtype::BFloat16},
    Spelling {"float32", RequestedDtype::Float32}, Spelling {"fp32", RequestedDtype::Float32},
    Spelling {"f32", RequestedDtype::Float32}, Spelling {"float", RequestedDtype::Float32},
};

std::string lowered(std::string_view word)
{
    std::string lower(word);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

} // namespace

std::string_view toHeaderName(Dtype dtype)
{
    return factsOf(dtype).name;
}

std::optional<Dtype> findDtype(std::string_view headerName)
{
    for (std::size_t i = 0; i < kFacts.size(); ++i)
        if (kFacts[i].name == headerName)
            return static_cast<Dtype>(i);
    return std::nullopt;
}

unsigned bitsOf(Dtype dtype)
{
    return factsOf(dtype).bits;
}

bool isFloat(Dtype dtype)
{
    return factsOf(dtype).isFloat;
}

bool isEightBitFloat(Dtype dtype)
{
    return dtype == Dtype::F8E4M3 || dtype == Dtype::F8E5M2 || dtype == Dtype::F8E4M3Fnuz || dtype == Dtype::F8E5M2Fnuz;
}

std::string_view toTorchName(RequestedDtype dtype)
{
    switch (dtype) {
    case RequestedDtype::Float16: return "float16";
    case RequestedDtype::BFloat16: return "bfloat16";
    case RequestedDtype::Float32: return "float32";
    case RequestedDtype::Auto: break;
    }
    return "auto";
}

std::optional<RequestedDtype> findRequestedDtype(std::string_view word)
{
    constexpr std::string_view prefix = "torch.";
    if (word.substr(0, prefix.size()) == prefix)
        word.remove_prefix(prefix.size());
    const std::string lower = lowered(word);
    for (const Spelling& spelling : kSpellings)
        if (spelling.word == lower)
            return spelling.dtype;
    return std::nullopt;
}

} // namespace loadlab
