#include "core/Digest.h"
#include "core/Text.h"

#include <QtTest>
#include <random>
#include <set>

using namespace loadlab;

class tst_Text : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void keepsWellFormedText();
    void replacesEachIllFormedPart_data();
    void replacesEachIllFormedPart();
    void agreesWithQtOnAnyBytes();
    void hexGoesBothWays();
    void findsTheSlipOfTheFingers();
    void hashesAsTheStandardSays();
    void makesDistinctVersion4Uuids();
};

void tst_Text::keepsWellFormedText()
{
    const std::string text = "Gr\xC3\xB6\xC3\x9F" "e \xE2\x86\x92 \xF0\x9F\xA7\xAA";
    QVERIFY(isUtf8(text));
    QCOMPARE(toUtf8(text), text);
}

void tst_Text::replacesEachIllFormedPart_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("replacements");
    QTest::newRow("lone continuation") << QByteArray("a\x80z") << 1;
    QTest::newRow("overlong") << QByteArray("\xC0\xAF") << 2;
    QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80") << 3;
    QTest::newRow("cut at the end") << QByteArray("abc\xE2\x82") << 1;
    QTest::newRow("above U+10FFFF") << QByteArray("\xF5\x80\x80\x80") << 4;
}

void tst_Text::replacesEachIllFormedPart()
{
    QFETCH(QByteArray, bytes);
    QVERIFY(!isUtf8(bytes.toStdString()));
    const std::string mended = toUtf8(bytes.toStdString());
    QVERIFY(isUtf8(mended));
    QTEST(static_cast<int>(QString::fromStdString(mended).count(QChar::ReplacementCharacter)), "replacements");
}

void tst_Text::agreesWithQtOnAnyBytes()
{
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(random() % 24, '\0');
        for (char& c : bytes)
            c = static_cast<char>(random() % 2 ? random() % 256 : 0x80 + random() % 0x78);
        QVERIFY(isUtf8(toUtf8(bytes)));
        if (isUtf8(bytes))
            QCOMPARE(QString::fromStdString(bytes).toStdString(), bytes);
    }
}

void tst_Text::hexGoesBothWays()
{
    const std::string bytes("\0\x7F\xFFz", 4);
    QCOMPARE(toHex(bytes), std::string("007fff7a"));
    QCOMPARE(fromHex(toHex(bytes)), bytes);
    QCOMPARE(fromHex("0"), std::string());
    QCOMPARE(fromHex("zz"), std::string());
}

void tst_Text::findsTheSlipOfTheFingers()
{
    const std::vector<std::string> commands {"doctor", "backends", "inspect", "run", "runs"};
    QCOMPARE(nearestWord("inspekt", commands), std::string("inspect"));
    QCOMPARE(nearestWord("rum", commands), std::string("run"));
    QCOMPARE(nearestWord("zzzzzz", commands), std::string());
}

void tst_Text::hashesAsTheStandardSays()
{
    QCOMPARE(sha256Hex("abc"), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    Sha256 hash;
    hash.add("a");
    hash.add("bc");
    QCOMPARE(hash.hex(), sha256Hex("abc"));
}

void tst_Text::makesDistinctVersion4Uuids()
{
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string uuid = makeUuid();
        QCOMPARE(uuid.size(), std::size_t {36});
        QCOMPARE(uuid[14], '4');
        seen.insert(uuid);
    }
    QCOMPARE(seen.size(), std::size_t {1000});
}

QTEST_APPLESS_MAIN(tst_Text)
#include "tst_Text.moc"
