#include "core/trial/TrialRun.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/telemetry/ProcessReader.h"
#include "core/telemetry/Whereabouts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <poll.h>

namespace loadlab {
using namespace std::chrono_literals;
namespace {

/// Longer pauses of the lab's own (stopped, starved) are not held against the worker; nor is any of the machine's.
constexpr std::int64_t kOwnPauseNs = std::chrono::nanoseconds(1s).count();
constexpr std::int64_t kSuspendNs = std::chrono::nanoseconds(100ms).count();
constexpr std::int64_t kLongestWaitNs = std::chrono::nanoseconds(60s).count();
constexpr std::int64_t kWithoutWakeNs = std::chrono::nanoseconds(50ms).count();
/// A time limit that met a silence of at least this much, and half of the limit, was met by a stall.
constexpr std::chrono::nanoseconds kStallInTimeout = 30s;
constexpr std::chrono::nanoseconds kSeldomLook = 10s; ///< At the run's files, at least so often,
constexpr std::int64_t kLooksPerLimit = 8;
constexpr std::chrono::nanoseconds kLongestStart = 1s; ///< Of a program, and of a process that has become another.
constexpr std::chrono::nanoseconds kFirstLook = 50ms; ///< more often at first: what moved before a look is not seen,
constexpr std::int64_t kLookShare = 200; ///< but for no more than half a percent of the time.

} // namespace

TrialRun::TrialRun(const TrialSpec& spec, const TrialSurroundings& surroundings, std::string uuid, bool hold,
    RunMailbox& mailbox, TrialRunner::Listener listener)
    : m_spec(spec)
    , m_surroundings(surroundings)
    , m_uuid(std::move(uuid))
    , m_hold(hold)
    , m_mailbox(mailbox)
    , m_outlet(std::move(listener))
    , m_pace(std::min(PaceWatch::kWindow, spec.limits.stall.value_or(PaceWatch::kWindow)))
    , m_containment(surroundings.containment, spec.limits, m_uuid)
    , m_longestTurnNs(kLongestWaitNs)
{
}

RunResult TrialRun::execute(std::stop_token stopInspecting)
try {
    announce(std::move(stopInspecting));
    enter(TrialState::Baseline);
    m_containment.begin(m_account->facts);
    m_outlet.emit(m_containment.told(), monotonicNs());
    startSampler();
    takeMail();
    if (!m_account->facts.acts.cancelled && startWorker())
        attend();
    else
        m_account->end(monotonicNs());
    m_containment.readEvidence(m_account->facts);
    settle();
    return conclude();
} catch (const std::exception& failure) {
    return giveUp(failure.what());
}

const Rules& TrialRun::rules() const
{
    static const Rules none;
    return m_surroundings.rules ? *m_surroundings.rules : none;
}

void TrialRun::attend()
{
    while (m_worker->state() != WorkerProcess::State::Ended) {
        waitForSomething();
        watchPauses();
        takeMail();
        m_worker->pump();
        if (m_loadedNow)
            finishExercise();
        // As of the turn's beginning: a lab that was stopped amid it knows nothing of the time since.
        watchVoice(m_lastTurnNs);
        watchLimits(m_lastTurnNs);
        watchDying(m_lastTurnNs);
        m_outlet.flushDue(monotonicNs());
    }
}

/// They guard the exercise; neither leaving nor holding what was loaded.
bool TrialRun::limitsApply() const
{
    return !m_exercised && m_state != TrialState::Loaded;
}

bool TrialRun::awaitsHello() const
{
    return m_spec.program.empty() && !m_account->facts.hello;
}

std::optional<std::int64_t> TrialRun::nextDueNs() const
{
    std::optional<std::int64_t> next = m_outlet.dueNs();
    const auto consider = [&next](std::int64_t atNs) { next = next ? std::min(*next, atNs) : atNs; };
    const std::int64_t now = monotonicNs();
    if (const auto due = m_worker->nextDue())
        consider(now + due->count());
    if (m_dyingSinceNs && m_worker->isDying())
        consider(*m_dyingSinceNs + std::chrono::nanoseconds(m_surroundings.stopTimes.toGiveUp).count());
    if (m_muteSinceNs && m_worker->isMute())
        consider(*m_muteSinceNs + std::chrono::nanoseconds(m_surroundings.helloTimeout).count());
    if (limitsApply()) {
        if (m_spec.limits.timeout)
            consider(m_workerStartNs + m_spec.limits.timeout->count());
        if (m_spec.limits.stall)
            consider(m_life->dueNs(*m_spec.limits.stall, now));
        if (awaitsHello())
            consider(m_life->dueNs(m_surroundings.helloTimeout, now));
    }
    return next;
}

void TrialRun::waitForSomething() const
{
    std::vector<pollfd> polled;
    for (const WorkerProcess::Wanted& wanted : m_worker->fds())
        polled.push_back({wanted.fd, wanted.events, 0});
    polled.push_back({m_mailbox.fd(), POLLIN, 0});
    const std::int64_t now = monotonicNs();
    const std::int64_t longest = m_mailbox.fd() < 0 ? kWithoutWakeNs : kLongestWaitNs;
    const std::int64_t waitNs = std::clamp<std::int64_t>(nextDueNs().value_or(now + longest) - now, 0, longest);
    const timespec wait{waitNs / 1'000'000'000, waitNs % 1'000'000'000};
    ::ppoll(polled.data(), polled.size(), &wait, nullptr);
}

void TrialRun::takeMail()
{
    const RunMailbox::Orders orders = m_mailbox.take(m_mail);
    m_account->noteSamples(m_mail);
    m_outlet.samples(m_mail);
    if (!m_mail.empty())
        noteReport(m_sampler->report(), m_mail.back().monotonicNs);
    for (const Sample& sample : m_mail) {
        m_pace.sample(sample);
        if (m_life)
            m_life->sample(sample);
    }
    if (m_worker && !m_mail.empty())
        for (const std::string& process : m_containment.noteTree(m_sampler->known()))
            m_outlet.emit(
                LabActed{"outside_group",
                    process + ": it left the run's group, whose caps and counters do not hold for it", process},
                monotonicNs());
    if (m_worker && m_worker->state() != WorkerProcess::State::Ended)
        tellGuard();
    obey(orders);
}

/// What the samples themselves do not hold.
void TrialRun::noteReport(const SamplerReport& report, std::int64_t atNs)
{
    m_outlet.use(report.furtherUse);
    m_pace.use(report.furtherUse);
    if (m_life)
        m_life->use(report.furtherUse, atNs);
    tellHighWater(report.highWaterBytes);
}

void TrialRun::tellHighWater(std::uint64_t bytes)
{
    constexpr std::uint64_t leastBytes = 1 << 20;
    if (bytes <= m_toldHighWaterBytes + std::max(leastBytes, m_toldHighWaterBytes / 32))
        return;
    m_toldHighWaterBytes = bytes;
    m_outlet.emit(HighWaterRose{bytes}, monotonicNs());
}

void TrialRun::tellGuard()
{
    const std::uint64_t kills = m_containment.takeKills();
    if (kills > 0)
        act("oom_kill",
            "the kernel killed " + (kills == 1 ? "a process" : formatCount(kills) + " processes")
                + " of the run for lack of memory");
    if (m_containment.hasKilled() && !m_worker->isDying())
        m_worker->kill();
    if (const auto seen = m_containment.takeLook(kills > 0))
        m_outlet.emit(*seen, seen->look.monotonicNs);
}

void TrialRun::obey(const RunMailbox::Orders& orders)
{
    const bool lives = m_worker && m_worker->state() != WorkerProcess::State::Ended;
    if (orders.cancel && !m_exercised && !m_account->facts.acts.cancelled) {
        m_account->facts.acts.cancelled = true;
        act("cancel", "by the operator");
        if (lives) {
            m_worker->write(protocol::toJson(protocol::Command{protocol::Cancel{}}).dump() + "\n");
            stopWorker();
        }
    }
    if (orders.kill && lives && !m_killed) {
        m_killed = true;
        act("kill", "by the operator");
        m_worker->kill();
    }
    if (orders.guard && lives && !m_exercised) {
        m_containment.setMargin(*orders.guard);
        m_sampler->setRate(m_containment.sampleHz(m_spec.limits.sampleHz));
        act("guard_set",
            *orders.guard ? toWord(**orders.guard) + " have to stay free" : "not armed: it stops nothing any more");
    }
    if (orders.release && lives && m_state == TrialState::Loaded && !m_exercised)
        stopWorker();
}

void TrialRun::readStderr(std::string_view bytes)
{
    m_life->output(monotonicNs());
    m_pace.output(bytes);
    m_account->noteLog(LogStream::Stderr, bytes);
    m_outlet.log(LogStream::Stderr, bytes);
}

void TrialRun::readStdout(std::string_view bytes)
{
    if (!m_spec.program.empty()) {
        m_life->output(monotonicNs());
        m_pace.output(bytes);
        m_account->noteLog(LogStream::Stdout, bytes);
        m_outlet.log(LogStream::Stdout, bytes);
        return;
    }
    if (!m_account->facts.nonsense.empty()) {
        m_outlet.log(LogStream::Stdout, bytes);
        return;
    }
    const Result<std::vector<nlohmann::json>> lines = m_lines.feed(bytes);
    if (lines)
        for (const nlohmann::json& line : *lines)
            if (m_account->facts.nonsense.empty())
                takeLine(line);
    if (m_lines.badLine() && m_account->facts.nonsense.empty())
        refuse(m_lines.badLine()->why, m_lines.badLine()->line);
    if (!m_account->facts.nonsense.empty())
        m_outlet.log(LogStream::Stdout, bytes);
}

void TrialRun::takeLine(const nlohmann::json& line)
{
    constexpr std::size_t quotedBytes = 200;
    Result<protocol::Message> message = protocol::messageFromJson(line);
    std::string why;
    if (!message)
        why = message.error().message;
    else if (!m_account->facts.hello && !std::holds_alternative<protocol::Hello>(message->body))
        why = "the first event should be hello, but is " + std::string(protocol::typeOf(*message));
    if (why.empty())
        takeMessage(*std::move(message));
    else
        refuse(why, toUtf8(line.dump().substr(0, quotedBytes)));
}

void TrialRun::takeMessage(protocol::Message message)
{
    const std::int64_t now = monotonicNs();
    message.monotonicNs = std::clamp(message.monotonicNs, m_workerStartNs, now);
    if (m_life->message(message, now))
        m_pace.output("\n");
    m_account->note(message);
    const bool isHello = std::holds_alternative<protocol::Hello>(message.body);
    const bool isLoaded = std::holds_alternative<protocol::Loaded>(message.body);
    const bool isLast = std::holds_alternative<protocol::WorkerError>(message.body)
        || std::holds_alternative<protocol::Bye>(message.body);
    const std::int64_t atNs = message.monotonicNs;
    if (std::holds_alternative<protocol::Progress>(message.body))
        m_outlet.progress(std::move(message));
    else
        m_outlet.emit(std::move(message), atNs);
    if (isHello && m_state == TrialState::Starting)
        enter(TrialState::Loading);
    m_loadedNow = m_loadedNow || (isLoaded && !m_exercised);
    if (isLast)
        stopWorker();
}

void TrialRun::refuse(const std::string& why, const std::string& line)
{
    act("nonsense", why + ": \"" + line + "\"");
    m_account->facts.nonsense = why + ": " + line;
    stopWorker();
}

void TrialRun::finishExercise()
{
    m_loadedNow = false;
    if (m_exercised || m_worker->state() != WorkerProcess::State::Running)
        return;
    enter(TrialState::Loaded);
    m_sampler->mark();
    if (!m_hold)
        stopWorker();
    else
        takeMail(); // A release that came before there was anything to release.
}

/// What was not seen is no silence. After a suspend devices and peers have to come back first: it begins anew.
void TrialRun::watchPauses()
{
    const std::int64_t now = monotonicNs();
    const auto note = [&](bool ofMachine, std::int64_t ns, std::chrono::nanoseconds forgiven) {
        const Pause pause{
            ofMachine, static_cast<double>(m_lastTurnNs - m_originNs) / 1e9, std::chrono::nanoseconds(ns)};
        m_account->facts.pauses.push_back(pause);
        act(ofMachine ? "suspend" : "pause", toWords(pause));
        m_life->forgive(forgiven);
    };
    if (const std::int64_t gap = now - m_lastTurnNs; gap > m_longestTurnNs + kOwnPauseNs)
        note(false, gap, std::chrono::nanoseconds(gap));
    m_lastTurnNs = now;
    const std::int64_t suspended = m_surroundings.clock.suspendedNs();
    if (suspended - m_suspendedNs < kSuspendNs)
        return;
    note(true, suspended - std::exchange(m_suspendedNs, suspended), m_life->silence(now));
}

/// A worker closes its stdout when it ends; one that goes on can say neither that it loaded nor that it failed.
void TrialRun::watchVoice(std::int64_t nowNs)
{
    if (!m_worker->isMute())
        return;
    if (!m_muteSinceNs)
        m_muteSinceNs = nowNs;
    if (nowNs - *m_muteSinceNs < std::chrono::nanoseconds(m_surroundings.helloTimeout).count())
        return;
    m_account->facts.wentMute = true;
    act("mute", "it closed its stdout and ran on");
    stopWorker();
}

void TrialRun::watchLimits(std::int64_t nowNs)
{
    if (!limitsApply())
        return;
    LabActs& acts = m_account->facts.acts;
    const Limits& limits = m_spec.limits;
    followFiles(nowNs);
    if (m_life->asksForPositions(nowNs))
        if (std::vector<pid_t> staying = thoseThatStay(); !staying.empty())
            m_life->positions(m_files->gotFurther(std::move(staying)), nowNs);
    const std::chrono::nanoseconds silence = m_life->silence(nowNs);
    const std::string lastSign = " (the last sign of life: " + m_life->lastSign() + ")";
    if (limits.stall && m_life->isOver(*limits.stall, nowNs)) {
        acts.silence = silence;
        act("stall", "no sign of life for " + formatDuration(silence) + lastSign);
    } else if (awaitsHello() && m_life->isOver(m_surroundings.helloTimeout, nowNs)) {
        m_account->facts.helloLate = true;
        act("hello_timeout", "no hello and no sign of life for " + formatDuration(silence) + lastSign);
    } else if (limits.timeout && nowNs - m_workerStartNs >= limits.timeout->count()) {
        acts.timedOut = true;
        if (silence >= kStallInTimeout && silence >= *limits.timeout / 2)
            acts.silence = silence;
        act("timeout",
            "the time limit of " + formatDuration(*limits.timeout) + " is over, " + formatDuration(silence)
                + " after the last sign of life (" + m_life->lastSign() + ")");
    } else {
        return;
    }
    noteStandstill(acts, paceAfter(silence));
    stopWorker();
}

/// The linker has files open at the start of every program.
std::vector<pid_t> TrialRun::thoseThatStay() const
{
    std::vector<pid_t> staying = m_sampler->living();
    const auto limit = m_spec.limits.stall.value_or(m_surroundings.helloTimeout);
    const std::chrono::nanoseconds start = std::min<std::chrono::nanoseconds>(kLongestStart, limit / kLooksPerLimit);
    std::erase_if(staying, [start](pid_t pid) { return processAge(pid) < start; });
    return staying;
}

/// So little may be a timer that is read; but where its position in a file moved just now, it is not.
Pace TrialRun::paceAfter(std::chrono::nanoseconds silence) const
{
    Pace pace = m_pace.pace();
    if (pace.kind == Pace::Kind::Still && m_life->lastSign() == "reading" && silence < m_pace.window())
        pace.kind = Pace::Kind::Reading;
    return pace;
}

/// Aside: of many mapped gigabytes the kernel takes half a second to tell, and a guard does not wait.
void TrialRun::followFiles(std::int64_t nowNs)
{
    const Limits& limits = m_spec.limits;
    const std::int64_t limitNs = limits.stall.value_or(limits.timeout.value_or(kSeldomLook * kLooksPerLimit)).count();
    const std::int64_t sinceNs = nowNs - m_workerStartNs;
    const std::int64_t everyNs
        = std::min({kSeldomLook.count(), limitNs / kLooksPerLimit, std::max(kFirstLook.count(), sinceNs / 2)});
    if (nowNs < m_nextLookNs || sinceNs < everyNs)
        return;
    m_nextLookNs = nowNs + everyNs;
    if (const auto took = m_files->lookTook())
        m_nextLookNs = std::max(m_nextLookNs, nowNs + kLookShare * took->count());
    m_files->look(m_sampler->living());
}

/// Asked of the kernel, not of the worker: a loader that says nothing has a place as well.
void TrialRun::noteStandstill(LabActs& acts, const Pace& pace)
{
    if (pace.kind != Pace::Kind::Unknown)
        acts.pace = toWords(pace);
    const std::vector<pid_t> tree = m_sampler->living();
    acts.standstill = describeStates(tree);
    if (const std::string place = m_files->find(tree); !place.empty())
        acts.standstill += (acts.standstill.empty() ? "" : "; ") + place;
    m_lastTurnNs = monotonicNs(); // To wait for that was no pause.
}

void TrialRun::enter(TrialState state)
{
    m_state = state;
    m_outlet.emit(StateChanged{state}, monotonicNs());
}

void TrialRun::act(std::string name, std::string why)
{
    m_outlet.emit(LabActed{std::move(name), std::move(why)}, monotonicNs());
}

} // namespace loadlab
