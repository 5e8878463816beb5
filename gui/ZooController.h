#pragma once

#include "core/Settings.h"
#include "gui/Lab.h"
#include "gui/RunLibrary.h"
#include "gui/ZooScanner.h"
#include "gui/ZooVerifier.h"
#include "gui/models/ZooModel.h"

#include <QObject>
#include <QTimer>

#include <filesystem>
#include <optional>
#include <vector>

namespace loadlab {

/// Which folders belong to the zoo, and what is in them. The folders are shared with the command line
/// (core/Settings.h); the hub cache is always one of them where it exists, and --zoo replaces them all. GUI thread;
/// files are read and written elsewhere.
class ZooController : public QObject {
    Q_OBJECT

public:
    /// All borrowed objects outlive this one.
    ZooController(const Lab& lab, RunLibrary& library, QObject* parent = nullptr);
    ~ZooController() override;

    /// Reads the remembered folders, to which those of --add-zoo are added, and scans.
    void start();
    /// Remembers a folder and scans it too; folderAdded() when it is in the list (also when it was already).
    void addFolder(const std::filesystem::path& folder);
    void removeFolder(const std::filesystem::path& folder);
    [[nodiscard]] bool canRemove(const std::filesystem::path& folder) const;
    void rescan();
    void cancelScan();
    /// Reads every byte of a checkpoint; its row then says what came of it, until the next scan looks at it anew.
    void verify(std::shared_ptr<const Checkpoint> checkpoint);
    void cancelVerify() { m_verifier.cancel(); }
    [[nodiscard]] const ZooVerifier& verifier() const { return m_verifier; }

    [[nodiscard]] ZooModel& model() { return m_model; }
    [[nodiscard]] bool isScanning() const { return m_scanner.isScanning(); }
    [[nodiscard]] const std::vector<std::filesystem::path>& folders() const { return m_folders; }
    [[nodiscard]] const std::optional<ScanReport>& lastScan() const { return m_lastScan; }
    /// The settings were read: an empty zoo is an empty zoo.
    [[nodiscard]] bool isReady() const { return m_ready; }

Q_SIGNALS:
    void changed(); ///< Folders, or how the scan stands.
    void folderAdded(const std::filesystem::path& folder);
    void failed(const QString& words);

private:
    void remember(const std::filesystem::path& folder, std::function<void()> done);
    void take(Result<SharedSettings> settings);
    void change(std::function<void(SharedSettings&)> change, std::function<void()> done);
    void scan(bool hubCacheIsThere);
    void takeVerified(const Checkpoint& checkpoint, const DeepReport& report);
    void askLastRuns();

    const Lab& m_lab;
    RunLibrary& m_library;
    ZooModel m_model;
    std::vector<std::filesystem::path> m_listed; ///< Remembered or given by --zoo, and what was added since.
    std::vector<std::filesystem::path> m_folders;
    std::optional<ScanReport> m_lastScan;
    QTimer m_lastRunsTimer;
    bool m_ready = false;
    ZooScanner m_scanner;
    ZooVerifier m_verifier;
    Background m_settings;
};

} // namespace loadlab
