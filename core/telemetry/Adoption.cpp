#include "core/telemetry/Adoption.h"

#include "core/telemetry/ProcFile.h"

#include <algorithm>
#include <string_view>
#include <unistd.h>

namespace loadlab {
namespace {

constexpr std::string_view kMark = "LOADLAB_RUN=";
/// Between its fork and its exec a child of the lab still has the lab's environment: one look is not enough.
constexpr int kLooksPerStranger = 20;
constexpr std::size_t kMostStrangers = 256;

/// The environment's LOADLAB_RUN entry as a whole; empty where there is none or it cannot be read.
std::string runMarkOf(pid_t pid)
{
    const auto environment = readSmallFile("/proc/" + std::to_string(pid) + "/environ", std::size_t{2} << 20);
    for (std::size_t at = 0; at < environment.size();) {
        const auto entry = std::string_view(environment).substr(at, environment.find('\0', at) - at);
        at += entry.size() + 1;
        if (entry.substr(0, kMark.size()) == kMark)
            return std::string(entry);
    }
    return {};
}

} // namespace

Adoption::Adoption(ProcessId root, Orphans orphans)
    : m_root(root)
    , m_orphans(orphans)
{
    learnFromRoot();
}

void Adoption::learnFromRoot()
{
    if (m_triesLeft <= 0 || !m_runMark.empty())
        return;
    --m_triesLeft;
    const auto stat = readProcessStat(m_root.pid);
    if (!stat || stat->startTicks != m_root.startTicks)
        return;
    m_ownGroup = stat->group == m_root.pid;
    m_ownSession = stat->session == m_root.pid;
    m_runMark = runMarkOf(m_root.pid);
    // Before its exec the root still has the lab's environment, which may itself name a run.
    if (!m_runMark.empty() && m_runMark == runMarkOf(::getpid()))
        m_runMark.clear();
}

bool Adoption::groupIsOurs(const ProcessReading& stat) const
{
    const bool matches = (m_ownGroup && stat.group == m_root.pid) || (m_ownSession && stat.session == m_root.pid);
    if (!matches)
        return false;
    // The root's pid may belong to another process by now, which then leads a group of that number.
    const auto leader = identify(m_root.pid);
    return !leader || *leader == m_root;
}

Adoption::Stranger& Adoption::strangerFor(ProcessId id)
{
    const auto found = std::find_if(
        m_strangers.begin(), m_strangers.end(), [id](const Stranger& stranger) { return stranger.id == id; });
    if (found != m_strangers.end())
        return *found;
    if (m_strangers.size() >= kMostStrangers)
        m_strangers.clear();
    m_strangers.push_back({id, 0});
    return m_strangers.back();
}

bool Adoption::isOurs(pid_t candidate, const ProcessReading& stat)
{
    if (stat.startTicks < m_root.startTicks)
        return false;
    if (m_orphans == Orphans::All)
        return true;
    auto& stranger = strangerFor({candidate, stat.startTicks});
    if (stranger.looks >= kLooksPerStranger)
        return false;
    if (groupIsOurs(stat) || (!m_runMark.empty() && runMarkOf(candidate) == m_runMark))
        return true;
    // While the root's own marks are not known yet, nobody is a stranger for good.
    stranger.looks += m_runMark.empty() ? 0 : 1;
    return false;
}

} // namespace loadlab
