#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace loadlab::test {

/// config.json of published models, as far as shapes depend on it.
nlohmann::json qwen25Config(std::string_view size); ///< "0.5B", "7B", "14B"
nlohmann::json nemotronConfig();
nlohmann::json omniConfig();

} // namespace loadlab::test
