#include "cli/Lab.h"

#include "cli/Options.h"
#include "core/Settings.h"
#include "core/Text.h"
#include "core/checkpoint/Zoo.h"
#include "core/containment/DeadGroups.h"
#include "core/telemetry/Machine.h"
#include "core/worker/Leftovers.h"

namespace loadlab::cli {
namespace fs = std::filesystem;
namespace {

fs::path databaseOf(const Words& words)
{
    const auto given = words.value("--db");
    return given ? fs::path(*given) : defaultDatabase();
}

std::string joined(const std::vector<NamedProcess>& processes)
{
    std::string text;
    for (const NamedProcess& process : processes)
        text += (text.empty() ? "" : ", ") + toWords(process);
    return text;
}

/// What became of the processes that a lost run left behind; empty when there were none.
std::string leftoverWords(const std::string& uuid)
{
    const LeftoverReport report = endLeftovers(uuid);
    std::string words;
    if (!report.ended.empty())
        words += ", killed what was left of it: " + joined(report.ended);
    if (!report.survivors.empty())
        words += ", could not kill " + joined(report.survivors);
    return words;
}

} // namespace

Lab::Lab(Output& output, const Words& words)
    : out(output)
    , locations(Locations::ofThisProgram())
    , database(databaseOf(words))
    , json(words.has("--json"))
    , m_words(words)
{
}

const std::vector<fs::path>& Lab::zooFolders()
{
    if (m_zooFolders)
        return *m_zooFolders;
    m_zooFolders.emplace();
    if (m_words.has("--zoo")) {
        for (const std::string& folder : m_words.values("--zoo"))
            m_zooFolders->emplace_back(folder);
        return *m_zooFolders;
    }
    m_zooFolders->push_back(hubCacheFolder());
    Result<SharedSettings> settings = loadSettings(sharedSettingsFile());
    if (!settings)
        out.note("the window's zoo folders are left out: " + settings.error().message);
    else
        m_zooFolders->insert(m_zooFolders->end(), settings->zooFolders.begin(), settings->zooFolders.end());
    return *m_zooFolders;
}

const FamilyCatalog& Lab::families()
{
    if (m_families)
        return *m_families;
    m_families = FamilyCatalog::load(locations.resources / "families");
    for (const Error& error : m_families->errors())
        out.note("family left out: " + error.message);
    return *m_families;
}

const std::vector<PluginEntry>& Lab::plugins()
{
    if (!m_plugins)
        m_plugins = findPlugins(locations.pluginRoots);
    return *m_plugins;
}

Result<RunStore> Lab::openHistory(std::chrono::milliseconds patience) const
{
    return RunStore::open(database, RunStore::Mode::ReadOnly, patience);
}

void Lab::closeLostRuns()
{
    closeStoredRuns();
    // After those of the database, whose processes are named one by one. An empty group is not worth a word.
    for (const DeadGroup& dead : removeDeadGroups())
        if (dead.processes > 0 || !dead.removed)
            out.note(toWords(dead));
}

void Lab::closeStoredRuns()
{
    std::error_code ignored;
    if (!fs::exists(database, ignored))
        return;
    // Other labs hold locks for moments only; whoever has waited longer is better served by the command itself.
    constexpr std::chrono::milliseconds patience{2000};
    Result<RunStore> store = RunStore::open(database, RunStore::Mode::ReadWrite, patience);
    if (!store)
        return; // The commands that need the database say so; the others do not.
    const Result<std::vector<RunResult>> lost = store->closeLostRuns(readMachine().bootId);
    if (!lost) {
        out.note("runs that a lab left open could not be closed: " + lost.error().message);
        return;
    }
    for (const RunResult& run : *lost) {
        const std::string mode = run.verdict ? std::string(toWireName(run.verdict->mode)) : "lost";
        out.note("run " + std::to_string(run.run.value_or(RunId()).value)
            + " was left open by a lab that ended: closed as " + mode + leftoverWords(run.identity.uuid));
    }
}

const Containment& Lab::containment()
{
    if (!m_containment)
        m_containment = Containment::probe();
    return *m_containment;
}

int Lab::failed(const Error& error, std::string_view doing)
{
    out.error((doing.empty() ? "" : std::string(doing) + ": ") + error.message);
    return error.kind == ErrorKind::Cancelled ? kCancelled : kLabCannot;
}

int Lab::wrongUsage(std::string_view message)
{
    out.error(std::string(message) + "\nSee 'loadlab " + std::string(m_words.command->name) + " --help'.");
    return kWrongUsage;
}

} // namespace loadlab::cli
