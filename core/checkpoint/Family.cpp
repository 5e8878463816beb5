#include "core/checkpoint/Family.h"

#include "core/Text.h"
#include "core/checkpoint/FamilyData.h"
#include "core/checkpoint/RegularFile.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

constexpr std::size_t kMaxFamilyBytes = std::size_t{4} << 20;
/// The file whose components serve checkpoints of no known family.
constexpr std::string_view kGeneric = "generic";

Result<Family> loadFamily(const std::filesystem::path& file)
{
    Result<RegularFile> opened = RegularFile::open(file);
    if (!opened)
        return opened.error();
    Result<std::string> text = opened->readHead(kMaxFamilyBytes);
    if (!text)
        return text.error();
    Result<std::shared_ptr<const Family::Data>> data = parseFamily(*text);
    if (!data)
        return data.error();
    return Family(std::move(*data));
}

const Family::Data::Layout* findLayout(const Family::Data& data, std::string_view architecture)
{
    for (const Family::Data::Layout& layout : data.layouts)
        if (architecture.empty()
            || std::find(layout.architectures.begin(), layout.architectures.end(), architecture)
                != layout.architectures.end())
            return &layout;
    return nullptr;
}

std::string architectureOf(const nlohmann::json& config)
{
    const auto found = config.find("architectures");
    if (found == config.end() || !found->is_array() || found->empty() || !found->front().is_string())
        return {};
    return found->front().get<std::string>();
}

} // namespace

Family::Family(std::shared_ptr<const Data> data)
    : m_data(std::move(data))
{
}

const std::string& Family::name() const
{
    return m_data->name;
}

const std::string& Family::title() const
{
    return m_data->title;
}

std::string_view Family::componentOf(std::string_view tensorName) const
{
    for (const Data::ComponentRule& rule : m_data->components)
        for (const Glob& pattern : rule.patterns)
            if (pattern.matches(tensorName))
                return rule.name;
    return "other";
}

std::string_view Family::titleOfComponent(std::string_view component) const
{
    for (const Data::ComponentRule& rule : m_data->components)
        if (rule.name == component)
            return rule.title;
    return component == "other" ? "Other" : component;
}

bool Family::isModelType(std::string_view modelType) const
{
    return std::find(m_data->modelTypes.begin(), m_data->modelTypes.end(), modelType) != m_data->modelTypes.end();
}

bool Family::ignores(std::string_view tensorName) const
{
    return std::any_of(m_data->ignored.begin(), m_data->ignored.end(),
        [tensorName](const Glob& glob) { return glob.matches(tensorName); });
}

nlohmann::json Family::findValue(const nlohmann::json& config, std::string_view value) const
{
    for (const Data::Value& rule : m_data->values)
        if (rule.name == value)
            if (const nlohmann::json* found = findSpelling(config, rule.keys))
                return *found;
    return nullptr;
}

Result<std::vector<ExpectedTensor>> Family::expectedTensors(const nlohmann::json& config) const
{
    if (!config.is_object())
        return Error{ErrorKind::Invalid, "config.json is no object"};
    const std::string architecture = architectureOf(config);
    const Data::Layout* layout = findLayout(*m_data, architecture);
    if (layout == nullptr)
        return Error{ErrorKind::NotFound,
            "family " + name() + " has no list of tensors for the architecture '" + toUtf8(architecture) + "'"};
    return expandLayout(*layout, bindValues(*m_data, config));
}

FamilyCatalog FamilyCatalog::load(const std::filesystem::path& familiesFolder)
{
    FamilyCatalog catalog;
    std::vector<std::filesystem::path> files;
    std::error_code code;
    for (std::filesystem::directory_iterator at(familiesFolder, code), end; !code && at != end; at.increment(code))
        if (at->path().extension() == ".json")
            files.push_back(at->path());
    if (code)
        catalog.m_errors.push_back({ErrorKind::Io, toUtf8(familiesFolder.native()) + ": " + code.message()});
    std::sort(files.begin(), files.end());
    for (const std::filesystem::path& file : files) {
        Result<Family> family = loadFamily(file);
        if (!family)
            catalog.m_errors.push_back(Error(family.error()).in(toUtf8(file.native())));
        else if (family->name() == kGeneric)
            catalog.m_generic = std::move(*family);
        else
            catalog.m_families.push_back(std::move(*family));
    }
    return catalog;
}

const Family* FamilyCatalog::findByModelType(std::string_view modelType) const
{
    const auto found = std::find_if(m_families.begin(), m_families.end(),
        [modelType](const Family& family) { return family.isModelType(modelType); });
    return found == m_families.end() ? nullptr : &*found;
}

} // namespace loadlab
