#include "core/Units.h"

#include <QtTest>

using namespace loadlab;
using namespace std::chrono_literals;

class tst_Units : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void readsSizesAsPeopleWriteThem_data();
    void readsSizesAsPeopleWriteThem();
    void refusesWhatIsNoSize_data();
    void refusesWhatIsNoSize();
    void tellsSharesFromSizes();
    void readsDurations_data();
    void readsDurations();
    void refusesWhatIsNoDuration_data();
    void refusesWhatIsNoDuration();
    void writesThreeDigits_data();
    void writesThreeDigits();
    void writesNoSignBeforeZero();
    void writesDurations_data();
    void writesDurations();
    void keepsTimesThroughText();
};

void tst_Units::readsSizesAsPeopleWriteThem_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<quint64>("bytes");
    QTest::newRow("GiB") << "2GiB" << quint64 {2} * 1024 * 1024 * 1024;
    QTest::newRow("GB") << "122GB" << quint64 {122'000'000'000};
    QTest::newRow("decimal") << "1.5MiB" << quint64 {1'572'864};
    QTest::newRow("space") << " 64 KiB " << quint64 {65'536};
    QTest::newRow("bare") << "4096" << quint64 {4096};
    QTest::newRow("zero") << "0" << quint64 {0};
    QTest::newRow("lower case") << "2gib" << quint64 {2} * 1024 * 1024 * 1024;
}

void tst_Units::readsSizesAsPeopleWriteThem()
{
    QFETCH(QString, text);
    const auto bytes = parseSize(text.toStdString());
    QVERIFY2(bytes.has_value(), bytes ? "" : bytes.error().message.c_str());
    QTEST(quint64 {*bytes}, "bytes");
}

void tst_Units::refusesWhatIsNoSize_data()
{
    QTest::addColumn<QString>("text");
    for (const char* bad : {"", "-1", "+1", "GiB", "1.2.3", "5 parsecs", "nan", "inf", "1e30GB", "0x10", "2GiBs"})
        QTest::newRow(bad) << bad;
}

void tst_Units::refusesWhatIsNoSize()
{
    QFETCH(QString, text);
    const auto bytes = parseSize(text.toStdString());
    QVERIFY(!bytes);
    QVERIFY(bytes.error().message.find("'" + text.toStdString() + "'") != std::string::npos);
}

void tst_Units::tellsSharesFromSizes()
{
    QCOMPARE(parseSizeOrPercent("5%").value().percent, 5.0);
    QCOMPARE(parseSizeOrPercent("4GiB").value().bytes, std::uint64_t {4} << 30);
    QVERIFY(parseSizeOrPercent("4GiB").value().percent < 0);
    QVERIFY(!parseSizeOrPercent("101%"));
    QVERIFY(!parseSizeOrPercent("-5%"));
}

void tst_Units::readsDurations_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("nanoseconds");
    QTest::newRow("s") << "90s" << qint64 {90'000'000'000};
    QTest::newRow("min") << "15min" << qint64 {900'000'000'000};
    QTest::newRow("h") << "1.5h" << qint64 {5'400'000'000'000};
    QTest::newRow("ms") << "250ms" << qint64 {250'000'000};
    QTest::newRow("bare") << "2" << qint64 {2'000'000'000};
}

void tst_Units::readsDurations()
{
    QFETCH(QString, text);
    QTEST(qint64 {parseDuration(text.toStdString()).value().count()}, "nanoseconds");
}

void tst_Units::refusesWhatIsNoDuration_data()
{
    QTest::addColumn<QString>("text");
    for (const char* bad : {"", "-5s", "soon", "5 fortnights", "1e99s"})
        QTest::newRow(bad) << bad;
}

void tst_Units::refusesWhatIsNoDuration()
{
    QFETCH(QString, text);
    QVERIFY(!parseDuration(text.toStdString()));
}

void tst_Units::writesThreeDigits_data()
{
    QTest::addColumn<quint64>("bytes");
    QTest::addColumn<QString>("text");
    const quint64 gib = quint64 {1} << 30;
    QTest::newRow("0.842 GiB") << quint64 {904'090'000} << "0.842 GiB";
    QTest::newRow("8.52 GiB") << quint64 {9'148'000'000} << "8.52 GiB";
    QTest::newRow("94.7 GiB") << quint64 {101'683'000'000} << "94.7 GiB";
    QTest::newRow("117 GiB") << 117 * gib << "117 GiB";
    QTest::newRow("MiB below a tenth") << quint64 {12} * 1024 * 1024 << "12.0 MiB";
    QTest::newRow("bytes") << quint64 {512} << "512 B";
    QTest::newRow("nothing") << quint64 {0} << "0 B";
}

void tst_Units::writesThreeDigits()
{
    QFETCH(quint64, bytes);
    QTEST(QString::fromStdString(formatSize(bytes)), "text");
}

void tst_Units::writesNoSignBeforeZero()
{
    QCOMPARE(formatRate(-100), std::string("0.00 MiB/s"));
    QCOMPARE(formatRate(-100e6), std::string("-0.09 GiB/s"));
}

void tst_Units::writesDurations_data()
{
    QTest::addColumn<double>("seconds");
    QTest::addColumn<QString>("text");
    QTest::newRow("short") << 8.2 << "8.20 s";
    QTest::newRow("tens") << 55.0 << "55.0 s";
    QTest::newRow("minutes") << 742.0 << "12 min 22 s";
    QTest::newRow("hours") << 7500.0 << "2 h 05 min";
}

void tst_Units::writesDurations()
{
    QFETCH(double, seconds);
    const auto duration = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
    QTEST(QString::fromStdString(formatDuration(duration)), "text");
}

void tst_Units::keepsTimesThroughText()
{
    const auto time = std::chrono::system_clock::time_point(1'767'225'600'123ms);
    QCOMPARE(QString::fromStdString(toIsoUtc(time)), QStringLiteral("2026-01-01T00:00:00.123Z"));
    QVERIFY(parseIsoUtc(toIsoUtc(time)).value() == time);
    QVERIFY(parseIsoUtc("2026-01-01").has_value());
    QVERIFY(!parseIsoUtc("2026-13-01"));
    QVERIFY(!parseIsoUtc("yesterday"));
}

QTEST_APPLESS_MAIN(tst_Units)
#include "tst_Units.moc"
