#include "core/verdict/Judge.h"
#include "core/verdict/LogLines.h"
#include "core/verdict/Pattern.h"
#include "core/verdict/RulesData.h"

#include <QFile>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <sys/stat.h>

using namespace loadlab;

namespace {

void write(const QTemporaryDir& folder, const QString& name, const QByteArray& text)
{
    QFile file(folder.filePath(name));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text);
}

Rules load(const QTemporaryDir& folder)
{
    return Rules::load(folder.path().toStdString());
}

const QByteArray kGood = R"({"version": 4, "signatures": [{"id": "s", "mode": "disk_io", "match": "no space"}],
                             "remedies": [{"id": "r", "modes": ["disk_io"], "text": "Make room."}]})";

} // namespace

class tst_Rules : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theRulesOfTheRepositoryHaveNoErrors()
    {
        const auto rules = Rules::load(LOADLAB_SOURCE_DIR "/resources/rules");
        for (const auto& error : rules.errors())
            qWarning("%s", error.message.c_str());
        QVERIFY(rules.errors().empty());
        QVERIFY(rules.version() >= 1);
        QVERIFY(rules.data->texts.size() > 30);
    }

    void everySignatureFitsItsOwnPatterns()
    {
        // Guards against a pattern that its own `unless` takes away.
        const auto rules = Rules::load(LOADLAB_SOURCE_DIR "/resources/rules");
        for (const auto& rule : rules.data->texts)
            QVERIFY2(rule.types.empty()
                    || std::all_of(rule.types.begin(), rule.types.end(),
                        [](const std::string& type) { return type == toLowerAscii(type); }),
                rule.id.c_str());
    }

    void everyModeForWhichAWayOutIsNamedHasARemedy()
    {
        using enum FailureMode;
        const auto rules = Rules::load(LOADLAB_SOURCE_DIR "/resources/rules");
        for (const auto mode : {LoadedButWrong, ModelMissing, IncompleteDownload, CorruptFile, DiskIo, AccessDenied,
                 RemoteCodeRefused, MissingDependency, UnsupportedArchitecture, StructureMismatch,
                 DtypeQuantizationConflict, DeviceMapError, HostOomKilled, HostAllocFailed, DeviceOom, GpuDriverError,
                 NativeCrash, Hang, GenerationError, TimedOut, Unknown}) {
            // One that applies whatever the run was.
            const auto always
                = std::any_of(rules.data->remedies.begin(), rules.data->remedies.end(), [mode](const auto& r) {
                      return std::find(r.modes.begin(), r.modes.end(), mode) != r.modes.end() && r.backends.empty()
                          && r.dtypes.empty() && r.notDtypes.empty() && r.said.empty() && r.changeJson == "null";
                  });
            QVERIFY2(always || mode == RemoteCodeRefused, toWireName(mode).data());
        }
    }

    void filesAreReadByName()
    {
        QTemporaryDir folder;
        write(folder, "b.json", kGood);
        write(folder, "a.json", R"({"version": 2, "signatures": [{"id": "first", "mode": "hang", "match": "x"}]})");
        write(folder, "README.md", "not a rule file");
        const auto rules = load(folder);
        QVERIFY(rules.errors().empty());
        QCOMPARE(rules.version(), 4);
        QCOMPARE(rules.data->texts.front().id, std::string("first"));
    }

    void aBrokenFileIsNamedWithItsLineAndHurtsNoOther()
    {
        QTemporaryDir folder;
        write(folder, "broken.json", "{\"version\": 1,\n \"signatures\": [\n  {\"id\": }\n ]}");
        write(folder, "good.json", kGood);
        const auto rules = load(folder);
        QCOMPARE(rules.errors().size(), std::size_t(1));
        const auto message = QString::fromStdString(rules.errors().front().message);
        QVERIFY2(message.contains("broken.json") && message.contains("line 3"), qPrintable(message));
        QCOMPARE(rules.data->texts.size(), std::size_t(1));
    }

    void aBrokenRuleIsNamedWithItsPlaceAndHurtsNoOther_data()
    {
        QTest::addColumn<QByteArray>("rule");
        QTest::addColumn<QString>("says");
        QTest::newRow("mode") << QByteArray(R"({"id": "x", "mode": "oom", "match": "a"})") << "\"oom\"";
        QTest::newRow("nothing to find") << QByteArray(R"({"id": "x", "mode": "hang"})") << "match";
        QTest::newRow("matches all") << QByteArray(R"({"id": "x", "mode": "hang", "match": "**"})") << "everything";
        QTest::newRow("no text") << QByteArray(R"({"id": "x", "mode": "hang", "match": [7]})") << "array of texts";
        QTest::newRow("unknown key") << QByteArray(R"({"id": "x", "mode": "hang", "matches": "a"})") << "\"matches\"";
        QTest::newRow("weight") << QByteArray(R"({"id": "x", "mode": "hang", "match": "a", "weight": 3})") << "weight";
        QTest::newRow("weight's type") << QByteArray(R"({"id": "x", "mode": "hang", "match": "a", "weight": "1"})")
                                       << "type";
        QTest::newRow("where") << QByteArray(R"({"id": "x", "mode": "hang", "match": "a", "where": "here"})")
                               << "\"here\"";
        QTest::newRow("no id") << QByteArray(R"({"mode": "hang", "match": "a"})") << "\"id\"";
        QTest::newRow("id twice") << QByteArray(R"({"id": "s", "mode": "hang", "match": "a"})") << "taken";
        QTest::newRow("no object") << QByteArray("7") << "object";
    }
    void aBrokenRuleIsNamedWithItsPlaceAndHurtsNoOther()
    {
        QFETCH(QByteArray, rule);
        QFETCH(QString, says);
        QTemporaryDir folder;
        write(folder, "a.json", kGood);
        write(folder, "b.json",
            "{\"version\": 1, \"signatures\": [{\"id\": \"ok\", \"mode\": \"hang\", \"match\": \"b\"}, " + rule + "]}");
        const auto rules = load(folder);
        QCOMPARE(rules.errors().size(), std::size_t(1));
        const auto message = QString::fromStdString(rules.errors().front().message);
        QVERIFY2(message.contains("b.json: signatures[1]") && message.contains(says), qPrintable(message));
        QCOMPARE(rules.data->texts.size(), std::size_t(2));
    }

    void brokenRemediesAreNamed_data()
    {
        QTest::addColumn<QByteArray>("rule");
        QTest::newRow("text") << QByteArray(R"({"id": "x", "modes": ["hang"]})");
        QTest::newRow("mode") << QByteArray(R"({"id": "x", "modes": ["what"], "text": "a"})");
        QTest::newRow("change") << QByteArray(R"({"id": "x", "modes": ["hang"], "text": "a", "change": "dtype"})");
        QTest::newRow("changes nothing") << QByteArray(R"({"id": "x", "modes": ["hang"], "text": "a", "change": {}})");
        QTest::newRow("change's key") << QByteArray(
            R"({"id": "x", "modes": ["hang"], "text": "a", "change": {"dtpe": "a"}})");
        QTest::newRow("when") << QByteArray(R"({"id": "x", "modes": ["hang"], "text": "a", "when": []})");
        QTest::newRow("when's key") << QByteArray(
            R"({"id": "x", "modes": ["hang"], "text": "a", "when": {"often": "a"}})");
    }
    void brokenRemediesAreNamed()
    {
        QFETCH(QByteArray, rule);
        QTemporaryDir folder;
        write(folder, "a.json", "{\"version\": 1, \"remedies\": [" + rule + "]}");
        const auto rules = load(folder);
        QCOMPARE(rules.errors().size(), std::size_t(1));
        QVERIFY(QString::fromStdString(rules.errors().front().message).contains("remedies[0]"));
        QVERIFY(rules.data->remedies.empty());
    }

    void otherDocumentsAreRefused()
    {
        for (const auto* text : {"[]", "{}", R"({"version": "1"})", R"({"version": 1, "signatures": {}})",
                 R"({"version": 1, "rules": []})", "", "\xff\xfe"}) {
            QTemporaryDir folder;
            write(folder, "a.json", text);
            QCOMPARE(load(folder).errors().size(), std::size_t(1));
        }
    }

    void aFifoIsNotOpened()
    {
        QTemporaryDir folder;
        QCOMPARE(::mkfifo(folder.filePath("a.json").toUtf8().constData(), 0600), 0);
        QVERIFY(load(folder).errors().empty());
    }

    void withoutTheFolderThereIsOneErrorAndNoRule()
    {
        const auto rules = Rules::load("/nonexistent/rules");
        QCOMPARE(rules.errors().size(), std::size_t(1));
        QCOMPARE(rules.errors().front().kind, ErrorKind::NotFound);
        QCOMPARE(judge({}, rules).mode, FailureMode::Unknown);
    }

    void piecesMustFollowEachOther()
    {
        QVERIFY(Pattern("no * space").matches("there is no more space here"));
        QVERIFY(!Pattern("space*no").matches("there is no more space here"));
        QVERIFY(Pattern("No SPACE").matches("no space"));
        QVERIFY(Pattern("^there").matches("there is"));
        QVERIFY(!Pattern("^is").matches("there is"));
        QVERIFY(Pattern("a*a").matches("aa"));
        QVERIFY(!Pattern("a*a").matches("a"));
        for (const auto* nothing : {"", "*", "^", "^**"})
            QVERIFY(!Pattern(nothing).matches("anything"));
    }

    void longLinesTakeNoLonger()
    {
        const std::string line(1 << 20, 'a');
        QVERIFY(!Pattern("a*a*a*a*a*a*a*b").matches(line));
    }

    void logLinesLoseWhatOnlyATerminalNeeds()
    {
        const auto lines = logLines("\x1b[31mError:\x1b[0m Bad\n\n 50%\r 100%\r\nlast\tline");
        QCOMPARE(lines.size(), std::size_t(4));
        QCOMPARE(lines[0].text, std::string("Error: Bad"));
        QCOMPARE(lines[0].lowered, std::string("error: bad"));
        QCOMPARE(lines[2].text, std::string("100%"));
        QCOMPARE(lines[3].text, std::string("last line"));
    }

    void logLinesAreBounded()
    {
        QCOMPARE(logLines(std::string(100'000, 'x')).front().text.size(), std::size_t(2000));
        std::string many;
        for (int i = 0; i < 10'000; ++i)
            many += std::to_string(i) + "\n";
        const auto lines = logLines(many);
        QCOMPARE(lines.size(), std::size_t(4000));
        QCOMPARE(lines.back().text, std::string("9999"));
    }

    void anExcerptIsCutBetweenCharacters()
    {
        QCOMPARE(excerpt("short"), std::string("short"));
        QCOMPARE(excerpt("two\nlines"), std::string("two lines"));
        const auto cut = QString::fromStdString(excerpt("ääääää", 5));
        QCOMPARE(cut, QString::fromUtf8("ää…"));
        QCOMPARE(excerpt("bad \xff byte"), std::string("bad \xef\xbf\xbd byte"));
    }
};

QTEST_APPLESS_MAIN(tst_Rules)
#include "tst_Rules.moc"
