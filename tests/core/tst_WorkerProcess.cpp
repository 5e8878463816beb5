#include "core/Digest.h"
#include "core/Units.h"
#include "core/worker/Leftovers.h"
#include "core/worker/WorkerProcess.h"

#include <QTemporaryDir>
#include <QtTest>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loadlab;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A worker with everything it said; pumped by a poll loop as an owner would.
struct Driven {
    std::string out;
    std::string err;
    int ends = 0;
    std::optional<WaitStatus> status;
    std::unique_ptr<WorkerProcess> worker;

    explicit Driven(WorkerCommand command, StopTimes times = {})
    {
        worker = std::make_unique<WorkerProcess>(std::move(command),
            WorkerProcess::Callbacks{[this](std::string_view bytes) { out += bytes; },
                [this](std::string_view bytes) { err += bytes; },
                [this](const WaitStatus& ended) {
                    ++ends;
                    status = ended;
                }},
            times);
    }

    void turn()
    {
        std::vector<pollfd> polled;
        for (const WorkerProcess::Wanted& wanted : worker->fds())
            polled.push_back({wanted.fd, wanted.events, 0});
        const auto due = worker->nextDue().value_or(1s);
        ::poll(polled.data(), polled.size(), static_cast<int>(std::min<long>(1000, due / 1ms + 1)));
        worker->pump();
    }

    template <typename F> bool until(F condition, std::chrono::seconds limit = 20s)
    {
        const std::int64_t end = monotonicNs() + std::chrono::nanoseconds(limit).count();
        while (!condition() && monotonicNs() < end && worker->state() != WorkerProcess::State::Ended)
            turn();
        return condition();
    }
    bool untilEnded()
    {
        return until([this] { return worker->state() == WorkerProcess::State::Ended; });
    }
};

WorkerCommand shell(const std::string& script, bool talks = true)
{
    WorkerCommand command;
    command.program = "/bin/sh";
    command.arguments = {"-c", script};
    command.talks = talks;
    return command;
}

bool exists(pid_t pid)
{
    return ::kill(pid, 0) == 0 || errno != ESRCH;
}

std::set<pid_t> sessionsOf(const std::vector<pid_t>& pids)
{
    std::set<pid_t> sessions;
    for (const pid_t pid : pids)
        sessions.insert(::getsid(pid));
    return sessions;
}

pid_t pidIn(const std::string& text)
{
    return static_cast<pid_t>(std::atol(text.c_str()));
}

} // namespace

class tst_WorkerProcess : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void exitCodeAndOutputArriveOnce();
    void aSignalIsToldByNumber();
    void noSuchProgramIsNotFound();
    void foundButNotStartable_data();
    void foundButNotStartable();
    void inheritsNothingButThreeDescriptors();
    void signalsAreAsAfterLogin();
    void leadsItsOwnGroup();
    void theKernelShouldPreferIt();
    void environmentIsAddedToTheLabs();
    void startsInTheWorkingFolder();
    void theHookRunsInTheChild();
    void aFailedHookIsAnError();
    void aProgramThatDoesNotTalkHasNoInput();
    void takesMoreThanAPipeHolds();
    void aReaderThatWentAwayIsNoFailure();
    void closingStdinIsEnoughForMost();
    void escalatesToSigterm();
    void escalatesToSigkill();
    void killsTheWholeGroup();
    void killIsImmediate();
    void aChildThatKeepsThePipesDoesNotDelayTheEnd();
    void closingItsOutputDoesNotEndARun();
    void aFloodDoesNotStarveTheOtherStream();
    void resourcesAreTold();
    void theLabsOwnMemoryIsNotTheWorkers();
    void theDestructorKills();
    void findsProcessesByTheirRun();
    void endsWhatEscapedToAnotherSession();
    void leftoversOfAnotherRunLive();

private:
    QTemporaryDir m_folder;
    [[nodiscard]] fs::path folder() const { return m_folder.path().toStdString(); }
};

void tst_WorkerProcess::initTestCase()
{
    becomeSubreaper();
}

void tst_WorkerProcess::exitCodeAndOutputArriveOnce()
{
    Driven driven(shell("echo out; echo err >&2; exit 7"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.out, std::string("out\n"));
    QCOMPARE(driven.err, std::string("err\n"));
    QCOMPARE(driven.ends, 1);
    QCOMPARE(driven.status->code, std::optional(7));
    QVERIFY(!driven.status->signal);
    QCOMPARE(driven.worker->strongestSignalSent(), 0);
    driven.worker->pump();
    driven.worker->stop();
    driven.worker->kill();
    QCOMPARE(driven.ends, 1);
    QVERIFY(!exists(driven.worker->pid()));
}

void tst_WorkerProcess::aSignalIsToldByNumber()
{
    Driven driven(shell("ulimit -c 0; kill -SEGV $$"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.status->signal, std::optional(SIGSEGV));
    QVERIFY(!driven.status->code);
    QCOMPARE(driven.worker->strongestSignalSent(), 0);
}

void tst_WorkerProcess::noSuchProgramIsNotFound()
{
    for (const char* program : {"/no/such/program", "no-such-program-anywhere", ""}) {
        WorkerCommand command;
        command.program = program;
        const Result<void> started = WorkerProcess(command, {}).start();
        QVERIFY(!started);
        QCOMPARE(started.error().kind, ErrorKind::NotFound);
    }
}

void tst_WorkerProcess::foundButNotStartable_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<int>("mode");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("not executable") << QByteArray("#!/bin/sh\n") << 0644 << QByteArray("without the right to execute it");
    QTest::newRow("no format") << QByteArray("\x7f"
                                             "ELFnonsense")
                               << 0755 << QByteArray("built for another machine");
    QTest::newRow("no interpreter") << QByteArray("#!/no/such/python\n") << 0755 << QByteArray("interpreter");
}

void tst_WorkerProcess::foundButNotStartable()
{
    QFETCH(QByteArray, content);
    QFETCH(int, mode);
    QFETCH(QByteArray, says);
    const fs::path program = folder() / QTest::currentDataTag();
    std::ofstream(program, std::ios::binary) << content.toStdString();
    ::chmod(program.c_str(), static_cast<mode_t>(mode));
    WorkerCommand command;
    command.program = program;
    const Result<void> started = WorkerProcess(command, {}).start();
    QVERIFY(!started);
    QCOMPARE(started.error().kind, ErrorKind::Worker);
    QVERIFY2(started.error().message.find(says.toStdString()) != std::string::npos, started.error().message.c_str());
    QVERIFY(started.error().message.find(program.string()) != std::string::npos);
}

void tst_WorkerProcess::inheritsNothingButThreeDescriptors()
{
    const int open = ::open("/dev/null", O_RDONLY); // Without O_CLOEXEC.
    const int high = ::dup2(open, 200);
    Driven driven(shell("ls /proc/$$/fd"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    ::close(open);
    ::close(high);
    QCOMPARE(driven.out, std::string("0\n1\n2\n"));
}

void tst_WorkerProcess::signalsAreAsAfterLogin()
{
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGUSR1);
    ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
    Driven driven(shell("exec grep -E '^Sig(Blk|Ign)' /proc/self/status"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    ::pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    QCOMPARE(driven.out, std::string("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"));
}

void tst_WorkerProcess::leadsItsOwnGroup()
{
    Driven driven(shell("cut -d' ' -f5 /proc/$$/stat; read line"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return driven.out.ends_with('\n'); }));
    QCOMPARE(pidIn(driven.out), driven.worker->pid());
    QCOMPARE(::getpgid(driven.worker->pid()), driven.worker->pid());
}

void tst_WorkerProcess::theKernelShouldPreferIt()
{
    int own = 0;
    std::ifstream("/proc/self/oom_score_adj") >> own;
    Driven driven(shell("cat /proc/self/oom_score_adj"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    QVERIFY(std::atoi(driven.out.c_str()) > own || own == 1000);
}

void tst_WorkerProcess::environmentIsAddedToTheLabs()
{
    qputenv("LOADLAB_TEST_KEPT", "kept");
    qputenv("LOADLAB_TEST_REPLACED", "old");
    WorkerCommand command
        = shell("echo $LOADLAB_TEST_KEPT $LOADLAB_TEST_REPLACED $LOADLAB_RUN; env | grep -c REPLACED");
    command.environment = {{"LOADLAB_RUN", "uuid"}, {"LOADLAB_TEST_REPLACED", "new"}};
    Driven driven(command);
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.out, std::string("kept new uuid\n1\n"));
}

void tst_WorkerProcess::startsInTheWorkingFolder()
{
    WorkerCommand command = shell("pwd -P");
    command.workingFolder = folder();
    Driven driven(command);
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.out, fs::canonical(folder()).string() + "\n");
    command.workingFolder = folder() / "absent";
    const Result<void> started = WorkerProcess(command, {}).start();
    QVERIFY(!started && started.error().message.find("absent") != std::string::npos);
}

void tst_WorkerProcess::theHookRunsInTheChild()
{
    WorkerCommand command = shell("ulimit -n");
    command.inChild = [] {
        const rlimit few{33, 33};
        return ::setrlimit(RLIMIT_NOFILE, &few) == 0 ? 0 : errno;
    };
    Driven driven(command);
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.out, std::string("33\n"));
}

void tst_WorkerProcess::aFailedHookIsAnError()
{
    WorkerCommand command = shell("true");
    command.inChild = [] { return EPERM; };
    const Result<void> started = WorkerProcess(command, {}).start();
    QVERIFY(!started);
    QCOMPARE(started.error().kind, ErrorKind::Worker);
}

void tst_WorkerProcess::aProgramThatDoesNotTalkHasNoInput()
{
    Driven driven(shell("readlink /proc/$$/fd/0", false));
    QVERIFY(driven.worker->start());
    driven.worker->write("nobody reads this");
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.out, std::string("/dev/null\n"));
}

void tst_WorkerProcess::takesMoreThanAPipeHolds()
{
    Driven driven(shell("exec wc -c"));
    QVERIFY(driven.worker->start());
    const std::string much(3 << 20, 'x');
    driven.worker->write(much);
    driven.worker->closeStdin();
    driven.worker->write("too late");
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.out, std::to_string(much.size()) + "\n");
}

void tst_WorkerProcess::aReaderThatWentAwayIsNoFailure()
{
    Driven driven(shell("exec 0<&-; echo closed; read x < /dev/null; sleep 0.1; exit 3"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return !driven.out.empty(); }));
    driven.worker->write(std::string(1 << 20, 'x'));
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.status->code, std::optional(3));
}

void tst_WorkerProcess::closingStdinIsEnoughForMost()
{
    Driven driven(shell("cat > /dev/null; echo leaving; exit 5"), {1h, 1h});
    QVERIFY(driven.worker->start());
    driven.worker->stop();
    QCOMPARE(driven.worker->state(), WorkerProcess::State::Stopping);
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.out, std::string("leaving\n"));
    QCOMPARE(driven.status->code, std::optional(5));
    QCOMPARE(driven.worker->strongestSignalSent(), 0);
}

void tst_WorkerProcess::escalatesToSigterm()
{
    Driven driven(shell("trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done"), {10ms, 1h});
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return !driven.out.empty(); }));
    driven.worker->stop();
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.status->code, std::optional(9));
    QCOMPARE(driven.worker->strongestSignalSent(), SIGTERM);
}

void tst_WorkerProcess::escalatesToSigkill()
{
    Driven driven(shell("trap '' TERM; echo up; while :; do sleep 0.01; done"), {10ms, 10ms});
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return !driven.out.empty(); }));
    driven.worker->stop();
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.status->signal, std::optional(SIGKILL));
    QCOMPARE(driven.worker->strongestSignalSent(), SIGKILL);
}

void tst_WorkerProcess::killsTheWholeGroup()
{
    Driven driven(shell("sleep 1000 & echo $!; cat"), {10ms, 10ms});
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return driven.out.ends_with('\n'); }));
    const pid_t child = pidIn(driven.out);
    QVERIFY(exists(child));
    driven.worker->stop();
    QVERIFY(driven.untilEnded());
    QTRY_VERIFY((reapAdopted(driven.worker->pid()), !exists(child)));
}

void tst_WorkerProcess::killIsImmediate()
{
    Driven driven(shell("trap '' TERM; echo up; cat; while :; do sleep 0.01; done"), {1h, 1h});
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return !driven.out.empty(); }));
    driven.worker->stop();
    driven.worker->kill();
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.status->signal, std::optional(SIGKILL));
}

void tst_WorkerProcess::aChildThatKeepsThePipesDoesNotDelayTheEnd()
{
    Driven driven(shell("setsid sleep 1000 & echo $!; read line; exit 4"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return driven.out.ends_with('\n'); }));
    const pid_t child = pidIn(driven.out);
    QTRY_COMPARE(::getpgid(child), child); // It has left the group.
    driven.worker->closeStdin();
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.status->code, std::optional(4));
    QVERIFY(exists(child)); // In a session of its own: endLeftovers() is for those.
    ::kill(child, SIGKILL);
    QCOMPARE(::waitpid(child, nullptr, 0), child); // Adopted.
}

void tst_WorkerProcess::closingItsOutputDoesNotEndARun()
{
    Driven driven(shell("exec 1>&- 2>&-; read line; exit 6"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return driven.worker->fds().size() == 1; })); // Only the exit is still waited for.
    QCOMPARE(driven.worker->state(), WorkerProcess::State::Running);
    driven.worker->write("\n");
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.status->code, std::optional(6));
}

void tst_WorkerProcess::aFloodDoesNotStarveTheOtherStream()
{
    Driven driven(shell("echo heard >&2; exec yes flood"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return !driven.err.empty(); }));
    driven.worker->kill();
    QVERIFY(driven.untilEnded());
}

void tst_WorkerProcess::resourcesAreTold()
{
    Driven driven(shell("head -c 300000000 /dev/zero | tail -c 250000000 | wc -c"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.out, std::string("250000000\n"));
    QVERIFY(driven.status->use.maxRssBytes > 200'000'000);
    QVERIFY(driven.status->use.userTime.count() + driven.status->use.systemTime.count() > 0);
}

void tst_WorkerProcess::theLabsOwnMemoryIsNotTheWorkers()
{
    const std::string ballast(100 << 20, 'x'); // A fork's ru_maxrss begins with the parent's.
    QVERIFY(ballast.size() > 0);
    Driven driven(shell("true"));
    QVERIFY(driven.worker->start());
    QVERIFY(driven.untilEnded());
    QVERIFY2(driven.status->use.maxRssBytes < (50 << 20), std::to_string(driven.status->use.maxRssBytes).c_str());
}

void tst_WorkerProcess::theDestructorKills()
{
    pid_t pid = 0;
    {
        Driven driven(shell("trap '' TERM; sleep 1000"));
        QVERIFY(driven.worker->start());
        pid = driven.worker->pid();
    }
    QVERIFY(!exists(pid));
}

void tst_WorkerProcess::findsProcessesByTheirRun()
{
    const std::string uuid = makeUuid();
    WorkerCommand command = shell("sleep 1000 & echo up; cat");
    command.environment = {{"LOADLAB_RUN", uuid}};
    Driven driven(command);
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return !driven.out.empty(); }));
    QTRY_COMPARE(findProcessesOfRun(uuid).size(), std::size_t{3}); // sh, sleep, cat
    QVERIFY(findProcessesOfRun(uuid.substr(0, 30)).empty());
    QVERIFY(findProcessesOfRun(uuid + "x").empty());
    driven.worker->kill();
    QVERIFY(driven.untilEnded());
    QTRY_VERIFY(findProcessesOfRun(uuid).empty());
    reapAdopted(driven.worker->pid());
}

void tst_WorkerProcess::endsWhatEscapedToAnotherSession()
{
    const std::string uuid = makeUuid();
    WorkerCommand command = shell(
        "setsid sh -c 'trap \"\" TERM; setsid sleep 1000 & sleep 1000' > /dev/null 2>&1 < /dev/null & read line");
    command.environment = {{"LOADLAB_RUN", uuid}};
    Driven driven(command);
    QVERIFY(driven.worker->start());
    const auto escaped = [&] {
        const std::vector<pid_t> all = findProcessesOfRun(uuid);
        return std::ranges::count_if(all, [&](pid_t pid) { return ::getpgid(pid) != driven.worker->pid(); });
    };
    QTRY_COMPARE(escaped(), 3); // sh and one sleep in a session, the other sleep in another.
    QTRY_VERIFY(sessionsOf(findProcessesOfRun(uuid)).size() >= 3);
    driven.worker->closeStdin();
    QVERIFY(driven.untilEnded());
    QCOMPARE(escaped(), 3);
    const LeftoverReport report = endLeftovers(uuid);
    QCOMPARE(report.ended.size(), std::size_t{3});
    QVERIFY(report.survivors.empty());
    QVERIFY(std::ranges::any_of(report.ended, [](const NamedProcess& process) { return process.name == "sleep"; }));
    QVERIFY(findProcessesOfRun(uuid).empty());
    for (const NamedProcess& process : report.ended)
        QVERIFY2(!exists(process.pid), toWords(process).c_str());
}

void tst_WorkerProcess::leftoversOfAnotherRunLive()
{
    WorkerCommand command = shell("echo up; cat");
    command.environment = {{"LOADLAB_RUN", makeUuid()}};
    Driven driven(command);
    QVERIFY(driven.worker->start());
    QVERIFY(driven.until([&] { return !driven.out.empty(); }));
    const LeftoverReport report = endLeftovers(makeUuid());
    QVERIFY(report.ended.empty() && report.survivors.empty());
    QVERIFY(exists(driven.worker->pid()));
    driven.worker->closeStdin();
    QVERIFY(driven.untilEnded());
    QCOMPARE(driven.status->code, std::optional(0));
}

QTEST_GUILESS_MAIN(tst_WorkerProcess)
#include "tst_WorkerProcess.moc"
