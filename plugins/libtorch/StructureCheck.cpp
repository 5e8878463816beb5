#include "StructureCheck.h"

#include "LoadFailure.h"

#include "core/Units.h"
#include "core/checkpoint/StructureReport.h"

#include <algorithm>

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

const Family* familyOf(const Checkpoint& checkpoint, const FamilyCatalog& families)
{
    if (checkpoint.family.empty() || !checkpoint.config)
        return nullptr;
    for (const Family& family : families.families())
        if (family.name() == checkpoint.family)
            return &family;
    return nullptr;
}

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
    if (!expected && expected.error().kind == ErrorKind::NotFound)
        return {}; // A family without a list for this architecture promises nothing.
    if (!expected)
        throw LoadFailure(FailureMode::StructureMismatch, expected.error().message,
            "Correct config.json: it has to describe the tensors that are stored.", "config.json");
    StructureCheck check;
    check.familyKnown = true;
    compareStructure(*expected, TensorTable(checkpoint.weightFiles), *family,
        {[&](std::string_view name) { note(check.missing, check.missingCount, shownName(name)); },
            [&](std::string_view name) { note(check.unexpected, check.unexpectedCount, shownName(name)); },
            [&](const ExpectedTensor& tensor, std::span<const std::uint64_t> stored) {
                note(check.misshaped, check.misshapedCount,
                    shownName(tensor.name) + ": expected " + shapeWords(tensor.shape) + ", stored "
                        + shapeWords(stored));
            }});
    return check;
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
        {}, "config.json");
}

} // namespace loadlab
