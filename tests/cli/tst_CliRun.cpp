#include "tests/cli/FakeRun.h"

#include <QDir>
#include <QFile>
#include <QSet>
#include <QTest>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

QList<QJsonObject> linesOf(const QByteArray& out)
{
    QList<QJsonObject> lines;
    for (const QByteArray& line : out.split('\n'))
        if (!line.isEmpty())
            lines.append(QJsonDocument::fromJson(line).object());
    return lines;
}

bool holdsEvent(const QByteArray& out, const char* event)
{
    return out.contains(QByteArray("\"event\":\"") + event + "\"");
}

pid_t workerOf(const QByteArray& out)
{
    for (const QJsonObject& line : linesOf(out.left(out.lastIndexOf('\n'))))
        if (line["event"] == "worker_started")
            return line["pid"].toInt();
    return 0;
}

bool isGone(pid_t pid)
{
    QFile stat(QString("/proc/%1/stat").arg(pid));
    return !stat.open(QIODevice::ReadOnly) || stat.readAll().contains(") Z ");
}

double lastSample(const QList<QJsonObject>& lines)
{
    double last = -1;
    for (const QJsonObject& line : lines)
        if (line["event"] == "samples")
            last = line["rows"].toArray().last().toArray().first().toDouble();
    return last;
}

} // namespace

class tst_CliRun : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aFinishedRunHasEveryPromisedName();
    void everyEndHasItsModeAndExitCode_data();
    void everyEndHasItsModeAndExitCode();
    void followEndsWithTheResult();
    void repeatGivesAnArrayAndTheWorstCode();
    void ctrlCOnceStopsInOrderAndRecords();
    void ctrlCTwiceKillsAtOnce();
    void aSignalIgnoredFromTheStartStaysIgnored();
    void termAndHangupAreLikeCtrlC();
    void aKilledLabTakesItsWorkerAlongAndIsClosedByTheNext();
    void aLivingLabIsLeftAlone();
    void aRunThatCannotBeStoredIsStillShown_data();
    void aRunThatCannotBeStoredIsStillShown();
    void aFullDiskIsSaid_data();
    void aFullDiskIsSaid();
    void pathsAreBytes();
    void aReaderThatGoesAwayDoesNotEndTheRun();
    void aClosedStdoutIsNeverTheDatabase();
    void aFullStdoutIsSaid();
    void aClosedStdoutIsSaid();
};

void tst_CliRun::aFinishedRunHasEveryPromisedName()
{
    const CliLab lab;
    const CliResult result = lab.run(fake(makeTiny(lab), {"mib=4"}, {"--json", "--dtype", "bf16"}));
    QVERIFY2(result.code == 0, result.words());
    const QJsonObject run = result.object();
    QCOMPARE(missingNames(run, kPromised), QStringList());
    QCOMPARE(run["mode"].toString(), "ok");
    QCOMPARE(run["run"].toInt(), 1);
    QCOMPARE(run["variant"].toObject()["dtype"].toString(), "bfloat16");
    QCOMPARE(run["progress"].toObject()["done"].toInt(), 10);
    QVERIFY(run["samples"].toObject()["count"].toInt() > 1);
    const CliResult shown = lab.run({"show", "last", "--json"});
    QCOMPARE(shown.code, 0);
    QCOMPARE(missingNames(shown.object(), kPromised), QStringList());
    QCOMPARE(shown.object()["uuid"], run["uuid"]);
    QCOMPARE(shown.object()["memory"], run["memory"]);
}

void tst_CliRun::everyEndHasItsModeAndExitCode_data()
{
    QTest::addColumn<QStringList>("options");
    QTest::addColumn<QStringList>("more");
    QTest::addColumn<QString>("mode");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, const QStringList& options, const QStringList& more, const char* mode,
                         int code) { QTest::newRow(name) << options << more << QString(mode) << code; };
    row("ok", {"mode=ok"}, {}, "ok", 0);
    row("prints", {"mode=prints"}, {}, "ok", 0);
    row("crash", {"mode=crash", "signal=11"}, {}, "native_crash", 1);
    row("sigkill without kernel evidence", {"mode=crash", "signal=9"}, {}, "unknown", 1);
    row("garbage", {"mode=garbage"}, {}, "unknown", 1);
    row("loader error", {"mode=loader-error"}, {}, "missing_dependency", 1);
    row("own error", {"mode=error", "text=corrupt_file", "message=bad header"}, {}, "corrupt_file", 1);
    row("time limit", {"mode=slow", "seconds=60", "steps=600"}, {"--timeout", "0.3s"}, "timed_out", 1);
    row("stall", {"mode=hello-only"}, {"--stall", "300ms"}, "hang", 1);
}

void tst_CliRun::everyEndHasItsModeAndExitCode()
{
    QFETCH(QStringList, options);
    QFETCH(QStringList, more);
    QFETCH(QString, mode);
    QFETCH(int, code);
    const CliLab lab;
    Line given;
    Line after{"--json"};
    for (const QString& option : options)
        given.push_back(option.toStdString());
    for (const QString& word : more)
        after.push_back(word.toStdString());
    const CliResult result = lab.run(fake(makeTiny(lab), given, after));
    QVERIFY2(result.object()["mode"].toString() == mode, result.words());
    QCOMPARE(result.code, code);
    const QJsonObject stored = lab.run({"show", "last", "--json"}).object();
    QCOMPARE(stored["mode"].toString(), mode);
    QCOMPARE(stored["run"], result.object()["run"]);
}

void tst_CliRun::followEndsWithTheResult()
{
    const CliLab lab;
    const CliResult result = lab.run(fake(makeTiny(lab), {"seconds=0.3"}, {"--follow"}));
    QVERIFY2(result.code == 0, result.words());
    const QList<QJsonObject> lines = linesOf(result.out);
    QVERIFY(lines.size() > 5);
    for (const QJsonObject& line : lines)
        QVERIFY(!line.isEmpty());
    QCOMPARE(lines.first()["event"].toString(), "run_started");
    QCOMPARE(lines[lines.size() - 2]["event"].toString(), "run_finished");
    QCOMPARE(missingNames(lines.last(), kPromised), QStringList());
    QVERIFY(!lines.last().contains("event"));
    QCOMPARE(lines.last()["run"].toInt(), 1);
    QVERIFY(holdsEvent(result.out, "samples"));
    QVERIFY(holdsEvent(result.out, "progress"));
}

void tst_CliRun::repeatGivesAnArrayAndTheWorstCode()
{
    const CliLab lab;
    const std::string tiny = makeTiny(lab);
    const CliResult good = lab.run(fake(tiny, {}, {"--json", "--repeat", "2"}));
    QVERIFY2(good.code == 0 && good.array().size() == 2, good.words());
    QCOMPARE(good.array()[1].toObject()["run"].toInt(), 2);
    const CliResult bad = lab.run(fake(tiny, {"mode=crash"}, {"--json", "--repeat", "1"}));
    QVERIFY2(bad.code == 1 && bad.array().size() == 1, bad.words());
}

void tst_CliRun::ctrlCOnceStopsInOrderAndRecords()
{
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {"mode=slow", "seconds=60", "steps=600"}, {"--follow"}));
    QVERIFY(process->waitFor([](const QByteArray& out) { return holdsEvent(out, "progress"); }));
    process->signal(SIGINT);
    QCOMPARE(process->wait(), 130);
    QCOMPARE(linesOf(process->out).last()["mode"].toString(), "cancelled");
    QVERIFY(isGone(workerOf(process->out)));
    QCOMPARE(lab.run({"show", "last", "--json"}).object()["mode"].toString(), "cancelled");
}

void tst_CliRun::aSignalIgnoredFromTheStartStaysIgnored()
{
    const CliLab lab;
    // As nohup does, and a script's shell for its background jobs.
    const auto process = lab.start(fake(makeTiny(lab), {"mode=slow", "seconds=60", "steps=600"}, {"--follow"}), [] {
        ::signal(SIGINT, SIG_IGN);
        ::signal(SIGHUP, SIG_IGN);
    });
    QVERIFY(process->waitFor([](const QByteArray& out) { return holdsEvent(out, "progress"); }));
    process->signal(SIGINT);
    process->signal(SIGHUP);
    const auto told = process->out.size();
    QVERIFY(process->waitFor([told](const QByteArray& out) { return holdsEvent(out.mid(told), "progress"); }));
    QVERIFY2(!process->out.contains("\"act\":\"cancel\""), process->out);
    process->signal(SIGTERM);
    QCOMPARE(process->wait(), 130);
}

void tst_CliRun::ctrlCTwiceKillsAtOnce()
{
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {"mode=stubborn", "seconds=60", "steps=600"}, {"--follow"}));
    QVERIFY(process->waitFor([](const QByteArray& out) { return holdsEvent(out, "progress"); }));
    process->signal(SIGINT);
    QVERIFY(process->waitFor([](const QByteArray& out) { return out.contains("\"act\":\"cancel\""); }));
    process->signal(SIGINT);
    QCOMPARE(process->wait(), 130);
    const QJsonObject result = linesOf(process->out).last();
    QCOMPARE(result["mode"].toString(), "cancelled");
    QCOMPARE(result["exit"].toObject()["signal"].toInt(), SIGKILL);
    QVERIFY(process->out.contains("\"act\":\"kill\""));
    QVERIFY2(process->err.contains("killing the load"), process->err);
}

void tst_CliRun::termAndHangupAreLikeCtrlC()
{
    const CliLab lab;
    const std::string tiny = makeTiny(lab);
    for (const int number : {SIGTERM, SIGHUP}) {
        const auto process = lab.start(fake(tiny, {"mode=slow", "seconds=60", "steps=600"}, {"--follow"}));
        QVERIFY(process->waitFor([](const QByteArray& out) { return holdsEvent(out, "progress"); }));
        process->signal(number);
        QCOMPARE(process->wait(), 130);
        QCOMPARE(linesOf(process->out).last()["mode"].toString(), "cancelled");
    }
}

void tst_CliRun::aKilledLabTakesItsWorkerAlongAndIsClosedByTheNext()
{
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {"mode=slow", "seconds=60", "steps=600"}, {"--follow"}));
    QVERIFY(process->waitFor(
        [](const QByteArray& out) { return lastSample(linesOf(out.left(out.lastIndexOf('\n')))) > 2.0; }));
    const pid_t worker = workerOf(process->out);
    QVERIFY(worker > 0 && !isGone(worker));
    process->signal(SIGKILL);
    QCOMPARE(process->wait(), -1);
    QTRY_VERIFY_WITH_TIMEOUT(isGone(worker), 2000);
    const double seen = lastSample(linesOf(process->out));

    // Wrong usage touches nothing, not even a lost run.
    const CliResult wrong = lab.run(fake(lab.path("tiny"), {}, {"--dtype", "bfloat61"}));
    QVERIFY2(wrong.code == 2 && !wrong.err.contains("lab_lost"), wrong.words());
    const CliResult list = lab.run({"runs", "--json"});
    QCOMPARE(list.array().size(), 1);
    QVERIFY2(list.array()[0].toObject()["mode"].toString() == "lab_lost", list.words());
    QVERIFY2(list.err.contains("lab_lost"), list.words());
    const QJsonArray rows = lab.run({"samples", "last", "--json"}).object()["rows"].toArray();
    QVERIFY(!rows.isEmpty());
    // The lab commits once a second, and what it follows is at most a tenth of a second old.
    const double kept = rows.last().toArray().first().toDouble();
    QVERIFY2(kept >= seen - 1.1, qPrintable(QString("kept %1 s of %2 s").arg(kept).arg(seen)));
    QVERIFY(lab.run({"runs"}).err.isEmpty());
}

void tst_CliRun::aLivingLabIsLeftAlone()
{
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {"mode=slow", "seconds=60", "steps=600"}, {"--follow"}));
    QVERIFY(process->waitFor([](const QByteArray& out) { return holdsEvent(out, "progress"); }));
    QTRY_COMPARE_WITH_TIMEOUT(lab.run({"runs", "--json"}).array().size(), 1, 10000);
    const CliResult list = lab.run({"runs", "--json"});
    QVERIFY2(list.array()[0].toObject()["mode"].isNull(), list.words());
    QVERIFY2(list.err.isEmpty(), list.words());
    const CliResult other = lab.run(fake(lab.path("tiny"), {}, {"--json"}));
    QVERIFY2(other.code == 0, other.words());
    QVERIFY(!isGone(workerOf(process->out)));
    process->signal(SIGINT);
    QCOMPARE(process->wait(), 130);
}

void tst_CliRun::aRunThatCannotBeStoredIsStillShown_data()
{
    QTest::addColumn<QString>("options");
    QTest::newRow("ok") << "mode=ok";
    QTest::newRow("failed") << "mode=crash";
}

void tst_CliRun::aRunThatCannotBeStoredIsStillShown()
{
    QFETCH(QString, options);
    const CliLab lab;
    const QByteArray words = "this is no database, it is somebody's diary\n";
    QFile diary(QString::fromStdString(lab.path("diary.txt")));
    QVERIFY(diary.open(QIODevice::WriteOnly) && diary.write(words) == words.size());
    diary.close();
    const CliResult result
        = lab.run(fake(makeTiny(lab), {options.toStdString()}, {"--json", "--db", lab.path("diary.txt")}));
    QVERIFY2(result.code == 3, result.words());
    QVERIFY2(!result.object()["mode"].toString().isEmpty(), result.words());
    QVERIFY2(result.object()["run"].isNull(), result.words());
    QVERIFY2(result.err.contains("could not be stored") && result.err.contains("diary.txt"), result.words());
    QVERIFY(diary.open(QIODevice::ReadOnly));
    QCOMPARE(diary.readAll(), words);
    const CliResult list = lab.run({"runs", "--json", "--db", lab.path("diary.txt")});
    QVERIFY2(list.code == 3 && list.out.isEmpty() && list.err.contains("diary.txt"), list.words());
}

void tst_CliRun::aFullDiskIsSaid_data()
{
    QTest::addColumn<quint64>("roomBytes");
    QTest::addColumn<QString>("mode");
    QTest::newRow("from the start") << quint64{16'384} << "mode=ok";
    QTest::newRow("before the end") << quint64{200'000} << "mode=log";
}

void tst_CliRun::aFullDiskIsSaid()
{
    QFETCH(quint64, roomBytes);
    QFETCH(QString, mode);
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {mode.toStdString(), "lines=50000"}, {"--json"}), [roomBytes] {
        const rlimit small{roomBytes, roomBytes};
        ::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &small);
    });
    QCOMPARE(process->wait(), 3);
    const QJsonObject shown = QJsonDocument::fromJson(process->out).object();
    QCOMPARE(shown["mode"].toString(), "ok");
    QVERIFY(shown["run"].isNull());
    QVERIFY2(process->err.contains("could not be stored"), process->err);
    const CliResult list = lab.run({"runs", "--json"});
    QVERIFY2(list.array().isEmpty() && !list.err.contains("lab_lost"), list.words());
}

void tst_CliRun::pathsAreBytes()
{
    const CliLab lab;
    const std::string folder = makeTiny(lab, "caf");
    const std::string bytes = lab.path("caf\xE9\n");
    QCOMPARE(::rename(folder.c_str(), bytes.c_str()), 0);
    const CliResult result = lab.run(fake(bytes, {}, {"--json"}));
    QVERIFY2(result.code == 0, result.words());
    QVERIFY(result.object()["checkpoint"].toObject()["path"].toString().contains("caf\uFFFD"));
    const CliResult inspected = lab.run({"inspect", bytes, "--json"});
    QVERIFY2(inspected.code == 0, inspected.words());
    const CliResult listed = lab.run({"runs"});
    QVERIFY2(listed.code == 0 && listed.out.contains("caf\xEF\xBF\xBD^J"), listed.words());
}

void tst_CliRun::aReaderThatGoesAwayDoesNotEndTheRun()
{
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {"seconds=0.5"}, {"--follow"}));
    QVERIFY(process->waitFor([](const QByteArray& out) { return out.contains('\n'); }));
    process->closeOutput();
    QCOMPARE(process->wait(), 0);
    QCOMPARE(lab.run({"show", "last", "--json"}).object()["mode"].toString(), "ok");
}

void tst_CliRun::aClosedStdoutIsNeverTheDatabase()
{
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {"seconds=1"}, {"--json"}), [] {
        ::close(STDIN_FILENO);
        ::close(STDOUT_FILENO);
    });
    const QString descriptor = QString("/proc/%1/fd/1").arg(process->pid());
    QTRY_COMPARE_WITH_TIMEOUT(QFile::symLinkTarget(descriptor), QString("/dev/null"), 10000);
    QCOMPARE(process->wait(), 3); // Stored, but not shown.
    const CliResult check = lab.run({"db", "check", "--json"});
    QVERIFY2(check.code == 0 && check.object()["ok"].toBool(), check.words());
    QCOMPARE(check.object()["runs"].toInt(), 1);
}

void tst_CliRun::aFullStdoutIsSaid()
{
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {}, {"--json"}), [] {
        const int full = ::open("/dev/full", O_WRONLY);
        ::dup2(full, STDOUT_FILENO);
    });
    QCOMPARE(process->wait(), 3);
    QVERIFY2(process->err.contains("stdout"), process->err);
    QCOMPARE(lab.run({"show", "last", "--json"}).object()["mode"].toString(), "ok");
}

void tst_CliRun::aClosedStdoutIsSaid()
{
    const CliLab lab;
    const auto process = lab.start({"runs", "--json"}, [] { ::close(STDOUT_FILENO); });
    QCOMPARE(process->wait(), 3);
    QVERIFY2(process->err.contains("stdout"), process->err);
}

QTEST_GUILESS_MAIN(tst_CliRun)
#include "tst_CliRun.moc"
