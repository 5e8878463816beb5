#include "gui/ZooController.h"

#include "core/Text.h"
#include "core/Units.h"
#include "gui/Words.h"

#include <algorithm>

namespace loadlab {
namespace fs = std::filesystem;
namespace {

constexpr int kLastRunsMs = 300;
/// The newest runs in which a checkpoint's last one is sought.
constexpr std::uint64_t kRunsLookedThrough = 5000;

void addOnce(std::vector<fs::path>& folders, const fs::path& folder)
{
    if (std::find(folders.begin(), folders.end(), folder) == folders.end())
        folders.push_back(folder);
}

fs::path withoutTrailingSlash(const fs::path& given)
{
    const fs::path folder = given.lexically_normal();
    return folder.has_filename() ? folder : folder.parent_path();
}

/// What reading all of it covered; what it found stands with the problems.
std::string readWords(const DeepReport& report)
{
    const std::string hashed = report.hashed == 0 ? "the hub's SHA-256 is known of none"
                                                  : formatCount(report.hashed) + " compared with the hub's SHA-256";
    return "every byte was read: " + formatCount(report.files, "file") + ", " + formatSize(report.bytes) + "; "
        + hashed;
}

std::map<std::string, LastRun> newestByPath(const std::vector<RunRow>& newestFirst)
{
    std::map<std::string, LastRun> byPath;
    for (const RunRow& row : newestFirst)
        byPath.try_emplace(
            row.checkpointPath, LastRun{row.run, row.mode ? toQString(toWireName(*row.mode)) : QString()});
    return byPath;
}

} // namespace

ZooController::ZooController(const Lab& lab, RunLibrary& library, QObject* parent)
    : QObject(parent)
    , m_lab(lab)
    , m_library(library)
    , m_scanner(lab.families)
    , m_verifier(lab.families)
    , m_settings(Background::AtEnd::Finish)
{
    m_lastRunsTimer.setSingleShot(true);
    m_lastRunsTimer.setInterval(kLastRunsMs);
    connect(&m_lastRunsTimer, &QTimer::timeout, this, &ZooController::askLastRuns);
    connect(&library, &RunLibrary::runsChanged, &m_lastRunsTimer, [this] {
        if (!m_lastRunsTimer.isActive())
            m_lastRunsTimer.start();
    });
    connect(&m_scanner, &ZooScanner::found, &m_model, &ZooModel::add);
    connect(&m_scanner, &ZooScanner::finished, this, [this](const ScanReport& report) {
        m_model.endScan(report);
        m_lastScan = report;
        Q_EMIT changed();
    });
    connect(&m_verifier, &ZooVerifier::verified, this,
        [this](const auto& checkpoint, const DeepReport& report) { takeVerified(*checkpoint, report); });
    connect(&m_verifier, &ZooVerifier::failed, this, [this](const Error& error) { Q_EMIT failed(toSentence(error)); });
}

ZooController::~ZooController() = default;

void ZooController::start()
{
    for (const fs::path& folder : m_lab.addedZooFolders)
        remember(withoutTrailingSlash(folder), [] {});
    m_settings.ask(
        this, [file = m_lab.settingsFile] { return loadSettings(file); },
        [this](Result<SharedSettings> settings) { take(std::move(settings)); });
}

void ZooController::take(Result<SharedSettings> settings)
{
    // A folder may have been added while the file was being read.
    std::vector<fs::path> listed = m_lab.zooFolders;
    if (settings && listed.empty())
        listed = std::move(settings->zooFolders);
    for (const fs::path& added : m_listed)
        addOnce(listed, added);
    m_listed = std::move(listed);
    if (!settings)
        Q_EMIT failed(toSentence(settings.error()));
    rescan();
}

void ZooController::rescan()
{
    m_settings.ask(
        this,
        [] {
            std::error_code ignored;
            return fs::is_directory(hubCacheFolder(), ignored);
        },
        [this](bool hubCacheIsThere) { scan(hubCacheIsThere); });
}

void ZooController::scan(bool hubCacheIsThere)
{
    m_folders.clear();
    for (const fs::path& folder : m_listed)
        addOnce(m_folders, folder);
    if (m_lab.zooFolders.empty() && hubCacheIsThere)
        addOnce(m_folders, hubCacheFolder());
    m_ready = true;
    m_model.beginScan(m_folders);
    m_scanner.scan(m_folders);
    Q_EMIT changed();
}

void ZooController::cancelScan()
{
    m_scanner.cancel();
}

void ZooController::verify(std::shared_ptr<const Checkpoint> checkpoint)
{
    m_verifier.verify(std::move(checkpoint));
}

void ZooController::takeVerified(const Checkpoint& checkpoint, const DeepReport& report)
{
    const QModelIndex at = m_model.findCheckpoint(checkpoint.path);
    if (!at.isValid())
        return;
    auto told = std::make_shared<Checkpoint>(checkpoint);
    told->notes.insert(told->notes.begin(), readWords(report));
    m_model.add({{m_model.folderAt(at), std::move(told)}});
    Q_EMIT changed();
}

bool ZooController::canRemove(const fs::path& folder) const
{
    return std::find(m_listed.begin(), m_listed.end(), folder) != m_listed.end();
}

void ZooController::addFolder(const fs::path& given)
{
    const fs::path folder = withoutTrailingSlash(given);
    remember(folder, [this, folder] { Q_EMIT folderAdded(folder); });
    rescan();
}

void ZooController::remember(const fs::path& folder, std::function<void()> done)
{
    change([folder](SharedSettings& settings) { addOnce(settings.zooFolders, folder); }, std::move(done));
    addOnce(m_listed, folder);
}

void ZooController::removeFolder(const fs::path& folder)
{
    change([folder](SharedSettings& settings) { std::erase(settings.zooFolders, folder); }, [] {});
    std::erase(m_listed, folder);
    rescan();
}

/// What cannot be remembered still counts until the window closes.
void ZooController::change(std::function<void(SharedSettings&)> change, std::function<void()> done)
{
    m_settings.ask(
        this, [file = m_lab.settingsFile, change = std::move(change)] { return changeSettings(file, change); },
        [this, done = std::move(done)](Result<SharedSettings> settings) {
            if (!settings)
                Q_EMIT failed(toSentence(settings.error()));
            done();
        });
}

void ZooController::askLastRuns()
{
    RunFilter newest;
    newest.limit = kRunsLookedThrough;
    m_library.askRows(this, newest, [this](Result<std::vector<RunRow>> rows) {
        if (rows)
            m_model.setLastRuns(newestByPath(*rows));
    });
}

} // namespace loadlab
