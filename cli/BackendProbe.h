#pragma once

#include "core/worker/PluginManifest.h"

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace loadlab::cli {

/// What a backend says of itself, or why it says nothing.
struct BackendReport {
    std::string name;
    bool usable = false; ///< It said hello in our protocol, or watches programs.
    bool loads = true; ///< Checkpoints; not where it watches programs.
    std::map<std::string, std::string> versions;
    std::map<std::string, std::string> facts;
    std::string problem; ///< Empty when usable.
    std::string install; ///< What to type; empty: nothing is known.
};
nlohmann::json toJson(const BackendReport& report);

/// Starts the probe of every installed plugin, all at once, and waits for them; `limit` is for each. Runs programs of
/// plugin folders only. Known backends without a plugin are listed too. Sorted by name.
std::vector<BackendReport> probeBackends(const std::vector<PluginEntry>& plugins, std::chrono::milliseconds limit);

} // namespace loadlab::cli
