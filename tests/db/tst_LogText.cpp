#include "Folder.h"
#include "RawDatabase.h"
#include "RunBuilder.h"
#include "Take.h"

#include "core/Text.h"
#include "db/LogText.h"
#include "db/RunStore.h"

#include <QTest>
#include <fstream>

using namespace loadlab;
using namespace loadlab::test;

namespace {

std::vector<std::string> linesOf(const std::vector<LogPiece>& pieces)
{
    std::vector<std::string> lines;
    LogLines splitter([&lines](std::string line) { lines.push_back(std::move(line)); });
    for (const LogPiece& piece : pieces)
        splitter.feed(piece);
    splitter.finish();
    return lines;
}

std::string joined(const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& line : lines)
        text += line + "|";
    return text;
}

std::uint32_t next(std::uint32_t& state)
{
    return (state = state * 1664525 + 1013904223) >> 8;
}

std::uint64_t residentBytes()
{
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    statm >> size >> resident;
    return resident * 4096;
}

} // namespace

class tst_LogText : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void splitsLines_data();
    void splitsLines();
    void splitsTheSameHoweverTheTextCame();
    void keepsStreamsApart();
    void marksAGap();
    void packsAnyBytes();
    void refusesDamagedBlocks();
    void keepsHeadAndTail_data();
    void keepsHeadAndTail();
    void keepsEverythingBelowTheLimit();
    void keepsALineOfAnyLength();
    void goesOnAfterReopening();
    void takesBoundedMemory();
    void rewritesLittle();
};

void tst_LogText::splitsLines_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("lines");
    QTest::newRow("nothing") << QByteArray("") << QByteArray("");
    QTest::newRow("unix") << QByteArray("a\nb\n") << QByteArray("a|b|");
    QTest::newRow("no end") << QByteArray("a\nb") << QByteArray("a|b|");
    QTest::newRow("empty lines") << QByteArray("\na\n\n\nb\n") << QByteArray("|a|||b|");
    QTest::newRow("windows") << QByteArray("a\r\nb\r\n") << QByteArray("a|b|");
    QTest::newRow("empty windows lines") << QByteArray("a\r\n\r\nb\r\n") << QByteArray("a||b|");
    QTest::newRow("double return") << QByteArray("a\r\r\nb\n") << QByteArray("a|b|");
    QTest::newRow("a bar") << QByteArray("\r10%\r20%\r100%\ndone\n") << QByteArray("10%|20%|100%|done|");
    QTest::newRow("a bar that cleans up") << QByteArray("10%\r   \rdone\n") << QByteArray("10%|   |done|");
    QTest::newRow("not utf-8") << QByteArray("a\xff"
                                             "b\n\xc3\n")
                               << QByteArray("a\xef\xbf\xbd"
                                             "b|\xef\xbf\xbd|");
    QTest::newRow("utf-8") << QByteArray("gr\xc3\xb6\xc3\x9f"
                                         "e\n")
                           << QByteArray("gr\xc3\xb6\xc3\x9f"
                                         "e|");
    QTest::newRow("zero byte") << QByteArray("a\0b\n", 4) << QByteArray("a\0b|", 4);
}

void tst_LogText::splitsLines()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, lines);
    QCOMPARE(joined(linesOf({{LogStream::Stderr, 0, text.toStdString()}})), lines.toStdString());
}

void tst_LogText::splitsTheSameHoweverTheTextCame()
{
    const std::string text = "one\r\ntwo\r10%\r20%\r\n\n\r\nw\xc3\xb6rter\n\r\rend\xff";
    const std::string whole = joined(linesOf({{LogStream::Stdout, 0, text}}));
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        QCOMPARE(
            joined(linesOf({{LogStream::Stdout, 0, text.substr(0, cut)}, {LogStream::Stdout, 0, text.substr(cut)}})),
            whole);
    std::vector<LogPiece> bytes;
    for (const char byte : text)
        bytes.push_back({LogStream::Stdout, 0, std::string(1, byte)});
    QCOMPARE(joined(linesOf(bytes)), whole);
}

void tst_LogText::keepsStreamsApart()
{
    QCOMPARE(joined(linesOf({{LogStream::Stderr, 0, "load"}, {LogStream::Stdout, 0, "out\n"},
                 {LogStream::Stderr, 1, "ing\n"}, {LogStream::Lab, 2, "cancelled"}})),
        "out|loading|cancelled|");
}

void tst_LogText::marksAGap()
{
    std::vector<std::string> lines;
    LogLines splitter([&lines](std::string line) { lines.push_back(std::move(line)); });
    splitter.feed({LogStream::Stderr, 0, "cut off"});
    splitter.gap(12'345);
    splitter.feed({LogStream::Stderr, 0, "ere\nlast\n"});
    splitter.finish();
    QCOMPARE(joined(lines), "cut off|[12,345 bytes of log text were not kept here]|ere|last|");
}

void tst_LogText::packsAnyBytes()
{
    std::uint32_t state = 7;
    for (int round = 0; round < 200; ++round) {
        std::vector<LogPiece> pieces(next(state) % 5);
        for (LogPiece& piece : pieces) {
            piece.stream = static_cast<LogStream>(next(state) % 3);
            piece.tMs = static_cast<std::int64_t>(next(state)) - (1 << 23); // the baseline is before zero
            piece.bytes.resize(next(state) % 3000);
            for (char& byte : piece.bytes)
                byte = static_cast<char>(round % 2 ? next(state) : 'x');
        }
        QVERIFY(take(decodeLogBlock(encodeLogBlock(pieces))) == pieces);
    }
    QVERIFY(encodeLogBlock({{LogStream::Stderr, 0, std::string(65536, 'x')}}).size() < 100);
}

void tst_LogText::refusesDamagedBlocks()
{
    const std::vector<LogPiece> pieces{{LogStream::Stderr, 5, std::string(500, 'x')}, {LogStream::Stdout, 9, "abc"}};
    for (const std::string& block : {encodeLogBlock(pieces), encodeLogBlock({{LogStream::Stderr, 0, "short"}})}) {
        for (std::size_t size = 0; size < block.size(); ++size) {
            const Result<std::vector<LogPiece>> cut = decodeLogBlock(block.substr(0, size));
            QVERIFY(!cut || size == 1); // the format byte alone: no pieces
        }
        std::uint32_t state = 3;
        for (int round = 0; round < 2000; ++round) { // whatever it holds: an answer
            std::string damaged = block;
            damaged[next(state) % damaged.size()] = static_cast<char>(next(state));
            static_cast<void>(decodeLogBlock(damaged));
        }
    }
    const std::string bomb = encodeLogBlock({{LogStream::Stderr, 0, std::string(std::size_t{17} << 20, 'x')}});
    QCOMPARE(decodeLogBlock(bomb).error().kind, ErrorKind::Invalid);
    QVERIFY(decodeLogBlock("\x09").error().message.find("newer LoadLab") != std::string::npos);
}

void tst_LogText::keepsHeadAndTail_data()
{
    QTest::addColumn<quint64>("limit");
    QTest::addColumn<quint64>("step");
    for (const quint64 limit : {256U, 1000U, 10'000U, 300'000U})
        for (const quint64 step : {7U, 100U, 4096U, 100'000U, 1'000'000U})
            QTest::addRow("limit %llu, %llu at a time", limit, step) << limit << step;
}

void tst_LogText::keepsHeadAndTail()
{
    QFETCH(quint64, limit);
    QFETCH(quint64, step);
    std::string text;
    for (int i = 0; text.size() < 3 * limit; ++i)
        text += "line " + std::to_string(i) + "\n";
    RunStore store = take(RunStore::openInMemory());
    store.setLogLimit(limit);
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    for (std::size_t at = 0; at < text.size();) {
        take(store.begin());
        for (int k = 0; k < 5 && at < text.size(); ++k, at += step)
            take(store.addLog(run, LogStream::Stderr, 0, std::string_view(text).substr(at, step)));
        take(store.commit());
    }
    for (const bool ended : {false, true}) {
        if (ended)
            take(store.finishRun(run, finished(begin)));
        const std::vector<std::string> lines = take(store.logLines(run));
        std::uint64_t bytes = 0;
        std::size_t gaps = 0;
        for (const std::string& line : lines) {
            gaps += line.starts_with("[") ? 1 : 0;
            bytes += line.starts_with("[") ? 0 : line.size() + 1;
        }
        QCOMPARE(gaps, std::size_t{1});
        QVERIFY2(bytes <= limit + 2 && bytes >= limit - limit / 4, std::to_string(bytes).c_str());
        std::size_t head = 0;
        std::string start;
        while (!lines[head].starts_with("["))
            start += lines[head++] + "\n";
        QVERIFY(text.starts_with(std::string_view(start).substr(0, start.size() - 1))); // its last line may be cut
        QVERIFY(start.size() >= limit / 2);
        std::string tail;
        for (std::size_t i = head + 1; i < lines.size(); ++i)
            tail += lines[i] + "\n";
        QVERIFY(text.ends_with(tail));
        QVERIFY(tail.size() >= limit / 4);
    }
    QVERIFY(take(store.check()).ok);
}

void tst_LogText::keepsEverythingBelowTheLimit()
{
    RunStore store = take(RunStore::openInMemory());
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    std::vector<std::string> expected;
    std::uint32_t state = 1;
    while (expected.size() < 3000) {
        take(store.begin());
        for (int k = 0; k < 10; ++k) {
            expected.push_back(std::string(next(state) % 2000, 'a') + std::to_string(expected.size()));
            take(store.addLog(run, LogStream::Stderr, static_cast<double>(expected.size()), expected.back() + "\n"));
        }
        take(store.commit());
        if (expected.size() % 500 == 0)
            QVERIFY(take(store.logLines(run)) == expected);
    }
    take(store.finishRun(run, finished(begin)));
    QVERIFY(take(store.logLines(run)) == expected);
}

void tst_LogText::keepsALineOfAnyLength()
{
    RunStore store = take(RunStore::openInMemory());
    const RunId run = take(store.startRun(started()));
    const std::string line(5'000'000, 'x');
    take(store.addLog(run, LogStream::Stdout, 0, line + "\nend"));
    const std::vector<std::string> lines = take(store.logLines(run));
    QCOMPARE(lines.size(), std::size_t{2});
    QVERIFY(lines[0] == line);
}

void tst_LogText::goesOnAfterReopening()
{
    const Folder folder;
    RunId run;
    for (int i = 0; i < 20; ++i) {
        RunStore store = take(RunStore::open(folder.file()));
        store.setLogLimit(4096);
        if (i == 0)
            run = take(store.startRun(started()));
        take(store.addLog(run, LogStream::Stderr, i, "session " + std::to_string(i) + std::string(500, '.') + "\n"));
    }
    const RunStore store = take(RunStore::open(folder.file()));
    const std::vector<std::string> lines = take(store.logLines(run));
    QVERIFY(lines.front().starts_with("session 0."));
    QVERIFY(lines.back().starts_with("session 19."));
    QVERIFY(std::ranges::any_of(lines, [](const std::string& line) { return line.starts_with("["); }));
    QVERIFY(RawDatabase(folder.file()).number("SELECT sum(size) FROM log_blocks") <= 4096 + 520);
}

void tst_LogText::takesBoundedMemory()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    store.setLogLimit(1 << 20);
    const RunId run = take(store.startRun(started()));
    const std::string text(10'000, 'x'); // not one line end
    take(store.addLog(run, LogStream::Stderr, 0, text));
    const std::uint64_t before = residentBytes();
    for (int i = 0; i < 200; ++i) {
        take(store.begin());
        for (int k = 0; k < 100; ++k)
            take(store.addLog(run, LogStream::Stderr, i, text));
        take(store.commit());
    }
    const std::uint64_t after = residentBytes();
    const std::uint64_t grown = after - std::min(before, after);
    QVERIFY2(grown < (24 << 20), std::to_string(grown).c_str()); // of 200 MB that went through; SQLite's cache is 8 MiB
    QVERIFY(RawDatabase(folder.file()).number("SELECT sum(size) FROM log_blocks") <= (1 << 20));
}

/// A line a second for hours: every commit writes one small block, and they are merged by and by.
void tst_LogText::rewritesLittle()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    const RawDatabase raw(folder.file());
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    const std::string line(99, 'x');
    for (int i = 0; i < 2000; ++i) {
        take(store.begin(RunStore::Durability::PageCache));
        take(store.addLog(run, LogStream::Stderr, i, line + "\n"));
        take(store.commit());
        if (i % 100 == 0)
            QVERIFY(raw.number("SELECT count(*) FROM log_blocks") < 2 + 65536 / 4096 + 3);
    }
    take(store.finishRun(run, finished(begin)));
    QCOMPARE(raw.number("SELECT count(*) FROM log_blocks"), 4LL);
    QCOMPARE(take(store.logLines(run)).size(), std::size_t{2000});
}

QTEST_APPLESS_MAIN(tst_LogText)
#include "tst_LogText.moc"
