#include "core/trial/RunTree.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/telemetry/ProcFile.h"

#include <algorithm>
#include <utility>

namespace loadlab {
namespace {

constexpr std::size_t kMostNamed = 20;
constexpr std::int64_t kShareOfTime = 50;

} // namespace

void RunTree::started(pid_t worker)
{
    m_worker = identify(worker);
}

void RunTree::note(std::vector<ProcessId> tree)
{
    m_before = std::exchange(m_now, std::move(tree));
}

bool RunTree::hadJustNow(pid_t pid) const
{
    const auto has = [pid](const ProcessId& process) { return process.pid == pid; };
    std::optional<ProcessId> had = isWorker(pid) ? m_worker : std::nullopt;
    for (const auto* note : {&m_before, &m_now})
        if (const auto found = std::ranges::find_if(*note, has); found != note->end())
            had = *found;
    const std::optional<ProcessId> now = identify(pid);
    return had && (!now || now == had);
}

RunTree::Places RunTree::look(const RunGroup& group) const
{
    Places places;
    std::vector<pid_t> inside = group.processes();
    std::ranges::sort(inside);
    for (const ProcessId& process : m_now) {
        if (std::ranges::binary_search(inside, process.pid))
            places.emplace(process, std::nullopt);
        else if (auto outside = group.findOutside(process))
            places.emplace(process, std::move(outside));
    }
    return places;
}

bool RunTree::wasBornOutside(const ProcessId& process, const Places& before) const
{
    if (before.contains(process)) // In the group then.
        return false;
    const ProcessOutside& outside = *m_places.at(process);
    for (const Places* places : {&m_places, &before})
        if (const auto parent = places->lower_bound({outside.parent, 0});
            parent != places->end() && parent->first.pid == outside.parent)
            return parent->second.has_value();
    return std::ranges::any_of(m_left,
        [&](const auto& left) { return left.second == outside.group && left.first.startTicks <= process.startTicks; });
}

std::vector<std::string> RunTree::newlyLeft(const RunGroup& group)
{
    std::vector<std::string> told;
    const std::int64_t beginNs = monotonicNs();
    if (beginNs < m_nextLookNs)
        return told;
    const Places before = std::exchange(m_places, look(group));
    for (const auto& [process, outside] : m_places) {
        const auto known = before.find(process);
        if (!outside || (known != before.end() && known->second))
            continue;
        if (wasBornOutside(process, before)) {
            ++m_bornOutside;
        } else if (m_left.size() < kMostNamed && m_left.emplace(process, outside->group).second) {
            const std::string pid = std::to_string(process.pid);
            told.push_back(
                "pid " + pid + " (" + toUtf8(readSmallFile("/proc/" + pid + "/comm")) + "), in " + outside->group);
        }
    }
    m_nextLookNs = beginNs + kShareOfTime * (monotonicNs() - beginNs);
    return told;
}

std::set<std::string> RunTree::groupsOutside() const
{
    std::set<std::string> groups;
    for (const auto& [process, outside] : m_places)
        if (outside)
            groups.insert(outside->group);
    return groups;
}

} // namespace loadlab
