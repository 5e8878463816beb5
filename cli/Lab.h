#pragma once

#include "cli/Output.h"
#include "core/Locations.h"
#include "core/Result.h"
#include "core/checkpoint/Family.h"
#include "core/containment/Containment.h"
#include "core/worker/PluginManifest.h"
#include "db/RunStore.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace loadlab::cli {

class Words;

/// Exit codes: docs/CLI.md.
enum ExitCode { kDone = 0, kFailed = 1, kWrongUsage = 2, kLabCannot = 3, kCancelled = 130 };

/// What every command works with: where things are, what the global options say, and how errors become exit codes.
/// Makes nothing by itself. One thread.
class Lab {
public:
    Lab(Output& out, const Words& words);

    Output& out;
    const Locations locations;
    const std::filesystem::path database;
    const bool json;

    /// The folders of --zoo; else the hub cache and what the window remembers.
    [[nodiscard]] const std::vector<std::filesystem::path>& zooFolders();
    [[nodiscard]] const FamilyCatalog& families();
    [[nodiscard]] const std::vector<PluginEntry>& plugins();

    /// For reading: nothing is made, an older schema stays as it is where it cannot be migrated. NotFound when there is
    /// no database yet.
    [[nodiscard]] Result<RunStore> openHistory(std::chrono::milliseconds patience = RunStore::kPatience) const;
    /// Removes cgroups of labs that died; closes what they left open in this database, where there is one, and ends
    /// what is left of their processes. A run whose lab lives is not touched. What was done, and failure, is told as a
    /// note.
    void closeLostRuns();
    /// How runs can be contained here. Found once, by trying.
    [[nodiscard]] const Containment& containment();

    /// Says the error and gives its exit code: what was cancelled is 130, all else 3.
    int failed(const Error& error, std::string_view doing = {});
    /// Says what is wrong with the words: 2.
    int wrongUsage(std::string_view message);

private:
    void closeStoredRuns();

    const Words& m_words;
    std::optional<std::vector<std::filesystem::path>> m_zooFolders;
    std::optional<FamilyCatalog> m_families;
    std::optional<std::vector<PluginEntry>> m_plugins;
    std::optional<Containment> m_containment;
};

} // namespace loadlab::cli
