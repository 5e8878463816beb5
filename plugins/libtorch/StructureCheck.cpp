#include "StructureCheck.h"

#include "LoadFailure.h"

#include "core/Units.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

namespace loadlab {
namespace {

constexpr std::size_t kMaxNames = 100;
constexpr std::size_t kMaxNameBytes = 500;

std::string shownName(std::string_view name)
{
    return toUtf8(name.substr(0, kMaxNameBytes));
}

std::string shapeWords(std::span<const std::uint64_t> shape)
{
    std::string words = "[";
    for (const std::uint64_t extent : shape)
        words += (words.size() == 1 ? "" : ", ") + std::to_string(extent);
    return words + "]";
}

void note(std::vector<std::string>& list, std::uint64_t& count, std::string entry)
{
    if (count++ < kMaxNames)
        list.push_back(std::move(entry));
}

std::string_view moduleOf(std::string_view tensorName)
{
    const std::size_t dot = tensorName.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : tensorName.substr(0, dot);
}

bool isComputedBuffer(std::string_view name)
{
    const std::string_view last = name.substr(name.rfind('.') + 1);
    return last == "inv_freq" || last == "position_ids" || last == "masked_bias";
}

const Family* familyOf(const Checkpoint& checkpoint, const FamilyCatalog& families)
{
    if (checkpoint.family.empty() || !checkpoint.config)
        return nullptr;
    for (const Family& family : families.families())
        if (family.name() == checkpoint.family)
            return &family;
    return nullptr;
}

class Comparison {
public:
    Comparison(const Checkpoint& checkpoint, const std::vector<ExpectedTensor>& expected)
        : m_expected(expected)
        , m_byModule(checkpoint.quantization.has_value())
    {
        for (const Checkpoint::WeightFile& file : checkpoint.weightFiles)
            for (std::size_t t = 0; t < file.header->count(); ++t) {
                const SafetensorsHeader::Tensor tensor = file.header->tensor(t);
                m_stored.emplace(tensor.name, tensor.shape);
                m_storedModules.insert(moduleOf(tensor.name));
            }
    }

    StructureCheck run()
    {
        m_check.familyKnown = true;
        for (const ExpectedTensor& expected : m_expected)
            compare(expected);
        for (const auto& [name, shape] : m_stored)
            if (!isExpected(name) && !isComputedBuffer(name))
                note(m_check.unexpected, m_check.unexpectedCount, shownName(name));
        std::sort(m_check.unexpected.begin(), m_check.unexpected.end());
        return std::move(m_check);
    }

private:
    void compare(const ExpectedTensor& expected)
    {
        m_expectedNames.insert(expected.name);
        m_expectedModules.insert(moduleOf(expected.name));
        const auto stored = m_stored.find(expected.name);
        if (stored == m_stored.end()) {
            const bool there = m_byModule && m_storedModules.contains(moduleOf(expected.name));
            if (!there && !expected.optional)
                note(m_check.missing, m_check.missingCount, shownName(expected.name));
            return;
        }
        if (!m_byModule && !std::ranges::equal(stored->second, expected.shape))
            note(m_check.misshaped, m_check.misshapedCount,
                shownName(expected.name) + ": expected " + shapeWords(expected.shape) + ", stored "
                    + shapeWords(stored->second));
    }
    [[nodiscard]] bool isExpected(std::string_view name) const
    {
        return m_expectedNames.contains(name) || (m_byModule && m_expectedModules.contains(moduleOf(name)));
    }

    const std::vector<ExpectedTensor>& m_expected;
    bool m_byModule;
    std::unordered_map<std::string_view, std::span<const std::uint64_t>> m_stored;
    std::unordered_set<std::string_view> m_storedModules;
    std::unordered_set<std::string_view> m_expectedNames;
    std::unordered_set<std::string_view> m_expectedModules;
    StructureCheck m_check;
};

std::string firstOf(const std::vector<std::string>& list)
{
    std::string words;
    for (std::size_t i = 0; i < std::min<std::size_t>(list.size(), 3); ++i)
        words += (i == 0 ? "" : ", ") + list[i];
    return words + (list.size() > 3 ? " …" : "");
}

} // namespace

void StructureCheck::writeTo(protocol::Loaded& loaded) const
{
    loaded.familyKnown = familyKnown;
    loaded.missing = missing;
    loaded.unexpected = unexpected;
    loaded.misshaped = misshaped;
    loaded.missingCount = missingCount;
    loaded.unexpectedCount = unexpectedCount;
    loaded.misshapedCount = misshapedCount;
}

StructureCheck checkStructure(const Checkpoint& checkpoint, const FamilyCatalog& families)
{
    const Family* family = familyOf(checkpoint, families);
    if (!family)
        return {};
    const auto expected = family->expectedTensors(*checkpoint.config);
    if (!expected)
        throw LoadFailure(FailureMode::StructureMismatch, expected.error().message,
            "correct config.json: it has to describe the tensors that are stored", "config.json");
    return Comparison(checkpoint, *expected).run();
}

void insistOnStructure(const StructureCheck& structure, const Checkpoint& checkpoint)
{
    if (structure.agrees())
        return;
    std::string words;
    const auto add = [&](std::uint64_t count, const char* what, const std::vector<std::string>& list) {
        if (count != 0)
            words += (words.empty() ? "" : "; ") + formatCount(count) + " " + what + ": " + firstOf(list);
    };
    add(structure.missingCount, "missing", structure.missing);
    add(structure.misshapedCount, "misshaped", structure.misshaped);
    add(structure.unexpectedCount, "not known to the family", structure.unexpected);
    throw LoadFailure(FailureMode::StructureMismatch,
        "the tensors do not agree with what config.json promises for family " + checkpoint.family + " (" + words + ")",
        "the config.json that belongs to these weights, or the whole weights; --option strict=false loads what is "
        "there",
        "config.json");
}

} // namespace loadlab
