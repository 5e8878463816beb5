#include "gui/WindowCall.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <map>

using namespace loadlab;

namespace {

struct Ended {
    int code = -1;
    QByteArray out;
    QByteArray err;
};

using Variables = std::map<QString, QString>;

/// The real program where there is no display, but for what `variables` name.
Ended call(const QStringList& arguments, const Variables& variables = {})
{
    QProcess program;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const char* variable : {"QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"})
        environment.remove(QString::fromLatin1(variable));
    for (const auto& [name, value] : variables)
        environment.insert(name, value);
    program.setProcessEnvironment(environment);
    program.start(QStringLiteral(LOADLAB_BINARY_DIR "/bin/loadlab-gui"), arguments);
    if (!program.waitForFinished() || program.exitStatus() != QProcess::NormalExit)
        return {-1, {}, program.errorString().toUtf8() + program.readAllStandardError()};
    return {program.exitCode(), program.readAllStandardOutput(), program.readAllStandardError()};
}

Result<WindowCall> parsed(const std::vector<std::string>& arguments)
{
    return parseWindowCall(arguments);
}

} // namespace

class tst_WindowCall : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void wrongUsageEndsWithTwo_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("unknown") << QStringList{"--bogus"}
                                 << QByteArray("'--bogus' is no option of loadlab-gui. It is one of: --db, --zoo");
        QTest::newRow("slip") << QStringList{"--dbb=x"}
                              << QByteArray("'--dbb=x' is no option of loadlab-gui. Did you "
                                            "mean '--db'?");
        QTest::newRow("short") << QStringList{"-x"} << QByteArray("'-x' is no option");
        QTest::newRow("word") << QStringList{"models"} << QByteArray("'models': loadlab-gui takes options only");
        QTest::newRow("empty word") << QStringList{""} << QByteArray("'': loadlab-gui takes options only");
        QTest::newRow("dashes") << QStringList{"--", "x"} << QByteArray("'--' is no option");
        QTest::newRow("no value") << QStringList{"--db"} << QByteArray("'--db' lacks its value: --db FILE.");
        QTest::newRow("empty value") << QStringList{"--db="} << QByteArray("--db: '' is an empty value");
        QTest::newRow("option as value") << QStringList{"--db", "--zoo"}
                                         << QByteArray("--db: '--zoo' is no FILE: a value that begins with '-' is "
                                                       "written --db=--zoo.");
        QTest::newRow("twice") << QStringList{"--db", "a", "--db", "b"}
                               << QByteArray("'--db' is given twice: 'a' and 'b'. Leave one.");
        QTest::newRow("no folder") << QStringList{"--zoo", "/no/such"}
                                   << QByteArray("'/no/such' is no folder that could hold checkpoints.");
        QTest::newRow("no folder to add")
            << QStringList{"--add-zoo=/no/such"} << QByteArray("'/no/such' is no folder that could hold checkpoints.");
        QTest::newRow("after one of Qt's") << QStringList{"-style", "fusion", "--bogus"} << QByteArray("'--bogus'");
        QTest::newRow("no job") << QStringList{"--render", "/no/such.json"}
                                << QByteArray("/no/such.json: there is no such file");
        QTest::newRow("device as job") << QStringList{"--render", "/dev/null"}
                                       << QByteArray("/dev/null: it is no regular file");
        QTest::newRow("folder as job") << QStringList{"--render", "/tmp"}
                                       << QByteArray("/tmp: it is a folder, no file");
    }
    void wrongUsageEndsWithTwo()
    {
        QFETCH(QStringList, words);
        QFETCH(QByteArray, said);
        const Ended ended = call(words);
        QVERIFY2(ended.code == 2, ended.err);
        QVERIFY2(ended.err.contains("loadlab-gui: ") && ended.err.contains(said), ended.err);
        QVERIFY2(ended.out.isEmpty(), ended.out);
    }

    void helpAndVersionNeedNoDisplay()
    {
        const Ended help = call({QStringLiteral("--help")});
        QVERIFY2(help.code == 0 && help.err.isEmpty(), help.err);
        for (const char* option : {"--db FILE", "--zoo DIR", "--add-zoo DIR", "--render FILE", "Exit codes: "})
            QVERIFY2(help.out.contains(option), option);
        const Ended version = call({QStringLiteral("--version")});
        QVERIFY2(version.code == 0 && version.out.startsWith("loadlab-gui 0."), version.out);
    }

    void aWindowWithoutADisplayIsSaid()
    {
        const QTemporaryDir folder;
        const QString database = folder.filePath(QStringLiteral("runs.sqlite"));
        const Ended ended = call({QStringLiteral("--db"), database});
        QVERIFY2(ended.code == 3 && ended.err.contains("there is no display"), ended.err);
        QVERIFY(!QFile::exists(database));
    }

    void aDisplayThatDoesNotAnswerIsSaid_data()
    {
        QTest::addColumn<QString>("variable");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QByteArray>("said");
        QTest::newRow("X11") << QStringLiteral("DISPLAY") << QStringLiteral(":987") << QByteArray();
        QTest::newRow("Wayland") << QStringLiteral("WAYLAND_DISPLAY") << QStringLiteral("nobody") << QByteArray();
        QTest::newRow("no such platform")
            << QStringLiteral("QT_QPA_PLATFORM") << QStringLiteral("nonsense") << QByteArray("nonsense");
    }
    void aDisplayThatDoesNotAnswerIsSaid()
    {
        QFETCH(QString, variable);
        QFETCH(QString, value);
        QFETCH(QByteArray, said);
        const QTemporaryDir folder;
        const QString database = folder.filePath(QStringLiteral("runs.sqlite"));
        const Ended ended = call({QStringLiteral("--db"), database}, {{variable, value}});
        QVERIFY2(ended.code == 3 && ended.err.startsWith("loadlab-gui: no window can be opened: "), ended.err);
        QVERIFY2(ended.err.contains("'loadlab' does the same") && ended.err.contains(said), ended.err);
        QVERIFY2(ended.err.count('\n') == 1, ended.err);
        QVERIFY(!QFile::exists(database));
        // A picture is drawn all the same: the first thing that is missing is its job.
        const Ended drawn = call({QStringLiteral("--render"), QStringLiteral("/no/such.json")}, {{variable, value}});
        QVERIFY2(drawn.code == 2 && drawn.err.contains("there is no such file"), drawn.err);
    }

    void takesItsWordsAsBytes()
    {
        const Result<WindowCall> call = parsed(
            {"--db=a\xff=b", "--zoo", "/", "-platform", "offscreen", "--zoo=/tmp", "--add-zoo", "/usr", "-reverse"});
        QVERIFY(call);
        QCOMPARE(call->database->native(), std::string("a\xff=b"));
        QCOMPARE(call->zooFolders, (std::vector<std::filesystem::path>{"/", "/tmp"}));
        QCOMPARE(call->addedFolders, (std::vector<std::filesystem::path>{"/usr"}));
        QVERIFY(call->platformChosen && !call->renderJob && !call->helpAsked);
        QVERIFY(!parsed({"-style", "fusion"})->platformChosen);
    }

    void helpIsGivenWhateverFollows()
    {
        QVERIFY(parsed({"--help", "--bogus"})->helpAsked);
        QVERIFY(parsed({"-h"})->helpAsked);
        QVERIFY(parsed({"-v"})->versionAsked);
    }
};

QTEST_GUILESS_MAIN(tst_WindowCall)
#include "tst_WindowCall.moc"
