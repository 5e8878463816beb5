#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/FamilyData.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace loadlab {
namespace {

/// Four times what the largest published models have.
constexpr std::size_t kMaxTensors = 300'000;

/// The value under "a.b.c"; null where there is none.
const nlohmann::json* findKey(const nlohmann::json& config, std::string_view path)
{
    const nlohmann::json* at = &config;
    while (at->is_object()) {
        const std::size_t dot = path.find('.');
        const auto next = at->find(std::string(path.substr(0, dot)));
        if (next == at->end())
            return nullptr;
        at = &*next;
        if (dot == std::string_view::npos)
            return at->is_null() ? nullptr : at;
        path.remove_prefix(dot + 1);
    }
    return nullptr;
}

std::optional<std::int64_t> toNumber(const nlohmann::json& json)
{
    if (json.is_boolean())
        return json.get<bool>() ? 1 : 0;
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{1} << 62)
        return std::nullopt;
    if (json.is_number_integer())
        return json.get<std::int64_t>();
    if (json.is_number_float() && std::fabs(json.get<double>()) < 1e15
        && std::trunc(json.get<double>()) == json.get<double>())
        return static_cast<std::int64_t>(json.get<double>());
    return std::nullopt;
}

Binding bindingOf(const nlohmann::json& json, const std::string& key)
{
    Binding binding;
    binding.number = toNumber(json);
    if (json.is_array()) {
        std::vector<std::int64_t> list;
        for (const nlohmann::json& item : json)
            if (const std::optional<std::int64_t> number = toNumber(item))
                list.push_back(*number);
        if (list.size() == json.size())
            binding.list = std::move(list);
    }
    if (!binding.number && !binding.list) {
        const bool container = json.is_object() || json.is_array();
        binding.absence = "config.json: '" + key + "' is "
            + (container ? std::string("an ") + json.type_name() : toUtf8(json.dump().substr(0, 40)))
            + ", where a whole number is needed";
    }
    return binding;
}

Binding fallbackOf(const Family::Data::Value& value, const std::vector<Binding>& before)
{
    Binding binding;
    if (value.fallbackList) {
        binding.list = value.fallbackList;
    } else if (value.fallback) {
        Result<std::int64_t> number = value.fallback->evaluate(before);
        if (number)
            binding.number = *number;
        else
            binding.absence = number.error().message;
    } else {
        binding.absence = "config.json lacks '" + (value.keys.empty() ? value.name : value.keys.front()) + "'";
    }
    return binding;
}

/// Walks the loops of the groups and writes the tensors down.
class Expansion {
public:
    explicit Expansion(std::vector<Binding> bindings)
        : m_bindings(std::move(bindings))
    {
    }

    Result<std::vector<ExpectedTensor>> expand(const Family::Data::Layout& layout)
    {
        for (const Family::Data::Group& group : layout.groups) {
            m_shapes.assign(group.tensors.size(), std::nullopt);
            // A condition that no loop changes comes first: the counts of a part that is absent may be absent too.
            const bool fixed = group.when && !group.when->usesFrom(m_bindings.size());
            const std::optional<std::int64_t> when = fixed ? evaluate(*group.when) : 1;
            if (!when || (*when != 0 && !loop(group, 0)))
                return std::move(m_error);
        }
        return std::move(m_tensors);
    }

private:
    /// Evaluates where there is an expression; `otherwise` where there is none.
    std::optional<std::int64_t> evaluate(const std::optional<Expression>& expression, std::int64_t otherwise)
    {
        if (!expression)
            return otherwise;
        return evaluate(*expression);
    }
    std::optional<std::int64_t> evaluate(const Expression& expression)
    {
        Result<std::int64_t> value = expression.evaluate(m_bindings);
        if (value)
            return *value;
        m_error = std::move(value).error();
        return std::nullopt;
    }

    bool loop(const Family::Data::Group& group, std::size_t depth)
    {
        if (depth == group.loops.size())
            return emit(group);
        const std::optional<std::int64_t> count = evaluate(group.loops[depth].count);
        if (!count)
            return false;
        m_bindings.emplace_back();
        if (*count < 0) {
            m_error = {ErrorKind::Invalid,
                "config.json makes '" + group.loops[depth].count.text() + "' " + std::to_string(*count)
                    + ", a negative number of parts"};
            return false;
        }
        for (std::int64_t i = 0; i < *count; ++i) {
            m_bindings.back().number = i;
            if (!loop(group, depth + 1))
                return false;
        }
        m_bindings.pop_back();
        return true;
    }

    bool emit(const Family::Data::Group& group)
    {
        if (++m_rounds > kMaxTensors)
            return tooMany();
        const std::optional<std::int64_t> when = evaluate(group.when, 1);
        const std::optional<std::int64_t> optional = evaluate(group.optional, 0);
        if (!when || !optional)
            return false;
        for (std::size_t i = 0; i < group.tensors.size() && *when != 0; ++i)
            if (!emit(group.tensors[i], m_shapes[i], *optional != 0))
                return false;
        return true;
    }

    using Shape = std::optional<std::vector<std::uint64_t>>;

    bool emit(const Family::Data::TensorRule& rule, Shape& shared, bool optional)
    {
        if (m_tensors.size() == kMaxTensors)
            return tooMany();
        ExpectedTensor& tensor = m_tensors.emplace_back();
        tensor.optional = optional;
        tensor.name.reserve(80);
        for (const Family::Data::NamePart& part : rule.name) {
            tensor.name += part.text;
            const std::optional<std::int64_t> number = evaluate(part.number, 0);
            if (!number)
                return false;
            if (part.number)
                tensor.name += std::to_string(*number);
        }
        if (!shared || rule.shapeVaries) {
            shared = shapeOf(rule);
            if (!shared)
                return false;
        }
        tensor.shape = *shared;
        return true;
    }

    Shape shapeOf(const Family::Data::TensorRule& rule)
    {
        std::vector<std::uint64_t> shape;
        for (const Expression& expression : rule.shape) {
            const std::optional<std::int64_t> dimension = evaluate(expression);
            if (!dimension)
                return std::nullopt;
            if (*dimension < 0) {
                m_error = {ErrorKind::Invalid,
                    "config.json makes '" + expression.text() + "' " + std::to_string(*dimension)
                        + ", a negative dimension"};
                return std::nullopt;
            }
            shape.push_back(static_cast<std::uint64_t>(*dimension));
        }
        return shape;
    }

    bool tooMany()
    {
        m_error = {ErrorKind::Invalid, "config.json promises more than " + formatCount(kMaxTensors) + " tensors"};
        return false;
    }

    std::vector<Binding> m_bindings;
    std::vector<ExpectedTensor> m_tensors;
    std::size_t m_rounds = 0;
    std::vector<Shape> m_shapes; ///< Of the group's tensors, where no loop changes them.
    Error m_error;
};

} // namespace

const nlohmann::json* findSpelling(
    const nlohmann::json& config, const std::vector<std::string>& keys, const std::string** used)
{
    for (const std::string& key : keys)
        if (const nlohmann::json* found = findKey(config, key)) {
            if (used != nullptr)
                *used = &key;
            return found;
        }
    return nullptr;
}

std::vector<Binding> bindValues(const Family::Data& data, const nlohmann::json& config)
{
    std::vector<Binding> bindings;
    for (const Family::Data::Value& value : data.values) {
        const std::string* key = nullptr;
        const nlohmann::json* found = findSpelling(config, value.keys, &key);
        bindings.push_back(found != nullptr ? bindingOf(*found, *key) : fallbackOf(value, bindings));
    }
    return bindings;
}

Result<std::vector<ExpectedTensor>> expandLayout(const Family::Data::Layout& layout, std::vector<Binding> bindings)
{
    return Expansion(std::move(bindings)).expand(layout);
}

} // namespace loadlab
