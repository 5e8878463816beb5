#include "tests/cli/Cli.h"

#include <QFile>
#include <QTest>

#include <cmath>
#include <functional>

/// `loadlab forecast` on tables of curves.
class tst_CliForecast : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theTableOfSeed003();
    void asItStoodThen();
    void theSwapRunResidentAndSwapApart();
    void aJumpBetweenTwoRowsIsTold();
    void twoRoundLevelsAreNoGrowth();
    void aCurveThatLevelsOffIsNotForetold();
    void theEndOfTheProcessIsNoPhase();
    void whatIsGivenBackIsNoEnd();
    void noInstantIsForetoldBeforeTheLastRow();
    void anIdleProcessIsOnePhase();
    void forPeople();
    void wrongUsage_data();
    void wrongUsage();
    void aFileThatIsNoTable();
    void severalRunsAreNoCurve();

private:
    [[nodiscard]] static std::string written(const CliLab& lab, const QByteArray& text);
    const std::string m_seed = LOADLAB_SOURCE_DIR "/tests/data/seed-003.csv";
};

std::string tst_CliForecast::written(const CliLab& lab, const QByteArray& text)
{
    const std::string name = lab.path("curve.csv");
    QFile file(QString::fromStdString(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
        qFatal("cannot write %s", name.c_str());
    return name;
}

void tst_CliForecast::theTableOfSeed003()
{
    const CliLab lab;
    const CliResult result = lab.run({"forecast", m_seed, "--limit", "122GB", "--json"});
    QVERIFY2(result.code == 0 && result.err.isEmpty(), result.words());
    const QJsonObject got = result.object();
    const QJsonArray phases = got["phases"].toArray();
    QVERIFY2(phases.size() == 2, result.words());
    QCOMPARE(phases[0]["name"].toString(), QString("slow start"));
    QVERIFY2(std::fabs(phases[1]["rate_bytes_per_s"].toDouble() - 1.2e9) < 0.05 * 1.2e9, result.words());
    QVERIFY2(phases[1]["rate_error_bytes_per_s"].toDouble() > 0, result.words());
    QCOMPARE(got["limit_reached_s"].toDouble(), 55.0);
    QCOMPARE(got["low_s"].toDouble(), 50.0);
    QCOMPARE(lab.files(), QStringList());
}

void tst_CliForecast::asItStoodThen()
{
    const CliLab lab;
    const CliResult result = lab.run({"forecast", m_seed, "--limit", "122GB", "--at", "30s", "--json"});
    QVERIFY2(result.code == 0, result.words());
    const QJsonObject got = result.object();
    QCOMPARE(got["at_s"].toDouble(), 30.0);
    const double reached = got["limit_reached_s"].toDouble(-1);
    QVERIFY2(reached >= 53 * 0.9 && reached <= 55 * 1.1, result.words());
    QVERIFY2(got["low_s"].toDouble() <= 53 && got["high_s"].toDouble() >= 55, result.words());
    QVERIFY2(std::fabs(got["rate_bytes_per_s"].toDouble() - 1.2e9) < 0.06e9, result.words());
    // At the start nothing is known yet.
    const CliResult early = lab.run({"forecast", m_seed, "--limit", "122GB", "--at", "10s", "--json"});
    QVERIFY2(early.code == 0 && early.object()["limit_reached_s"].isNull(), early.words());
    QVERIFY2(early.object()["low_s"].isNull() && early.object()["high_s"].isNull(), early.words());
}

void tst_CliForecast::theSwapRunResidentAndSwapApart()
{
    QByteArray table = "swap_gb,t_s,rss_gb\n";
    for (double t = 0; t <= 111.5; t += 0.5)
        table += QByteArray::number(std::max(0.0, 0.37 * (t - 68.3))) + "," + QByteArray::number(t) + ","
            + QByteArray::number(std::min(53.0, 53 * t / 68.3)) + "\n";
    const CliLab lab;
    const CliResult result = lab.run({"forecast", written(lab, table), "--limit", "272GB", "--json"});
    QVERIFY2(result.code == 0, result.words());
    const QJsonObject got = result.object();
    QCOMPARE(got["column"].toString(), QString("rss + swap"));
    const QJsonObject resident = got["resident"].toObject();
    QVERIFY2(std::fabs(resident["peak_bytes"].toDouble() - 53e9) < 0.1e9, result.words());
    QCOMPARE(resident["phases"].toArray().size(), 2);
    QCOMPARE(resident["phases"][1]["name"].toString(), QString("level"));
    const QJsonObject swap = got["swap"].toObject();
    QVERIFY2(std::fabs(swap["peak_bytes"].toDouble() - 16e9) < 0.1e9, result.words());
    QVERIFY2(std::fabs(swap["began_s"].toDouble() - 68.3) <= 0.5, result.words());
    QCOMPARE(swap["phases"].toArray().size(), 2);
    QVERIFY2(std::fabs(swap["phases"][1]["from_s"].toDouble() - 68.3) <= 0.5, result.words());
    QVERIFY2(std::fabs(swap["phases"][1]["rate_bytes_per_s"].toDouble() - 0.37e9) < 0.01e9, result.words());
}

void tst_CliForecast::aJumpBetweenTwoRowsIsTold()
{
    const CliLab lab;
    const std::string file
        = written(lab, "t_s,used_gb\n0,5\n5,5\n10,5\n15,5\n20,30\n25,30\n30,30\n35,12\n40,12\n45,12\n");
    const CliResult result = lab.run({"forecast", file, "--limit", "40GB", "--json"});
    QVERIFY2(result.code == 0, result.words());
    const QJsonArray phases = result.object()["phases"].toArray();
    QStringList names;
    for (const auto& phase : phases)
        names.append(phase.toObject()["name"].toString());
    QVERIFY2(names == QStringList({"level", "step", "level", "release", "level"}), result.words());
    QCOMPARE(phases[1]["from_s"].toDouble(), 15.0);
    QCOMPARE(phases[1]["to_s"].toDouble(), 20.0);
    QCOMPARE(phases[1]["rate_bytes_per_s"].toDouble(), 5e9);
    QVERIFY(phases[1]["rate_error_bytes_per_s"].isNull());
    QCOMPARE(phases[3]["to_bytes"].toDouble(), 12e9);
}

void tst_CliForecast::twoRoundLevelsAreNoGrowth()
{
    const CliLab lab;
    // With a hole of six rows between the two.
    const std::string file
        = written(lab, "t_s,used_gb\n0,20\n1,20\n2,20\n3,20\n4,20\n5,20\n6,20\n7,20\n14,60\n15,60\n16,60\n17,60\n");
    const CliResult result = lab.run({"forecast", file, "--limit", "70GB"});
    QVERIFY2(result.code == 0 && result.out.contains("step\t7.00 s\t14.0 s"), result.words());
    QVERIFY2(result.out.contains("not foretold: it does not grow any more"), result.words());
    QVERIFY2(!result.out.contains("growth"), result.words());
}

void tst_CliForecast::aCurveThatLevelsOffIsNotForetold()
{
    QByteArray table = "t_s,used_gb\n";
    for (int t = 0; t <= 60; ++t)
        table += QByteArray::number(t) + "," + QByteArray::number(100 * -std::expm1(-t / 15.0)) + "\n";
    const CliLab lab;
    const std::string file = written(lab, table);
    for (const char* at : {"10s", "20s", "30s", "45s", "60s"}) {
        const CliResult result = lab.run({"forecast", file, "--limit", "122GB", "--at", at, "--json"});
        QVERIFY2(result.code == 0 && result.object()["limit_reached_s"].isNull(), result.words());
    }
}

void tst_CliForecast::theEndOfTheProcessIsNoPhase()
{
    QByteArray table = "t_s,tree_bytes,rss_bytes,swap_bytes\n";
    for (int i = 0; i <= 204; ++i) {
        const double t = i / 10.0;
        const double used = t < 10 ? 1e8 * t : t < 20 ? 1e9 : std::max(0.0, 1e9 - 4e9 * (t - 20));
        const QByteArray cell = QByteArray::number(static_cast<qint64>(used));
        table += QByteArray::number(t) + "," + cell + "," + cell + ",0\n";
    }
    const CliLab lab;
    const CliResult result = lab.run({"forecast", written(lab, table), "--limit", "2GB", "--json"});
    const QJsonObject got = result.object();
    for (const QJsonArray& phases : {got["phases"].toArray(), got["resident"]["phases"].toArray()}) {
        QVERIFY2(phases.size() == 2 && phases[1]["name"].toString() == "level", result.words());
        QCOMPARE(phases[1]["to_s"].toDouble(), 20.0);
    }
    QCOMPARE(got["used_bytes"].toDouble(), 1e9);
}

/// Rows of what `usedGB` holds at times `stepS` apart.
static QByteArray tableOf(double stepS, int rows, const std::function<double(double)>& usedGB)
{
    QByteArray table = "t_s,used_gb\n";
    for (int i = 0; i < rows; ++i)
        table += QByteArray::number(i * stepS) + "," + QByteArray::number(usedGB(i * stepS)) + "\n";
    return table;
}

void tst_CliForecast::whatIsGivenBackIsNoEnd()
{
    const CliLab lab;
    const std::string level = written(lab, tableOf(0.5, 221, [](double t) { return t <= 100 ? t : 60; }));
    const CliResult held = lab.run({"forecast", level, "--limit", "120GB", "--json"});
    QVERIFY2(held.object()["limit_reached_s"].isNull() && held.object()["at_s"].toDouble() == 110, held.words());
    const std::string again = written(lab, tableOf(0.5, 241, [](double t) { return t <= 100 ? t : t - 20; }));
    const CliResult grows = lab.run({"forecast", again, "--limit", "120GB", "--json"});
    const double limitS = grows.object()["limit_reached_s"].toDouble();
    QVERIFY2(std::abs(limitS - 140) < 1 && grows.object()["used_bytes"].toDouble() == 100e9, grows.words());
}

void tst_CliForecast::noInstantIsForetoldBeforeTheLastRow()
{
    const CliLab lab;
    const std::string saw = written(lab, tableOf(0.1, 1000, [](double t) { return 10 + 2 * std::fmod(t, 5.0); }));
    for (const char* at : {"19.9s", "20s", "21.5s", "22s", "24.9s"}) {
        const CliResult result = lab.run({"forecast", saw, "--limit", "22GB", "--at", at, "--json"});
        const QJsonObject got = result.object();
        QCOMPARE(got["at_s"].toDouble(), QByteArray(at).chopped(1).toDouble());
        for (const char* instant : {"limit_reached_s", "low_s", "high_s"})
            QVERIFY2(got[instant].isNull() || got[instant].toDouble() >= got["at_s"].toDouble(), result.words());
    }
}

void tst_CliForecast::anIdleProcessIsOnePhase()
{
    const CliLab lab;
    const std::string idle = LOADLAB_SOURCE_DIR "/tests/data/idle-interpreter.csv";
    const CliResult result = lab.run({"forecast", idle, "--limit", "1GiB", "--json"});
    const QJsonArray phases = result.object()["phases"].toArray();
    QVERIFY2(phases.size() == 1 && phases[0]["name"].toString() == "level", result.words());
}

void tst_CliForecast::forPeople()
{
    const CliLab lab;
    const CliResult result = lab.run({"forecast", m_seed, "--limit", "122GB", "--at", "30s"});
    QVERIFY2(result.code == 0, result.words());
    QVERIFY2(result.out.startsWith("phase\tfrom\tto"), result.words());
    QVERIFY2(
        result.out.contains("slow start") && result.out.contains("is reached at 53.3 s (51.0 s to 56"), result.words());
}

void tst_CliForecast::wrongUsage_data()
{
    QTest::addColumn<QStringList>("line");
    QTest::addColumn<QByteArray>("words");
    const auto row = [](const QStringList& line, const char* words) {
        QTest::newRow(qPrintable(line.join(' '))) << line << QByteArray(words);
    };
    const QString seed = QString::fromStdString(m_seed);
    row({"--limit", "122GB"}, "FILE.csv");
    row({seed}, "--limit");
    row({seed, "--limit", "lots"}, "'lots'");
    row({seed, "--limit", "0"}, "'0'");
    row({seed, "--limit", "5%"}, "'5%'");
    row({seed, "--limit", "-3GB"}, "'-3GB'");
    row({seed, "--limit", "122GB", "--at", "soon"}, "'soon'");
    row({seed, "--limit", "122GB", "--at", "-5s"}, "'-5s'");
    row({seed, "--limit", "122GB", "--since", "5s"}, "'--since'");
    row({"/nowhere/curve.csv", "--limit", "122GB"}, "/nowhere/curve.csv");
}

void tst_CliForecast::wrongUsage()
{
    QFETCH(QStringList, line);
    QFETCH(QByteArray, words);
    const CliLab lab;
    std::vector<std::string> arguments{"forecast"};
    for (const QString& word : line)
        arguments.push_back(word.toStdString());
    const CliResult result = lab.run(arguments);
    QVERIFY2(result.code == 2 && result.out.isEmpty() && result.err.contains(words), result.words());
}

void tst_CliForecast::aFileThatIsNoTable()
{
    const CliLab lab;
    const std::string file = written(lab, "t_s,used_gb\n5,71\n10,many\n");
    const CliResult result = lab.run({"forecast", file, "--limit", "122GB", "--json"});
    QVERIFY2(result.code == 3 && result.out.isEmpty(), result.words());
    QVERIFY2(result.err.contains("curve.csv:3: 'many' in column used_gb"), result.words());
    const std::string sound = written(lab, "t_s,used_gb\n5,71\n10,72\n");
    const CliResult early = lab.run({"forecast", sound, "--limit", "122GB", "--at", "4s"});
    QVERIFY2(early.code == 2 && early.err.contains("'4s'") && early.err.contains("5.00 s"), early.words());
}

/// As `export` writes them: interleaved by time they would be phases of nothing.
void tst_CliForecast::severalRunsAreNoCurve()
{
    const CliLab lab;
    const std::string file = written(lab, "run,t_s,tree_bytes\n7,0,1000\n7,1,2000\n8,0,9000\n8,1,9000\n");
    const CliResult result = lab.run({"forecast", file, "--limit", "122GB"});
    QVERIFY2(result.code == 3 && result.out.isEmpty(), result.words());
    QVERIFY2(result.err.contains("curve.csv:4: ") && result.err.contains("loadlab samples RUN"), result.words());
}

QTEST_GUILESS_MAIN(tst_CliForecast)
#include "tst_CliForecast.moc"
