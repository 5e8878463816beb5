#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace loadlab {

/// As JSON: the value, null where there is none.
template <typename T> nlohmann::json orNull(const std::optional<T>& value)
{
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

} // namespace loadlab
