#include "gui/TrialController.h"

#include <algorithm>

namespace loadlab {
namespace {

constexpr int kUpdateMs = 100;
constexpr qint64 kKillWithinMs = 10'000;

} // namespace

/// One run in progress. Members are destroyed in reverse order: the runner first, which ends its thread, so that nobody
/// pushes any more.
struct TrialController::Current {
    quint64 id = 0;
    std::shared_ptr<EventInbox> inbox;
    std::shared_ptr<RunRecorder> recorder;
    std::unique_ptr<TrialRunner> runner;
    bool ended = false;
};

TrialController::TrialController(const Lab& lab, QObject* parent)
    : QObject(parent)
    , m_lab(lab)
    , m_background(Background::AtEnd::Finish)
{
    m_drainTimer.setInterval(kUpdateMs);
    connect(&m_drainTimer, &QTimer::timeout, this, &TrialController::drain);
}

TrialController::~TrialController()
{
    if (m_current && m_current->runner)
        m_current->runner->cancel(true);
}

quint64 TrialController::enqueue(TrialSpec spec, const QString& name)
{
    m_queue.push_back({++m_lastId, std::move(spec), name, QueuedTrial::State::Waiting, {}, {}});
    if (isBusy())
        m_goesOn = true;
    Q_EMIT queueChanged();
    return m_lastId;
}

quint64 TrialController::run(TrialSpec spec, const QString& name)
{
    const auto firstWaiting = std::find_if(m_queue.begin(), m_queue.end(),
        [](const QueuedTrial& trial) { return trial.state == QueuedTrial::State::Waiting; });
    m_queue.insert(firstWaiting, {++m_lastId, std::move(spec), name, QueuedTrial::State::Waiting, {}, {}});
    const quint64 id = m_lastId;
    m_goesOn = true;
    Q_EMIT queueChanged();
    startNext();
    return id;
}

void TrialController::startNext()
{
    if (isBusy() || m_closing)
        return;
    const auto next = std::find_if(m_queue.begin(), m_queue.end(),
        [](const QueuedTrial& trial) { return trial.state == QueuedTrial::State::Waiting; });
    if (next == m_queue.end())
        return;
    m_goesOn = true;
    start(*next);
}

void TrialController::start(QueuedTrial& trial)
{
    trial.state = QueuedTrial::State::Running;
    m_live = LiveRun();
    m_forecast = LiveForecast();
    m_liveId.reset();
    m_liveSpec = trial.spec;
    m_recordingError.reset();
    m_sinceStop.invalidate();
    auto current = std::make_unique<Current>();
    current->id = trial.id;
    current->inbox = std::make_shared<EventInbox>([this] {
        QMetaObject::invokeMethod(
            this, [this] { drain(); }, Qt::QueuedConnection);
    });
    current->recorder = std::make_shared<RunRecorder>(m_lab.database);
    current->recorder->onCommitted([this](RunId run) {
        QMetaObject::invokeMethod(
            this, [this, run] { Q_EMIT runCommitted(run); }, Qt::QueuedConnection);
    });
    TrialSurroundings surroundings = m_lab.surroundings();
    surroundings.before = m_queueMemory;
    current->runner = std::make_unique<TrialRunner>(trial.spec, std::move(surroundings),
        [inbox = current->inbox, recorder = current->recorder](const RunEvent& event) {
            recorder->onEvent(event);
            inbox->push(event);
        });
    m_current = std::move(current);
    m_current->runner->start();
    Q_EMIT queueChanged();
    Q_EMIT recordingErrorChanged();
    Q_EMIT runStarted();
}

/// Called when events arrive, but hands on only every kUpdateMs; the timer brings the rest.
void TrialController::drain()
{
    if (!m_current || m_current->ended)
        return;
    if (sender() != &m_drainTimer && m_drainTimer.isActive())
        return;
    std::vector<RunEvent> events = m_current->inbox->take();
    if (events.empty()) {
        m_drainTimer.stop();
        lookAtRecorder();
        return;
    }
    m_drainTimer.start();
    apply(std::move(events));
    lookAtRecorder();
    if (m_live.hasEnded())
        settle();
}

void TrialController::apply(std::vector<RunEvent> events)
{
    LiveUpdate update;
    for (const RunEvent& event : events) {
        std::vector<LiveLine> lines = m_live.apply(event);
        m_forecast.apply(event);
        if (const auto* started = std::get_if<RunStarted>(&event.body); started && !started->identity.variables.empty())
            m_variables[started->identity.uuid] = started->identity.variables;
        update.lines.insert(
            update.lines.end(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
    }
    const bool looked = !m_live.hasEnded() && m_forecast.refresh();
    if (looked)
        for (const std::string& news : m_forecast.takeNews())
            update.lines.push_back({outlook().atS, LogVoice::Lab, QStringLiteral("lab"), QString::fromStdString(news)});
    update.events = std::move(events);
    Q_EMIT runUpdated(update);
    if (looked)
        Q_EMIT outlookChanged();
}

RunResult TrialController::withSecrets(RunResult run) const
{
    if (const auto known = m_variables.find(run.identity.uuid); known != m_variables.end())
        run.identity.variables = known->second;
    return run;
}

void TrialController::lookAtRecorder()
{
    if (!m_current || !m_current->recorder)
        return;
    if (!m_liveId) {
        m_liveId = m_current->recorder->run();
        if (QueuedTrial* trial = m_liveId ? find(m_current->id) : nullptr) {
            trial->run = m_liveId;
            Q_EMIT queueChanged();
            Q_EMIT runNumbered(*m_liveId);
        }
    }
    noteRecordingError(m_current->recorder->error());
}

/// An error may go away again: the recorder keeps trying while the run lasts.
void TrialController::noteRecordingError(std::optional<Error> error)
{
    const bool same
        = error.has_value() == m_recordingError.has_value() && (!error || error->message == m_recordingError->message);
    if (same)
        return;
    m_recordingError = std::move(error);
    Q_EMIT recordingErrorChanged();
}

/// The verdict is there. Runner and recorder still have a thread to join and a last commit to make.
void TrialController::settle()
{
    m_drainTimer.stop();
    m_current->ended = true;
    if (QueuedTrial* trial = find(m_current->id)) {
        trial->state = QueuedTrial::State::Done;
        if (const std::optional<Verdict>& verdict = m_live.result()->verdict)
            trial->mode = verdict->mode;
    }
    m_queueMemory = QueueMemory::after(*m_live.result(), m_queueMemory);
    Q_EMIT queueChanged();
    Q_EMIT runEnded();
    struct Record {
        std::optional<RunId> run;
        std::optional<Error> error;
    };
    m_background.ask(
        this,
        [runner = std::shared_ptr<TrialRunner>(std::move(m_current->runner)),
            recorder = std::move(m_current->recorder)] {
            runner->wait();
            static_cast<void>(recorder->finish()); // what cannot be stored is taken back before anybody asks
            return Record{recorder->run(), recorder->error()};
        },
        [this](Record record) { recorded(record.run, std::move(record.error)); });
}

void TrialController::recorded(std::optional<RunId> run, std::optional<Error> error)
{
    m_liveId = run;
    if (QueuedTrial* trial = find(m_current->id))
        trial->run = run;
    const bool stopped = m_live.stopAsked() || m_sinceStop.isValid();
    m_current.reset();
    noteRecordingError(std::move(error));
    Q_EMIT queueChanged();
    Q_EMIT runRecorded();
    if (m_goesOn && !stopped && !m_closing && waitingCount() > 0)
        startNext();
    else {
        m_queueMemory.reset();
        Q_EMIT becameIdle();
    }
}

void TrialController::remove(quint64 id)
{
    std::erase_if(m_queue,
        [id](const QueuedTrial& trial) { return trial.id == id && trial.state != QueuedTrial::State::Running; });
    Q_EMIT queueChanged();
}

void TrialController::move(quint64 id, int by)
{
    QueuedTrial* trial = find(id);
    if (!trial || trial->state != QueuedTrial::State::Waiting)
        return;
    const auto from = trial - m_queue.data();
    const auto to = from + by;
    if (to < 0 || to >= std::ssize(m_queue)
        || m_queue[static_cast<std::size_t>(to)].state != QueuedTrial::State::Waiting)
        return;
    std::swap(m_queue[static_cast<std::size_t>(from)], m_queue[static_cast<std::size_t>(to)]);
    Q_EMIT queueChanged();
}

void TrialController::clearDone()
{
    std::erase_if(m_queue, [](const QueuedTrial& trial) { return trial.state == QueuedTrial::State::Done; });
    Q_EMIT queueChanged();
}

int TrialController::waitingCount() const
{
    return static_cast<int>(std::count_if(m_queue.begin(), m_queue.end(),
        [](const QueuedTrial& trial) { return trial.state == QueuedTrial::State::Waiting; }));
}

bool TrialController::isRunning() const
{
    return m_current && !m_current->ended;
}

void TrialController::stop()
{
    if (!isRunning())
        return;
    const bool again = m_sinceStop.isValid() && m_sinceStop.elapsed() <= kKillWithinMs;
    m_sinceStop.start();
    m_current->runner->cancel(again);
}

void TrialController::setGuard(std::optional<GuardMargin> margin)
{
    if (!isRunning())
        return;
    m_current->runner->setGuard(margin);
    m_forecast.setMargin(margin);
}

void TrialController::stopForGood(bool now)
{
    m_closing = true;
    if (isRunning()) {
        m_sinceStop.start();
        m_current->runner->cancel(now);
    } else if (!isBusy()) {
        Q_EMIT becameIdle();
    }
}

QueuedTrial* TrialController::find(quint64 id)
{
    const auto found
        = std::find_if(m_queue.begin(), m_queue.end(), [id](const QueuedTrial& trial) { return trial.id == id; });
    return found == m_queue.end() ? nullptr : &*found;
}

} // namespace loadlab
