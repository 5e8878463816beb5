#include "core/ShellWords.h"

#include <QProcess>
#include <QtTest>
#include <random>

using namespace loadlab;

namespace {

using Words = std::vector<std::string>;

/// The words that bash makes of a line.
Words asBash(const std::string& line)
{
    QProcess shell;
    shell.start(
        QStringLiteral("bash"), {QStringLiteral("-c"), QString::fromStdString("set -f; printf '%s\\0' " + line)});
    if (!shell.waitForFinished() || shell.exitCode() != 0)
        qFatal("bash: %s", shell.readAllStandardError().constData());
    QByteArrayList parts = shell.readAllStandardOutput().split('\0');
    parts.removeLast();
    Words words;
    for (const QByteArray& part : parts)
        words.push_back(part.toStdString());
    return words;
}

} // namespace

class tst_ShellWords : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aShellReadsQuotedWordsBack_data();
    void aShellReadsQuotedWordsBack();
    void splitsAsBashDoes_data();
    void splitsAsBashDoes();
    void anyBytesGoBothWays();
    void namesWhatIsNotClosed_data();
    void namesWhatIsNotClosed();
    void tellsWhatOnlyAShellWouldDo();
};

void tst_ShellWords::aShellReadsQuotedWordsBack_data()
{
    QTest::addColumn<QByteArray>("word");
    QTest::newRow("plain") << QByteArray("/models/a-b_c.1");
    QTest::newRow("blank") << QByteArray("/my models/a");
    QTest::newRow("empty") << QByteArray("");
    QTest::newRow("quotes") << QByteArray("it's \"so\"");
    QTest::newRow("shell signs") << QByteArray("$(x) `y` ;&|<>*?~!#\\");
    QTest::newRow("utf-8") << QByteArray("Größe");
    QTest::newRow("newline") << QByteArray("a\nb\tGröße 'x'");
    QTest::newRow("no utf-8") << QByteArray("a\xff\xfe'b\\");
}

void tst_ShellWords::aShellReadsQuotedWordsBack()
{
    QFETCH(QByteArray, word);
    const std::string quoted = quotedForShell(word.toStdString());
    QCOMPARE(asBash(quoted), Words{word.toStdString()});
    QVERIFY(quoted.find('\n') == std::string::npos);
    QCOMPARE(splitLikeShell(quoted)->words, Words{word.toStdString()});
}

void tst_ShellWords::splitsAsBashDoes_data()
{
    QTest::addColumn<QString>("line");
    for (const char* line : {R"(python3 train.py --name 'two words')", R"(a"b"'c'd\ e)", R"("" '' x)",
             R"("\$x \" \\ \n \`")", R"('a\b' a\'b)", R"(  one	two  )", R"($'a\tb\n\x41\\\'' z)",
             R"(--x=[a,b] {y} a#b a~b)", R"(sh -c 'echo "$1"')", R"(Größe "ü b")"})
        QTest::newRow(line) << QString::fromUtf8(line);
}

void tst_ShellWords::splitsAsBashDoes()
{
    QFETCH(QString, line);
    const Result<SplitLine> split = splitLikeShell(line.toStdString());
    QVERIFY2(split, split ? "" : split.error().message.c_str());
    QCOMPARE(split->words, asBash(line.toStdString()));
}

void tst_ShellWords::anyBytesGoBothWays()
{
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        Words words(1 + random() % 4);
        for (std::string& word : words)
            for (std::size_t left = random() % 12; left > 0; --left)
                word += static_cast<char>(1 + random() % 255);
        const Result<SplitLine> split = splitLikeShell(shellLine(words));
        QVERIFY2(split && split->words == words && split->inert.empty(), shellLine(words).c_str());
    }
}

void tst_ShellWords::namesWhatIsNotClosed_data()
{
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("error");
    QTest::newRow("single") << "a 'b c"
                            << "the quote ' is not closed, at character 3";
    QTest::newRow("double") << "ü \"b\\\""
                            << "the quote \" is not closed, at character 3";
    QTest::newRow("bytes") << "$'b\\'"
                           << "the quote $' is not closed, at character 1";
    QTest::newRow("backslash") << "ab\\"
                               << "the backslash has nothing behind it, at character 3";
    QTest::newRow("escape") << "$'\\q'"
                            << "\\q in $'…' means nothing here (\\n, \\t, \\\\, \\' or \\xff do), at character 3";
    QTest::newRow("half a byte") << "$'\\xf'"
                                 << "\\x in $'…' means nothing here (\\n, \\t, \\\\, \\' or \\xff do), at character 3";
}

void tst_ShellWords::namesWhatIsNotClosed()
{
    QFETCH(QString, line);
    QFETCH(QString, error);
    const Result<SplitLine> split = splitLikeShell(line.toStdString());
    QVERIFY(!split);
    QCOMPARE(QString::fromStdString(split.error().message), error);
}

void tst_ShellWords::tellsWhatOnlyAShellWouldDo()
{
    QCOMPARE(splitLikeShell("cat *.txt | grep x > y")->words, (Words{"cat", "*.txt", "|", "grep", "x", ">", "y"}));
    QCOMPARE(splitLikeShell("cat *.txt | grep x > y | z")->inert, (Words{"*", "|", ">"}));
    QCOMPARE(splitLikeShell("echo \"$HOME\" ~ a~")->inert, (Words{"$", "~"}));
    QVERIFY(splitLikeShell(R"(echo '$HOME *' \$x "\$x")")->inert.empty());
    QVERIFY(splitLikeShell("   ")->words.empty());
}

QTEST_GUILESS_MAIN(tst_ShellWords)
#include "tst_ShellWords.moc"
