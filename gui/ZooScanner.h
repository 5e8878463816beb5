#pragma once

#include "core/checkpoint/Zoo.h"
#include "gui/Background.h"

#include <QObject>

#include <filesystem>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

namespace loadlab {

/// A checkpoint with the zoo folder below which it was found. Shared, immutable.
struct FoundCheckpoint {
    std::filesystem::path folder;
    std::shared_ptr<const Checkpoint> checkpoint;
};

/// How a scan ended.
struct ScanReport {
    std::vector<std::filesystem::path> folders;
    std::vector<std::pair<std::filesystem::path, Error>> unreadable;
    std::size_t checkpoints = 0;
    double seconds = 0;
};

/// Looks through zoo folders on a thread of its own and hands on what it finds in batches, as it finds it. A new scan
/// ends the one before; nothing of a scan that was given up arrives. GUI thread.
class ZooScanner : public QObject {
    Q_OBJECT

public:
    /// `families` outlives this object.
    explicit ZooScanner(const FamilyCatalog& families, QObject* parent = nullptr);
    ~ZooScanner() override; ///< Stops and waits for the checkpoint at hand.

    void scan(std::vector<std::filesystem::path> folders);
    void cancel();
    [[nodiscard]] bool isScanning() const { return m_scanning; }

Q_SIGNALS:
    void started();
    void found(const std::vector<loadlab::FoundCheckpoint>& checkpoints);
    void finished(const loadlab::ScanReport& report);

private:
    struct Inbox;
    void handOn(const std::shared_ptr<Inbox>& inbox);

    const FamilyCatalog& m_families;
    std::stop_source m_stop;
    std::shared_ptr<Inbox> m_inbox; ///< Of the newest scan.
    bool m_scanning = false;
    Background m_background;
};

} // namespace loadlab
