#include "core/worker/PluginManifest.h"

#include "core/Text.h"
#include "core/worker/JsonFields.h"
#include "core/worker/Protocol.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <unistd.h>

namespace loadlab {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::uintmax_t kMaxManifestBytes = 1 << 20;
constexpr std::array<std::pair<std::string_view, OptionType>, 5> kOptionTypes{
    {{"bool", OptionType::Bool}, {"int", OptionType::Int}, {"number", OptionType::Number}, {"text", OptionType::Text},
        {"choice", OptionType::Choice}}};

OptionType optionTypeFrom(const std::string& word, const std::string& where)
{
    std::string known;
    for (const auto& [name, type] : kOptionTypes) {
        if (name == word)
            return type;
        known += (known.empty() ? "" : ", ") + std::string(name);
    }
    throw FieldError(where + ": '" + word + "' is no option type (" + known + ")");
}

/// A default may be written as what it is: true, 4, 0.5, "text".
std::string defaultText(const json* value)
{
    if (!value)
        return {};
    return value->is_string() ? value->get<std::string>() : value->dump();
}

PluginOption optionFrom(const json& source, const std::string& where)
{
    const JsonFields fields(source, where);
    PluginOption option;
    option.name = fields.required<std::string>("name");
    option.type = optionTypeFrom(fields.required<std::string>("type"), fields.place("type"));
    option.label = fields.value<std::string>("label", option.name);
    option.help = fields.value<std::string>("help");
    option.choices = fields.value<std::vector<std::string>>("choices");
    option.defaultValue = defaultText(fields.find("default"));
    if (option.type == OptionType::Choice && option.choices.empty())
        throw FieldError(where + " is a choice without \"choices\"");
    if (!fields.has("default")) {
        if (option.type == OptionType::Choice)
            option.defaultValue = option.choices.front();
        else if (option.type != OptionType::Text)
            option.defaultValue = option.type == OptionType::Bool ? "false" : "0";
    }
    Result<std::string> checked = normaliseOption(option, option.defaultValue);
    if (!checked)
        throw FieldError(fields.place("default") + ": " + checked.error().message);
    option.defaultValue = *std::move(checked);
    return option;
}

PluginWord wordFrom(const json& source, const std::string& where)
{
    if (source.is_string())
        return {source.get<std::string>(), {}, {}};
    const JsonFields fields(source, where);
    return {fields.required<std::string>("name"), fields.value<std::vector<std::string>>("synonyms"),
        fields.value<std::string>("help")};
}

template <typename T>
std::vector<T> listOf(const JsonFields& fields, const char* key, T (*read)(const json&, const std::string&))
{
    std::vector<T> list;
    const json* source = fields.find(key);
    if (!source)
        return list;
    if (!source->is_array())
        throw FieldError(fields.place(key) + " should be a list");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < source->size(); ++i) {
        const std::string where = fields.place(key) + "[" + std::to_string(i) + "]";
        list.push_back(read((*source)[i], where));
        if (!seen.insert(list.back().name).second)
            throw FieldError(where + ": '" + list.back().name + "' is there twice");
    }
    return list;
}

PluginManifest manifestFrom(const json& source)
{
    const JsonFields fields(source, "manifest");
    PluginManifest manifest;
    manifest.name = fields.required<std::string>("name");
    const auto isNameByte
        = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
    if (manifest.name.empty() || !std::ranges::all_of(manifest.name, isNameByte))
        throw FieldError("manifest.name: '" + manifest.name + "' has other signs than a-z, 0-9, - and _");
    manifest.title = fields.value<std::string>("title", manifest.name);
    manifest.protocol = fields.required<int>("protocol");
    if (manifest.protocol != protocol::kVersion)
        throw FieldError("manifest.protocol: the plugin speaks protocol " + std::to_string(manifest.protocol)
            + ", this LoadLab speaks " + std::to_string(protocol::kVersion));
    manifest.takesProgram = fields.value<bool>("any_program");
    manifest.program
        = manifest.takesProgram ? fields.value<std::string>("program") : fields.required<std::string>("program");
    if (manifest.program.empty() && !manifest.takesProgram)
        throw FieldError("manifest.program is empty");
    manifest.arguments = fields.value<std::vector<std::string>>("arguments");
    manifest.probeArguments = fields.value<std::vector<std::string>>("probe_arguments", {"--probe"});
    manifest.dtypes = listOf<PluginWord>(fields, "dtypes", wordFrom);
    manifest.deviceMaps = listOf<PluginWord>(fields, "device_maps", wordFrom);
    manifest.takesJsonDeviceMap = fields.value<bool>("json_device_map");
    manifest.takesMaxMemory = fields.value<bool>("max_memory");
    manifest.takesEnvironment = fields.value<bool>("environment");
    manifest.options = listOf<PluginOption>(fields, "options", optionFrom);
    manifest.installCommand = fields.value<std::string>("install");
    return manifest;
}

Result<std::string> readManifestText(const fs::path& file)
{
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    if (!fs::exists(status))
        return Error{ErrorKind::NotFound, toUtf8(file.string()) + " is not there"};
    if (!fs::is_regular_file(status))
        return Error{ErrorKind::Invalid, toUtf8(file.string()) + " is no regular file"};
    if (fs::file_size(file, error) > kMaxManifestBytes)
        return Error{ErrorKind::Invalid, toUtf8(file.string()) + " is larger than 1 MiB"};
    std::ifstream stream(file, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(stream)), {});
    if (!stream.is_open() || stream.bad())
        return Error{ErrorKind::Io, toUtf8(file.string()) + " cannot be read (permission?)"};
    return text;
}

json wordsJson(const std::vector<PluginWord>& words)
{
    json list = json::array();
    for (const PluginWord& word : words)
        list.push_back({{"name", word.name}, {"synonyms", word.synonyms}, {"help", word.help}});
    return list;
}

json optionJson(const PluginOption& option)
{
    std::string_view typeName;
    for (const auto& [name, type] : kOptionTypes)
        if (type == option.type)
            typeName = name;
    return {{"name", option.name}, {"type", typeName}, {"label", option.label}, {"help", option.help},
        {"default", option.defaultValue}, {"choices", option.choices}};
}

} // namespace

fs::path PluginManifest::programPath() const
{
    return folder / program;
}

bool PluginEntry::installed() const
{
    std::error_code ignored;
    if (manifest && manifest->takesProgram && manifest->program.empty())
        return true;
    return manifest && fs::is_regular_file(manifest->programPath(), ignored)
        && ::access(manifest->programPath().c_str(), X_OK) == 0;
}

Result<PluginManifest> loadManifest(const fs::path& folder)
try {
    const fs::path file = folder / "plugin.json";
    Result<std::string> text = readManifestText(file);
    if (!text)
        return std::move(text).error();
    try {
        PluginManifest manifest = manifestFrom(json::parse(*text));
        manifest.folder = folder;
        return manifest;
    } catch (const FieldError& error) {
        return Error{ErrorKind::Invalid, toUtf8(file.string()) + ": " + error.what()};
    } catch (const json::exception& error) {
        return Error{ErrorKind::Invalid, toUtf8(file.string()) + " is no JSON: " + toUtf8(error.what())};
    }
} catch (const fs::filesystem_error& error) {
    return Error{ErrorKind::Io, toUtf8(error.what())};
}

std::vector<PluginEntry> findPlugins(const std::vector<fs::path>& roots)
{
    std::vector<PluginEntry> found;
    std::set<std::string> names;
    for (const fs::path& root : roots) {
        std::error_code error;
        std::vector<fs::path> folders;
        for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error))
            if (std::error_code ignored; fs::exists(at->path() / "plugin.json", ignored))
                folders.push_back(at->path());
        std::ranges::sort(folders);
        for (const fs::path& folder : folders) {
            PluginEntry entry{folder, toUtf8(folder.filename().string()), std::nullopt, std::nullopt};
            if (Result<PluginManifest> manifest = loadManifest(folder)) {
                entry.name = manifest->name;
                entry.manifest = *std::move(manifest);
            } else {
                entry.error = std::move(manifest).error();
            }
            // One that is broken takes no other's place.
            if (!entry.manifest || names.insert(entry.name).second)
                found.push_back(std::move(entry));
        }
    }
    std::ranges::sort(found, {}, &PluginEntry::name);
    return found;
}

const std::vector<std::string>& knownBackendNames()
{
    static const std::vector<std::string> names{"libtorch", "transformers", "command"};
    return names;
}

json toJson(const PluginEntry& entry)
{
    json object{{"name", entry.name}, {"folder", toUtf8(entry.folder.string())}, {"installed", entry.installed()},
        {"error", entry.error ? json(entry.error->message) : json(nullptr)}};
    if (!entry.manifest)
        return object;
    const PluginManifest& manifest = *entry.manifest;
    object["title"] = manifest.title;
    object["program"] = manifest.program.empty() ? json(nullptr) : json(toUtf8(manifest.programPath().string()));
    object["dtypes"] = wordsJson(manifest.dtypes);
    object["device_maps"] = wordsJson(manifest.deviceMaps);
    object["json_device_map"] = manifest.takesJsonDeviceMap;
    object["max_memory"] = manifest.takesMaxMemory;
    object["environment"] = manifest.takesEnvironment;
    object["any_program"] = manifest.takesProgram;
    object["install"] = manifest.installCommand;
    object["options"] = json::array();
    for (const PluginOption& option : manifest.options)
        object["options"].push_back(optionJson(option));
    return object;
}

} // namespace loadlab
