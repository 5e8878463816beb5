#include "core/worker/JsonLineReader.h"

#include <QtTest>
#include <nlohmann/json.hpp>

using namespace loadlab;
using nlohmann::json;

namespace {

/// What a reader makes of the pieces: every object, and how it ended.
struct Reading {
    std::vector<json> objects;
    std::string end;
    bool operator==(const Reading&) const = default;
};

Reading read(const std::vector<std::string>& pieces, std::size_t limit = 64)
{
    JsonLineReader reader(limit);
    Reading reading;
    for (const std::string& piece : pieces) {
        const Result<std::vector<json>> objects = reader.feed(piece);
        if (objects)
            reading.objects.insert(reading.objects.end(), objects->begin(), objects->end());
    }
    const Result<void> end = reader.finish();
    reading.end = end ? "" : end.error().message;
    return reading;
}

std::vector<std::string> bytewise(const std::string& text)
{
    std::vector<std::string> pieces;
    for (const char c : text)
        pieces.emplace_back(1, c);
    return pieces;
}

} // namespace

class tst_JsonLineReader : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void wholeSplitAndJoinedGiveTheSame_data();
    void wholeSplitAndJoinedGiveTheSame();
    void quotesTheLineThatIsNoJson();
    void staysBroken();
    void aLineMayBeAsLongAsTheLimitAndNoLonger();
    void depthIsLimited();
};

void tst_JsonLineReader::wholeSplitAndJoinedGiveTheSame_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("objects");
    QTest::addColumn<bool>("clean");
    QTest::newRow("two lines") << QByteArray("{\"a\":1}\n{\"b\":\"\u00e4\"}\n") << 2 << true;
    QTest::newRow("empty lines and CR") << QByteArray("\n\r\n  \n{\"a\":1}\r\n\n") << 1 << true;
    QTest::newRow("nothing") << QByteArray() << 0 << true;
    QTest::newRow("nonsense after an object") << QByteArray("{\"a\":1}\nLoading shards\n{\"b\":2}\n") << 1 << false;
    QTest::newRow("no object") << QByteArray("[1,2]\n") << 0 << false;
    QTest::newRow("two objects in one line") << QByteArray("{} {}\n") << 0 << false;
    QTest::newRow("broken UTF-8") << QByteArray("{\"a\":\"\xff\"}\n") << 0 << false;
    QTest::newRow("cut line") << QByteArray("{\"a\":1}\n{\"b\":") << 1 << false;
    QTest::newRow("too long") << QByteArray("{\"a\":1}\n") + QByteArray(100, ' ') + "{}\n" << 1 << false;
    QTest::newRow("too long, never ends") << QByteArray(1000, 'x') << 0 << false;
}

void tst_JsonLineReader::wholeSplitAndJoinedGiveTheSame()
{
    QFETCH(QByteArray, text);
    QFETCH(int, objects);
    QFETCH(bool, clean);
    const std::string bytes = text.toStdString();
    const Reading whole = read({bytes});
    QCOMPARE(whole.objects.size(), static_cast<std::size_t>(objects));
    QCOMPARE(whole.end.empty(), clean);
    QVERIFY(read(bytewise(bytes)) == whole);
    for (std::size_t at = 0; at <= bytes.size(); ++at)
        QVERIFY2(read({bytes.substr(0, at), bytes.substr(at)}) == whole, std::to_string(at).c_str());
}

void tst_JsonLineReader::quotesTheLineThatIsNoJson()
{
    const Reading reading = read({"Loading checkpoint shards:  50%|\n"});
    QVERIFY2(reading.end.find("\"Loading checkpoint shards:  50%|\"") != std::string::npos, reading.end.c_str());
    const Reading longLine = read({std::string(1 << 20, 'y') + "\n"}, 8 << 20);
    QVERIFY(longLine.end.size() < 300);
}

void tst_JsonLineReader::staysBroken()
{
    JsonLineReader reader;
    const Result<std::vector<json>> first = reader.feed("{\"a\":1}\nnonsense\n");
    QVERIFY(first && first->size() == 1);
    QVERIFY(reader.nonsense());
    const Result<std::vector<json>> later = reader.feed("{\"b\":1}\n");
    QVERIFY(!later);
    QCOMPARE(later.error().message, reader.nonsense()->message);
}

void tst_JsonLineReader::aLineMayBeAsLongAsTheLimitAndNoLonger()
{
    const std::string fits = R"({"a":")" + std::string(56, 'x') + "\"}";
    QCOMPARE(fits.size(), std::size_t{64});
    QCOMPARE(read({fits + "\n"}).objects.size(), std::size_t{1});
    QVERIFY(read({" " + fits + "\n"}).end.find("more than 64 bytes") != std::string::npos);
}

void tst_JsonLineReader::depthIsLimited()
{
    const auto nested
        = [](std::size_t depth) { return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}\n"; };
    QCOMPARE(read({nested(60)}, 8 << 20).objects.size(), std::size_t{1});
    QVERIFY(read({nested(70)}, 8 << 20).objects.empty());
    QVERIFY(read({nested(3'000'000)}, 8 << 20).objects.empty());
    // Many siblings are not depth.
    std::string wide = R"({"a":[)";
    for (int i = 0; i < 200; ++i)
        wide += "[],";
    QCOMPARE(read({wide + "[]]}\n"}, 8 << 20).objects.size(), std::size_t{1});
}

QTEST_APPLESS_MAIN(tst_JsonLineReader)
#include "tst_JsonLineReader.moc"
