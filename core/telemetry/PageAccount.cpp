#include "core/telemetry/PageAccount.h"

#include "core/Units.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr std::int64_t kEveryNs = 1'000'000'000;
constexpr std::int64_t kPausePerReading = 20;
constexpr std::int64_t kLargest = std::int64_t{32} << 30;
constexpr std::int64_t kToldForNs = 1'000'000'000;
constexpr std::uint64_t kForeignShare = 16;

} // namespace

PageAccount::PageAccount(std::function<void()> answered)
    : m_pss(std::move(answered))
{
    m_askedPids.reserve(PssReader::kMostProcesses);
}

/// Who counts pages has those of all processes of the tree, each once, and of them alone: where PSS finds more shared
/// memory, some of it is charged elsewhere.
void PageAccount::count(ProcessTree& tree, Sample& sample, std::int64_t most)
{
    m_residentBytes = sample[Column::RssBytes];
    const auto reading = take(tree);
    auto pages = m_count && tree.mayCountTwice() ? m_count(tree.pids()) : std::nullopt;
    if (reading) {
        sample[Column::PssBytes] = static_cast<std::int64_t>(reading->onceBytes());
        tree.countBy(*reading, sample);
        const auto counted = pages ? pages->shmemBytes.value_or(0) + pages->errorBytes : 0;
        m_mapsForeignPages = pages && reading->shmem.once > counted + counted / kForeignShare;
    }
    if (pages) {
        if (m_mapsForeignPages)
            pages->shmemBytes.reset();
        m_toldNs = sample.monotonicNs;
        tree.countAs(*pages, sample);
    }
    if (isDue(tree, sample.monotonicNs, most))
        ask(tree);
}

bool PageAccount::isDue(const ProcessTree& tree, std::int64_t nowNs, std::int64_t most) const
{
    if (m_pss.isBusy())
        return false;
    if (m_residentBytes <= most && nowNs - m_askedNs >= kEveryNs)
        return true;
    const bool told = !m_mapsForeignPages && nowNs - m_toldNs < kToldForNs;
    return !told && nowNs >= m_notBeforeNs && tree.mayCountOtherwise();
}

std::uint64_t PageAccount::ask(ProcessTree& tree)
{
    if (m_residentBytes > kLargest)
        return 0;
    m_askedNs = monotonicNs();
    const auto pids = tree.pids();
    const auto ticket = m_pss.ask(pids);
    if (ticket > 0)
        m_askedPids.assign(pids.begin(), pids.end());
    tree.askForPss();
    m_asked = std::max(m_asked, ticket);
    return ticket;
}

/// A page whose sharers come or go while one after the other is read counts too much or too little: such a reading is
/// nobody's, and a tree that never rests is taken as it tells of itself.
std::optional<PssReading> PageAccount::take(const ProcessTree& tree)
{
    const auto answer = m_pss.take();
    if (!answer)
        return std::nullopt;
    m_taken = answer->ticket;
    m_notBeforeNs = monotonicNs() + kPausePerReading * answer->cpuNs;
    if (answer->ticket < m_first || answer->ticket != m_asked) // Asked anew meanwhile, of another moment.
        return std::nullopt;
    return std::ranges::equal(m_askedPids, tree.pids()) ? answer->reading : std::nullopt;
}

} // namespace loadlab
