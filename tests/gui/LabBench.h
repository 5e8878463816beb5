#pragma once

#include "gui/Lab.h"
#include "gui/TrialController.h"

#include <QTemporaryDir>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

/// A lab of its own, over the backends of the build tree and the fake one.
class LabBench {
public:
    /// In a temporary folder.
    LabBench();
    /// In this folder, which stays.
    explicit LabBench(const std::filesystem::path& folder);

    [[nodiscard]] const loadlab::Lab& lab() const { return m_lab; }
    [[nodiscard]] loadlab::Lab& lab() { return m_lab; }
    [[nodiscard]] std::filesystem::path folder() const { return m_folder; }
    std::uint64_t goodSizeBytes = std::uint64_t{8} << 20; ///< Of the good stand-in.
    /// Stand-ins in zoo/ below the folder, made at the first call; the good one's folder.
    std::filesystem::path demoZoo();
    /// A trial of the fake backend: behaviour and its options.
    [[nodiscard]] loadlab::TrialSpec fakeTrial(
        const std::string& mode, std::map<std::string, std::string> options = {});

private:
    void open();

    std::optional<QTemporaryDir> m_temporary;
    std::filesystem::path m_folder;
    loadlab::Lab m_lab;
};
