#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/HubCache.h"
#include "core/telemetry/ProcessTree.h"
#include "core/trial/TrialRun.h"
#include "core/worker/Spawn.h"

#include <algorithm>
#include <nlohmann/json.hpp>

// How a run begins: what it is about, and the worker's start.

namespace loadlab {
namespace fs = std::filesystem;
using namespace std::chrono_literals;
namespace {

/// What inspecting foretold for this variant; 0 when it did not.
std::uint64_t predictedPeak(const Checkpoint& checkpoint, const Variant& variant)
{
    const auto found = std::ranges::find_if(checkpoint.estimates, [&variant](const Estimate& estimate) {
        return estimate.backend == variant.backend && estimate.dtype == variant.dtype
            && estimate.deviceMap == variant.deviceMap;
    });
    return found == checkpoint.estimates.end() ? 0 : found->peakBytes;
}

} // namespace

void TrialRun::inspect(TrialIdentity& identity, RunFacts& facts, std::stop_token stop) const
{
    std::error_code ignored;
    const fs::path absolute = fs::absolute(m_spec.checkpoint, ignored);
    identity.checkpointPath = (ignored ? m_spec.checkpoint : absolute).string();
    const fs::path trimmed = absolute.has_filename() ? absolute : absolute.parent_path();
    // A slip in a path looks like a published name; its folder is here.
    const bool asPublished
        = isPublishedName(m_spec.checkpoint.native()) && !fs::exists(m_spec.checkpoint.parent_path(), ignored);
    identity.checkpointName = toUtf8(asPublished ? m_spec.checkpoint.string() : trimmed.filename().string());
    if (!m_surroundings.families)
        return;
    Result<Checkpoint> checkpoint
        = inspectCheckpoint(m_spec.checkpoint, *m_surroundings.families, {.stop = std::move(stop)});
    if (!checkpoint) {
        facts.inspectError = std::move(checkpoint).error();
        return;
    }
    identity.checkpointName = checkpoint->name;
    identity.family = checkpoint->family;
    identity.fingerprint = checkpoint->fingerprint;
    identity.checkpointBytes = checkpoint->weightBytes;
    identity.checkpointParameters = checkpoint->parameters;
    identity.predictedPeakBytes = predictedPeak(*checkpoint, m_spec.variant);
    facts.checkpointState = checkpoint->state;
    facts.problems = std::move(checkpoint->problems);
}

TrialIdentity TrialRun::identity() const
{
    TrialIdentity identity;
    identity.uuid = m_uuid;
    identity.variant = m_spec.variant;
    identity.limits = m_spec.limits;
    identity.parentUuid = m_spec.parentUuid;
    identity.remedyApplied = m_spec.remedyApplied;
    if (m_spec.program.empty())
        return identity;
    std::error_code ignored;
    identity.program = m_spec.program;
    identity.variables = m_spec.variables;
    identity.workingFolder
        = (m_spec.workingFolder.empty() ? fs::current_path(ignored) : fs::absolute(m_spec.workingFolder, ignored))
              .string();
    return identity;
}

void TrialRun::announce(std::stop_token stop)
{
    TrialIdentity known = identity();
    RunFacts inspected;
    if (!m_spec.checkpoint.empty())
        inspect(known, inspected, std::move(stop));
    begin(std::move(known));
    if (const std::string& name = m_account->identity().checkpointName; isPublishedName(name))
        m_account->facts.model = name;
    m_account->facts.inspectError = std::move(inspected.inspectError);
    m_account->facts.checkpointState = inspected.checkpointState;
    m_account->facts.problems = std::move(inspected.problems);
}

void TrialRun::begin(TrialIdentity identity)
{
    m_originNs = monotonicNs();
    m_suspendedNs = m_surroundings.clock.suspendedNs();
    RunStarted started{
        std::move(identity), m_surroundings.clock.utc(), m_originNs, m_surroundings.machine, ::getpid(), 0};
    started.labStartTicks = identify(::getpid()).value_or(ProcessId{}).startTicks;
    m_account.emplace(started.identity, m_originNs, started.startedUtc);
    m_outlet.emit(std::move(started), m_originNs);
}

void TrialRun::startSampler()
{
    const double hz = m_containment.sampleHz(m_spec.limits.sampleHz);
    m_sampler = std::make_unique<Sampler>(hz, [this](const Sample& sample) {
        m_containment.check(sample);
        m_mailbox.add(sample);
    });
    if (!m_gpu)
        m_gpu = std::make_unique<GpuCounters>();
    m_sampler->alsoRead(
        [gpu = m_gpu.get()](Sample& sample, std::span<const pid_t> tree) { gpu->sample(sample, tree); });
    if (const auto group = m_containment.groupCounters()) {
        m_sampler->alsoRead([group](Sample& sample, std::span<const pid_t>) { group->sample(sample); });
        m_sampler->countPagesBy([group](std::span<const pid_t> tree) { return group->pagesOf(tree); });
    }
    if (const Result<void> started = m_sampler->start(); !started)
        m_outlet.log(LogStream::Lab, "without samples: " + started.error().message + "\n");
    else
        m_longestTurnNs = RunMailbox::kBatchNs + static_cast<std::int64_t>(1e9 / hz);
}

WorkerCommand TrialRun::workerCommand() const
{
    WorkerCommand command;
    command.environment = {{"LOADLAB_RUN", m_uuid}};
    command.inChild = m_containment.hook();
    if (m_spec.program.empty()) {
        command.program = m_spec.plugin.programPath();
        command.arguments = m_spec.plugin.arguments;
        return command;
    }
    command.program = m_spec.program.front();
    command.arguments.assign(m_spec.program.begin() + 1, m_spec.program.end());
    command.workingFolder = m_spec.workingFolder;
    command.environment.insert(m_spec.variables.begin(), m_spec.variables.end());
    command.talks = false;
    return command;
}

Result<void> TrialRun::startProcess(const WorkerCommand& command)
{
    StopTimes times = m_surroundings.stopTimes;
    if (!command.talks) // Has no stdin to close, so there is no answer to that to wait for.
        times.toTerm = 0ms;
    m_worker = std::make_unique<WorkerProcess>(command,
        WorkerProcess::Callbacks{[this](std::string_view bytes) { readStdout(bytes); },
            [this](std::string_view bytes) { readStderr(bytes); },
            [this](const WaitStatus& status) { workerEnded(status); }},
        times);
    m_workerStartNs = m_lastTurnNs = monotonicNs();
    return m_worker->start();
}

bool TrialRun::startWorker()
{
    enter(TrialState::Starting);
    WorkerCommand command = workerCommand();
    Result<void> started = startProcess(command);
    if (!started && m_containment.dropGroupThatRefused()) {
        m_outlet.emit(m_containment.told(), monotonicNs());
        m_sampler.reset();
        startSampler(); // Maybe faster: the watchdog has a cap to keep now.
        command = workerCommand();
        started = startProcess(command);
    }
    if (!started) {
        m_account->facts.startError = std::move(started).error();
        return false;
    }
    m_containment.started(m_worker->pid());
    m_sampler->watch(m_worker->pid(), m_surroundings.orphans);
    m_files.emplace(m_account->identity().checkpointPath);
    m_life.emplace(m_workerStartNs, m_spec.limits.stall.value_or(m_surroundings.helloTimeout));
    m_account->beginPhase(m_spec.program.empty() ? "starting" : "running", m_workerStartNs);
    const std::uint64_t startTicks = identify(m_worker->pid()).value_or(ProcessId{}).startTicks;
    m_commandLine = commandLineOf(command);
    m_outlet.emit(WorkerStarted{m_worker->pid(), startTicks, m_commandLine}, m_workerStartNs);
    giveJob();
    return true;
}

/// Any other program has none: it is at work from its start.
void TrialRun::giveJob()
{
    if (!m_spec.program.empty())
        return enter(TrialState::Loading);
    const protocol::Job job{
        m_uuid, m_account->identity().checkpointPath, m_spec.variant, m_surroundings.resources.string()};
    m_worker->write(protocol::toJson(job).dump() + "\n");
}

} // namespace loadlab
