#pragma once

#include "core/Result.h"
#include "core/Variant.h"

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

enum class OptionType { Bool, Int, Number, Text, Choice };

/// One setting of a backend, as form and command line offer it.
struct PluginOption {
    std::string name;
    OptionType type = OptionType::Text;
    std::string label;
    std::string help;
    std::string defaultValue;
    std::vector<std::string> choices; ///< For Choice.
};

/// The value as the manifest's type writes it ("yes" → "true", "007" → "7"). Invalid quotes it as typed.
Result<std::string> normaliseOption(const PluginOption& option, const std::string& typed);

/// A word with its synonyms: {"bfloat16", {"bf16", "BF16", "torch.bfloat16"}}.
struct PluginWord {
    std::string name;
    std::vector<std::string> synonyms;
    std::string help;
};

/// plugin.json, read before anything of the plugin runs (docs/PROTOCOL.md, "The manifest").
struct PluginManifest {
    std::filesystem::path folder;
    std::string name; ///< "libtorch": the word of --backend.
    std::string title;
    int protocol = 0;
    std::string program; ///< Relative to the folder, or absolute. May be empty where takesProgram.
    std::vector<std::string> arguments;
    std::vector<std::string> probeArguments; ///< `program probeArguments` prints a `hello` event and ends.
    std::vector<PluginWord> dtypes; ///< First: the default.
    std::vector<PluginWord> deviceMaps; ///< "cuda:N" stands for every N.
    bool takesJsonDeviceMap = false;
    bool takesMaxMemory = false;
    bool takesEnvironment = false; ///< `--environment`: runs in a Python environment.
    /// Runs any program (`-- PROGRAM ARG…`) instead of talking the protocol: it is started in place of the plugin's
    /// own.
    bool takesProgram = false;
    std::vector<PluginOption> options;
    std::string installCommand; ///< What to type when the program is absent.

    [[nodiscard]] std::filesystem::path programPath() const;
    /// Translates synonyms and checks every word and option value; options at their default are left out, so that equal
    /// trials are equal variants. Invalid names the word as typed and the nearest right one: wrong usage (exit 2).
    Result<Variant> normalise(const Variant& asked) const;
};

/// A plugin folder: a manifest, or the reason why there is none.
struct PluginEntry {
    std::filesystem::path folder;
    std::string name; ///< The manifest's name, or the folder's when it is broken.
    std::optional<PluginManifest> manifest;
    std::optional<Error> error; ///< Broken manifest. A missing program is not an error here: see installed().
    [[nodiscard]] bool installed() const; ///< Manifest is good and the program is there and executable.
};

Result<PluginManifest> loadManifest(const std::filesystem::path& folder);
/// Every folder with a plugin.json below the roots; of two good ones with one name the first root's
/// counts, a broken one takes no other's place. Sorted by name.
std::vector<PluginEntry> findPlugins(const std::vector<std::filesystem::path>& roots);
/// The names that a backend of this product can have, installed or not: "libtorch", "transformers", "command".
const std::vector<std::string>& knownBackendNames();

nlohmann::json toJson(const PluginEntry& entry);

} // namespace loadlab
