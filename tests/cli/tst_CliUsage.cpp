#include "tests/cli/Cli.h"

#include <QCryptographicHash>
#include <QDir>
#include <QTest>

#include <pwd.h>
#include <unistd.h>

/// Wrong usage as a shell meets it: exit code 2, nothing on stdout, nothing made. What the message says of each word is
/// tst_CliWords' business; here are the cases that need manifests, files or the program itself.
class tst_CliUsage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void wrongUsageMakesNothing_data();
    void wrongUsageMakesNothing();
    void aKnownBackendThatIsNotInstalledIsNoWrongUsage();
    void wrongWordsWinOverAMissingBackend();
    void helpAndVersionNeedNothing();
    void messagesAreUtf8WhateverWasTyped();
    void aReadingCommandMakesNoDatabase();
    void withoutHomeTheUserDatabaseTellsIt();
    void aWordThatNamesNothingIsWrong();
    void deepReadingFindsWhatHeadersCannot();
};

void tst_CliUsage::wrongUsageMakesNothing_data()
{
    QTest::addColumn<QStringList>("line");
    QTest::addColumn<QByteArray>("quoted");
    QTest::addColumn<QByteArray>("nearest");
    const auto row = [](const QStringList& line, const char* word, const char* nearest) {
        QTest::newRow(qPrintable(line.join(' '))) << line << QByteArray(word) << QByteArray(nearest);
    };
    row({}, "no command", "doctor");
    row({"rnu"}, "'rnu'", "'run'");
    row({"run", "x", "--timeout", "-5s"}, "'-5s'", "90s");
    row({"run"}, "'run'", "CHECKPOINT");
    row({"run", "x", "--backend", "libtroch"}, "'libtroch'", "'libtorch'");
    row({"run", "x", "--backend", "xyz"}, "'xyz'", "transformers");
    row({"run", "x", "--backend", "fake", "--dtype", "bfloat61"}, "'bfloat61'", "bfloat16");
    row({"run", "x", "--backend", "fake", "--device-map", "cpuu"}, "'cpuu'", "cpu");
    row({"run", "x", "--backend", "fake", "--device-map", "{\"a\": "}, "{\"a\": ", "JSON");
    row({"run", "x", "--backend", "fake", "--device-map", "[x,y]"}, "'[x,y]'", "JSON");
    row({"run", "x", "--backend", "fake", "--option", "stesp=3"}, "'stesp'", "steps");
    row({"run", "x", "--backend", "fake", "--option", "steps=three"}, "'three'", "number");
    row({"run", "x", "--backend", "fake", "--option", "mode=crush"}, "'crush'", "crash");
    row({"run", "x", "--backend", "fake", "--option", "steps=1", "--option", "steps=2"}, "'steps'", "'2'");
    row({"run", "x", "--backend", "fake", "--max-memory", "cup!=1GiB"}, "'cup!'", "cpu");
    row({"run", "x", "--backend", "fake", "--", "sleep", "1"}, "'sleep'", "--backend command");
    row({"run", "--backend", "command", "--"}, "lacks its program", "PROGRAM");
    row({"run", "--backend", "command", "--", ""}, "''", "PROGRAM");
    row({"run", "--backend", "command", "--dtype", "bf16", "--", "true"}, "'bf16'", "auto");
    row({"run", "--backend", "command", "--env", "DEBUG", "--", "true"}, "'DEBUG'", "NAME=VALUE");
    row({"run", "--backend", "command", "--env", "=1", "--", "true"}, "before a '='", "NAME=VALUE");
    row({"run", "--backend", "command", "--env", "A=1", "--env", "A=2", "--", "true"}, "'A'", "given twice");
    row({"run", "--backend", "command", "--env", "LOADLAB_RUN=1", "--", "true"}, "'LOADLAB_RUN'", "lab's own");
    row({"run", "--backend", "command", "--env", "HF_TOKEN=***", "--", "true"}, "'HF_TOKEN'", "type it again");
    row({"run", "x", "--backend", "fake", "--env", "A=1"}, "'fake'", "--backend command");
    row({"run", "x", "--backend", "fake", "--cap-memory", "0"}, "'0'", "300MiB");
    row({"run", "x", "--backend", "fake", "--cap-memory", "-1GiB"}, "'-1GiB'", "GiB");
    row({"run", "x", "--backend", "fake", "--cap-memory", "lots"}, "'lots'", "GiB");
    row({"run", "x", "--backend", "fake", "--cap-swap", "5%"}, "'5%'", "GiB");
    row({"run", "x", "--backend", "fake", "--cap-mem", "1GiB"}, "'--cap-mem'", "--cap-memory");
    row({"run", "x", "--gard", "5%"}, "'--gard'", "--guard");
    row({"run", "x", "--guard", "105%"}, "'105%'", "5%");
    row({"plan", "x"}, "'plan'", "zoo");
    row({"zoo", "/nowhere/at/all"}, "'/nowhere/at/all'", "folder");
    row({"--zoo", "/nowhere/at/all", "zoo"}, "'/nowhere/at/all'", "folder");
    row({"db", "merge", "x"}, "'merge'", "backup");
}

void tst_CliUsage::wrongUsageMakesNothing()
{
    QFETCH(QStringList, line);
    QFETCH(QByteArray, quoted);
    QFETCH(QByteArray, nearest);
    const CliLab lab;
    std::vector<std::string> arguments;
    for (const QString& word : line)
        arguments.push_back(word.toStdString());
    const CliResult result = lab.run(arguments);
    QVERIFY2(result.code == 2, result.words());
    QVERIFY2(result.out.isEmpty(), result.words());
    QVERIFY2(result.err.startsWith("loadlab: "), result.words());
    QVERIFY2(result.err.contains(quoted), result.words());
    QVERIFY2(result.err.contains(nearest), result.words());
    QCOMPARE(lab.files(), QStringList());
}

void tst_CliUsage::aKnownBackendThatIsNotInstalledIsNoWrongUsage()
{
    const CliLab lab;
    const CliResult result = lab.run({"run", "x", "--backend", "transformers", "--json"});
    QVERIFY2(result.code == 3, result.words());
    QVERIFY2(result.out.isEmpty(), result.words());
    QVERIFY2(result.err.contains("not installed"), result.words());
    QCOMPARE(lab.files(), QStringList());
}

void tst_CliUsage::wrongWordsWinOverAMissingBackend()
{
    const CliLab lab;
    QCOMPARE(lab.run({"run", "--backend", "transformers"}).code, 2);
    QCOMPARE(lab.run({"run", "--backend", "command"}).code, 2);
    QCOMPARE(lab.run({"run", "x", "--backend", "transformers", "--timeout", "-5s"}).code, 2);
}

void tst_CliUsage::helpAndVersionNeedNothing()
{
    const CliLab lab;
    for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
             {"--help"}, {"run", "--help"}, {"db", "check", "-h"}, {"--version"}, {"export", "--help"}}) {
        const CliResult result = lab.run(line);
        QVERIFY2(result.code == 0, result.words());
        QVERIFY2(!result.out.isEmpty() && result.err.isEmpty(), result.words());
        QVERIFY2(!result.out.contains('\x1b'), result.words());
    }
    QVERIFY(lab.run({"run", "--help"}).out.contains("Examples:"));
    QVERIFY(!lab.run({"--version", "--json"}).object()["version"].toString().isEmpty());
    QCOMPARE(lab.files(), QStringList());
}

void tst_CliUsage::messagesAreUtf8WhateverWasTyped()
{
    const CliLab lab;
    const CliResult result = lab.run({"caf\xE9\xFF"});
    QCOMPARE(result.code, 2);
    QVERIFY2(result.err.contains("'caf\xEF\xBF\xBD\xEF\xBF\xBD'"), result.words());
    const CliResult hostile = lab.run({"inspect", lab.path("no\x1b[31m\rname")});
    QVERIFY2(hostile.err.contains("no^[[31m^Mname") && !hostile.err.contains('\x1b'), hostile.words());
}

void tst_CliUsage::aReadingCommandMakesNoDatabase()
{
    const CliLab lab;
    const CliResult none = lab.run({"runs"});
    QVERIFY2(none.code == 0 && none.out.isEmpty(), none.words());
    QVERIFY2(none.err.contains("no runs yet"), none.words());
    const CliResult json = lab.run({"runs", "--json"});
    QVERIFY2(json.code == 0 && json.out == "[]\n", json.words());
    const CliResult check = lab.run({"db", "check"});
    QVERIFY2(check.code == 3 && check.out.isEmpty(), check.words());
    QVERIFY2(check.err.contains("--db FILE"), check.words());
    QCOMPARE(lab.run({"backends"}).code, 0);
    QCOMPARE(lab.files(), QStringList());
}

void tst_CliUsage::withoutHomeTheUserDatabaseTellsIt()
{
    const std::string home = ::getpwuid(::geteuid())->pw_dir;
    CliLab lab;
    lab.environment["XDG_DATA_HOME"] = "relative/does/not/count";
    for (const char* unset : {"", "relative"}) {
        lab.environment["HOME"] = unset;
        const QJsonObject doctor = lab.run({"doctor", "--json"}).object();
        QCOMPARE(
            doctor["database"].toObject()["file"].toString().toStdString(), home + "/.local/share/loadlab/runs.sqlite");
    }
}

void tst_CliUsage::aWordThatNamesNothingIsWrong()
{
    const CliLab lab;
    for (const char* command : {"show", "log", "samples"}) {
        const CliResult result = lab.run({command, "last", "--json"});
        QVERIFY2(result.code == 2 && result.out.isEmpty(), result.words());
        QVERIFY2(result.err.contains("'last'") && result.err.contains("loadlab run"), result.words());
    }
    const CliResult missing = lab.run({"inspect", lab.path("nothing-here"), "--json"});
    QVERIFY2(missing.code == 2 && missing.out.isEmpty(), missing.words());
    QVERIFY2(missing.err.contains("nothing-here"), missing.words());
    QCOMPARE(lab.files(), QStringList());
}

void tst_CliUsage::deepReadingFindsWhatHeadersCannot()
{
    // A hub cache whose blob lost a byte of its data: every header still agrees.
    const CliLab lab;
    const QByteArray header = R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}   )";
    QByteArray weights(8, '\0');
    weights[0] = static_cast<char>(header.size());
    weights += header + QByteArray(16, '\7');
    const QByteArray name = QCryptographicHash::hash(weights, QCryptographicHash::Sha256).toHex();
    const QDir hub(QString::fromStdString(lab.path("hub/models--org--tiny")));
    QVERIFY(hub.mkpath("blobs") && hub.mkpath("refs") && hub.mkpath("snapshots/abc"));
    const auto save = [&hub](const QString& file, const QByteArray& bytes) {
        QFile out(hub.filePath(file));
        return out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size();
    };
    QVERIFY(save("refs/main", "abc") && save("blobs/" + name, weights));
    QVERIFY(save("snapshots/abc/config.json", R"({"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]})"));
    QVERIFY(QFile::link("../../blobs/" + name, hub.filePath("snapshots/abc/model.safetensors")));
    const auto states = [&lab](const char* how) {
        const CliResult result = lab.run({"zoo", "--verify", how, "--json"});
        return result.code == 0 && result.array().size() == 1 ? result.array()[0].toObject() : QJsonObject();
    };
    const QJsonObject whole = states("deep");
    QVERIFY(!whole["state"].toString().isEmpty() && whole["state"].toString() != "corrupt");
    QCOMPARE(whole["verified"].toObject()["hashed"].toInt(), 1);
    QCOMPARE(whole["verified"].toObject()["files"].toInt(), 2);
    const CliResult told = lab.run({"zoo", "--verify", "deep"});
    QVERIFY2(told.err.contains("read 2 files whole") && told.err.contains("1 of them compared"), told.words());
    weights[weights.size() - 1] = '\6';
    QVERIFY(save("blobs/" + name, weights));
    QCOMPARE(states("quick")["state"], whole["state"]);
    QVERIFY(!states("quick").contains("verified"));
    const QJsonObject broken = states("deep");
    QCOMPARE(broken["state"].toString(), "corrupt");
    QCOMPARE(broken["problems"].toArray().last().toObject()["mode"].toString(), "corrupt_file");
    QCOMPARE(broken["problems"].toArray().last().toObject()["file"].toString(), "model.safetensors");
}

QTEST_GUILESS_MAIN(tst_CliUsage)
#include "tst_CliUsage.moc"
