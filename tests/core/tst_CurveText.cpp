#include "core/curve/CurveText.h"

#include <QtTest>
#include <nlohmann/json.hpp>

using namespace loadlab;

namespace {

Curve twoSamples()
{
    Curve curve{1'000'000'000, {}};
    Sample first;
    first.monotonicNs = 1'050'000'400;
    first[Column::AnonBytes] = 4096;
    first[Column::TreeBytes] = 8192;
    Sample second = first;
    second.monotonicNs = 61'000'000'600;
    second[Column::SwapBytes] = 0;
    curve.samples = {first, second};
    return curve;
}

QList<QByteArray> lines(const std::string& text)
{
    return QByteArray::fromStdString(text).trimmed().split('\n');
}

} // namespace

class tst_CurveText : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void csvHasTheColumnsOfTheCommandLine()
    {
        const QByteArray head = lines(toCsv({})).first();
        QVERIFY(head.startsWith(
            "t_s,anon_bytes,file_bytes,shmem_bytes,swap_bytes,tree_bytes,gpu_bytes,system_available_bytes,"));
        QCOMPARE(head.split(',').size(), qsizetype(kColumnCount) + 1);
    }

    void csvWritesARowPerSampleWithSixDecimals()
    {
        const QList<QByteArray> rows = lines(toCsv(twoSamples()));
        QCOMPARE(rows.size(), 3);
        QVERIFY(rows[1].startsWith("0.050000,4096,,,,8192,"));
        QVERIFY(rows[2].startsWith("60.000001,4096,,,0,8192,"));
        QCOMPARE(rows[1].split(',').size(), qsizetype(kColumnCount) + 1);
    }

    void timesBeforeTheOriginAreNegative()
    {
        Curve curve = twoSamples();
        curve.originNs = 1'100'000'400;
        QVERIFY(lines(toCsv(curve))[1].startsWith("-0.050000,"));
    }

    void jsonComesBackAsTheSameSamples()
    {
        const auto json = nlohmann::json::parse(toJsonText(twoSamples()));
        QCOMPARE(json["rows"].size(), std::size_t{2});
        QVERIFY(json["rows"][0][2].is_null());
        const Result<Curve> back = curveFromJson(json);
        QVERIFY(back);
        QCOMPARE(back->samples.size(), std::size_t{2});
        QCOMPARE(back->samples[0].monotonicNs, std::int64_t{50'000'000});
        QCOMPARE(back->samples[1][Column::SwapBytes], std::int64_t{0});
        QVERIFY(!back->samples[0].has(Column::SwapBytes));
    }

    void aCurveIsTheLastMemberOfItsObject()
    {
        for (const std::string object : {"{}", R"({"run":7,"mode":"ok"})"}) {
            std::ostringstream text;
            writeJsonWithCurve(text, object, twoSamples());
            auto json = nlohmann::json::parse(text.str());
            QCOMPARE(json["curve"].dump(), nlohmann::json::parse(toJsonText(twoSamples())).dump());
            json.erase("curve");
            QCOMPARE(json, nlohmann::json::parse(object));
        }
    }

    void garbageIsRefusedWithAReason_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("word");
        QTest::newRow("no object") << QByteArray("[]") << QByteArray("columns");
        QTest::newRow("no rows") << QByteArray(R"({"columns":["t_s"]})") << QByteArray("rows");
        QTest::newRow("no time") << QByteArray(R"({"columns":["anon_bytes"],"rows":[]})") << QByteArray("t_s");
        QTest::newRow("short row") << QByteArray(R"({"columns":["t_s","anon_bytes"],"rows":[[1,2],[3]]})")
                                   << QByteArray("row 2");
        QTest::newRow("text cell") << QByteArray(R"({"columns":["t_s","anon_bytes"],"rows":[[1,"x"]]})")
                                   << QByteArray("row 1");
        QTest::newRow("huge time") << QByteArray(R"({"columns":["t_s"],"rows":[[1e300]]})") << QByteArray("row 1");
    }
    void garbageIsRefusedWithAReason()
    {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, word);
        const Result<Curve> curve = curveFromJson(nlohmann::json::parse(text.toStdString()));
        QVERIFY(!curve);
        QVERIFY2(curve.error().message.find(word.toStdString()) != std::string::npos, curve.error().message.c_str());
    }

    void hugeNumbersDoNotOverflow()
    {
        const auto json = nlohmann::json::parse(
            R"({"columns":["t_s","anon_bytes","tree_bytes"],"rows":[[0,1e300,18446744073709551615]]})");
        const Result<Curve> curve = curveFromJson(json);
        QVERIFY(curve);
        QVERIFY(!curve->samples[0].has(Column::AnonBytes));
        QVERIFY(!curve->samples[0].has(Column::TreeBytes));
    }
};

QTEST_GUILESS_MAIN(tst_CurveText)
#include "tst_CurveText.moc"
