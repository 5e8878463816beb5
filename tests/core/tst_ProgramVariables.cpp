#include "core/ProgramVariables.h"

#include <QTest>

using namespace loadlab;

class tst_ProgramVariables : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void valuesAreWhateverFollowsTheFirstSign();
    void whatIsNoVariableIsToldApart_data();
    void whatIsNoVariableIsToldApart();
    void secretsAreKnownByTheirName_data();
    void secretsAreKnownByTheirName();
    void secretsAreShownMaskedAndNotTakenBackSo();
    void passwordsOfUrlsAreMasked_data();
    void passwordsOfUrlsAreMasked();
    void aMaskedUrlIsNotTakenBack();
};

void tst_ProgramVariables::valuesAreWhateverFollowsTheFirstSign()
{
    const ProgramVariables variables = parseVariables({"A=", "B==x=y", "C=two words", "D=\xff"}).value();
    QCOMPARE(variables, (ProgramVariables{{"A", ""}, {"B", "=x=y"}, {"C", "two words"}, {"D", "\xff"}}));
    QVERIFY(parseVariables({}).value().empty());
}

void tst_ProgramVariables::whatIsNoVariableIsToldApart_data()
{
    QTest::addColumn<std::vector<std::string>>("words");
    QTest::addColumn<std::string>("told");
    using Words = std::vector<std::string>;
    QTest::newRow("no sign") << Words{"A=1", "DEBUG"} << std::string("'DEBUG' has no '='");
    QTest::newRow("no name") << Words{"=1"} << std::string("the name is missing");
    QTest::newRow("NUL in the value") << Words{std::string("A=1\0002", 5)} << std::string("'A' holds a NUL");
    QTest::newRow("NUL in the name") << Words{std::string("A\0B=1", 5)} << std::string("holds a NUL");
    QTest::newRow("twice") << Words{"A=1", "A=2"} << std::string("'A' is given twice");
    QTest::newRow("the lab's own") << Words{"LOADLAB_RUN=1"} << std::string("'LOADLAB_RUN' is the lab's own");
}

void tst_ProgramVariables::whatIsNoVariableIsToldApart()
{
    QFETCH(std::vector<std::string>, words);
    QFETCH(std::string, told);
    const Result<ProgramVariables> variables = parseVariables(words);
    QVERIFY(!variables);
    QCOMPARE(variables.error().kind, ErrorKind::Invalid);
    QVERIFY2(variables.error().message.find(told) != std::string::npos, variables.error().message.c_str());
}

void tst_ProgramVariables::secretsAreKnownByTheirName_data()
{
    QTest::addColumn<bool>("secret");
    for (const char* name : {"HF_TOKEN", "GITHUB_PAT", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY",
             "db_password", "PGPASSWORD", "SSH_PASSPHRASE", "GOOGLE_APPLICATION_CREDENTIALS", "BASIC_AUTH"})
        QTest::newRow(name) << true;
    for (const char* name : {"OMP_NUM_THREADS", "PATH", "HF_HOME", "KEYBOARD", "AUTHOR", "CUDA_VISIBLE_DEVICES"})
        QTest::newRow(name) << false;
}

void tst_ProgramVariables::secretsAreKnownByTheirName()
{
    QFETCH(bool, secret);
    QCOMPARE(isSecret(QTest::currentDataTag()), secret);
}

void tst_ProgramVariables::secretsAreShownMaskedAndNotTakenBackSo()
{
    const ProgramVariables variables{{"HF_HOME", "/data"}, {"HF_TOKEN", "hf_abc"}};
    QVERIFY(checkSecretsKnown(variables));
    const std::vector<std::string> shown = shownVariables(variables);
    QCOMPARE(shown, (std::vector<std::string>{"HF_HOME=/data", "HF_TOKEN=***"}));
    const Result<void> known = checkSecretsKnown(parseVariables(shown).value());
    QVERIFY(!known);
    QVERIFY2(known.error().message.find("'HF_TOKEN'") != std::string::npos, known.error().message.c_str());
    QVERIFY(checkSecretsKnown({{"STARS", "***"}}));
}

void tst_ProgramVariables::passwordsOfUrlsAreMasked_data()
{
    QTest::addColumn<std::string>("value");
    QTest::addColumn<std::string>("shown");
    const auto row = [](const char* name, std::string value, std::string shown) {
        QTest::newRow(name) << std::move(value) << std::move(shown);
    };
    row("a database", "postgres://user:pw@host/db", "postgres://user:***@host/db");
    row("no user", "redis://:pw@host:6379/0", "redis://:***@host:6379/0");
    row("no path", "amqp://user:pw@host", "amqp://user:***@host");
    row("signs in it", "postgres://user:p:w@x@host/db", "postgres://user:***@host/db");
    row("two", "http://a:b@h/x http://c:d@i/y", "http://a:***@h/x http://c:***@i/y");
    row("two hosts", "http://a:b@h,http://c:d@i", "http://a:***@h,http://c:***@i");
    row("a port", "http://host:8080/a:b@c", "http://host:8080/a:b@c");
    row("a user alone", "ssh://git@host/x", "ssh://git@host/x");
    row("a port behind the user", "ssh://git@host:22/x", "ssh://git@host:22/x");
    row("no password", "ftp://user:@host", "ftp://user:@host");
    row("a token alone", "https://ghp_x@host/a", "https://***@host/a");
    row("a user alone", "ssh://git@host/a", "ssh://git@host/a");
    row("a port", "http://host:80/a@b", "http://host:80/a@b");
    row("a parameter", "https://host/a?x=1&api_key=abc&y=2", "https://host/a?x=1&api_key=***&y=2");
    row("both", "https://u:p@host/?token=abc", "https://u:***@host/?token=***");
    row("no URL", "user:pw@host", "user:pw@host");
    row("cut", "a://u:p", "a://u:p");
    row("masked before", "a://u:***@h", "a://u:***@h");
    row("bytes", "a://\xff:\xfe@h", "a://\xff:***@h");
}

void tst_ProgramVariables::passwordsOfUrlsAreMasked()
{
    QFETCH(std::string, value);
    QFETCH(std::string, shown);
    QCOMPARE(shownValue("DATABASE_URL", value), shown);
    QCOMPARE(shownVariables({{"DATABASE_URL", value}}), std::vector<std::string>{"DATABASE_URL=" + shown});
}

void tst_ProgramVariables::aMaskedUrlIsNotTakenBack()
{
    QVERIFY(checkSecretsKnown({{"DATABASE_URL", "postgres://user:pw@host/db"}, {"HOME_PAGE", "http://host/***@x"}}));
    const Result<void> known = checkSecretsKnown({{"DATABASE_URL", "postgres://user:***@host/db"}});
    QVERIFY(!known);
    QVERIFY2(known.error().message.find("'DATABASE_URL'") != std::string::npos, known.error().message.c_str());
}

QTEST_GUILESS_MAIN(tst_ProgramVariables)
#include "tst_ProgramVariables.moc"
