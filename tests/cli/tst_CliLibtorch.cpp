#include "tests/Sanitized.h"
#include "tests/cli/Cli.h"
#include "tests/plugins/TestWeights.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QTest>

/// The whole way with the real worker: a demo zoo, one run of each of its checkpoints, and the history after it.
class tst_CliLibtorch : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void demoZooIsKeptWhenItIsWhole();
    void zooAndInspectTellTheSame();
    void theGoodOneLoads();
    void aRunNeedsNoSecondCopyOfTheWeights();
    void everyBrokenOneHasItsMode_data();
    void everyBrokenOneHasItsMode();
    void aMissingCheckpointIsARunOfItsOwn();
    void aDeviceThatIsNotHereIsAResult();
    void namesOfTheZooAreEnough();
    void doctorFindsTheWorker();

private:
    CliLab m_lab;
    std::string m_demo;
};

void tst_CliLibtorch::initTestCase()
{
    m_demo = m_lab.path("demo");
    const CliResult made = m_lab.run({"demo-zoo", m_demo, "--size", "4MiB", "--json"});
    QVERIFY2(made.code == 0, made.words());
    QCOMPARE(made.object()["checkpoints"].toArray().size(), 5);
    QCOMPARE(made.object()["folder"].toString().toStdString(), m_demo);
}

void tst_CliLibtorch::demoZooIsKeptWhenItIsWhole()
{
    const QFileInfo weights(QString::fromStdString(m_demo + "/qwen2.5-0.5b-standin/model.safetensors"));
    const QDateTime before = weights.lastModified();
    QCOMPARE(m_lab.run({"demo-zoo", m_demo, "--size", "4MiB"}).code, 0);
    QCOMPARE(QFileInfo(weights.filePath()).lastModified(), before);
}

void tst_CliLibtorch::zooAndInspectTellTheSame()
{
    const CliResult listed = m_lab.run({"zoo", m_demo, "--json"});
    QVERIFY2(listed.code == 0 && listed.array().size() == 5, listed.words());
    for (const QJsonValue& entry : listed.array()) {
        const std::string path = entry.toObject()["path"].toString().toStdString();
        const CliResult inspected = m_lab.run({"inspect", path, "--json"});
        QVERIFY2(inspected.code == 0, inspected.words());
        QCOMPARE(inspected.object(), entry.toObject());
        for (const char* name : {"path", "name", "family", "architecture", "parameters", "components", "dtypes",
                 "quantization", "files", "state", "problems", "notes", "estimates"})
            QVERIFY2(entry.toObject().contains(name), name);
    }
    const CliResult words = m_lab.run({"--zoo", m_demo, "zoo"});
    QVERIFY2(words.out.contains("qwen2.5-0.5b-standin\tqwen2\tcomplete\t"), words.words());
    QVERIFY2(words.out.contains("qwen2.5-0.5b-lfs-pointer\tqwen2\tpointer\t"), words.words());
}

void tst_CliLibtorch::theGoodOneLoads()
{
    const CliResult result = m_lab.run({"run", m_demo + "/qwen2.5-0.5b-standin", "--dtype", "float32", "--json"});
    QVERIFY2(result.code == 0 && result.object()["mode"].toString() == "ok", result.words());
    const QJsonObject inspected = m_lab.run({"inspect", m_demo + "/qwen2.5-0.5b-standin", "--json"}).object();
    const QJsonObject loaded = result.object()["loaded"].toObject();
    QCOMPARE(loaded["parameters"], inspected["parameters"]);
    QCOMPARE(loaded["dtypes"].toObject().keys(), QStringList{"F32"});
    QCOMPARE(loaded["devices"].toObject()["cpu"].toDouble(), inspected["parameters"].toDouble() * 4);
    QCOMPARE(result.object()["checkpoint"].toObject()["family"].toString(), "qwen2");
}

/// The figures that a run stores, from the first sample to the last.
void tst_CliLibtorch::aRunNeedsNoSecondCopyOfTheWeights()
{
    if (loadlab::test::kSanitized)
        QSKIP("a sanitizer's own memory is counted too");
    constexpr double MiB = 1 << 20;
    constexpr std::uint64_t bytes = 256 << 20;
    const std::string large = m_lab.path("large.safetensors");
    writeSparseWeights(large, "BF16", bytes / 2, bytes);
    const auto peak = [this](const std::string& checkpoint, const char* dtype) {
        const CliResult result = m_lab.run({"run", checkpoint, "--dtype", dtype, "--json"});
        return result.code == 0 ? result.object()["memory"].toObject()["peak_tree_bytes"].toDouble() : 0.0;
    };
    const double idle = peak(m_demo + "/qwen2.5-0.5b-standin", "auto"); // 4 MiB of views
    const double kept = peak(large, "auto");
    const double converted = peak(large, "float32");
    QVERIFY2(idle > 0 && kept > 0 && kept <= idle + 16 * MiB, qPrintable(QString("%1 -> %2").arg(idle).arg(kept)));
    QVERIFY2(converted >= 2.0 * bytes && converted <= 1.05 * 2.0 * bytes + 96 * MiB,
        qPrintable(QString("%1 MiB").arg(converted / MiB)));
}

void tst_CliLibtorch::everyBrokenOneHasItsMode_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("mode");
    QTest::newRow("truncated") << "qwen2.5-0.5b-truncated"
                               << "incomplete_download";
    QTest::newRow("missing shard") << "qwen2.5-0.5b-missing-shard"
                                   << "incomplete_download";
    QTest::newRow("pointer") << "qwen2.5-0.5b-lfs-pointer"
                             << "incomplete_download";
    QTest::newRow("packed") << "qwen2.5-0.5b-dtype-conflict"
                            << "dtype_quantization_conflict";
}

void tst_CliLibtorch::everyBrokenOneHasItsMode()
{
    QFETCH(QString, name);
    QFETCH(QString, mode);
    const CliResult result = m_lab.run({"run", m_demo + "/" + name.toStdString(), "--json"});
    QVERIFY2(result.code == 1 && result.object()["mode"].toString() == mode, result.words());
    QVERIFY2(!result.object()["evidence"].toArray().isEmpty(), result.words());
    QVERIFY2(!result.object()["remedies"].toArray().isEmpty(), result.words());
    QCOMPARE(m_lab.run({"show", "last:failed", "--json"}).object()["run"], result.object()["run"]);
}

void tst_CliLibtorch::aMissingCheckpointIsARunOfItsOwn()
{
    for (const std::string& word :
        {m_lab.path("never-downloaded"), std::string("org/never-downloaded"), std::string("neverland")}) {
        const CliResult result = m_lab.run({"run", word, "--json"});
        QVERIFY2(result.code == 1, result.words());
        QVERIFY2(result.object()["mode"].toString() == "model_missing", result.words());
        QVERIFY2(result.object()["run"].toInt() > 0, result.words());
        QVERIFY2(!result.object()["remedies"].toArray().isEmpty(), result.words());
        QCOMPARE(result.out.contains("`hf download org/never-downloaded`"), word.starts_with("org/"));
    }
}

void tst_CliLibtorch::aDeviceThatIsNotHereIsAResult()
{
    const CliResult result = m_lab.run({"run", m_demo + "/qwen2.5-0.5b-standin", "--device-map", "cuda:7", "--json"});
    QVERIFY2(result.code == 1 && result.object()["mode"].toString() == "device_map_error", result.words());
}

void tst_CliLibtorch::namesOfTheZooAreEnough()
{
    const CliResult named = m_lab.run({"--zoo", m_demo, "inspect", "qwen2.5-0.5b-st", "--json"});
    QVERIFY2(named.code == 0, named.words());
    QCOMPARE(named.object()["name"].toString(), "qwen2.5-0.5b-standin");
    for (const char* command : {"inspect", "run"}) {
        const CliResult several = m_lab.run({"--zoo", m_demo, command, "qwen2.5", "--json"});
        QVERIFY2(several.code == 2 && several.out.isEmpty(), several.words());
        QVERIFY2(several.err.contains("'qwen2.5'") && several.err.contains("qwen2.5-0.5b-truncated"), several.words());
    }
    const CliResult slip = m_lab.run({"--zoo", m_demo, "inspect", "qwen2.5-0.5b-standni", "--json"});
    QVERIFY2(slip.code == 2 && slip.err.contains("qwen2.5-0.5b-standin"), slip.words());
}

void tst_CliLibtorch::doctorFindsTheWorker()
{
    const CliResult result = m_lab.run({"doctor", "--json"});
    QVERIFY2(result.code == 0, result.words());
    for (const QJsonValue& value : result.object()["backends"].toArray()) {
        const QJsonObject backend = value.toObject();
        if (backend["name"].toString() == "libtorch")
            QVERIFY2(backend["usable"].toBool() && backend["versions"].toObject().contains("libtorch"), result.words());
        if (backend["name"].toString() == "transformers")
            QVERIFY2(!backend["usable"].toBool() && !backend["problem"].toString().isEmpty(), result.words());
    }
    QVERIFY(result.object()["counters"].toArray().size() > 5);
    QVERIFY(result.object()["machine"].toObject()["memory_bytes"].toDouble() > 0);
    QVERIFY(result.object()["self_test"].toObject()["checks"].toArray().size() > 0);
    QVERIFY2(m_lab.run({"doctor"}).out.contains("Counters"), result.words());
}

QTEST_GUILESS_MAIN(tst_CliLibtorch)
#include "tst_CliLibtorch.moc"
