#include "gui/ZooScanner.h"

#include "core/Units.h"

namespace loadlab {

/// Filled on the scanning thread, emptied on the GUI thread.
struct ZooScanner::Inbox {
    std::mutex mutex;
    std::vector<FoundCheckpoint> waiting;

    /// True when the GUI thread is to be told: it will take all there is by then.
    bool push(FoundCheckpoint checkpoint)
    {
        const std::lock_guard lock(mutex);
        waiting.push_back(std::move(checkpoint));
        return waiting.size() == 1;
    }
    std::vector<FoundCheckpoint> take()
    {
        const std::lock_guard lock(mutex);
        return std::exchange(waiting, {});
    }
};

ZooScanner::ZooScanner(const FamilyCatalog& families, QObject* parent)
    : QObject(parent)
    , m_families(families)
    , m_background(Background::AtEnd::Drop)
{
}

ZooScanner::~ZooScanner()
{
    m_stop.request_stop();
}

void ZooScanner::scan(std::vector<std::filesystem::path> folders)
{
    m_stop.request_stop();
    m_stop = std::stop_source();
    m_inbox = std::make_shared<Inbox>();
    m_scanning = true;
    Q_EMIT started();
    m_background.ask(
        this,
        [this, folders = std::move(folders), inbox = m_inbox, stop = m_stop.get_token()] {
            const std::int64_t startedNs = monotonicNs();
            const auto onFound = [&](const std::filesystem::path& folder, const Checkpoint& checkpoint) {
                if (inbox->push({folder, std::make_shared<const Checkpoint>(checkpoint)}))
                    QMetaObject::invokeMethod(
                        this, [this, inbox] { handOn(inbox); }, Qt::QueuedConnection);
            };
            ScanReport report{folders, {}, 0, 0};
            for (const ZooFolder& folder : scanZoo(folders, m_families, onFound, stop)) {
                report.checkpoints += folder.checkpoints.size();
                if (folder.error)
                    report.unreadable.emplace_back(folder.path, *folder.error);
            }
            report.seconds = static_cast<double>(monotonicNs() - startedNs) / 1e9;
            return report;
        },
        [this, inbox = m_inbox](ScanReport report) {
            if (inbox != m_inbox)
                return;
            handOn(inbox);
            m_scanning = false;
            Q_EMIT finished(report);
        });
}

void ZooScanner::cancel()
{
    m_stop.request_stop();
}

void ZooScanner::handOn(const std::shared_ptr<Inbox>& inbox)
{
    if (inbox != m_inbox)
        return;
    if (const std::vector<FoundCheckpoint> checkpoints = inbox->take(); !checkpoints.empty())
        Q_EMIT found(checkpoints);
}

} // namespace loadlab
