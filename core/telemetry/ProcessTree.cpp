#include "core/telemetry/ProcessTree.h"

#include "core/Units.h"
#include "core/telemetry/Adoption.h"
#include "core/telemetry/CountedOnce.h"
#include "core/telemetry/ReapedUse.h"
#include "core/telemetry/TreeMember.h"
#include "core/telemetry/Turnover.h"

#include <algorithm>
#include <unistd.h>

namespace loadlab {
namespace {

constexpr std::int64_t kWalkAtLeastEveryNs = 250'000'000;
constexpr std::int64_t kReadAtLeastEveryNs = 1'000'000'000;
constexpr std::int64_t kFaultsAtMostEveryNs = 9'000'000;
constexpr std::uint64_t kWorthCounting = std::uint64_t{1} << 20;
constexpr std::uint64_t kShareWorthCounting = 100;
constexpr std::uint64_t kManyThreads = 2; ///< The lab itself always has several.

std::int64_t valueOf(std::uint64_t number)
{
    return static_cast<std::int64_t>(number);
}

} // namespace

struct ProcessTree::State {
    State(ProcessId rootId, Orphans orphans)
        : root(rootId)
        , adoption(rootId, orphans)
        , self(::getpid(), pool)
    {
        members.reserve(64);
        pids.reserve(64);
    }

    ProcessId root;
    ReaderPool pool; ///< Before the readers: they give their descriptors back.
    Adoption adoption;
    ProcessReader self;
    ProcFile loadavg{"/proc/loadavg"};
    std::vector<TreeMember> members;
    std::vector<pid_t> pids;
    std::array<pid_t, 4096> found{};
    ReapedUse reaped;
    ProcessUse highest; ///< What was told so far: the sums only grow.
    bool ioKnown = false;
    std::uint64_t highWater = 0;
    std::uint64_t provenAnon = 0;
    PrivateOnce anon;
    PrivateOnce swap;
    SharedOnce shmem;
    std::uint64_t lastShmem = 0; ///< Each page once, as far as known.
    std::uint64_t lastSwap = 0;
    std::int64_t faultsReadNs = 0;
    std::uint64_t lastPid = 0;
    bool settled = false; ///< The machine's last pid stood still at the last look.
    std::int64_t walkedNs = 0;
    std::int64_t readAllNs = 0;
    Turnover turnover;
    std::int64_t grownBytes = 0;
    std::int64_t nowNs = 0; ///< Of the sample.
    bool someEnded = false; ///< At the last sample: others may have got a new parent by it.

    TreeMember* find(pid_t pid);
    TreeMember* livingAncestor(const TreeMember& member);
    bool somethingMayBeNew();
    void walk();
    void addFound(std::size_t count, bool ofTheLab);
    bool mustReadAll(Depth depth);
    void readFrom(std::size_t first, bool all);
    void refreshThreads();
    void noteMarks(TreeMember& member, const ProcessReading& before);
    void noteInheritance(TreeMember& member);
    void countTurnover(std::size_t known);
    void settleEnded();
    template <typename Whole, typename Own> std::uint64_t countOnce(PrivateOnce& into, Whole wholeOf, Own ownOf);
    bool fillMemory(Sample& into);
    void fillTree(Sample& into, std::uint64_t anonBytes);
    void fillUse(Sample& into);
    bool sampleResident(Sample& into);
};

TreeMember* ProcessTree::State::find(pid_t pid)
{
    const auto it
        = std::find_if(members.begin(), members.end(), [pid](const TreeMember& m) { return m.id.pid == pid; });
    return it == members.end() ? nullptr : &*it;
}

/// Any new process or thread moves the machine's last pid: while that stands there is nothing to look for.
bool ProcessTree::State::somethingMayBeNew()
{
    const auto text = loadavg.read(pool.buffer);
    const auto at = text ? text->rfind(' ') : std::string_view::npos;
    if (at == std::string_view::npos)
        return true;
    auto word = text->substr(at + 1);
    const auto pid = procfs::takeNumber(word).value_or(0);
    const bool moved = pid != lastPid;
    // One more look after every move: a list of children may be incomplete while one of them ends.
    const bool look = moved || !settled || monotonicNs() - walkedNs >= kWalkAtLeastEveryNs;
    lastPid = pid;
    settled = !moved;
    return look;
}

void ProcessTree::State::walk()
{
    walkedNs = monotonicNs();
    adoption.learnFromRoot();
    addFound(self.children(found, kManyThreads), true);
    // Members found on the way are looked at as well.
    for (std::size_t i = 0; i < members.size(); ++i)
        addFound(members[i].reader.children(found, members[i].now.threads), false);
}

void ProcessTree::State::addFound(std::size_t count, bool ofTheLab)
{
    for (const auto pid : std::span(found).first(count)) {
        if (find(pid))
            continue;
        const auto stat = readProcessStat(pid);
        if (!stat || (ofTheLab && !adoption.isOurs(pid, *stat)))
            continue;
        TreeMember member{{pid, stat->startTicks}, ProcessReader(pid, pool), *stat};
        members.push_back(std::move(member));
    }
}

bool ProcessTree::State::mustReadAll(Depth depth)
{
    const auto now = monotonicNs();
    if (depth == Depth::Changed && !someEnded && now - readAllNs < kReadAtLeastEveryNs)
        return false;
    readAllNs = now;
    return true;
}

void ProcessTree::State::readFrom(std::size_t first, bool all)
{
    for (auto& member : std::span(members).subspan(first)) {
        const auto before = member.now;
        member.reapedFaultsBefore = before.use.reapedMinorFaults;
        if (!all && !member.fresh && member.reader.isAsBefore(before))
            continue;
        if (!member.reader.read(member.now) || member.now.startTicks != member.id.startTicks) {
            member.now = before;
            member.gone = true;
            continue;
        }
        ioKnown = ioKnown || member.now.ioKnown;
        const bool began = member.fresh || member.now.imageMark != before.imageMark;
        member.turnover.threaded = member.turnover.threaded || member.now.threads > 1;
        Turnover::read(member.turnover, before.use, member.now.use, began, nowNs);
        member.minorFaults = member.now.use.minorFaults;
        member.sharedSince = 0;
        noteMarks(member, before);
    }
}

/// Which threads a process has decides where its children are looked for.
void ProcessTree::State::refreshThreads()
{
    for (auto& member : members)
        if (const auto stat = readProcessStat(member.id.pid); stat && stat->startTicks == member.id.startTicks)
            member.now.threads = stat->threads;
}

void ProcessTree::State::noteMarks(TreeMember& member, const ProcessReading& before)
{
    const auto& now = member.now;
    if (now.imageMark != before.imageMark) {
        member.mostFileBytes = 0;
        member.fresh = true;
    }
    member.mostFileBytes = std::max(member.mostFileBytes, now.fileBytes);
    highWater = std::max(highWater, now.highWaterBytes);
    if (now.highWaterBytes > before.highWaterBytes)
        provenAnon = std::max(provenAnon, provenBetween(member, before));
    if (member.fresh)
        noteInheritance(member);
    member.fresh = false;
}

void ProcessTree::State::noteInheritance(TreeMember& member)
{
    const auto& now = member.now;
    member.forked = false;
    member.inheritedAnon = 0;
    member.inheritedSwap = 0;
    for (const auto& other : members) {
        if (&other == &member || other.fresh || other.now.imageMark != now.imageMark || now.imageMark == 0)
            continue;
        member.forked = true;
        member.inheritedAnon = std::max(member.inheritedAnon, std::min(now.anonBytes, other.now.anonBytes));
        member.inheritedSwap = std::max(member.inheritedSwap, std::min(now.swapBytes, other.now.swapBytes));
    }
}

TreeMember* ProcessTree::State::livingAncestor(const TreeMember& member)
{
    TreeMember* ancestor = find(member.now.parent);
    for (std::size_t step = 0; ancestor && ancestor->gone && step < members.size(); ++step)
        ancestor = find(ancestor->now.parent);
    return ancestor && !ancestor->gone ? ancestor : nullptr;
}

void ProcessTree::State::countTurnover(std::size_t known)
{
    for (const auto& born : std::span(members).subspan(known))
        if (auto* parent = find(born.now.parent))
            Turnover::gotChild(parent->turnover);
    settleEnded();
    for (auto& member : members) {
        const bool ask = Turnover::mustAskThread(member.turnover);
        turnover.count(member.turnover, nowNs, ask ? firstThreadReadBytes(member.id.pid) : std::nullopt);
    }
}

void ProcessTree::State::settleEnded()
{
    for (const auto& member : members) {
        if (!member.gone)
            continue;
        auto* heir = livingAncestor(member);
        const auto heirPid = heir ? heir->id.pid : 0;
        const auto before = heir ? heir->reapedFaultsBefore : 0;
        reaped.heirGone(member.id.pid, heirPid, before);
        reaped.ended(member.now.use, heirPid, before);
        if (heir)
            Turnover::lostChild(heir->turnover, member.turnover, member.now.use);
    }
    for (const auto& member : members)
        if (!member.gone)
            reaped.heirSeen(member.id.pid, member.now.use.reapedMinorFaults);
    someEnded = std::erase_if(members, [](const TreeMember& member) { return member.gone; }) > 0;
}

/// The sum with what forks share counted once: of each image the own parts of its forks, and once the largest of what
/// else its members have.
template <typename Whole, typename Own>
std::uint64_t ProcessTree::State::countOnce(PrivateOnce& into, Whole wholeOf, Own ownOf)
{
    Held held;
    std::uint64_t estimate = 0;
    std::uint64_t ofForks = 0;
    for (auto& member : members)
        member.counted = false;
    for (auto first = members.begin(); first != members.end(); ++first) {
        if (first->counted)
            continue;
        std::uint64_t shared = 0;
        for (auto relative = first; relative != members.end(); ++relative) {
            if (relative != first && (first->now.imageMark == 0 || relative->now.imageMark != first->now.imageMark))
                continue;
            relative->counted = true;
            const auto whole = wholeOf(*relative);
            const auto own = relative->forked ? ownOf(*relative, whole) : 0;
            ofForks += own;
            held.sum += whole;
            held.largest = std::max(held.largest, whole);
            shared = std::max(shared, whole - own);
        }
        estimate += shared;
    }
    return into.count(held, estimate + ofForks, ofForks);
}

bool ProcessTree::State::fillMemory(Sample& into)
{
    Held shared;
    std::uint64_t rss = 0;
    std::uint64_t files = 0;
    std::uint64_t threads = 0;
    std::int64_t running = 0;
    grownBytes = 0;
    for (auto& member : members) {
        const auto& now = member.now;
        grownBytes += grownBy(member, nowNs);
        rss += now.anonBytes + now.fileBytes + now.shmemBytes;
        files += now.fileBytes;
        shared = {shared.sum + now.shmemBytes, std::max(shared.largest, now.shmemBytes)};
        threads += now.zombie ? 0 : now.threads;
        running += now.zombie ? 0 : 1;
    }
    lastShmem = shmem.count(shared);
    lastSwap = countOnce(
        swap, [](const TreeMember& member) { return member.now.swapBytes; }, ownSwap);
    fillTree(into,
        countOnce(
            anon, [](const TreeMember& member) { return member.now.anonBytes; }, ownAnon));
    into[Column::FileBytes] = valueOf(files);
    into[Column::RssBytes] = valueOf(rss);
    into[Column::Processes] = running;
    into[Column::Threads] = valueOf(threads);
    return running > 0;
}

void ProcessTree::State::fillTree(Sample& into, std::uint64_t anonBytes)
{
    into[Column::AnonBytes] = valueOf(anonBytes);
    into[Column::ShmemBytes] = valueOf(lastShmem);
    into[Column::SwapBytes] = valueOf(lastSwap);
    into[Column::TreeBytes] = valueOf(anonBytes + lastShmem + lastSwap);
}

void ProcessTree::State::fillUse(Sample& into)
{
    auto sum = reaped.lost();
    for (const auto& member : members)
        add(sum, member.now.use);
    const auto grow = [](std::uint64_t& told, std::uint64_t now) { return valueOf(told = std::max(told, now)); };
    into[Column::MinorFaults] = grow(highest.minorFaults, sum.minorFaults + sum.reapedMinorFaults);
    into[Column::MajorFaults] = grow(highest.majorFaults, sum.majorFaults + sum.reapedMajorFaults);
    into[Column::CpuNs] = grow(highest.cpuNs, sum.cpuNs + sum.reapedCpuNs);
    if (!ioKnown)
        return;
    into[Column::ReadBytes] = grow(highest.readBytes, sum.readBytes);
    into[Column::ReadCharBytes] = grow(highest.readCharBytes, sum.readCharBytes);
    highest.writtenBytes = std::max(highest.writtenBytes, sum.writtenBytes);
    highest.dirtiedBytes = std::max(highest.dirtiedBytes, sum.dirtiedBytes);
}

/// Where forks write to what they share with their relatives, only faults tell.
bool ProcessTree::State::sampleResident(Sample& into)
{
    std::uint64_t rss = 0;
    bool any = false;
    const auto now = monotonicNs();
    const bool faultsToo = now - faultsReadNs >= kFaultsAtMostEveryNs;
    if (faultsToo)
        faultsReadNs = now;
    for (auto& member : members) {
        std::uint64_t resident = 0;
        member.residentAnon = 0;
        any = (!member.now.zombie && member.reader.readResident(member.residentAnon, resident)) || any;
        rss += resident;
        highWater = std::max(highWater, resident);
        const auto shared = resident - std::min(resident, member.residentAnon);
        const auto known = member.now.fileBytes + member.now.shmemBytes;
        member.sharedSince = shared - std::min(shared, known);
        if (faultsToo && member.forked && !member.now.zombie && member.reader.hasRunSince(member.faultsAtCpuNs))
            member.minorFaults = member.reader.minorFaults().value_or(member.minorFaults);
    }
    const auto once = countOnce(
        anon, [](const TreeMember& member) { return member.residentAnon; }, ownAnon);
    into[Column::AnonBytes] = valueOf(once);
    into[Column::RssBytes] = valueOf(rss);
    into[Column::TreeBytes] = valueOf(any ? once + lastShmem + lastSwap : 0);
    return any;
}

std::optional<ProcessId> identify(pid_t pid)
{
    const auto stat = readProcessStat(pid);
    return stat ? std::optional(ProcessId{pid, stat->startTicks}) : std::nullopt;
}

bool isAlive(const ProcessId& process)
{
    const auto stat = readProcessStat(process.pid);
    return stat && stat->startTicks == process.startTicks && !stat->zombie;
}

ProcessTree::ProcessTree(pid_t root, Orphans orphans)
    : m_state(std::make_unique<State>(identify(root).value_or(ProcessId{root, 0}), orphans))
{
    if (const auto stat = readProcessStat(root))
        m_state->members.push_back({m_state->root, ProcessReader(root, m_state->pool), *stat});
}

ProcessTree::~ProcessTree() = default;

bool ProcessTree::sample(Sample& into, Depth depth)
{
    if (depth == Depth::Resident)
        return m_state->sampleResident(into);
    m_state->nowNs = monotonicNs();
    m_state->readFrom(0, m_state->mustReadAll(depth));
    const auto known = m_state->members.size();
    if (m_state->somethingMayBeNew())
        m_state->walk();
    m_state->readFrom(known, true);
    m_state->countTurnover(known);
    m_state->pids.clear();
    for (const auto& member : m_state->members)
        m_state->pids.push_back(member.id.pid);
    m_state->fillUse(into);
    m_state->turnover.sampled(m_state->highest.readCharBytes);
    return m_state->fillMemory(into);
}

bool ProcessTree::mayCountTwice() const
{
    const auto atStake = [](const Held& held) { return held.sum - held.largest; };
    const auto forked = [](const TreeMember& member) { return member.forked; };
    const auto ofForks = std::ranges::any_of(m_state->members, forked)
        ? atStake(m_state->anon.held()) + atStake(m_state->swap.held())
        : 0;
    return atStake(m_state->shmem.held()) + ofForks > kWorthCounting;
}

bool ProcessTree::mayCountOtherwise() const
{
    const auto held = m_state->anon.held().sum + m_state->shmem.held().sum;
    const auto unsure = m_state->anon.unsure() + m_state->swap.unsure() + m_state->shmem.unsure();
    return mayCountTwice() && unsure > std::max(kWorthCounting, held / kShareWorthCounting);
}

void ProcessTree::countBy(const PssReading& pss, Sample& sample)
{
    const auto twice = [](const PssReading::Kind& kind) { return kind.sum - std::min(kind.sum, kind.once); };
    // Touched while it was read: some of it may have counted too much, and what is too high would stay in the peak.
    const auto sum = m_state->shmem.held().sum;
    const auto touched = std::max(sum, pss.shmem.sum) - std::min(sum, pss.shmem.sum);
    m_state->lastShmem = m_state->shmem.correct(pss.shmem.once - std::min(pss.shmem.once, touched), pss.shmem.sum);
    m_state->lastSwap = m_state->swap.correctTwice(twice(pss.swap));
    m_state->fillTree(sample, m_state->anon.correctTwice(twice(pss.anon), pss.changedBytes));
}

void ProcessTree::askForPss()
{
    m_state->anon.ask();
    m_state->swap.ask();
}

void ProcessTree::countAs(const PagesOnce& pages, Sample& sample)
{
    if (pages.shmemBytes)
        m_state->lastShmem = m_state->shmem.correct(*pages.shmemBytes, m_state->shmem.held().sum);
    m_state->fillTree(sample, m_state->anon.correct(pages.anonBytes, pages.errorBytes));
}

std::span<const pid_t> ProcessTree::pids() const
{
    return m_state->pids;
}

std::vector<ProcessId> ProcessTree::ids() const
{
    std::vector<ProcessId> ids;
    ids.reserve(m_state->members.size());
    for (const auto& member : m_state->members)
        ids.push_back(member.id);
    return ids;
}

std::vector<ProcessId> ProcessTree::living()
{
    m_state->refreshThreads();
    m_state->walk();
    std::vector<ProcessId> ids;
    for (const auto& member : m_state->members)
        if (isAlive(member.id))
            ids.push_back(member.id);
    return ids;
}

FurtherUse ProcessTree::furtherUse() const
{
    return {m_state->highest.writtenBytes, m_state->highest.dirtiedBytes, m_state->turnover.steadyFaults(),
        m_state->turnover.startupReadBytes(), m_state->grownBytes};
}

std::uint64_t ProcessTree::highWaterBytes() const
{
    return m_state->highWater;
}

std::uint64_t ProcessTree::provenAnonBytes() const
{
    return m_state->provenAnon;
}

} // namespace loadlab
