#pragma once

#include "core/telemetry/GpuCounters.h"
#include "core/telemetry/Pace.h"
#include "core/telemetry/Sampler.h"
#include "core/trial/EventOutlet.h"
#include "core/trial/RunAccount.h"
#include "core/trial/RunContainment.h"
#include "core/trial/RunFiles.h"
#include "core/trial/RunMailbox.h"
#include "core/trial/SignsOfLife.h"
#include "core/trial/TrialRunner.h"
#include "core/worker/JsonLineReader.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace loadlab {

/// One run from its first event to its last: the state machine behind TrialRunner. Lives on one thread, which must live
/// as long as the worker. Everything from outside comes through the mailbox.
class TrialRun {
public:
    TrialRun(const TrialSpec& spec, const TrialSurroundings& surroundings, std::string uuid, bool hold,
        RunMailbox& mailbox, TrialRunner::Listener listener);

    /// Blocks until everything that the run started is gone. Emits RunStarted first and RunFinished last, whatever
    /// comes.
    RunResult execute(std::stop_token stopInspecting);

private:
    // Before the worker.
    void inspect(TrialIdentity& identity, RunFacts& facts, std::stop_token stop) const;
    [[nodiscard]] TrialIdentity identity() const;
    void announce(std::stop_token stop);
    void begin(TrialIdentity identity);
    void startSampler();
    bool startWorker();
    [[nodiscard]] WorkerCommand workerCommand() const;
    Result<void> startProcess(const WorkerCommand& command);
    void giveJob();

    // While it runs.
    void attend();
    void waitForSomething() const;
    [[nodiscard]] bool limitsApply() const;
    [[nodiscard]] bool awaitsHello() const;
    [[nodiscard]] std::optional<std::int64_t> nextDueNs() const;
    void takeMail();
    void noteReport(const SamplerReport& report, std::int64_t atNs);
    void tellHighWater(std::uint64_t bytes);
    void tellGuard();
    void obey(const RunMailbox::Orders& orders);
    void readStdout(std::string_view bytes);
    void readStderr(std::string_view bytes);
    void takeLine(const nlohmann::json& line);
    void takeMessage(protocol::Message message);
    void refuse(const std::string& why, const std::string& line);
    void finishExercise();
    void watchPauses();
    void watchVoice(std::int64_t nowNs);
    void watchLimits(std::int64_t nowNs);
    [[nodiscard]] std::vector<pid_t> thoseThatStay() const;
    [[nodiscard]] Pace paceAfter(std::chrono::nanoseconds silence) const;
    void followFiles(std::int64_t nowNs);
    void noteStandstill(LabActs& acts, const Pace& pace);

    // The end.
    void stopWorker();
    void noteEnd();
    void workerEnded(const WaitStatus& status);
    void watchDying(std::int64_t nowNs);
    void leaveWorker();
    void endLeftoversOf(std::optional<pid_t> worker);
    void settle();
    void removeGroup(std::int64_t untilNs);
    RunResult conclude();
    RunResult giveUp(const std::string& why);

    [[nodiscard]] const Rules& rules() const;
    void enter(TrialState state);
    void act(std::string name, std::string why);

    const TrialSpec& m_spec;
    const TrialSurroundings& m_surroundings;
    std::string m_uuid;
    bool m_hold;
    RunMailbox& m_mailbox;
    EventOutlet m_outlet;

    std::optional<RunAccount> m_account;
    std::optional<TrialState> m_state;
    PaceWatch m_pace;
    std::unique_ptr<GpuCounters> m_gpu; ///< Before the sampler, whose thread reads it.
    RunContainment m_containment; ///< Before the sampler, whose thread asks it.
    std::unique_ptr<Sampler> m_sampler;
    std::unique_ptr<WorkerProcess> m_worker;
    std::optional<SignsOfLife> m_life;
    std::optional<RunFiles> m_files;
    std::int64_t m_nextLookNs = 0;
    JsonLineReader m_lines;
    std::vector<Sample> m_mail; ///< Reused.
    std::string m_commandLine;
    std::int64_t m_originNs = 0;
    std::int64_t m_workerStartNs = 0;
    std::uint64_t m_toldHighWaterBytes = 0;
    std::int64_t m_lastTurnNs = 0;
    std::int64_t m_longestTurnNs; ///< While the lab runs, it looks at least so often.
    std::int64_t m_suspendedNs = 0;
    std::optional<std::int64_t> m_muteSinceNs;
    std::optional<std::int64_t> m_dyingSinceNs; ///< Of a worker that was sent SIGKILL: when it last used CPU time,
    std::uint64_t m_dyingCpuNs = 0; ///< and how much it had used then.
    bool m_loadedNow = false; ///< `loaded` came, its mark is not taken yet.
    bool m_exercised = false; ///< Whatever happens now, the exercise is over.
    bool m_killed = false;
};

} // namespace loadlab
