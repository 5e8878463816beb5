#pragma once

#include "core/worker/PluginManifest.h"

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab::cli {

enum class BackendState {
    Usable, ///< It said hello in our protocol, or watches programs.
    NotInstalled,
    Broken, ///< Its manifest.
    Silent, ///< No answer in time, which a busy machine explains as well as a fault does.
    Failed, ///< It ended without a hello.
};
/// "usable", "not_installed", "broken", "no_answer", "failed"
std::string_view toWireName(BackendState state);

/// What a backend says of itself, or why it says nothing.
struct BackendReport {
    std::string name;
    BackendState state = BackendState::NotInstalled;
    bool loads = true; ///< Checkpoints; not where it watches programs.
    std::map<std::string, std::string> versions;
    std::map<std::string, std::string> facts;
    std::string problem; ///< Empty when usable.
    std::string install; ///< What to type where that may help; empty: nothing is known.

    [[nodiscard]] bool isUsable() const { return state == BackendState::Usable; }
};
nlohmann::json toJson(const BackendReport& report);

/// Starts the probe of every installed plugin, all at once, and waits for them; `limit` is for each. Runs programs of
/// plugin folders only. Known backends without a plugin are listed too. Sorted by name.
std::vector<BackendReport> probeBackends(const std::vector<PluginEntry>& plugins, std::chrono::milliseconds limit);

} // namespace loadlab::cli
