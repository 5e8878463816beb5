#include "gui/RunLibrary.h"

#include "core/containment/DeadGroups.h"
#include "core/worker/WorkerProcess.h"
#include "gui/Words.h"

#include <algorithm>
#include <csignal>
#include <set>

namespace loadlab {

struct RunLibrary::Connection {
    std::optional<RunStore> store;
    Error why{ErrorKind::Io, "the run database is not open"};
};

struct RunLibrary::Opened {
    DatabaseState state;
    std::uint64_t runs = 0;
    int lost = 0;
    int ended = 0;
};

namespace {

constexpr int kChangeMs = 500;

/// Kills what still carries the run's mark. A few rounds: a process may fork while its parent is being killed, and one
/// that is dying is still seen.
int endLeftovers(const std::string& uuid)
{
    std::set<pid_t> ended;
    for (int round = 0; round < 5; ++round) {
        const std::vector<pid_t> left = findProcessesOfRun(uuid);
        if (left.empty())
            break;
        for (const pid_t pid : left)
            if (::kill(pid, SIGKILL) == 0)
                ended.insert(pid);
    }
    return static_cast<int>(ended.size());
}

Result<RunPage> readPage(const RunStore& store, RunFilter filter, bool backwards)
{
    RunFilter all = filter;
    all.limit = all.offset = 0;
    const Result<std::uint64_t> matching = store.countRuns(all);
    const Result<std::uint64_t> stored = store.countRuns();
    if (!matching || !stored)
        return matching ? stored.error() : matching.error();
    if (backwards) {
        const std::uint64_t end = *matching - std::min(*matching, filter.offset);
        filter.offset = end - std::min(end, filter.limit);
        filter.limit = end - filter.offset;
        if (filter.limit == 0)
            return RunPage{{}, *matching, *stored};
    }
    Result<std::vector<RunRow>> rows = store.runs(filter);
    if (!rows)
        return std::move(rows).error();
    if (backwards)
        std::reverse(rows->begin(), rows->end());
    return RunPage{std::move(*rows), *matching, *stored};
}

DatabaseState unusable(const Error& error)
{
    return {DatabaseState::Kind::Unusable, toSentence(error)};
}

} // namespace

RunLibrary::RunLibrary(std::filesystem::path database, QObject* parent)
    : QObject(parent)
    , m_database(std::move(database))
    , m_connection(std::make_shared<Connection>())
    , m_background(Background::AtEnd::Drop)
{
    m_changeTimer.setSingleShot(true);
    m_changeTimer.setInterval(kChangeMs);
    connect(&m_changeTimer, &QTimer::timeout, this, [this] {
        if (std::exchange(m_changedAgain, false))
            noteChange();
    });
}

RunLibrary::~RunLibrary() = default;

void RunLibrary::open(const std::string& bootId)
{
    m_background.ask(
        this,
        [connection = m_connection, file = m_database, bootId] {
            Opened opened;
            Result<RunStore> store = RunStore::open(file, RunStore::Mode::ReadWrite);
            if (!store) {
                opened.state = unusable(store.error());
                connection->why = store.error();
                store = RunStore::open(file, RunStore::Mode::ReadOnly);
                if (!store)
                    return opened;
                opened.state.kind = DatabaseState::Kind::ReadOnly;
            } else {
                opened.state = {DatabaseState::Kind::Ready, {}};
            }
            connection->store.emplace(std::move(store).value());
            if (opened.state.kind == DatabaseState::Kind::Ready) {
                const Result<std::vector<RunResult>> lost = connection->store->closeLostRuns(bootId);
                if (!lost)
                    opened.state = {DatabaseState::Kind::ReadOnly, toSentence(lost.error())};
                for (const RunResult& run : lost ? *lost : std::vector<RunResult>{})
                    opened.ended += endLeftovers(run.identity.uuid);
                removeDeadGroups();
                opened.lost = lost ? static_cast<int>(lost->size()) : 0;
            }
            opened.runs = connection->store->countRuns().value_or(0);
            return opened;
        },
        [this](Opened opened) { take(std::move(opened)); });
}

void RunLibrary::take(Opened opened)
{
    m_state = std::move(opened.state);
    m_storedRuns = opened.runs;
    Q_EMIT stateChanged();
    if (opened.lost > 0)
        Q_EMIT lostRunsClosed(opened.lost, opened.ended);
    Q_EMIT runsChanged();
}

void RunLibrary::noteChange()
{
    if (m_changeTimer.isActive()) {
        m_changedAgain = true;
        return;
    }
    m_changeTimer.start();
    countAgain();
    Q_EMIT runsChanged();
}

void RunLibrary::countAgain()
{
    m_background.ask(
        this,
        [connection = m_connection] {
            return connection->store ? connection->store->countRuns() : Result<std::uint64_t>(connection->why);
        },
        [this](Result<std::uint64_t> count) {
            if (!count || *count == m_storedRuns)
                return;
            m_storedRuns = *count;
            Q_EMIT stateChanged();
        });
}

void RunLibrary::askPage(QObject* context, RunFilter filter, bool backwards, Newest newest, std::uint64_t number,
    std::function<void(Result<RunPage>)> done)
{
    const auto read
        = [connection = m_connection, newest, number, backwards, filter = std::move(filter)]() -> Result<RunPage> {
        if (*newest != number)
            return Error{ErrorKind::Cancelled, "a newer question was asked"};
        if (!connection->store)
            return connection->why;
        return readPage(*connection->store, filter, backwards);
    };
    m_background.ask(context, read, [newest, number, done = std::move(done)](Result<RunPage> page) {
        if (*newest == number)
            done(std::move(page));
    });
}

void RunLibrary::askRun(
    QObject* context, RunId run, Newest newest, std::uint64_t number, std::function<void(Result<OpenedRun>)> done)
{
    const auto read = [connection = m_connection, newest, number, run]() -> Result<OpenedRun> {
        if (*newest != number)
            return Error{ErrorKind::Cancelled, "a newer question was asked"};
        if (!connection->store)
            return connection->why;
        Result<RunResult> result = connection->store->run(run);
        if (!result)
            return std::move(result).error();
        OpenedRun stored{std::move(*result), std::make_shared<const Curve>(), {}, {}};
        if (Result<Curve> curve = connection->store->curve(run); curve)
            stored.curve = std::make_shared<const Curve>(std::move(*curve));
        else
            stored.curveError = std::move(curve).error();
        stored.log = connection->store->logLines(run).value_or({});
        return stored;
    };
    m_background.ask(context, read, [newest, number, done = std::move(done)](Result<OpenedRun> stored) {
        if (*newest == number)
            done(std::move(stored));
    });
}

void RunLibrary::askRows(QObject* context, RunFilter filter, std::function<void(Result<std::vector<RunRow>>)> done)
{
    m_background.ask(
        context,
        [connection = m_connection, filter = std::move(filter)] {
            return connection->store ? connection->store->runs(filter) : Result<std::vector<RunRow>>(connection->why);
        },
        std::move(done));
}

} // namespace loadlab
