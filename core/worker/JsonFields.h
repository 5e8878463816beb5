#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// A field that is absent or of another type. Caught where a text becomes a value; never leaves that function.
struct FieldError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Reads the fields of one JSON object strictly: no number is cut, rounded or wrapped to fit, null counts as absent.
/// Borrows the object. `where` leads every message: "progress.done: …". All functions throw FieldError only.
class JsonFields {
public:
    JsonFields(const nlohmann::json& object, std::string where);

    [[nodiscard]] const nlohmann::json& object() const { return m_object; }
    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
    /// The value, or null when it is absent or JSON null.
    [[nodiscard]] const nlohmann::json* find(std::string_view key) const;
    [[nodiscard]] const nlohmann::json& need(std::string_view key) const;
    [[nodiscard]] std::string place(std::string_view key) const { return m_where + "." + std::string(key); }

    /// T: bool, int, int64_t, uint64_t, double, string, vector<string>, vector<uint64_t>, map<string, string |
    /// uint64_t>.
    template <typename T> [[nodiscard]] T required(std::string_view key) const { return as<T>(need(key), place(key)); }
    template <typename T> [[nodiscard]] T value(std::string_view key, T otherwise = {}) const
    {
        const nlohmann::json* found = find(key);
        return found ? as<T>(*found, place(key)) : std::move(otherwise);
    }
    template <typename T> [[nodiscard]] std::optional<T> optional(std::string_view key) const
    {
        const nlohmann::json* found = find(key);
        return found ? std::optional<T>(as<T>(*found, place(key))) : std::nullopt;
    }

    template <typename T> static T as(const nlohmann::json& value, const std::string& where);

private:
    const nlohmann::json& m_object;
    std::string m_where;
};

template <> bool JsonFields::as<bool>(const nlohmann::json& value, const std::string& where);
template <> int JsonFields::as<int>(const nlohmann::json& value, const std::string& where);
template <> std::int64_t JsonFields::as<std::int64_t>(const nlohmann::json& value, const std::string& where);
template <> std::uint64_t JsonFields::as<std::uint64_t>(const nlohmann::json& value, const std::string& where);
template <> double JsonFields::as<double>(const nlohmann::json& value, const std::string& where);
template <> std::string JsonFields::as<std::string>(const nlohmann::json& value, const std::string& where);
template <>
std::vector<std::string> JsonFields::as<std::vector<std::string>>(
    const nlohmann::json& value, const std::string& where);
template <>
std::vector<std::uint64_t> JsonFields::as<std::vector<std::uint64_t>>(
    const nlohmann::json& value, const std::string& where);
template <>
std::map<std::string, std::string> JsonFields::as<std::map<std::string, std::string>>(
    const nlohmann::json& value, const std::string& where);
template <>
std::map<std::string, std::uint64_t> JsonFields::as<std::map<std::string, std::uint64_t>>(
    const nlohmann::json& value, const std::string& where);

} // namespace loadlab
