#include "tests/cli/FakeRun.h"

#include <QTest>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

/// What the program shows on a terminal of so many columns; "FAILED …" with another exit code than 0.
QByteArray onTerminal(
    const CliLab& lab, const Line& line, int columns, const std::map<std::string, std::string>& more = {})
{
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
    ::grantpt(master);
    ::unlockpt(master);
    const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
    const winsize size{40, static_cast<unsigned short>(columns), 0, 0};
    ::ioctl(slave, TIOCSWINSZ, &size);
    std::map<std::string, std::string> environment = lab.environment;
    environment["TERM"] = "xterm";
    environment.insert(more.begin(), more.end());
    CliProcess process(line, environment, [slave] { ::dup2(slave, STDOUT_FILENO); });
    ::close(slave);
    QByteArray shown;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 1; got > 0;) {
        got = ::read(master, buffer.data(), buffer.size());
        shown.append(buffer.data(), std::max<ssize_t>(got, 0));
    }
    ::close(master);
    return process.wait() == 0 ? shown : "FAILED " + shown;
}

} // namespace

/// What runs, show, log, samples and export make of finished runs, on a terminal and elsewhere.
class tst_CliHistory : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void historyFindsWhatRan();
    void aRunIsFoundByItsUuidHoweverItIsWritten();
    void aLostRunIsNotSaidToHaveNeverStarted();
    void exportWritesTablesAndReplacesThemWhole();
    void exportDrawsWithTheWindowProgramAlone();
    void nothingOfATerminalWithoutOne();
    void aTerminalGetsBarAndColour();
    void aNarrowTerminalLosesColumnsNotLines();
};

void tst_CliHistory::historyFindsWhatRan()
{
    const CliLab lab;
    const std::string tiny = makeTiny(lab);
    QCOMPARE(lab.run(fake(tiny, {"mode=log", "lines=3", "text=needle in the log"})).code, 0);
    QCOMPARE(lab.run(fake(tiny, {"mode=crash"}, {"--dtype", "f32"})).code, 1);
    const auto numbers = [&lab](const Line& filter) {
        Line line{"runs", "--json"};
        line.insert(line.end(), filter.begin(), filter.end());
        QList<int> found;
        for (const QJsonValue& row : lab.run(line).array())
            found.append(row.toObject()["run"].toInt());
        return found;
    };
    QCOMPARE(numbers({}), (QList<int>{2, 1}));
    QCOMPARE(numbers({"--mode", "failed"}), QList<int>{2});
    QCOMPARE(numbers({"--mode", "ok"}), QList<int>{1});
    QCOMPARE(numbers({"--mode", "hang,ok"}), QList<int>{1});
    QCOMPARE(numbers({"--search", "needle"}), QList<int>{1});
    QCOMPARE(numbers({"--model", "TIN"}), (QList<int>{2, 1}));
    QCOMPARE(numbers({"--model", "other"}), QList<int>());
    QCOMPARE(numbers({"--limit", "1"}), QList<int>{2});
    QCOMPARE(numbers({"--since", "1h"}), (QList<int>{2, 1}));
    QCOMPARE(numbers({"--since", "2100-01-01"}), QList<int>());
    const QJsonObject row = lab.run({"runs", "--json"}).array()[0].toObject();
    QCOMPARE(
        missingNames(row, {"run", "mode", "checkpoint", "variant", "started_utc", "duration_s", "peak_tree_bytes"}),
        QStringList());
    QCOMPARE(lab.run({"show", "last:failed", "--json"}).object()["run"].toInt(), 2);

    const QJsonObject log = lab.run({"log", "1", "--json"}).object();
    QCOMPARE(log["run"].toInt(), 1);
    QVERIFY(log["lines"].toArray()[0].toString().contains("needle in the log"));
    const CliResult csv = lab.run({"samples", "1"});
    QVERIFY2(csv.out.startsWith(
                 "t_s,anon_bytes,file_bytes,shmem_bytes,swap_bytes,tree_bytes,gpu_bytes,system_available_bytes"),
        csv.words());
    const QJsonArray columns = lab.run({"samples", "1", "--json"}).object()["columns"].toArray();
    QCOMPARE(columns[0].toString(), "t_s");
    QCOMPARE(columns[5].toString(), "tree_bytes");

    const CliResult unknown = lab.run({"show", "99", "--json"});
    QVERIFY2(unknown.code == 2 && unknown.out.isEmpty() && unknown.err.contains("99"), unknown.words());
}

void tst_CliHistory::exportWritesTablesAndReplacesThemWhole()
{
    const CliLab lab;
    const std::string tiny = makeTiny(lab);
    QCOMPARE(lab.run(fake(tiny, {}, {"--repeat", "2"})).code, 0);
    const std::string csv = lab.path("both.csv");
    QFile file(QString::fromStdString(csv));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write("old") == 3);
    file.close();
    const CliResult written = lab.run({"export", "1", "last", "--out", csv, "--json"});
    QVERIFY2(written.code == 0, written.words());
    QCOMPARE(written.object()["files"].toArray()[0].toString().toStdString(), csv);
    QCOMPARE(written.object()["runs"].toArray(), (QJsonArray{1, 2}));
    const CliResult twice = lab.run({"export", "2", "last", "--out", lab.path("twice.csv"), "--json"});
    QVERIFY2(twice.object()["runs"].toArray() == QJsonArray{2}, twice.words());
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QList<QByteArray> rows = file.readAll().trimmed().split('\n');
    QVERIFY(rows.first().startsWith("run,t_s,anon_bytes"));
    QVERIFY(rows[1].startsWith("1,") && rows.last().startsWith("2,"));
    QCOMPARE(lab.run({"export", "1", "2", "--out", lab.path("both.JSON")}).code, 0);
    QFile json(QString::fromStdString(lab.path("both.JSON")));
    QVERIFY(json.open(QIODevice::ReadOnly));
    const QJsonArray both = QJsonDocument::fromJson(json.readAll()).array();
    QCOMPARE(both.size(), 2);
    QCOMPARE(missingNames(both[1].toObject(), kPromised), QStringList());
    QVERIFY(!both[1].toObject()["curve"].toObject()["rows"].toArray().isEmpty());
    const CliResult nowhere = lab.run({"export", "1", "--out", lab.path("no/such/folder.csv")});
    QVERIFY2(nowhere.code == 3 && nowhere.out.isEmpty() && nowhere.err.contains("folder.csv"), nowhere.words());
    for (const QString& name : lab.files())
        QVERIFY2(!name.endsWith(".part"), qPrintable(name));
}

void tst_CliHistory::exportDrawsWithTheWindowProgramAlone()
{
    const CliLab lab;
    QCOMPARE(lab.run(fake(makeTiny(lab), {"seconds=0.3"}, {"--repeat", "2"})).code, 0);
    const CliResult one = lab.run({"export", "1", "--out", lab.path("one.svg"), "--json"});
    if (!QFile::exists(LOADLAB_BINARY_DIR "/bin/loadlab-gui")) {
        QVERIFY2(one.code == 3 && one.out.isEmpty(), one.words());
        QVERIFY2(one.err.contains("loadlab-gui") && one.err.contains("apt-get install"), one.words());
        QVERIFY(!QFile::exists(QString::fromStdString(lab.path("one.svg"))));
        return;
    }
    QVERIFY2(one.code == 0, one.words());
    const auto content = [&lab](const std::string& name) {
        QFile file(QString::fromStdString(lab.path(name)));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    };
    QVERIFY(content("one.svg").contains("<svg"));
    const CliResult both = lab.run({"export", "1", "2", "--out", lab.path("both.png")});
    QVERIFY2(both.code == 0 && both.out.contains("both-1.png") && both.out.contains("both-2.png"), both.words());
    QVERIFY(content("both-1.png").startsWith("\x89PNG") && content("both-2.png").startsWith("\x89PNG"));
}

void tst_CliHistory::nothingOfATerminalWithoutOne()
{
    const CliLab lab;
    const CliResult result = lab.run(fake(makeTiny(lab), {"mode=crash"}));
    QCOMPARE(result.code, 1);
    for (const char* sign : {"\x1b", "\r", "▕", "▂", "▇"})
        QVERIFY2(!result.out.contains(sign) && !result.err.contains(sign), result.words());
    QVERIFY2(result.out.contains("native_crash"), result.words());
    QVERIFY2(result.out.contains("remedy"), result.words());
    const CliResult quiet = lab.run(fake(lab.path("tiny"), {"mode=crash"}, {"--quiet"}));
    QCOMPARE(quiet.out.count('\n'), 1);
    QVERIFY2(quiet.err.isEmpty(), quiet.words());
}

void tst_CliHistory::aTerminalGetsBarAndColour()
{
    const CliLab lab;
    const std::string tiny = makeTiny(lab);
    const Line line = fake(tiny, {"mode=ok", "seconds=0.6", "steps=20"});
    const QByteArray coloured = onTerminal(lab, line, 100);
    QVERIFY2(coloured.contains("▕") && coloured.contains("MiB of"), coloured);
    QVERIFY2(coloured.contains("\x1b[32mok"), coloured);
    QVERIFY2(coloured.contains("curve") && !coloured.contains("FAILED"), coloured);
    const QByteArray plain = onTerminal(lab, line, 100, {{"NO_COLOR", "1"}});
    QVERIFY2(plain.contains("▕") && !plain.contains("\x1b[32m"), plain);
}

void tst_CliHistory::aNarrowTerminalLosesColumnsNotLines()
{
    const CliLab lab;
    const std::string one = makeTiny(lab, "org-checkpoint-instruct-a");
    const std::string two = makeTiny(lab, "org-checkpoint-instruct-b");
    QCOMPARE(lab.run(fake(one, {"mode=error", "text=dtype_quantization_conflict"})).code, 1);
    QCOMPARE(lab.run(fake(two, {})).code, 0);
    for (const int columns : {60, 80, 200}) {
        const QByteArray shown = onTerminal(lab, {"runs", "--no-color"}, columns);
        for (const QByteArray& row : shown.split('\n'))
            QVERIFY2(QString::fromUtf8(row.trimmed()).size() <= columns, row);
        QVERIFY2(shown.contains("dtype_quantization_conflict"), shown);
        QCOMPARE(shown.contains("device map"), columns == 200);
        QCOMPARE(shown.contains("instruct-a"), columns > 60);
        QCOMPARE(shown.contains("instruct-b"), columns > 60);
    }
    QVERIFY(lab.run({"runs"}).out.startsWith("run\tmode\tcheckpoint\tbackend\tdtype\tdevice map\tpeak\ttime\t"));
}

void tst_CliHistory::aRunIsFoundByItsUuidHoweverItIsWritten()
{
    const CliLab lab;
    QCOMPARE(lab.run(fake(makeTiny(lab), {})).code, 0);
    const QString uuid = lab.run({"show", "last", "--json"}).object()["uuid"].toString();
    for (const QString& word : {uuid, uuid.left(8), uuid.toUpper(), uuid.left(10).toUpper()})
        QCOMPARE(lab.run({"show", word.toStdString(), "--json"}).object()["uuid"].toString(), uuid);
}

void tst_CliHistory::aLostRunIsNotSaidToHaveNeverStarted()
{
    const CliLab lab;
    const auto process = lab.start(fake(makeTiny(lab), {"mode=slow", "seconds=60", "steps=600"}, {"--follow"}));
    QVERIFY(process->waitFor([](const QByteArray& out) { return out.contains("\"event\":\"progress\""); }));
    QTRY_VERIFY_WITH_TIMEOUT(lab.run({"show", "last"}).out.contains("progress"), 10000);
    const CliResult going = lab.run({"show", "last"});
    QVERIFY2(going.out.contains("in progress") && !going.out.contains("never started"), going.words());
    const CliResult listed = lab.run({"runs"});
    QVERIFY2(listed.out.contains("in progress\t") && listed.out.contains("\t-\t-\t"), listed.words());
    process->signal(SIGKILL);
    QCOMPARE(process->wait(), -1);
    const CliResult lost = lab.run({"show", "last"});
    QVERIFY2(lost.out.contains("lab_lost") && lost.out.contains("nobody saw the worker end"), lost.words());
}

QTEST_GUILESS_MAIN(tst_CliHistory)
#include "tst_CliHistory.moc"
