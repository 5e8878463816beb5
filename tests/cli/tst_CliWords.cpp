#include "cli/Help.h"
#include "cli/Options.h"
#include "cli/Output.h"
#include "cli/ProgressLine.h"
#include "cli/Values.h"

#include <QRegularExpression>
#include <QTest>

using namespace loadlab;
using namespace loadlab::cli;
using namespace std::chrono_literals;

namespace {

Result<Words> parsed(const QStringList& line)
{
    std::vector<std::string> arguments;
    for (const QString& word : line)
        arguments.push_back(word.toStdString());
    return parseWords(arguments);
}

QString errorOf(const QStringList& line)
{
    const Result<Words> words = parsed(line);
    return words ? QString() : QString::fromStdString(words.error().message);
}

} // namespace

class tst_CliWords : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void takesGlobalOptionsBeforeAndAfterTheCommand();
    void leavesWhatFollowsTwoDashesUnchanged();
    void leavesJsonAndBracketsUnchanged();
    void keepsBytesThatAreNoUtf8();
    void takesRepeatableOptionsInOrder();
    void helpWinsOverWhatIsMissing();
    void everyWrongWordIsQuotedWithItsNearest_data();
    void everyWrongWordIsQuotedWithItsNearest();
    void messagesNameNothingTwice();
    void everyCommandHasHelpWithExamples();
    void everyOptionOfATableIsTakenByItsCommand();
    void sinceTakesDatesAndTimeSpans();
    void modesAreWireNamesOrFailed();
    void cutsTextByColumnsNotBytes();
    void showsControlCharacters();
    void showsWhatTurnsText();
    void barFillsByEighths();
};

void tst_CliWords::takesGlobalOptionsBeforeAndAfterTheCommand()
{
    const Result<Words> words = parsed({"--json", "--db", "a.sqlite", "runs", "--quiet", "--limit", "3", "--zoo=/x"});
    QVERIFY2(words.has_value(), words ? "" : words.error().message.c_str());
    QCOMPARE(words->command->name, std::string_view("runs"));
    QVERIFY(words->has("--json"));
    QVERIFY(words->has("--quiet"));
    QCOMPARE(*words->value("--db"), std::string_view("a.sqlite"));
    QCOMPARE(*words->value("--limit"), std::string_view("3"));
    QCOMPARE(words->values("--zoo").front(), std::string("/x"));
    const Result<Words> twoWords = parsed({"db", "--json", "check"});
    QVERIFY(twoWords.has_value());
    QCOMPARE(twoWords->command->name, std::string_view("db check"));
}

void tst_CliWords::leavesWhatFollowsTwoDashesUnchanged()
{
    const Result<Words> words = parsed({"run", "--backend", "command", "--", "prog", "--json", "[a,b]", "--", "-5"});
    QVERIFY(words.has_value());
    const std::vector<std::string> expected{"prog", "--json", "[a,b]", "--", "-5"};
    QCOMPARE(words->program, expected);
    QVERIFY(!words->has("--json"));
}

void tst_CliWords::leavesJsonAndBracketsUnchanged()
{
    const Result<Words> words
        = parsed({"run", "[x,y]", "--device-map", "{\"a\": [1, 2], \"\": \"cpu\"}", "--option", "k=[1,2]=3"});
    QVERIFY(words.has_value());
    QCOMPARE(words->operands.front(), std::string("[x,y]"));
    QCOMPARE(*words->value("--device-map"), std::string_view("{\"a\": [1, 2], \"\": \"cpu\"}"));
    QCOMPARE(words->values("--option").front(), std::string("k=[1,2]=3"));
}

void tst_CliWords::keepsBytesThatAreNoUtf8()
{
    const std::vector<std::string> arguments{"inspect", "caf\xE9"};
    const Result<Words> words = parseWords(arguments);
    QVERIFY(words.has_value());
    QCOMPARE(words->operands.front(), std::string("caf\xE9"));
    const std::vector<std::string> wrong{"caf\xE9"};
    const Result<Words> refused = parseWords(wrong);
    QVERIFY(!refused.has_value());
    QVERIFY(refused.error().message.find("'caf\xEF\xBF\xBD'") != std::string::npos);
}

void tst_CliWords::takesRepeatableOptionsInOrder()
{
    const Result<Words> words = parsed({"run", "x", "--option", "b=1", "--option", "a=2"});
    QVERIFY(words.has_value());
    QCOMPARE(words->values("--option").size(), std::size_t{2});
    QCOMPARE(words->values("--option")[0], std::string("b=1"));
    QCOMPARE(words->values("--option")[1], std::string("a=2"));
}

void tst_CliWords::helpWinsOverWhatIsMissing()
{
    for (const QStringList& line :
        {QStringList{"export", "--help"}, QStringList{"--help", "export"}, QStringList{"db", "-h"}, QStringList{"help"},
            QStringList{"help", "db", "check"}, QStringList{"--json", "help", "run"}}) {
        const Result<Words> words = parsed(line);
        QVERIFY2(words.has_value(), qPrintable(line.join(' ')));
        QVERIFY(words->helpAsked);
    }
}

void tst_CliWords::everyWrongWordIsQuotedWithItsNearest_data()
{
    QTest::addColumn<QStringList>("line");
    QTest::addColumn<QString>("quoted");
    QTest::addColumn<QString>("nearest");
    const auto row = [](const QStringList& line, const char* word, const char* nearest) {
        QTest::newRow(qPrintable(line.join(' '))) << line << QString(word) << QString(nearest);
    };
    row({}, "no command given", "doctor, backends, zoo");
    row({"rnus"}, "'rnus'", "'run'");
    row({"insepct", "x"}, "'insepct'", "'inspect'");
    row({"help", "rnu"}, "'rnu'", "'run'");
    row({"frobnicate"}, "'frobnicate'", "doctor, backends");
    row({"db"}, "'db'", "check, backup");
    row({"db", "chekc"}, "'chekc'", "'check'");
    row({"db", "compact"}, "'compact'", "check, backup");
    row({"matrix", "x"}, "'matrix'", "doctor");
    row({"--jsn", "runs"}, "'--jsn'", "'--json'");
    row({"runs", "--jsn"}, "'--jsn'", "'--json'");
    row({"runs", "--lim", "3"}, "'--lim'", "'--limit'");
    row({"run", "x", "--tiemout", "5s"}, "'--tiemout'", "'--timeout'");
    row({"run", "x", "--gard", "5%"}, "'--gard'", "--guard");
    row({"run", "x", "--guard", "105%"}, "'105%'", "5%");
    row({"run", "x", "-j"}, "'-j'", "--json");
    row({"--dtype", "bf16", "run", "x"}, "'--dtype'", "loadlab run");
    row({"run", "x", "--timeout", "-5s"}, "'-5s'", "90s");
    row({"run", "x", "--timeout=-5s"}, "'-5s'", "90s");
    row({"run", "x", "--timeout", "--json"}, "'--json'", "90s");
    row({"run", "x", "--timeout", "0"}, "'0'", "90s");
    row({"run", "x", "--stall", "5 parsec"}, "'5 parsec'", "90s");
    row({"run", "x", "--timeout"}, "'--timeout'", "DURATION");
    row({"run", "x", "--dtype", ""}, "''", "--dtype NAME");
    row({"run", "x", "--dtype", "-x"}, "'-x'", "--dtype=-x");
    row({"run", "x", "--sample-hz", "1001"}, "'1001'", "1 to 1000");
    row({"run", "x", "--sample-hz", "nan"}, "'nan'", "1 to 1000");
    row({"run", "x", "--repeat", "0"}, "'0'", "1 to 1,000");
    row({"run", "x", "--repeat", "2.5"}, "'2.5'", "1 to 1,000");
    row({"run", "x", "--max-memory", "20GiB"}, "'20GiB'", "0=20GiB");
    row({"run", "x", "--max-memory", "0=lots"}, "'lots'", "2GiB");
    row({"run", "x", "--option", "novalue"}, "'novalue'", "KEY=VALUE");
    row({"run", "x", "--exercise", "laod"}, "'laod'", "'load'");
    row({"run", "x", "--dtype", "bf16", "--dtype", "f32"}, "'f32'", "'bf16'");
    row({"run", "x", "y"}, "'y'", "CHECKPOINT");
    row({"inspect"}, "'inspect'", "CHECKPOINT");
    row({"inspect", ""}, "''", "CHECKPOINT");
    row({"inspect", "--", "x"}, "'x'", "./-name");
    row({"doctor", "now"}, "'now'", "takes no words");
    row({"doctor", "--json=yes"}, "'--json=yes'", "takes no value");
    row({"show", "lats"}, "'lats'", "'last'");
    row({"show", "last:faild"}, "'last:faild'", "'last:failed'");
    row({"show", "0"}, "'0'", "last:failed");
    row({"show", "12x"}, "'12x'", "last:failed");
    row({"show"}, "'show'", "RUN");
    row({"show", "-5"}, "'-5'", "--help");
    row({"show", "3ce7"}, "'3ce7'", "8 characters");
    row({"runs", "--search", "\"*("}, "'\"*('", "letters and digits");
    row({"runs", "--mode", "host_oom_kiled"}, "'host_oom_kiled'", "'host_oom_killed'");
    row({"runs", "--mode", "ok,oky"}, "'oky'", "'ok'");
    row({"runs", "--since", "yesterday"}, "'yesterday'", "2026-01-31");
    row({"runs", "--since", "2026-13-01"}, "'2026-13-01'", "2026-01-31");
    row({"runs", "--limit", "-3"}, "'-3'", "1 to");
    row({"export", "last"}, "'--out'", "FILE");
    row({"export", "--out", "x.csv"}, "'export'", "RUN");
    row({"export", "last", "--out", "curve.pdf"}, "'curve.pdf'", ".svg");
    row({"export", "last", "--out", "curve.jsn"}, "'curve.jsn'", "'json'");
    row({"export", "last", "--out", ".csv"}, "'.csv'", ".png");
    row({"zoo", "--verify", "depe"}, "'depe'", "'deep'");
    row({"demo-zoo", "d", "--size", "-1GiB"}, "'-1GiB'", "2GiB");
    row({"demo-zoo", "d", "--size", "0"}, "'0'", "64MiB");
    row({"demo-zoo", "d", "--size", "1000000"}, "'1000000'", "1MiB");
    row({"demo-zoo", "d", "--size", "2GiB"}, "'2GiB'", "1GiB");
    row({"run", "x", "--max-memory", "0=1GiB,0=2GiB"}, "'0=2GiB'", "twice");
}

void tst_CliWords::everyWrongWordIsQuotedWithItsNearest()
{
    QFETCH(QStringList, line);
    QFETCH(QString, quoted);
    QFETCH(QString, nearest);
    const QString message = errorOf(line);
    QVERIFY2(message.contains(quoted), qPrintable(message));
    QVERIFY2(message.contains(nearest), qPrintable(message));
    QVERIFY2(message.contains("See 'loadlab "), qPrintable(message));
}

void tst_CliWords::messagesNameNothingTwice()
{
    QCOMPARE(errorOf({"show", "1", "-5"}).section('\n', 0, 0).count("--help"), 1);
    QCOMPARE(errorOf({"export", "1", "--out", "x.txt"}).count("svg"), 1);
    QCOMPARE(errorOf({"show", "5x"}).count("last:failed"), 1);
}

void tst_CliWords::everyCommandHasHelpWithExamples()
{
    QCOMPARE(parsed({"db", "--help"})->group, std::string_view("db"));
    QVERIFY(groupHelp("db").find("db backup FILE") != std::string::npos);
    const std::string general = generalHelp();
    for (const CommandSpec& command : commandTable()) {
        QVERIFY(general.find("  " + std::string(command.name)) != std::string::npos);
        const std::string help = commandHelp(command);
        for (const OptionSpec& option : command.options)
            QVERIFY2(help.find(option.name) != std::string::npos, option.name.data());
        QVERIFY2(help.find("Examples:\n  loadlab ") != std::string::npos, command.name.data());
    }
}

void tst_CliWords::everyOptionOfATableIsTakenByItsCommand()
{
    // Examples of the help are command lines that the program itself takes.
    for (const CommandSpec& command : commandTable())
        for (QString line :
            QString::fromUtf8(command.examples.data(), qsizetype(command.examples.size())).split('\n')) {
            line = line.left(line.indexOf(QRegularExpression(" [|>] ")));
            QStringList words = line.split(' ', Qt::SkipEmptyParts);
            words.removeFirst();
            QVERIFY2(errorOf(words).isEmpty(), qPrintable(line + ": " + errorOf(words)));
        }
}

void tst_CliWords::sinceTakesDatesAndTimeSpans()
{
    const auto now = std::chrono::system_clock::time_point(std::chrono::sys_days(std::chrono::year(2026) / 2 / 1));
    QCOMPARE(*parseSince("2026-01-31", now), now - 24h);
    QCOMPARE(*parseSince("2h", now), now - 2h);
    QCOMPARE(*parseSince("7d", now), now - 7 * 24h);
    for (const char* wrong : {"2026", "99999999-01-01", "2026-01-31x", "9999-01-01", "-2h", ""})
        QVERIFY2(!parseSince(wrong, now).has_value(), wrong);
}

void tst_CliWords::modesAreWireNamesOrFailed()
{
    const Result<ModeChoice> choice = parseModes("hang,failed,ok");
    QVERIFY(choice.has_value());
    QVERIFY(choice->onlyFailed);
    const std::vector<FailureMode> expected{FailureMode::Hang, FailureMode::Ok};
    QCOMPARE(choice->modes, expected);
}

void tst_CliWords::cutsTextByColumnsNotBytes()
{
    QCOMPARE(displayWidth("Qwen/通义"), std::size_t{9});
    QCOMPARE(shortened("Qwen/通义千问", 8), std::string("Qwen/通…"));
    QCOMPARE(shortened("short", 5), std::string("short"));
}

void tst_CliWords::showsControlCharacters()
{
    QCOMPARE(printable("a\x1b[31m\nb\xFF"), std::string("a^[[31m^Jb\xEF\xBF\xBD"));
    QCOMPARE(printable("\xC2\x9B"
                       "31m\xC3\xA9"),
        std::string("\xEF\xBF\xBD"
                    "31m\xC3\xA9"));
}

void tst_CliWords::showsWhatTurnsText()
{
    // "modeltxt.exe" that would read "modelexe.txt".
    QCOMPARE(printable("model\u202Etxt.exe"), std::string("model\uFFFDtxt.exe"));
    for (const char* turns : {"\u061C", "\u200E", "\u200F", "\u202A", "\u2066", "\u2069"})
        QCOMPARE(printable(turns), std::string("\uFFFD"));
    QCOMPARE(printable("\u05D0\u0628\u200D\u2010"), std::string("\u05D0\u0628\u200D\u2010")); // Letters stay.
}

void tst_CliWords::barFillsByEighths()
{
    QCOMPARE(progressBar(0, 100, 4), std::string("▕    ▏   0 %"));
    QCOMPARE(progressBar(50, 100, 4), std::string("▕██  ▏  50 %"));
    QCOMPARE(progressBar(100, 100, 4), std::string("▕████▏ 100 %"));
    QCOMPARE(progressBar(5, 100, 4), std::string("▕▏   ▏   5 %"));
    QCOMPARE(progressBar(7, 0, 4), std::string());
}

QTEST_APPLESS_MAIN(tst_CliWords)
#include "tst_CliWords.moc"
