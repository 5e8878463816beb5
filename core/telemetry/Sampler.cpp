#include "core/telemetry/Sampler.h"

#include "core/Descriptor.h"
#include "core/Units.h"
#include "core/telemetry/PageAccount.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/SystemCounters.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace loadlab {
namespace {

constexpr double kLowestHz = 1;
constexpr double kHighestHz = 1000;
constexpr double kFullColumnsHz = 20; ///< Above, those that cost more come so often.
constexpr std::int64_t kPauseNs = 250'000'000;
constexpr std::int64_t kMostForPss = std::int64_t{1} << 30; ///< Resident.
constexpr std::int64_t kMostForPssAtHighRates = std::int64_t{64} << 20;

constexpr int kRaisedNice = -10;
constexpr int kMostLongTicks = 100; ///< In a row; then the thread runs like any other.

/// Of the calling thread, as far as this process may ask for it.
SamplerPriority raisePriority()
{
    // What this thread might ever fork does not inherit it.
    const sched_param lowest{::sched_get_priority_min(SCHED_RR)};
    if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0)
        return SamplerPriority::RealTime;
    return ::setpriority(PRIO_PROCESS, 0, kRaisedNice) == 0 ? SamplerPriority::Raised : SamplerPriority::Normal;
}

/// Back to how the lab itself runs; false where it cannot be. (Who may not ask for it anew may not clear the flag.)
bool lowerPriority(SamplerPriority raised, int nice)
{
    const sched_param none{};
    return raised == SamplerPriority::RealTime ? ::sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none) == 0
                                               : ::setpriority(PRIO_PROCESS, 0, nice) == 0;
}

timespec timeOf(std::int64_t ns)
{
    return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

/// The count that a timerfd or eventfd has gathered; 0 when there is none yet.
std::uint64_t takeCount(int fd)
{
    std::uint64_t count = 0;
    return ::read(fd, &count, sizeof count) == static_cast<ssize_t>(sizeof count) ? count : 0;
}

bool isRate(double hz)
{
    return hz >= kLowestHz && hz <= kHighestHz;
}

Error noTimer(const char* what)
{
    return {ErrorKind::Io, std::string("cannot sample: ") + what + ": " + std::strerror(errno)};
}

} // namespace

struct Sampler::State {
    // Written before the thread starts.
    Sink sink;
    std::vector<Source> sources;
    Descriptor timer;
    Descriptor wake;

    // Likewise, and then the thread's own.
    double rateHz = 20;
    std::int64_t periodNs = 0;
    std::int64_t firstTickNs = 0;
    std::uint64_t fullEvery = 1;

    // The sampler thread's own.
    SystemCounters system;
    ProcFile schedule{}; ///< Of this thread.
    std::uint64_t busyNs = 0; ///< Of this thread, as last read: it ran, or waited for a processor.
    long majorFaults = 0; ///< Of this thread, as last read.
    std::uint64_t tick = 0; ///< Ticks that passed, taken or missed.
    std::uint64_t markTicket = 0;
    std::uint64_t marksSeen = 0;
    int longTicks = 0; ///< In a row.
    int niceBefore = 0; ///< Of this thread, before it was raised.

    // Shared, under the lock.
    mutable std::mutex mutex;
    std::condition_variable answered;
    std::unique_ptr<ProcessTree> tree;
    SamplerReport report;
    bool stopping = false;
    bool running = false;
    bool watchAsked = false;
    std::optional<double> rateAsked;
    std::uint64_t marksAsked = 0;
    std::uint64_t marksDone = 0;

    std::thread thread;
    PageAccount pages{[this] { ring(); }}; ///< Ends before what it rings.

    Result<void> open();
    Result<void> arm();
    void changeRate(double hz);
    void run();
    bool wait();
    void onTick();
    bool wasPaused(std::int64_t latenessNs);
    void noteLength(std::int64_t tookNs);
    bool onWake();
    void takeExtra();
    void take(ProcessTree::Depth depth);
    void readMore(Sample& sample);
    void beginMark(std::uint64_t marks);
    void endMark();
    void ring() const;
};

Result<void> Sampler::State::open()
{
    timer = Descriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (timer.get() < 0)
        return noTimer("timerfd");
    wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (wake.get() < 0)
        return noTimer("eventfd");
    return arm();
}

Result<void> Sampler::State::arm()
{
    periodNs = static_cast<std::int64_t>(std::llround(1e9 / rateHz));
    fullEvery = rateHz <= kAllEveryTickHz ? 1 : static_cast<std::uint64_t>(std::llround(rateHz / kFullColumnsHz));
    firstTickNs = monotonicNs();
    tick = 0;
    const itimerspec times{timeOf(periodNs), timeOf(firstTickNs)};
    if (::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &times, nullptr) != 0)
        return noTimer("timerfd_settime");
    return {};
}

void Sampler::State::run()
{
    ::prctl(PR_SET_NAME, "sampler");
    schedule = ProcFile("/proc/thread-self/schedstat");
    ::prctl(PR_SET_TIMERSLACK, 1UL); // ns; the default of 50 us would be the largest part of the lateness
    niceBefore = ::getpriority(PRIO_PROCESS, 0);
    const SamplerPriority raised = raisePriority();
    {
        const std::lock_guard lock(mutex);
        report.priority = raised;
    }
    while (wait()) { }
    const std::lock_guard lock(mutex);
    running = false;
    answered.notify_all();
}

/// Waits for the next tick or wish; false: stop.
bool Sampler::State::wait()
{
    std::array<pollfd, 2> wanted{{{timer.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}}};
    if (::poll(wanted.data(), wanted.size(), -1) < 0)
        return errno == EINTR;
    if (wanted[0].revents != 0)
        onTick();
    return wanted[1].revents == 0 || onWake();
}

/// Late, and since the last full tick neither running nor kept from it: stopped. At every full tick.
bool Sampler::State::wasPaused(std::int64_t latenessNs)
{
    std::array<char, 128> buffer{};
    std::string_view text = schedule.read(buffer).value_or(std::string_view()); // Time run, time waited, …
    const auto ran = procfs::takeNumber(text);
    const auto waited = procfs::takeNumber(text);
    rusage use{};
    ::getrusage(RUSAGE_THREAD, &use);
    const auto before = std::exchange(busyNs, ran.value_or(0) + waited.value_or(0));
    const bool faulted = std::exchange(majorFaults, use.ru_majflt) != use.ru_majflt;
    const bool counted = ran.value_or(0) > 0 && waited; // Else this kernel keeps no such account.
    return counted && !faulted && latenessNs >= kPauseNs
        && busyNs - before < static_cast<std::uint64_t>(latenessNs) / 2;
}

void Sampler::State::onTick()
{
    const auto passed = takeCount(timer.get());
    if (passed == 0)
        return;
    const auto began = monotonicNs();
    const auto dueNs = firstTickNs + static_cast<std::int64_t>(tick) * periodNs;
    const auto lateness = began - dueNs;
    const bool full = tick % fullEvery == 0 || passed >= fullEvery;
    tick += passed;
    const bool paused = full && wasPaused(lateness);
    {
        const std::lock_guard lock(mutex);
        ++report.ticks;
        report.tickedNs += (paused ? 1 : passed) * static_cast<std::uint64_t>(periodNs);
        (paused ? report.pausedTicks : report.missedTicks) += passed - 1;
        if (!paused)
            report.worstLatenessNs
                = std::max(report.worstLatenessNs, static_cast<std::uint64_t>(std::max<std::int64_t>(0, lateness)));
    }
    take(full ? ProcessTree::Depth::Changed : ProcessTree::Depth::Resident);
    noteLength(monotonicNs() - began);
}

void Sampler::State::noteLength(std::int64_t tookNs)
{
    longTicks = tookNs > periodNs / 2 ? longTicks + 1 : 0;
    if (longTicks != kMostLongTicks)
        return;
    const std::lock_guard lock(mutex);
    if (report.priority != SamplerPriority::Normal && lowerPriority(report.priority, niceBefore))
        report.priority = SamplerPriority::Normal;
}

bool Sampler::State::onWake()
{
    takeCount(wake.get());
    std::uint64_t marks = 0;
    bool watched = false;
    std::optional<double> rate;
    {
        const std::lock_guard lock(mutex);
        if (stopping)
            return false;
        marks = marksAsked;
        watched = std::exchange(watchAsked, false);
        rate = std::exchange(rateAsked, std::nullopt);
    }
    if (rate)
        changeRate(*rate);
    if (watched || marks != marksSeen)
        takeExtra();
    if (marks != marksSeen)
        beginMark(marks);
    endMark();
    return true;
}

void Sampler::State::takeExtra()
{
    {
        const std::lock_guard lock(mutex);
        ++report.extraSamples;
    }
    take(ProcessTree::Depth::Full);
}

/// The sample is taken; PSS follows.
void Sampler::State::beginMark(std::uint64_t marks)
{
    marksSeen = marks;
    const std::lock_guard lock(mutex);
    markTicket = tree ? pages.ask(*tree) : 0;
}

/// Once PSS is there, with a sample that it has corrected.
void Sampler::State::endMark()
{
    if (marksSeen == marksDone)
        return;
    if (!pages.isTaken(markTicket)) {
        if (pages.isReading())
            return;
        takeExtra();
    }
    const std::lock_guard lock(mutex);
    marksDone = marksSeen;
    answered.notify_all();
}

void Sampler::State::changeRate(double hz)
{
    if (hz == rateHz)
        return;
    rateHz = hz;
    static_cast<void>(arm()); // The timer is there and its times are sound: nothing to refuse.
    const std::lock_guard lock(mutex);
    report.rateHz = std::max(report.rateHz, rateHz);
}

void Sampler::State::take(ProcessTree::Depth depth)
{
    Sample sample;
    sample.monotonicNs = monotonicNs() / 1000 * 1000;
    const bool whole = depth != ProcessTree::Depth::Resident;
    if (whole)
        system.sample(sample);
    else
        SystemCounters::sampleFree(sample);
    {
        const std::lock_guard lock(mutex);
        if (tree) {
            tree->sample(sample, depth);
            if (whole)
                readMore(sample);
            report.highWaterBytes = tree->highWaterBytes();
            report.provenAnonBytes = tree->provenAnonBytes();
            report.furtherUse = tree->furtherUse();
        }
        report.columns.add(sample);
    }
    sink(sample);
}

/// What is not read at every tick, or not by the tree. Under the lock.
void Sampler::State::readMore(Sample& sample)
{
    for (const auto& source : sources)
        source(sample, tree->pids());
    // Above 50 Hz less of PSS: it holds the target's mmap lock, and somebody looks closely.
    pages.count(*tree, sample, rateHz <= kAllEveryTickHz ? kMostForPss : kMostForPssAtHighRates);
}

void Sampler::State::ring() const
{
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the thread is awake.
    [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
}

std::string_view toWords(SamplerPriority priority)
{
    switch (priority) {
    case SamplerPriority::Normal:
        return "normal priority";
    case SamplerPriority::Raised:
        return "raised priority";
    case SamplerPriority::RealTime:
        return "real-time priority";
    }
    return "normal priority";
}

double SamplerReport::achievedHz() const
{
    // A period is whole nanoseconds.
    return tickedNs > 0 ? std::min(rateHz, static_cast<double>(ticks) * 1e9 / static_cast<double>(tickedNs)) : 0;
}

Sampler::Sampler(double rateHz, Sink sink)
    : m_state(std::make_unique<State>())
{
    m_state->rateHz = m_state->report.rateHz = rateHz;
    m_state->sink = std::move(sink);
}

Sampler::~Sampler()
{
    stop();
}

void Sampler::alsoRead(Source source)
{
    m_state->sources.push_back(std::move(source));
}

void Sampler::countPagesBy(PageAccount::PageCount count)
{
    m_state->pages.countPagesBy(std::move(count));
}

Result<void> Sampler::start()
{
    auto& state = *m_state;
    if (!isRate(state.rateHz))
        return Error{ErrorKind::Invalid,
            "cannot sample at " + std::to_string(state.rateHz) + " Hz: choose 1 to 1000 samples a second"};
    if (auto opened = state.open(); !opened)
        return opened;
    state.running = true;
    try {
        state.pages.start();
        state.thread = std::thread([&state] { state.run(); });
    } catch (const std::system_error& failure) {
        state.running = false;
        state.pages.stop();
        return Error{ErrorKind::Io, std::string("cannot sample: no thread: ") + failure.what()};
    }
    return {};
}

void Sampler::setRate(double rateHz)
{
    if (!isRate(rateHz))
        return;
    {
        const std::lock_guard lock(m_state->mutex);
        if (!m_state->running)
            return;
        m_state->rateAsked = rateHz;
    }
    m_state->ring();
}

void Sampler::watch(pid_t root, Orphans orphans)
{
    auto tree = std::make_unique<ProcessTree>(root, orphans);
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->tree = std::move(tree);
        m_state->pages.beginTree();
        m_state->watchAsked = true;
        if (!m_state->running)
            return;
    }
    m_state->ring();
}

void Sampler::mark()
{
    std::unique_lock lock(m_state->mutex);
    if (!m_state->running || m_state->stopping)
        return;
    const auto mine = ++m_state->marksAsked;
    m_state->ring();
    m_state->answered.wait(lock, [&] { return m_state->marksDone >= mine || !m_state->running; });
}

std::vector<pid_t> Sampler::living() const
{
    const std::lock_guard lock(m_state->mutex);
    std::vector<pid_t> pids;
    if (m_state->tree)
        for (const auto& process : m_state->tree->living())
            pids.push_back(process.pid);
    return pids;
}

std::vector<ProcessId> Sampler::known() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->tree ? m_state->tree->ids() : std::vector<ProcessId>();
}

SamplerReport Sampler::report() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->report;
}

SamplerReport Sampler::stop()
{
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->stopping = true;
    }
    if (m_state->thread.joinable()) {
        m_state->ring();
        m_state->thread.join();
    }
    m_state->pages.stop();
    return report();
}

} // namespace loadlab
