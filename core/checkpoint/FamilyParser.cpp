#include "core/checkpoint/FamilyData.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace loadlab {
namespace {

using Json = nlohmann::ordered_json; // values may use those above them
using Data = Family::Data;

/// Never leaves this file: parseFamily turns it into an Error.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::vector<std::string> toTexts(const Json& json)
{
    if (json.is_string())
        return {json.get<std::string>()};
    return json.get<std::vector<std::string>>();
}

std::vector<Glob> toGlobs(const Json& json)
{
    std::vector<Glob> globs;
    for (const std::string& pattern : toTexts(json))
        globs.emplace_back(pattern);
    return globs;
}

Expression compiled(const Json& json, const std::vector<std::string>& names)
{
    if (json.is_boolean())
        return Expression::constant(json.get<bool>() ? 1 : 0);
    if (json.is_number_integer())
        return Expression::constant(json.get<std::int64_t>());
    Result<Expression> expression = Expression::compile(json.get<std::string>(), names);
    if (!expression)
        throw Broken(expression.error().message);
    return std::move(*expression);
}

class Parser {
public:
    Data parse(const Json& json)
    {
        m_data.name = json.at("name").get<std::string>();
        m_data.title = json.value("title", m_data.name);
        m_data.modelTypes = json.value("model_types", std::vector<std::string>{});
        if (json.contains("values"))
            for (const auto& [name, rule] : json.at("values").items())
                value(name, rule);
        for (const Json& rule : json.value("components", Json::array()))
            m_data.components.push_back({rule.at("name").get<std::string>(),
                rule.value("title", rule.at("name").get<std::string>()), toGlobs(rule.at("match"))});
        m_data.ignored = toGlobs(json.value("ignored", Json::array()));
        for (const Json& entry : json.value("layouts", Json::array()))
            layout(entry);
        return std::move(m_data);
    }

private:
    void value(const std::string& name, const Json& rule)
    {
        Data::Value value{name, {}, std::nullopt, std::nullopt};
        value.keys = toTexts(rule.is_object() ? rule.value("keys", Json::array()) : rule);
        if (rule.is_object() && rule.contains("default")) {
            if (rule.at("default").is_array())
                value.fallbackList = rule.at("default").get<std::vector<std::int64_t>>();
            else
                value.fallback = compiled(rule.at("default"), m_names);
        }
        m_data.values.push_back(std::move(value));
        m_names.push_back(name);
    }

    void layout(const Json& entry)
    {
        Data::Layout layout;
        layout.architectures = toTexts(entry.at("architectures"));
        for (const Json& group : entry.at("tensors"))
            layout.groups.push_back(this->group(group));
        m_data.layouts.push_back(std::move(layout));
    }

    Data::Group group(const Json& entry)
    {
        Data::Group group;
        std::vector<std::string> names = m_names;
        if (entry.contains("for"))
            for (const auto& [variable, count] : entry.at("for").items()) {
                group.loops.push_back({variable, compiled(count, names)});
                names.push_back(variable);
            }
        if (entry.contains("when"))
            group.when = compiled(entry.at("when"), names);
        if (entry.contains("optional"))
            group.optional = compiled(entry.at("optional"), names);
        const std::string prefix = entry.value("prefix", "");
        for (const auto& [name, shape] : entry.at("of").items())
            group.tensors.push_back(tensor(prefix + name, shape, names));
        return group;
    }

    Data::TensorRule tensor(const std::string& name, const Json& shape, const std::vector<std::string>& names)
    {
        Data::TensorRule rule;
        std::size_t at = 0;
        for (std::size_t open = name.find('{'); open != std::string::npos; open = name.find('{', at)) {
            const std::size_t close = name.find('}', open);
            if (close == std::string::npos)
                throw Broken("'" + name + "' lacks a '}'");
            rule.name.push_back({name.substr(at, open - at), compiled(name.substr(open + 1, close - open - 1), names)});
            at = close + 1;
        }
        rule.name.push_back({name.substr(at), std::nullopt});
        for (const Json& dimension : shape) {
            rule.shape.push_back(compiled(dimension, names));
            rule.shapeVaries = rule.shapeVaries || rule.shape.back().usesFrom(m_names.size());
        }
        return rule;
    }

    Data m_data;
    std::vector<std::string> m_names;
};

} // namespace

Result<std::shared_ptr<const Family::Data>> parseFamily(std::string_view text)
{
    try {
        return std::make_shared<const Data>(Parser().parse(Json::parse(text)));
    } catch (const std::exception& broken) { // nlohmann's and ours
        return Error{ErrorKind::Invalid, broken.what()};
    }
}

} // namespace loadlab
