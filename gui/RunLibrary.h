#pragma once

#include "db/RunStore.h"
#include "gui/Background.h"

#include <QObject>
#include <QString>
#include <QTimer>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace loadlab {

/// What a table of runs asks for and gets.
struct RunPage {
    std::vector<RunRow> rows;
    std::uint64_t matching = 0; ///< Of the filter, without limit and offset.
    std::uint64_t stored = 0; ///< In the database.
};

/// A run with everything that its details show.
struct OpenedRun {
    RunResult result;
    std::shared_ptr<const Curve> curve;
    std::vector<std::string> log;
    std::optional<Error> curveError; ///< The run is there, its samples cannot be read.
};

/// How the window stands with its database.
struct DatabaseState {
    enum class Kind { Opening, Ready, ReadOnly, Unusable };
    Kind kind = Kind::Opening;
    QString words; ///< Why not Ready: a sentence. Empty when Ready.
};

/// A number that grows with every question; an answer to an older one is not worth working out.
using Newest = std::shared_ptr<std::atomic<std::uint64_t>>;
inline Newest makeNewest()
{
    return std::make_shared<std::atomic<std::uint64_t>>(0);
}

/// Reads the run database on a thread of its own with a connection of its own. GUI thread; every `done` comes there,
/// unless its context died first. Runs are written by RunRecorder, never here.
class RunLibrary : public QObject {
    Q_OBJECT

public:
    explicit RunLibrary(std::filesystem::path database, QObject* parent = nullptr);
    ~RunLibrary() override;

    /// Makes or opens the database, closes the runs of labs that died and ends what is left of their processes. A file
    /// that cannot be written is still opened for reading.
    void open(const std::string& bootId);
    [[nodiscard]] const DatabaseState& state() const { return m_state; }
    [[nodiscard]] std::uint64_t storedRuns() const { return m_storedRuns; }
    [[nodiscard]] const std::filesystem::path& database() const { return m_database; }

    /// Somebody committed: counts again and tells everybody who shows runs, at most twice a second.
    void noteChange();

    /// Answers are left out when `newest` has moved on from `number` before the question's turn came. `backwards`: the
    /// filter's order from its end, limit and offset counted from there.
    void askPage(QObject* context, RunFilter filter, bool backwards, Newest newest, std::uint64_t number,
        std::function<void(Result<RunPage>)> done);
    void askRun(
        QObject* context, RunId run, Newest newest, std::uint64_t number, std::function<void(Result<OpenedRun>)> done);
    void askRows(QObject* context, RunFilter filter, std::function<void(Result<std::vector<RunRow>>)> done);

Q_SIGNALS:
    void stateChanged();
    void runsChanged();
    void lostRunsClosed(int count, int processesEnded);

private:
    struct Connection;
    struct Opened;
    void take(Opened opened);
    void countAgain();

    std::filesystem::path m_database;
    DatabaseState m_state;
    std::uint64_t m_storedRuns = 0;
    std::shared_ptr<Connection> m_connection; ///< Touched by the background thread only.
    QTimer m_changeTimer;
    bool m_changedAgain = false;
    Background m_background;
};

} // namespace loadlab
