#include "core/worker/JsonFields.h"

#include "core/Text.h"

#include <limits>

namespace loadlab {
using nlohmann::json;
namespace {

[[noreturn]] void refuse(const std::string& where, std::string_view wanted, const json& found)
{
    constexpr std::size_t shown = 60;
    std::string text = found.is_structured() ? std::string(found.type_name()) : found.dump();
    if (text.size() > shown)
        text = text.substr(0, shown) + "…";
    throw FieldError(where + " should be " + std::string(wanted) + ", but is " + toUtf8(text));
}

template <typename T> std::vector<T> asList(const json& value, const std::string& where, std::string_view wanted)
{
    if (!value.is_array())
        refuse(where, wanted, value);
    std::vector<T> list;
    list.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i)
        list.push_back(JsonFields::as<T>(value[i], where + "[" + std::to_string(i) + "]"));
    return list;
}

template <typename T>
std::map<std::string, T> asMap(const json& value, const std::string& where, std::string_view wanted)
{
    if (!value.is_object())
        refuse(where, wanted, value);
    std::map<std::string, T> map;
    for (const auto& [key, entry] : value.items())
        map.emplace(key, JsonFields::as<T>(entry, where + "." + key));
    return map;
}

} // namespace

JsonFields::JsonFields(const json& object, std::string where)
    : m_object(object)
    , m_where(std::move(where))
{
    if (!object.is_object())
        refuse(m_where, "an object", object);
}

const json* JsonFields::find(std::string_view key) const
{
    const auto found = m_object.find(key);
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
}

const json& JsonFields::need(std::string_view key) const
{
    const json* found = find(key);
    if (!found)
        throw FieldError(m_where + " lacks \"" + std::string(key) + "\"");
    return *found;
}

template <> bool JsonFields::as<bool>(const json& value, const std::string& where)
{
    if (!value.is_boolean())
        refuse(where, "true or false", value);
    return value.get<bool>();
}

template <> std::int64_t JsonFields::as<std::int64_t>(const json& value, const std::string& where)
{
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > most))
        refuse(where, "a whole number", value);
    return value.get<std::int64_t>();
}

template <> int JsonFields::as<int>(const json& value, const std::string& where)
{
    const auto wide = as<std::int64_t>(value, where);
    if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
        refuse(where, "a small whole number", value);
    return static_cast<int>(wide);
}

template <> std::uint64_t JsonFields::as<std::uint64_t>(const json& value, const std::string& where)
{
    if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<std::int64_t>() < 0))
        refuse(where, "a whole number, not negative", value);
    return value.get<std::uint64_t>();
}

template <> double JsonFields::as<double>(const json& value, const std::string& where)
{
    if (!value.is_number())
        refuse(where, "a number", value);
    return value.get<double>();
}

template <> std::string JsonFields::as<std::string>(const json& value, const std::string& where)
{
    if (!value.is_string())
        refuse(where, "a string", value);
    return value.get<std::string>();
}

template <>
std::vector<std::string> JsonFields::as<std::vector<std::string>>(const json& value, const std::string& where)
{
    return asList<std::string>(value, where, "a list of strings");
}

template <>
std::vector<std::uint64_t> JsonFields::as<std::vector<std::uint64_t>>(const json& value, const std::string& where)
{
    return asList<std::uint64_t>(value, where, "a list of whole numbers");
}

template <>
std::map<std::string, std::string> JsonFields::as<std::map<std::string, std::string>>(
    const json& value, const std::string& where)
{
    return asMap<std::string>(value, where, "an object of strings");
}

template <>
std::map<std::string, std::uint64_t> JsonFields::as<std::map<std::string, std::uint64_t>>(
    const json& value, const std::string& where)
{
    return asMap<std::uint64_t>(value, where, "an object of whole numbers");
}

} // namespace loadlab
