#include "core/checkpoint/StructureReport.h"

#include "core/Units.h"
#include "core/checkpoint/HeaderText.h"

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

/// Behind a module's name. Every scheme has at least one of the first seven.
constexpr std::array<std::string_view, 29> kParts{".weight_packed", ".qweight", ".weight_scale", ".weight_scale_inv",
    ".SCB", ".weight.absmax", ".weight_scale_2", // telling parts
    ".qzeros", ".scales", ".g_idx", ".weight_shape", ".weight_zero_point", ".weight_g_idx", ".weight_global_scale",
    ".input_global_scale", ".input_scale", ".input_zero_point", ".output_scale", ".activation_scale",
    ".pre_quant_scale", ".weight_format", ".weight.quant_map", ".weight.nested_absmax", ".weight.nested_quant_map",
    ".weight.quant_state.bitsandbytes__nf4", ".weight.quant_state.bitsandbytes__fp4", ".k_scale", ".v_scale",
    "_scales"};
constexpr std::size_t kTellingParts = 7;

std::string_view moduleOf(std::string_view tensorName)
{
    constexpr std::string_view weight = ".weight";
    return tensorName.ends_with(weight) ? tensorName.substr(0, tensorName.size() - weight.size()) : tensorName;
}

bool isStoredQuantized(const TensorTable& stored, std::string_view tensorName)
{
    std::string name(moduleOf(tensorName));
    const std::size_t length = name.size();
    for (std::size_t i = 0; i < kTellingParts; ++i) {
        name.resize(length);
        name += kParts[i];
        if (stored.find(name))
            return true;
    }
    return false;
}

bool sameShape(std::span<const std::uint64_t> a, const std::vector<std::uint64_t>& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

} // namespace

void NameSample::add(std::string_view name)
{
    constexpr std::size_t shown = 3;
    if (m_count++ < shown)
        m_first.push_back(inQuotes(name));
}

std::string NameSample::counted() const
{
    return formatCount(m_count, "tensor");
}

std::string NameSample::words() const
{
    std::string text;
    for (const std::string& name : m_first)
        text += (text.empty() ? "" : ", ") + name;
    return m_count > m_first.size() ? text + " and " + formatCount(m_count - m_first.size()) + " more" : text;
}

bool isQuantizedPart(std::string_view tensorName)
{
    if (tensorName.ends_with(".weight") || tensorName.ends_with(".bias")) // nearly all of them
        return false;
    return std::any_of(
        kParts.begin(), kParts.end(), [tensorName](std::string_view part) { return tensorName.ends_with(part); });
}

void compareStructure(const std::vector<ExpectedTensor>& expected, const TensorTable& stored, const Family& family,
    const StructureListener& listener)
{
    std::vector<bool> isKnown(stored.count());
    for (const ExpectedTensor& tensor : expected) {
        const std::optional<std::size_t> index = stored.find(tensor.name);
        if (index)
            isKnown[*index] = true;
        else if (tensor.optional)
            continue;
        if (index && sameShape(stored.tensor(*index).shape, tensor.shape))
            continue;
        if (isStoredQuantized(stored, tensor.name))
            continue;
        if (index)
            listener.misshaped(tensor, stored.tensor(*index).shape);
        else
            listener.missing(tensor.name);
    }
    for (std::size_t i = 0; i < stored.count(); ++i) {
        if (isKnown[i])
            continue;
        const std::string_view name = stored.tensor(i).name;
        if (!isQuantizedPart(name) && !family.ignores(name))
            listener.unexpected(name);
    }
}

StructureReport compareStructure(
    const std::vector<ExpectedTensor>& expected, const TensorTable& stored, const Family& family)
{
    StructureReport report;
    compareStructure(expected, stored, family,
        {[&](std::string_view name) { report.missing.add(name); },
            [&](std::string_view name) { report.unexpected.add(name); },
            [&](const ExpectedTensor& tensor, std::span<const std::uint64_t> shape) {
                if (report.misshaped.count() == 0) {
                    report.storedShape.assign(shape.begin(), shape.end());
                    report.expectedShape = tensor.shape;
                }
                report.misshaped.add(tensor.name);
            }});
    return report;
}

} // namespace loadlab
