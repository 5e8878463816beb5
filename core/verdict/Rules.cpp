#include "core/Text.h"
#include "core/verdict/RulesData.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

namespace loadlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Why a rule cannot be read, in words; thrown within this file only.
struct Fault {
    std::string what;
};

std::vector<std::string> strings(const json& rule, const char* key)
{
    const auto found = rule.find(key);
    if (found == rule.end())
        return {};
    if (found->is_string())
        return {found->get<std::string>()};
    if (!found->is_array() || !std::all_of(found->begin(), found->end(), [](const json& j) { return j.is_string(); }))
        throw Fault{std::string("\"") + key + "\" must be a text or an array of texts"};
    return found->get<std::vector<std::string>>();
}

std::string oneString(const json& rule, const char* key)
{
    const auto all = strings(rule, key);
    if (all.size() != 1 || all.front().empty())
        throw Fault{std::string("\"") + key + "\" must be one text"};
    return all.front();
}

std::vector<Pattern> patterns(const json& rule, const char* key)
{
    std::vector<Pattern> all;
    for (const auto& text : strings(rule, key)) {
        all.emplace_back(text);
        if (!all.back().valid())
            throw Fault{std::string("\"") + key + "\": \"" + text + "\" would match everything"};
    }
    return all;
}

FailureMode modeNamed(const std::string& name)
{
    if (const auto mode = findFailureMode(name))
        return *mode;
    throw Fault{"no failure mode is called \"" + name + "\""};
}

void refuseUnknownKeys(const json& rule, const std::set<std::string>& known)
{
    for (const auto& [key, value] : rule.items())
        if (known.count(key) == 0)
            throw Fault{"\"" + key + "\" is no key of a rule here"};
}

TextRule textRuleFrom(const json& rule)
{
    refuseUnknownKeys(rule, {"id", "mode", "type", "match", "unless", "where", "weight", "note"});
    TextRule text;
    text.mode = modeNamed(oneString(rule, "mode"));
    for (const auto& type : strings(rule, "type"))
        text.types.push_back(toLowerAscii(type));
    text.match = patterns(rule, "match");
    text.unless = patterns(rule, "unless");
    if (text.types.empty() && text.match.empty())
        throw Fault{"needs \"type\" or \"match\""};
    const auto where = rule.contains("where") ? strings(rule, "where") : std::vector<std::string>{"error", "log"};
    const auto isIn
        = [&where](const char* place) { return std::find(where.begin(), where.end(), place) != where.end(); };
    text.inError = isIn("error");
    text.inLog = isIn("log");
    text.atStart = isIn("start");
    for (const auto& place : where)
        if (place != "error" && place != "log" && place != "start")
            throw Fault{"\"where\": \"" + place + "\" is none of error, log, start"};
    text.weight = rule.value("weight", text.weight);
    if (!(text.weight > 0 && text.weight <= 1))
        throw Fault{"\"weight\" must be above 0 and at most 1"};
    return text;
}

RemedyRule remedyRuleFrom(const json& rule)
{
    refuseUnknownKeys(rule, {"id", "modes", "text", "change", "when", "note"});
    RemedyRule remedy;
    for (const auto& name : strings(rule, "modes"))
        remedy.modes.push_back(modeNamed(name));
    remedy.text = oneString(rule, "text");
    if (const auto change = rule.find("change"); change != rule.end()) {
        if (!change->is_object() || change->empty())
            throw Fault{"\"change\" must be an object with what the variant gets"};
        refuseUnknownKeys(*change, {"backend", "environment", "dtype", "device_map", "max_memory", "options"});
        remedy.changeJson = change->dump();
    }
    const auto when = rule.value("when", json::object());
    if (!when.is_object())
        throw Fault{"\"when\" must be an object"};
    refuseUnknownKeys(when, {"backend", "backend_not", "dtype", "dtype_not", "said", "not_said"});
    remedy.backends = strings(when, "backend");
    remedy.notBackends = strings(when, "backend_not");
    remedy.dtypes = strings(when, "dtype");
    remedy.notDtypes = strings(when, "dtype_not");
    remedy.said = patterns(when, "said");
    remedy.notSaid = patterns(when, "not_said");
    return remedy;
}

/// "line 12" of a byte position.
std::string placeOf(const std::string& text, std::size_t byte)
{
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
    return "line " + std::to_string(1 + std::count(text.begin(), end, '\n'));
}

class Loading {
public:
    explicit Loading(Rules::Data& data)
        : m_data(data)
    {
    }

    void readFile(const fs::path& path)
    {
        m_file = toUtf8(path.filename().string());
        std::ifstream stream(path, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        if (!stream)
            return complain(ErrorKind::Io, "cannot be read");
        json document;
        try {
            document = json::parse(text);
        } catch (const json::parse_error& error) {
            return complain(ErrorKind::Invalid, placeOf(text, error.byte) + ": is no JSON: " + error.what());
        }
        readDocument(document);
    }

private:
    void complain(ErrorKind kind, const std::string& what)
    {
        m_data.errors.push_back({kind, toUtf8("rule file " + m_file + ": " + what)});
    }

    void readDocument(const json& document)
    {
        if (!document.is_object() || !document.contains("version") || !document["version"].is_number_integer())
            return complain(ErrorKind::Invalid, "must be an object with a whole number \"version\"");
        m_data.version = std::max(m_data.version, document["version"].get<int>());
        for (const auto& [key, value] : document.items())
            if (key != "version" && key != "note" && key != "signatures" && key != "remedies")
                complain(ErrorKind::Invalid, "\"" + key + "\" is none of version, note, signatures, remedies");
        readList(document, "signatures", [this](const json& rule, std::string id) {
            m_data.texts.push_back(textRuleFrom(rule));
            m_data.texts.back().id = std::move(id);
        });
        readList(document, "remedies", [this](const json& rule, std::string id) {
            m_data.remedies.push_back(remedyRuleFrom(rule));
            m_data.remedies.back().id = std::move(id);
        });
    }

    template <typename Take> void readList(const json& document, const char* key, Take take)
    {
        const auto list = document.find(key);
        if (list == document.end())
            return;
        if (!list->is_array())
            return complain(ErrorKind::Invalid, std::string("\"") + key + "\" must be an array");
        for (std::size_t i = 0; i < list->size(); ++i) {
            const auto place = std::string(key) + "[" + std::to_string(i) + "]";
            try {
                take((*list)[i], newId(key, (*list)[i]));
            } catch (const Fault& fault) {
                complain(ErrorKind::Invalid, place + ": " + fault.what);
            } catch (const json::exception& error) {
                complain(ErrorKind::Invalid, place + ": " + error.what());
            }
        }
    }

    std::string newId(const char* list, const json& rule)
    {
        if (!rule.is_object())
            throw Fault{"must be an object"};
        auto id = oneString(rule, "id");
        if (!m_ids.insert({list, id}).second)
            throw Fault{"the id \"" + id + "\" is taken"};
        return id;
    }

    Rules::Data& m_data;
    std::string m_file;
    std::set<std::pair<std::string, std::string>> m_ids; ///< List and id.
};

} // namespace

Rules::Rules()
    : data(std::make_shared<Data>())
{
}

Rules Rules::load(const fs::path& rulesFolder)
{
    auto data = std::make_shared<Data>();
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator it(rulesFolder, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (it->path().extension() == ".json" && it->is_regular_file(ignored))
            files.push_back(it->path());
    }
    if (error)
        data->errors.push_back({ErrorKind::NotFound,
            "no failure rules: cannot list " + toUtf8(rulesFolder.string()) + ": " + error.message()});
    // By name, so that the order of rules does not hang on the file system.
    std::sort(files.begin(), files.end());
    Loading loading(*data);
    for (const auto& file : files)
        loading.readFile(file);
    Rules rules;
    rules.data = std::move(data);
    return rules;
}

const std::vector<Error>& Rules::errors() const
{
    return data->errors;
}

int Rules::version() const
{
    return data->version;
}

} // namespace loadlab
