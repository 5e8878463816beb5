#include "core/curve/CurveFile.h"
#include "core/curve/CurveText.h"

#include <QFile>
#include <QTemporaryDir>
#include <QtTest>

#include <sys/stat.h>
#include <unistd.h>

using namespace loadlab;

/// Tables of curves from elsewhere: what can be read, and what is said of what cannot.
class tst_CurveFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsTheTableOfSeed003();
    void readsWhatSamplesWrites();
    void takesTablesAsPeopleWriteThem_data();
    void takesTablesAsPeopleWriteThem();
    void saysWhatIsWrongAndWhere_data();
    void saysWhatIsWrongAndWhere();
    void noFileIsNotFound();
    void whatIsNoRegularFileIsRefusedAtOnce();
    void keepsResidentAndSwapApart();
    void anEndlessLineIsRefusedInBoundedMemory();

private:
    [[nodiscard]] std::string made(const QByteArray& text) const;
    QTemporaryDir m_folder;
};

std::string tst_CurveFile::made(const QByteArray& text) const
{
    const QString name = m_folder.filePath("curve.csv");
    QFile file(name);
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
        qFatal("cannot write %s", qPrintable(name));
    return name.toStdString();
}

void tst_CurveFile::readsTheTableOfSeed003()
{
    const auto curve = readCurveFile(LOADLAB_SOURCE_DIR "/tests/data/seed-003.csv");
    QVERIFY2(curve, curve ? "" : curve.error().message.c_str());
    QCOMPARE(curve->usedColumn, std::string("used_gb"));
    QCOMPARE(curve->used.size(), std::size_t{12});
    QCOMPARE(curve->used.front(), (Point{0, 71e9}));
    QCOMPARE(curve->used.back(), (Point{55, 122e9}));
    QVERIFY(curve->resident.empty() && curve->swap.empty());
}

void tst_CurveFile::readsWhatSamplesWrites()
{
    Curve curve;
    curve.originNs = 1'000'000'000;
    for (int i = 0; i < 5; ++i) {
        Sample sample;
        sample.monotonicNs = curve.originNs + i * 50'000'000LL;
        if (i != 2)
            sample[Column::TreeBytes] = 4096LL * i;
        sample[Column::RssBytes] = 8192LL * i;
        curve.samples.push_back(sample);
    }
    const auto read = readCurveFile(made(QByteArray::fromStdString(toCsv(curve))));
    QVERIFY2(read, read ? "" : read.error().message.c_str());
    QCOMPARE(read->usedColumn, std::string("tree_bytes"));
    QCOMPARE(read->used, pointsOf(curve, Column::TreeBytes));
    QCOMPARE(read->resident, pointsOf(curve, Column::RssBytes));
    QVERIFY(read->swap.empty());
}

void tst_CurveFile::takesTablesAsPeopleWriteThem_data()
{
    QTest::addColumn<QByteArray>("text");
    const auto row = [](const char* name, const QByteArray& text) { QTest::newRow(name) << text; };
    row("plain", "t_s,used_bytes\n0,1000000000\n5,2000000000\n");
    row("no newline at the end", "t_s,used_bytes\n0,1000000000\n5,2000000000");
    row("CRLF and a mark", "\xEF\xBB\xBFt_s,used_bytes\r\n0,1000000000\r\n5,2000000000\r\n");
    row("any order of columns", "note,used_gb,t_s\nfirst,1,0\nsecond,2,5\n");
    row("any order of rows", "t_s,used_gb\n5,2\n0,1\n");
    row("rows of one time", "t_s,used_gb\n5,1\n5,2\n0,1\n5.0,1.5\n0,0.5\n");
    row("quotes, spaces, comments",
        "# by hand\n\"t_s\" , \"used_gb\",\"what, then\"\n\n0, 1 ,\"a, b\"\n \n5,\"2\",c\n");
    row("decimals and powers", "t_s,used_gb\n0.0,1.0\n+5e0,2.0e0\n");
    row("absent values", "t_s,used_gb,x\n0,1,\n2,,\n3,nan,\n5,2,\n");
    row("one run of an export", "run,t_s,tree_bytes\n248,0,1000000000\n248,5,2000000000\n");
    row("bytes before gigabytes", "t_s,tree_bytes,used_gb,used_bytes\n0,7,7,1000000000\n5,7,7,2000000000\n");
    row("resident and swap", "t_s,swap_gb,rss_gb\n0,0,1\n5,0.5,1.5\n");
}

void tst_CurveFile::takesTablesAsPeopleWriteThem()
{
    QFETCH(QByteArray, text);
    const auto curve = readCurveFile(made(text));
    QVERIFY2(curve, curve ? "" : curve.error().message.c_str());
    QCOMPARE(curve->used, (std::vector<Point>{{0, 1e9}, {5, 2e9}}));
}

void tst_CurveFile::saysWhatIsWrongAndWhere_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("place");
    QTest::addColumn<QByteArray>("words");
    const auto row = [](const char* name, const QByteArray& text, const char* place, const char* words) {
        QTest::newRow(name) << text << QByteArray(place) << QByteArray(words);
    };
    row("empty", "", "curve.csv: ", "t_s");
    row("no rows", "t_s,used_gb\n", "curve.csv: ", "no row has a value");
    row("no value in any row", "t_s,used_gb\n0,\n1,\n", "curve.csv: ", "no row has a value in used_gb");
    row("no header", "0,71\n5,71\n", "curve.csv:1: ", "used_bytes");
    row("no time", "seconds,used_gb\n0,1\n", "curve.csv:1: ", "'seconds,used_gb'");
    row("no memory", "t_s,memory\n0,1\n", "curve.csv:1: ", "loadlab samples");
    row("semicolons", "t_s;used_gb\n0;1\n", "curve.csv:1: ", "commas");
    row("a column twice", "t_s,used_gb,t_s\n0,1,2\n", "curve.csv:1: ", "two columns 't_s'");
    row("a word", "t_s,used_gb\n0,1\n5,lots\n", "curve.csv:3: ", "'lots' in column used_gb");
    row("a unit", "t_s,used_gb\n0,71GB\n", "curve.csv:2: ", "'71GB'");
    row("a time that is none", "t_s,used_gb\nT+0s,71\n", "curve.csv:2: ", "'T+0s' in column t_s");
    row("no time in a row", "t_s,used_gb\n0,1\n,2\n", "curve.csv:3: ", "t_s is empty");
    row("a time that is not a number", "t_s,used_gb\n0,1\nnan,2\n", "curve.csv:3: ", "t_s is 'nan'");
    row("two runs", "run,t_s,used_gb\n248,0,1\n248,5,2\n249,0,1\n", "curve.csv:4: ", "'249' after '248'");
    row("two runs, what to do", "t_s,used_gb,run\n0,1,a\n5,,b\n", "curve.csv:3: ", "'loadlab samples RUN'");
    row("too few cells", "t_s,used_gb\n0,1\n5\n", "curve.csv:3: ", "1 cells, the header 2");
    row("too many cells", "t_s,used_gb\n0,1,5\n", "curve.csv:2: ", "3 cells");
    row("negative", "t_s,used_gb\n0,-1\n", "curve.csv:2: ", "'-1' in column used_gb is negative");
    row("infinite", "t_s,used_gb\n0,inf\n", "curve.csv:2: ", "'inf'");
    row("beyond all measure", "t_s,used_gb\n0,1e300\n", "curve.csv:2: ", "'1e300'");
    row("beyond any number", "t_s,used_gb\n0,1e999\n", "curve.csv:2: ", "'1e999'");
    row("UTF-16", QByteArray("\xFF\xFEt\0_\0s\0", 8), "curve.csv:1: ", "UTF-8");
    row("NULs", QByteArray("t_s,used_gb\n0,\0\n", 16), "curve.csv:2: ", "NUL");
    row("no text", "\x89PNG\r\n\x1a\n", "curve.csv:1: ", "t_s");
}

void tst_CurveFile::saysWhatIsWrongAndWhere()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, place);
    QFETCH(QByteArray, words);
    const auto curve = readCurveFile(made(text));
    QVERIFY(!curve);
    QVERIFY(curve.error().kind == ErrorKind::Invalid);
    const QByteArray message = QByteArray::fromStdString(curve.error().message);
    QVERIFY2(message.contains(place) && message.contains(words), message);
    QVERIFY2(QString::fromUtf8(message).toUtf8() == message, message);
}

void tst_CurveFile::noFileIsNotFound()
{
    const auto curve = readCurveFile(m_folder.filePath("absent.csv").toStdString());
    QVERIFY(!curve && curve.error().kind == ErrorKind::NotFound);
    QVERIFY(QByteArray::fromStdString(curve.error().message).contains("absent.csv"));
}

void tst_CurveFile::whatIsNoRegularFileIsRefusedAtOnce()
{
    const auto folder = readCurveFile(m_folder.path().toStdString());
    QVERIFY(!folder && folder.error().kind == ErrorKind::Invalid);
    const std::string pipe = m_folder.filePath("pipe").toStdString();
    QCOMPARE(::mkfifo(pipe.c_str(), 0600), 0);
    const auto waited = readCurveFile(pipe);
    QVERIFY(!waited && waited.error().kind == ErrorKind::Invalid);
}

void tst_CurveFile::keepsResidentAndSwapApart()
{
    const auto curve = readCurveFile(made("t_s,rss_bytes,swap_bytes,tree_bytes\n0,53,0,53\n1,53,,53\n2,53,16,69\n"));
    QVERIFY(curve);
    QCOMPARE(curve->used, (std::vector<Point>{{0, 53}, {1, 53}, {2, 69}}));
    QCOMPARE(curve->resident, (std::vector<Point>{{0, 53}, {1, 53}, {2, 53}}));
    QCOMPARE(curve->swap, (std::vector<Point>{{0, 0}, {2, 16}}));
}

void tst_CurveFile::anEndlessLineIsRefusedInBoundedMemory()
{
    const QString name = m_folder.filePath("endless.csv");
    QFile file(name);
    QVERIFY(file.open(QIODevice::WriteOnly));
    QVERIFY(file.write("t_s,used_gb\n") > 0);
    QVERIFY(file.resize(qint64{1} << 36)); // Sparse: no bytes on disk.
    file.close();
    const auto curve = readCurveFile(name.toStdString());
    QVERIFY(!curve);
    const QByteArray message = QByteArray::fromStdString(curve.error().message);
    QVERIFY2(message.contains("endless.csv:2: ") && message.contains("1 MiB"), message);
}

QTEST_GUILESS_MAIN(tst_CurveFile)
#include "tst_CurveFile.moc"
