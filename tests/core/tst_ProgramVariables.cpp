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
    for (const char* name : {"HF_TOKEN", "GITHUB_PAT", "MYSQL_PWD", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "db_password", "PGPASSWORD",
             "SSH_PASSPHRASE", "GOOGLE_APPLICATION_CREDENTIALS", "BASIC_AUTH"})
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

QTEST_GUILESS_MAIN(tst_ProgramVariables)
#include "tst_ProgramVariables.moc"
