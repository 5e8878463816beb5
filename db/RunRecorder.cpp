#include "db/RunRecorder.h"

#include "db/BlackBox.h"
#include "db/RecorderQueue.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace loadlab {
namespace {

using Clock = std::chrono::steady_clock;

/// Writes batches; used by the recorder's thread alone.
class BatchWriter {
public:
    BatchWriter(std::filesystem::path database, const RecorderOptions& options)
        : m_database(std::move(database))
        , m_options(options)
    {
    }

    Result<void> write(const RecorderBatch& batch, RunStore::Durability durability)
    {
        Result<void> done = m_store ? Result<void>() : open();
        if (done)
            done = m_store->begin(durability);
        if (!done)
            return done;
        const std::optional<RunId> before = m_run;
        done = addAll(batch);
        if (done)
            done = m_store->commit();
        if (!done) {
            m_store->rollback();
            m_run = before;
        } else if (batch.finished) {
            m_store.reset();
            m_ended = true;
        }
        return done;
    }

    /// Hides what is stored of a run whose end is not.
    void takeBack()
    {
        if (!m_run || m_ended)
            return;
        Result<void> done = m_store ? m_store->takeBack(*m_run) : Result<void>();
        if (!m_store || !done) { // closing tidies up beside the file, which may make room
            m_store.reset();
            if (Result<RunStore> again = RunStore::open(m_database, RunStore::Mode::ReadWrite, {}))
                static_cast<void>(again->takeBack(*m_run));
        }
        m_run.reset();
    }

    [[nodiscard]] std::optional<RunId> run() const { return m_run; }

private:
    Result<void> open()
    {
        Result<RunStore> opened = RunStore::open(m_database, RunStore::Mode::ReadWrite, m_options.patience);
        if (!opened)
            return std::move(opened).error();
        m_store.emplace(*std::move(opened));
        m_store->setLogLimit(m_options.logLimitBytes);
        return {};
    }

    Result<void> start(const RunStarted& started)
    {
        const Result<RunId> run = m_store->startRun(started);
        if (!run)
            return run.error();
        m_run = *run;
        m_originNs = started.originNs;
        return {};
    }

    Result<void> addPieces(const std::deque<LogPiece>& pieces)
    {
        for (const LogPiece& piece : pieces)
            if (Result<void> done
                = m_store->addLog(*m_run, piece.stream, static_cast<double>(piece.tMs) / 1000, piece.bytes);
                !done)
                return done;
        return {};
    }

    Result<void> addLog(const BoundedLog& log)
    {
        Result<void> done = addPieces(log.head());
        if (done && log.gap() != 0)
            done = m_store->addLogGap(*m_run, log.gap());
        return done ? addPieces(log.tail()) : done;
    }

    Result<void> addAll(const RecorderBatch& batch)
    {
        if (batch.started)
            if (Result<void> done = start(*batch.started); !done)
                return done;
        if (!m_run)
            return Error{ErrorKind::Invalid, "events came before the start of the run"};
        for (const RunEvent& event : batch.events)
            if (Result<void> done = m_store->addEvent(*m_run, event, m_originNs); !done)
                return done;
        Result<void> done = m_store->addSamples(*m_run, batch.samples);
        if (done)
            done = addLog(batch.log);
        if (done && batch.finished)
            done = m_store->finishRun(*m_run, *batch.finished);
        return done;
    }

    std::filesystem::path m_database;
    RecorderOptions m_options;
    std::optional<RunStore> m_store;
    std::optional<RunId> m_run;
    bool m_ended = false; ///< Its end is stored.
    std::int64_t m_originNs = 0;
};

} // namespace

struct RunRecorder::State {
    State(const std::filesystem::path& database, const RecorderOptions& given)
        : options(given)
        , file(database)
        , writer(database, given)
        , queue(given.logLimitBytes)
    {
    }

    void work();
    bool waitForWork(std::unique_lock<std::mutex>& lock);
    void attempt(std::unique_lock<std::mutex>& lock);
    void settle(const Result<void>& written, RecorderBatch batch);
    void keepBeside(const RunEvent& event);
    void dropBox();

    const RecorderOptions options;
    const std::filesystem::path file;
    BatchWriter writer; ///< Of the thread.
    Clock::time_point nextWrite{}; ///< Of the thread.
    Clock::time_point nextDiskCommit{}; ///< Of the thread.

    mutable std::mutex mutex; ///< Guards everything below.
    std::condition_variable wake;
    std::condition_variable settled;
    RecorderQueue queue;
    std::uint64_t arrived = 0; ///< Events so far.
    std::uint64_t attempted = 0; ///< Of them written, or tried in vain.
    std::uint64_t flushTo = 0; ///< Those that somebody waits for.
    bool urgent = false; ///< Something that does not wait has come since the last attempt.
    bool stopping = false;
    bool endCame = false;
    bool dead = false; ///< The database cannot be used at all: everything is dropped.
    std::optional<RunId> run;
    std::optional<Error> error;
    std::function<void(RunId)> committed;
    std::shared_ptr<BlackBox> box; ///< Nothing where it could not be made: the run goes on without.
    std::int64_t originNs = 0;
    std::uint64_t logSaid = 0; ///< Bytes.

    std::thread thread; ///< Last: it uses all of the above.
};

/// Into the black box, at once and on the caller's thread: it is memory that outlives this process.
void RunRecorder::State::keepBeside(const RunEvent& event)
{
    if (const auto* started = std::get_if<RunStarted>(&event.body)) {
        originNs = started->originNs;
        if (Result<BlackBox> made = BlackBox::create(file, started->identity.uuid))
            box = std::make_shared<BlackBox>(*std::move(made));
    } else if (const auto* taken = std::get_if<SamplesTaken>(&event.body); taken && box) {
        box->add(taken->samples);
    } else if (const auto* log = std::get_if<LogText>(&event.body)) {
        if (box)
            box->add(logSaid, {log->stream, (event.monotonicNs - originNs) / 1'000'000, log->bytes});
        logSaid += log->bytes.size();
    }
}

void RunRecorder::State::dropBox()
{
    if (box)
        box->remove();
    box.reset();
}

/// False: nothing more will come.
bool RunRecorder::State::waitForWork(std::unique_lock<std::mutex>& lock)
{
    while (true) {
        if (stopping)
            return !queue.empty();
        if (urgent || flushTo > attempted || (!queue.empty() && Clock::now() >= nextWrite))
            return true;
        if (queue.empty())
            wake.wait(lock);
        else
            wake.wait_until(lock, nextWrite);
    }
}

void RunRecorder::State::settle(const Result<void>& written, RecorderBatch batch)
{
    run = writer.run();
    if (written) {
        error.reset();
        return;
    }
    if (!error)
        error = written.error();
    dead = written.error().kind == ErrorKind::Invalid;
    if (dead) {
        queue.clear();
        dropBox();
    } else {
        queue.putBack(std::move(batch));
    }
}

void RunRecorder::State::attempt(std::unique_lock<std::mutex>& lock)
{
    const auto now = Clock::now();
    const bool toDisk = stopping || urgent || flushTo > attempted || now >= nextDiskCommit;
    const std::uint64_t upTo = arrived;
    RecorderBatch batch = queue.take();
    const bool ends = batch.finished.has_value();
    const auto beside = box;
    urgent = false;
    Result<void> written;
    if (!batch.empty()) {
        lock.unlock();
        if (beside && !ends) // First: it is quick, and holds what the database may have no room for.
            beside->sync();
        written = writer.write(batch, toDisk ? RunStore::Durability::Disk : RunStore::Durability::PageCache);
        lock.lock();
        if (ends && written)
            dropBox();
        nextWrite = now + (written ? options.writeEvery : options.commitEvery);
        if (toDisk)
            nextDiskCommit = now + options.commitEvery;
        settle(written, std::move(batch));
    }
    const auto tell = written && run ? committed : nullptr;
    const std::optional<RunId> id = run;
    attempted = dead ? arrived : upTo;
    settled.notify_all();
    if (tell) {
        lock.unlock();
        tell(*id);
        lock.lock();
    }
}

void RunRecorder::State::work()
{
    std::unique_lock lock(mutex);
    while (waitForWork(lock)) {
        const bool last = stopping;
        attempt(lock);
        if (last)
            break;
    }
    if (endCame) {
        dropBox(); // First: on a full disk its place is what hiding the run takes.
        lock.unlock();
        writer.takeBack();
        lock.lock();
        run = writer.run();
    }
    attempted = arrived;
    settled.notify_all();
}

RunRecorder::RunRecorder(std::filesystem::path database, RecorderOptions options)
    : m_state(std::make_unique<State>(database, options))
{
    m_state->thread = std::thread([state = m_state.get()] { state->work(); });
}

RunRecorder::~RunRecorder()
{
    static_cast<void>(finish());
}

Result<RunId> RunRecorder::finish()
{
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->stopping = true;
    }
    m_state->wake.notify_all();
    if (m_state->thread.joinable())
        m_state->thread.join();
    if (m_state->error)
        return *m_state->error;
    if (!m_state->run)
        return Error{ErrorKind::Invalid, "no run was recorded"};
    return *m_state->run;
}

void RunRecorder::onEvent(const RunEvent& event)
{
    bool wakeNow = false;
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->endCame = m_state->endCame || std::holds_alternative<RunFinished>(event.body);
        if (m_state->dead)
            return;
        const bool first = m_state->queue.empty();
        m_state->keepBeside(event);
        m_state->queue.add(event);
        ++m_state->arrived;
        // What the lab did or noted, too: a run that is lost next must not be said to be held by what it left.
        if (std::holds_alternative<RunStarted>(event.body) || std::holds_alternative<RunFinished>(event.body)
            || std::holds_alternative<LabActed>(event.body))
            m_state->urgent = true;
        wakeNow = m_state->urgent || first;
    }
    if (wakeNow) // else the thread waits for the next write anyway
        m_state->wake.notify_all();
}

void RunRecorder::flush()
{
    std::unique_lock lock(m_state->mutex);
    const std::uint64_t upTo = m_state->arrived;
    m_state->flushTo = std::max(m_state->flushTo, upTo);
    m_state->wake.notify_all();
    m_state->settled.wait(lock, [&] { return m_state->attempted >= upTo; });
}

std::optional<RunId> RunRecorder::run() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->run;
}

std::optional<Error> RunRecorder::error() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->error;
}

void RunRecorder::onCommitted(std::function<void(RunId)> callback)
{
    const std::lock_guard lock(m_state->mutex);
    m_state->committed = std::move(callback);
}

} // namespace loadlab
