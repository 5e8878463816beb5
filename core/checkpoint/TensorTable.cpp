#include "core/checkpoint/TensorTable.h"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace loadlab {
namespace {

struct Suffix {
    std::string_view text;
    bool isData;
};

/// MODEL_FACTS 4.2. All of them behind the module's name.
constexpr std::array kQuantizedSuffixes{
    Suffix{".qweight", true}, Suffix{".weight_packed", true}, // AWQ and GPTQ; compressed-tensors
    Suffix{".qzeros", false}, Suffix{".scales", false}, Suffix{".g_idx", false}, Suffix{".weight_scale", false},
    Suffix{".weight_shape", false}, Suffix{".weight_zero_point", false}, Suffix{".weight_g_idx", false},
    Suffix{".weight_global_scale", false}, Suffix{".input_global_scale", false}, Suffix{".input_scale", false},
    Suffix{".input_zero_point", false}, Suffix{".output_scale", false}, Suffix{".weight_scale_inv", false},
    Suffix{".activation_scale", false}, // fine-grained FP8
    Suffix{".weight_scale_2", false}, Suffix{".pre_quant_scale", false}, // modelopt
    Suffix{".SCB", false}, Suffix{".weight_format", false}, // bitsandbytes
    Suffix{".weight.absmax", false}, Suffix{".weight.quant_map", false}, Suffix{".weight.nested_absmax", false},
    Suffix{".weight.nested_quant_map", false}, Suffix{".weight.quant_state.bitsandbytes__nf4", false},
    Suffix{".weight.quant_state.bitsandbytes__fp4", false}, Suffix{".k_scale", false}, Suffix{".v_scale", false},
    Suffix{"_blocks", true}, Suffix{"_scales", false}, // MXFP4 experts
};

bool sameShape(std::span<const std::uint64_t> a, const std::vector<std::uint64_t>& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::string_view moduleOf(std::string_view tensorName)
{
    constexpr std::string_view weight = ".weight";
    return tensorName.ends_with(weight) ? tensorName.substr(0, tensorName.size() - weight.size()) : tensorName;
}

} // namespace

TensorTable::TensorTable(const std::vector<Checkpoint::WeightFile>& files)
    : m_files(files)
{
    std::size_t total = 0;
    for (const Checkpoint::WeightFile& file : files)
        total += file.header ? file.header->count() : 0;
    m_byName.reserve(total);
    m_places.reserve(total);
    for (std::size_t file = 0; file < files.size(); ++file)
        for (std::size_t i = 0; files[file].header && i < files[file].header->count(); ++i) {
            const TensorPlace place{file, i};
            const auto [found, isNew] = m_byName.emplace(files[file].header->tensor(i).name, place);
            if (isNew)
                m_places.push_back(place);
            else
                m_repeats.push_back({found->first, found->second.file, file});
        }
}

std::optional<TensorPlace> TensorTable::find(std::string_view name) const
{
    const auto found = m_byName.find(name);
    return found == m_byName.end() ? std::nullopt : std::optional(found->second);
}

SafetensorsHeader::Tensor TensorTable::at(TensorPlace place) const
{
    return m_files[place.file].header->tensor(place.tensor);
}

std::string_view quantizedModule(std::string_view tensorName, bool* isData)
{
    if (tensorName.ends_with(".weight") || tensorName.ends_with(".bias")) // nearly all of them
        return {};
    for (const Suffix& suffix : kQuantizedSuffixes)
        if (tensorName.ends_with(suffix.text)) {
            if (isData != nullptr)
                *isData = suffix.isData;
            return tensorName.substr(0, tensorName.size() - suffix.text.size());
        }
    return {};
}

StructureReport compareStructure(
    const std::vector<ExpectedTensor>& expected, const TensorTable& stored, const Family& family)
{
    StructureReport report;
    std::unordered_set<std::string_view> quantized; // modules with at least one such tensor
    for (const TensorPlace place : stored.places())
        if (const std::string_view module = quantizedModule(stored.at(place).name); !module.empty())
            quantized.insert(module);
    std::unordered_set<std::string_view> known;
    known.reserve(expected.size());
    for (const ExpectedTensor& tensor : expected) {
        known.insert(tensor.name);
        const bool isQuantized = !quantized.empty() && quantized.contains(moduleOf(tensor.name));
        const std::optional<TensorPlace> place = stored.find(tensor.name);
        if (!place && !tensor.optional && !isQuantized)
            report.missing.push_back(tensor.name);
        if (!place || isQuantized)
            continue;
        const SafetensorsHeader::Tensor found = stored.at(*place);
        if (!sameShape(found.shape, tensor.shape))
            report.misshaped.push_back({tensor.name, tensor.shape, {found.shape.begin(), found.shape.end()}});
    }
    for (const TensorPlace place : stored.places()) {
        const std::string_view name = stored.at(place).name;
        if (!known.contains(name) && quantizedModule(name).empty() && !family.ignores(name))
            report.unexpected.emplace_back(name);
    }
    return report;
}

} // namespace loadlab
