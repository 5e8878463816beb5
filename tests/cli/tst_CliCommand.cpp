#include "core/Digest.h"
#include "core/containment/Containment.h"
#include "core/worker/WorkerProcess.h"
#include "tests/cli/FakeRun.h"

#include <QJsonDocument>
#include <QTest>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

const std::string kHog = LOADLAB_BINARY_DIR "/tests/memory_hog";

Line command(const Line& options, const Line& program)
{
    Line line{"run", "--backend", "command"};
    line.insert(line.end(), options.begin(), options.end());
    line.push_back("--");
    line.insert(line.end(), program.begin(), program.end());
    return line;
}

QString factOf(const QJsonObject& run, const QString& source)
{
    for (const QJsonValue& evidence : run["evidence"].toArray())
        if (evidence.toObject()["source"].toString() == source)
            return evidence.toObject()["fact"].toString();
    return {};
}

QJsonObject lastLine(const QByteArray& out)
{
    return QJsonDocument::fromJson(out.trimmed().split('\n').last()).object();
}

/// Groups of a run, anywhere in the hierarchies that this process sees.
int groupsOf(const std::string& uuid)
{
    int count = 0;
    for (const auto& place : {loadlab::findMemoryHierarchyV1({}), loadlab::findHierarchyV2({})})
        if (place)
            for (const auto& entry : fs::recursive_directory_iterator(place->ownGroup))
                count += entry.is_directory() && entry.path().filename().string().find(uuid) != std::string::npos;
    return count;
}

} // namespace

class tst_CliCommand : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aProgramOverItsCapIsShownAsKilledByTheKernel();
    void theSameProgramKilledFromAnotherShellIsNot();
    void remediesFitAnyProgram();
    void whatIsNoProgramIsToldWithItsWayOut_data();
    void whatIsNoProgramIsToldWithItsWayOut();
    void everyRunIsStoredWithItsCircumstances();
    void aProgramGetsItsVariablesAndSecretsStayUntold();
    void aCheckpointsRunIsCappedTheSameWay();
    void aLogOfAnySizeIsRecordedInBoundedMemory();
    void aLabThatWasStoppedSaysSoAndBlamesNobody();
    void repeatedRunsAreAnArray();
    void whatAKilledLabLeftIsRemovedByTheNextStart();
    void aLostRunKeepsWhoLeftItsGroup();
    void aLostRunTellsItsHighWaterMarkAsTheLeast();
    void doctorTellsWhatContains();

private:
    bool m_contained = false;
};

void tst_CliCommand::initTestCase()
{
    m_contained = loadlab::Containment::probe().kind() != loadlab::GroupKind::None;
}

void tst_CliCommand::aProgramOverItsCapIsShownAsKilledByTheKernel()
{
    if (!m_contained)
        QSKIP("no containment here");
    const CliLab lab;
    const CliResult result = lab.run(command({"--cap-memory", "100MiB", "--json"}, {kHog, "300"}));
    QVERIFY2(result.code == 1, result.words());
    const QJsonObject run = result.object();
    QCOMPARE(run["mode"].toString(), "host_oom_killed");
    QVERIFY2(factOf(run, "cgroup.oom_kill").startsWith("0 -> 1"), result.words());
    QCOMPARE(run["cap"].toObject()["memory_bytes"].toInt(), 100 << 20);
    QCOMPARE(run["cap"].toObject()["kept_by"].toString(), "cgroup");
    QVERIFY(run["containment"].toString().startsWith("cgroup"));
    QVERIFY(run["checkpoint"].isNull());
    QCOMPARE(run["exit"].toObject()["signal"].toInt(), SIGKILL);
    const QJsonObject stored = lab.run({"show", "last", "--json"}).object();
    QCOMPARE(stored["evidence"], run["evidence"]);
    QCOMPARE(stored["cap"], run["cap"]);
    QCOMPARE(stored["host"], run["host"]);
    const CliResult words = lab.run({"show", "last"});
    QVERIFY2(words.out.contains("kept by cgroup") && words.out.contains("memory_hog 300"), words.words());
    QCOMPARE(groupsOf(run["uuid"].toString().toStdString()), 0);
}

void tst_CliCommand::theSameProgramKilledFromAnotherShellIsNot()
{
    const CliLab lab;
    const auto process = lab.start(command({"--cap-memory", "200MiB", "--follow"}, {kHog, "64", "0", "1000"}));
    pid_t worker = 0;
    QVERIFY(process->waitFor([&worker](const QByteArray& out) {
        for (const QByteArray& line : out.split('\n'))
            if (line.contains("\"worker_started\""))
                worker = QJsonDocument::fromJson(line).object()["pid"].toInt();
        return out.contains("took 64 MiB");
    }));
    QVERIFY(worker > 0);
    ::kill(worker, SIGKILL);
    QCOMPARE(process->wait(), 1);
    const QJsonObject run = lastLine(process->out);
    QCOMPARE(run["mode"].toString(), "unknown");
    QVERIFY2(run["summary"].toString().contains("Killed from outside by SIGKILL"), process->out);
}

void tst_CliCommand::remediesFitAnyProgram()
{
    if (!m_contained)
        QSKIP("no containment here");
    const CliLab lab;
    const std::map<QByteArray, Line> lines{
        {"host_oom_killed", command({"--cap-memory", "64MiB", "--json"}, {kHog, "200"})},
        {"native_crash", command({"--json"}, {"sh", "-c", "kill -SEGV $$"})},
        {"hang", command({"--stall", "1s", "--json"}, {"sleep", "1000"})},
        {"missing_dependency",
            command({"--json"}, {"sh", "-c", "echo 'ModuleNotFoundError: No module named \'torch\'' >&2; exit 1"})},
        {"disk_io", command({"--json"}, {"sh", "-c", "echo 'x: No space left on device' >&2; exit 1"})}};
    for (const auto& [mode, line] : lines) {
        const CliResult result = lab.run(line);
        QVERIFY2(result.object()["mode"].toString() == mode, result.words());
        const QJsonArray remedies = result.object()["remedies"].toArray();
        QVERIFY2(!remedies.isEmpty(), result.words());
        for (const QJsonValue& remedy : remedies)
            for (const char* ofModels : {"checkpoint", "loader", "quantized", "loadlab inspect", "loadlab doctor"})
                QVERIFY2(!remedy.toObject()["text"].toString().contains(ofModels), result.words());
    }
}

void tst_CliCommand::whatIsNoProgramIsToldWithItsWayOut_data()
{
    QTest::addColumn<QByteArray>("program");
    QTest::addColumn<QByteArray>("summary");
    QTest::addColumn<QString>("remedy");
    const auto row = [](const char* name, const char* program, const char* summary, const char* remedy) {
        QTest::newRow(name) << QByteArray(program) << QByteArray(summary) << QString::fromLatin1(remedy);
    };
    row("no program", "/etc/passwd", "/etc/passwd is there, but without the right to execute it.", "mark-as-program");
    row("script without the right", "./unmarked", "/unmarked is there, but without the right to execute it.",
        "mark-as-program");
    row("a folder", "/tmp", "/tmp is a folder, not a program.", "program-in-folder");
    row("absent in PATH", "no-such-program-anywhere", "No such program in PATH: 'no-such-program-anywhere'.",
        "right-program");
    row("absent path", "./nowhere", "/nowhere.", "right-program");
    row("first line of nothing", "./lost",
        "/lost does not start: No such file or directory (its first line asks for \"#!/no/such/python -u\").",
        "right-interpreter");
    row("first line without the right", "./refused", "does not start: Permission denied (its first line asks for",
        "right-interpreter");
    row("not of this machine", "./foreign", "/foreign does not start: Exec format error", "right-format-of-program");
}

void tst_CliCommand::whatIsNoProgramIsToldWithItsWayOut()
{
    QFETCH(QByteArray, program);
    QFETCH(QByteArray, summary);
    QFETCH(QString, remedy);
    const CliLab lab;
    const auto write = [&lab](const char* name, const char* text, fs::perms rights) {
        std::ofstream(lab.path(name)) << text;
        fs::permissions(lab.path(name), rights);
    };
    write("unmarked", "#!/bin/sh\necho ran\n", fs::perms::owner_read | fs::perms::owner_write);
    write("lost", "#!/no/such/python -u\n", fs::perms::owner_all);
    write("refused", "#!/etc/passwd\n", fs::perms::owner_all);
    write("foreign",
        "\x7f"
        "ELF of nowhere",
        fs::perms::owner_all);
    const std::string named = program.startsWith("./") ? lab.path(program.mid(2).toStdString()) : program.toStdString();
    const CliResult result = lab.run(command({"--json"}, {named}));
    QVERIFY2(result.code == 1, result.words());
    QCOMPARE(result.object()["mode"].toString(), "missing_dependency");
    QVERIFY2(result.object()["summary"].toString().toUtf8().contains(summary), result.words());
    const QJsonArray remedies = result.object()["remedies"].toArray();
    QVERIFY2(remedies.size() == 1, result.words());
    QCOMPARE(remedies.first().toObject()["id"].toString(), remedy);
}

void tst_CliCommand::everyRunIsStoredWithItsCircumstances()
{
    const CliLab lab;
    const CliResult result = lab.run(command({"--json"}, {"sh", "-c", "echo [1,2] \"$0\" \"$1\"", "--json", "[a,b]"}));
    QVERIFY2(result.code == 0, result.words());
    const QJsonObject run = result.object();
    QVERIFY(run["host"].toObject()["before"].toObject()["available_bytes"].toDouble() > 0);
    QVERIFY(run["host"].toObject()["after"].toObject()["available_bytes"].toDouble() > 0);
    QVERIFY(run["host"].toObject()["dirty_start_bytes"].isNull());
    QVERIFY(!run["containment_detail"].toString().isEmpty());
    const QJsonObject stored = lab.run({"show", "last", "--json"}).object();
    for (const char* name : {"host", "containment", "containment_detail", "command_line", "cap"})
        QCOMPARE(stored[name], run[name]);
    QCOMPARE(lab.run({"log", "last"}).out, QByteArray("[1,2] --json [a,b]\n"));
    QCOMPARE(lab.run({"db", "check"}).code, 0);
    const CliResult missing = lab.run(command({"--json"}, {"no-such-program-anywhere"}));
    QVERIFY2(missing.code == 1, missing.words());
    QCOMPARE(missing.object()["mode"].toString(), "missing_dependency");
}

void tst_CliCommand::aProgramGetsItsVariablesAndSecretsStayUntold()
{
    const CliLab lab;
    const std::string secret = "a-value-nobody-may-see";
    const Line line = command({"--env", "GREETING=good day", "--env", "PATH=/nowhere", "--env=API_TOKEN=" + secret,
                                  "--env=DATABASE_URL=postgres://user:" + secret + "@host/db"},
        {"/bin/sh", "-c", "echo \"$GREETING, $HOME, $PATH, ${#API_TOKEN}\""});
    Line followed = line;
    followed.insert(followed.begin() + 1, "--follow");
    const CliResult result = lab.run(followed);
    QVERIFY2(result.code == 0, result.words());
    const QString env = "'API_TOKEN=***' 'DATABASE_URL=postgres://user:***@host/db' 'GREETING=good day' PATH=/nowhere";
    QCOMPARE(lastLine(result.out)["env"].toString(), env);
    QCOMPARE(QString(lab.run({"log", "last"}).out).trimmed(),
        QStringLiteral("good day, %1, /nowhere, %2").arg(lab.environment.at("HOME").c_str()).arg(secret.size()));
    QCOMPARE(lab.run({"show", "last", "--json"}).object()["env"].toString(), env);
    const CliResult words = lab.run({"show", "last"});
    QVERIFY2(words.out.contains("with 'API_TOKEN=***'"), words.words());
    QVERIFY(!result.out.contains(secret.c_str()));
    for (const QString& name : lab.files()) {
        QFile file(QFile::decodeName(lab.path(name.toStdString()).c_str()));
        QVERIFY2(!file.open(QIODevice::ReadOnly) || !file.readAll().contains(secret.c_str()), qPrintable(name));
    }
}

void tst_CliCommand::aCheckpointsRunIsCappedTheSameWay()
{
    if (!m_contained)
        QSKIP("no containment here");
    const CliLab lab;
    const CliResult result
        = lab.run(fake(makeTiny(lab), {"mib=300"}, {"--cap-memory", "100MiB", "--cap-swap", "0", "--json"}));
    QVERIFY2(result.code == 1, result.words());
    QCOMPARE(result.object()["mode"].toString(), "host_oom_killed");
    QVERIFY2(factOf(result.object(), "cgroup.oom_kill").startsWith("0 -> 1"), result.words());
    QVERIFY2(result.object()["summary"].toString().startsWith("The kernel killed it"), result.words());
    const CliResult enough = lab.run(fake(lab.path("tiny"), {"mib=32"}, {"--cap-memory", "200MiB", "--json"}));
    QVERIFY2(enough.code == 0, enough.words());
}

void tst_CliCommand::aLogOfAnySizeIsRecordedInBoundedMemory()
{
    const CliLab lab;
    const auto process = lab.start(command({"--json"},
        {"sh", "-c",
            "yes 'Loading checkpoint shards' | head -c 200000000; head -c 50000000 /dev/zero; printf '\\377\\nthe "
            "end\\n'"}));
    QCOMPARE(process->wait(std::chrono::seconds(120)), 0);
    rusage use{};
    ::getrusage(RUSAGE_CHILDREN, &use); // The largest of all that were waited for: the lab, and what it waited for.
    QVERIFY2(use.ru_maxrss < 160L << 10, std::to_string(use.ru_maxrss).c_str());
    const CliResult log = lab.run({"log", "last"});
    QVERIFY(log.out.startsWith("Loading checkpoint shards\n"));
    QVERIFY(log.out.endsWith("the end\n"));
    QVERIFY2(log.out.size() < 20 << 20, std::to_string(log.out.size()).c_str());
}

void tst_CliCommand::aLabThatWasStoppedSaysSoAndBlamesNobody()
{
    const CliLab lab;
    const std::string done = lab.path("slept");
    const auto process = lab.start(command(
        {"--stall", "2s", "--json", "--follow"}, {"sh", "-c", "echo ready; sleep 3; touch \"$0\"; sleep 1", done}));
    QVERIFY(process->waitFor([](const QByteArray& out) { return out.contains("ready\\n"); }));
    process->signal(SIGSTOP);
    QTRY_VERIFY_WITH_TIMEOUT(fs::exists(done), 30'000); // Silent for longer than allowed, while nobody watched.
    process->signal(SIGCONT);
    QCOMPARE(process->wait(), 0);
    const QJsonObject run = lastLine(process->out);
    const QJsonArray pauses = run["host"].toObject()["pauses"].toArray();
    // A busy machine may hold the lab up for a second as well.
    const auto isOurs = [](const QJsonValue& pause) {
        return pause.toObject()["of"].toString() == "lab" && pause.toObject()["for_s"].toDouble() > 2;
    };
    QVERIFY2(std::ranges::count_if(pauses, isOurs) == 1, QJsonDocument(pauses).toJson());
    QVERIFY2(run["samples"].toObject()["missed_ticks"].toInt() < 30, process->out); // Of 60 that passed meanwhile.
}

void tst_CliCommand::repeatedRunsAreAnArray()
{
    const CliLab lab;
    const CliResult result = lab.run(command({"--repeat", "2", "--json"}, {"true"}));
    QVERIFY2(result.code == 0, result.words());
    QCOMPARE(result.array().size(), 2);
    for (const QJsonValue& run : result.array())
        QVERIFY(run.toObject()["host"].toObject().contains("dirty_start_bytes"));
}

void tst_CliCommand::whatAKilledLabLeftIsRemovedByTheNextStart()
{
    if (!m_contained)
        QSKIP("no containment here");
    const CliLab lab;
    // What it leaves carries no mark of the run: only the group knows it.
    const auto process
        = lab.start(command({"--follow"}, {"sh", "-c", "env -i setsid sleep 1000 & echo left; sleep 1000"}));
    std::string uuid;
    QVERIFY(process->waitFor([&uuid](const QByteArray& out) {
        if (out.contains("\"run_started\""))
            uuid = QJsonDocument::fromJson(out.split('\n').first()).object()["uuid"].toString().toStdString();
        return out.contains("left");
    }));
    QCOMPARE(groupsOf(uuid), 1);
    QVERIFY2(!lab.run({"runs"}).err.contains("removed the cgroup"), "its lab lives");
    QCOMPARE(groupsOf(uuid), 1);
    process->signal(SIGKILL);
    QCOMPARE(process->wait(), -1);
    QCOMPARE(groupsOf(uuid), 1);
    const CliResult next = lab.run({"runs"});
    QCOMPARE(groupsOf(uuid), 0);
    QVERIFY2(next.err.contains(("removed the cgroup of run " + uuid).c_str()), next.words());
    QVERIFY(!lab.run({"runs"}).err.contains(uuid.c_str()));
}

/// A shell waits for it, so that no sample has one process alone.
void tst_CliCommand::aLostRunTellsItsHighWaterMarkAsTheLeast()
{
    const CliLab lab;
    const auto highWater = [&lab] {
        return lab.run({"show", "last", "--json"}).object()["memory"].toObject()["hwm_bytes"].toDouble() / (1 << 20);
    };
    const auto process = lab.start(command({"--follow"}, {"sh", "-c", kHog + " 128 0 1000; true"}));
    QVERIFY(process->waitFor([](const QByteArray& out) { return out.contains("\"event\":\"high_water\""); }));
    QTRY_VERIFY_WITH_TIMEOUT(highWater() > 120, 10000);
    process->signal(SIGKILL);
    QCOMPARE(process->wait(), -1);
    const CliResult words = lab.run({"show", "last"});
    QVERIFY2(words.out.contains("lab_lost") && words.out.contains("high-water mark at least 0.1"), words.words());
    QVERIFY2(highWater() > 120 && highWater() < 140, std::to_string(highWater()).c_str());
}

void tst_CliCommand::aLostRunKeepsWhoLeftItsGroup()
{
    const auto containment = loadlab::Containment::probe();
    if (containment.kind() != loadlab::GroupKind::V1)
        QSKIP("needs a v1 group that the program itself enters");
    auto elsewhere = containment.makeGroup(loadlab::makeUuid(), {}).value();
    const CliLab lab;
    const auto host = [&lab] { return lab.run({"show", "last", "--json"}).object()["host"].toObject(); };
    const auto leftBy = [&host]() -> QJsonValue { return host()["group"].toObject()["left_by"]; };
    const auto process
        = lab.start(command({"--cap-memory", "200MiB", "--follow"},
                        {"sh", "-c",
                            "echo ready; read go < go; echo $$ > " + (elsewhere->folder() / "cgroup.procs").string()
                                + "; exec sleep 1000"}),
            [&lab] {
                ::chdir(lab.path("").c_str());
                ::mkfifo("go", 0600);
            });
    QVERIFY(process->waitFor([](const QByteArray& out) { return out.contains("ready"); }));
    QTRY_COMPARE(leftBy(), QJsonValue(QJsonArray())); // Nobody so far.
    std::ofstream(lab.path("go")) << "go\n";
    QVERIFY(process->waitFor([](const QByteArray& out) { return out.contains("outside_group"); }));
    QTRY_COMPARE(leftBy().toArray().size(), 1);
    process->signal(SIGKILL);
    QCOMPARE(process->wait(), -1);
    const CliResult words = lab.run({"show", "last"});
    QVERIFY2(words.out.contains("lab_lost") && words.out.contains("kept by cgroup, but not for pid "), words.words());
    QCOMPARE(leftBy().toArray().size(), 1);
    QVERIFY(leftBy().toArray()[0].toString().contains(QString::fromStdString(elsewhere->folder().filename())));
    QVERIFY(host()["group"].toObject()["born_outside"].isNull()); // Nobody looked any more.
    for (const char* unknown : {"processes", "shm_files", "cache_of"})
        QVERIFY2(host()["left"].toObject()[unknown].isNull(), unknown);
    QVERIFY(elsewhere->remove(std::chrono::seconds(2)));
}

void tst_CliCommand::doctorTellsWhatContains()
{
    const CliLab lab;
    const QJsonObject document = lab.run({"doctor", "--json"}).object();
    const QJsonObject containment = document["containment"].toObject();
    QCOMPARE(containment["offers"].toArray().size(), 3);
    QCOMPARE(containment["used"].toString().startsWith("cgroup"), m_contained);
    QVERIFY(!containment["detail"].toString().isEmpty());
    QVERIFY(containment["kernel_log"].isBool());
    const QJsonArray counters = document["counters"].toArray();
    QVERIFY(std::ranges::any_of(counters, [this](const QJsonValue& counter) {
        return counter["name"] == "cgroup_usage_bytes" && counter["available"].toBool() == m_contained;
    }));
    QVERIFY(lab.run({"doctor"}).out.contains("systemd scope"));
    bool listed = false;
    for (const QJsonValue& backend : lab.run({"backends", "--json"}).array())
        listed = listed || (backend.toObject()["name"] == "command" && backend.toObject()["installed"].toBool());
    QVERIFY(listed);
}

QTEST_GUILESS_MAIN(tst_CliCommand)
#include "tst_CliCommand.moc"
