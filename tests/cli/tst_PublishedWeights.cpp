#include "tests/cli/Cli.h"

#include <QFile>
#include <QTest>
#include <QtEndian>

/// Real weights as they were published: BERT, which no family file describes.
class tst_PublishedWeights : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void loadAsTheirHeaderSays_data();
    void loadAsTheirHeaderSays();

private:
    CliLab m_lab;
    QString m_folder;
};

namespace {

/// Elements of all tensors, from the file's own header.
double parametersOf(const QString& fileName)
{
    QFile file(fileName);
    if (!file.open(QIODevice::ReadOnly))
        return -1;
    const auto length = qFromLittleEndian<quint64>(file.read(8).constData());
    const QJsonObject header = QJsonDocument::fromJson(file.read(static_cast<qint64>(length))).object();
    double parameters = 0;
    for (auto tensor = header.begin(); tensor != header.end(); ++tensor) {
        double elements = tensor.key() == QLatin1String("__metadata__") ? 0 : 1;
        for (const QJsonValue& extent : tensor->toObject()["shape"].toArray())
            elements *= extent.toDouble();
        parameters += elements;
    }
    return parameters;
}

} // namespace

void tst_PublishedWeights::initTestCase()
{
    m_folder = qEnvironmentVariable("LOADLAB_TEST_MINILM");
    if (m_folder.isEmpty())
        QSKIP("LOADLAB_TEST_MINILM is not set: the published weights could not be fetched");
    QVERIFY2(QFile::exists(m_folder + "/model.safetensors"), qPrintable(m_folder));
}

void tst_PublishedWeights::loadAsTheirHeaderSays_data()
{
    QTest::addColumn<QString>("dtype");
    for (const char* dtype : {"auto", "bfloat16", "float32"})
        QTest::newRow(dtype) << dtype;
}

void tst_PublishedWeights::loadAsTheirHeaderSays()
{
    QFETCH(QString, dtype);
    const CliResult result = m_lab.run({"run", m_folder.toStdString(), "--dtype", dtype.toStdString(), "--json"});
    QVERIFY2(result.code == 0 && result.object()["mode"].toString() == "ok", result.words());
    const QJsonObject loaded = result.object()["loaded"].toObject();
    const double parameters = parametersOf(m_folder + "/model.safetensors");
    QVERIFY(parameters > 20e6);
    QCOMPARE(loaded["parameters"].toDouble(), parameters);
    QVERIFY2(!loaded.contains("non_finite") || loaded["non_finite"].toArray().isEmpty(), result.words());
}

QTEST_GUILESS_MAIN(tst_PublishedWeights)
#include "tst_PublishedWeights.moc"
