#include "core/trial/RunTree.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/telemetry/ProcFile.h"

#include <algorithm>

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

std::vector<std::string> RunTree::newOutside(const RunGroup& group)
{
    std::vector<std::string> found;
    const std::int64_t beginNs = monotonicNs();
    if (beginNs < m_nextLookNs || m_outside.size() >= kMostNamed)
        return found;
    std::vector<pid_t> inside = group.processes();
    std::ranges::sort(inside);
    for (const ProcessId& process : m_now) {
        if (std::ranges::binary_search(inside, process.pid) || m_outside.contains(process))
            continue;
        const auto place = group.placeOutside(process);
        if (!place || m_outside.size() >= kMostNamed)
            continue;
        m_outside.insert(process);
        const std::string pid = std::to_string(process.pid);
        found.push_back("pid " + pid + " (" + toUtf8(readSmallFile("/proc/" + pid + "/comm")) + "), in " + *place);
    }
    m_nextLookNs = beginNs + kShareOfTime * (monotonicNs() - beginNs);
    return found;
}

} // namespace loadlab
