#pragma once

#include "core/trial/TrialRunner.h"
#include "db/RunRecorder.h"
#include "gui/Background.h"
#include "gui/EventInbox.h"
#include "gui/Lab.h"
#include "gui/models/LiveForecast.h"
#include "gui/models/LiveRun.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// A trial in the queue, running or done.
struct QueuedTrial {
    enum class State { Waiting, Running, Done };
    quint64 id = 0;
    TrialSpec spec;
    QString name; ///< Of the checkpoint, or the program in few words.
    State state = State::Waiting;
    std::optional<RunId> run;
    std::optional<FailureMode> mode; ///< When done.
};

/// What came in since the last update, in order; `lines` are the log lines of these events.
struct LiveUpdate {
    std::vector<RunEvent> events;
    std::vector<LiveLine> lines;
};

/// Runs trials one at a time: owns the runner, its recorder and the queue. GUI thread; never blocks. Events come from
/// the runner's thread and are handed on at most ten times a second.
class TrialController : public QObject {
    Q_OBJECT

public:
    explicit TrialController(const Lab& lab, QObject* parent = nullptr);
    ~TrialController() override; ///< Kills what runs and waits for its record.

    /// Puts a trial at the end of the queue. Starts nothing while nothing runs.
    quint64 enqueue(TrialSpec spec, const QString& name);
    /// Puts it first and starts it, or waits for the running one.
    quint64 run(TrialSpec spec, const QString& name);
    void startNext();
    void remove(quint64 id); ///< Not the running one.
    void move(quint64 id, int by); ///< Among the waiting ones.
    void clearDone();
    [[nodiscard]] const std::vector<QueuedTrial>& queue() const { return m_queue; }
    [[nodiscard]] int waitingCount() const;

    /// From the start until the record is written.
    [[nodiscard]] bool isBusy() const { return m_current != nullptr; }
    /// A load is under way (its verdict is not there yet).
    [[nodiscard]] bool isRunning() const;
    /// The running trial's run, else the last one's; empty before the first.
    [[nodiscard]] const LiveRun& live() const { return m_live; }
    /// Of the running trial; afterwards as it last was.
    [[nodiscard]] const LiveOutlook& outlook() const { return m_forecast.outlook(); }
    [[nodiscard]] std::optional<RunId> liveRunId() const { return m_liveId; }
    [[nodiscard]] const std::optional<TrialSpec>& liveSpec() const { return m_liveSpec; }
    /// With the secrets that it was started with, where it was started here: they are not stored.
    [[nodiscard]] RunResult withSecrets(RunResult run) const;
    /// Why the running or last run is not being stored.
    [[nodiscard]] const std::optional<Error>& recordingError() const { return m_recordingError; }

    /// Arms, changes or disarms the running trial's guard.
    void setGuard(std::optional<GuardMargin> margin);
    /// First orderly; again within ten seconds: kill. The queue waits afterwards.
    void stop();
    /// Stops and starts nothing more: becameIdle() follows, at once when nothing runs.
    void stopForGood(bool now);

Q_SIGNALS:
    void queueChanged();
    void runStarted();
    void runUpdated(const loadlab::LiveUpdate& update);
    void outlookChanged(); ///< outlook() was worked out anew: twice a second of a run at most.
    void runEnded(); ///< The verdict is in live().result().
    void runNumbered(loadlab::RunId run); ///< The start is written: it can be found in Runs.
    void runCommitted(loadlab::RunId run);
    void runRecorded(); ///< All is written, or recordingError() says why not.
    void recordingErrorChanged();
    void becameIdle();

private:
    struct Current;
    void start(QueuedTrial& trial);
    void drain();
    void apply(std::vector<RunEvent> events);
    void lookAtRecorder();
    void noteRecordingError(std::optional<Error> error);
    void settle();
    void recorded(std::optional<RunId> run, std::optional<Error> error);
    QueuedTrial* find(quint64 id);

    const Lab& m_lab;
    std::vector<QueuedTrial> m_queue;
    quint64 m_lastId = 0;
    std::unique_ptr<Current> m_current;
    std::optional<QueueMemory> m_queueMemory; ///< While the queue goes on from run to run.
    LiveRun m_live;
    LiveForecast m_forecast;
    std::optional<RunId> m_liveId;
    std::optional<TrialSpec> m_liveSpec;
    std::map<std::string, ProgramVariables> m_variables; ///< By uuid; of runs that were given some.
    std::optional<Error> m_recordingError;
    QTimer m_drainTimer;
    QElapsedTimer m_sinceStop;
    bool m_goesOn = false; ///< The next starts when this one is done.
    bool m_closing = false;
    Background m_background; ///< Takes runner and recorder apart: they wait for threads and for the disk.
};

} // namespace loadlab
