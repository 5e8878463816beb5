#include "CheckpointFiles.h"
#include "tests/Sanitized.h"

#include "core/checkpoint/SafetensorsHeader.h"

#include <QtTest>
#include <fcntl.h>
#include <fstream>
#include <malloc.h>
#include <random>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;
namespace fs = std::filesystem;

namespace {

SafetensorsHeader loaded(const fs::path& file)
{
    Result<SafetensorsHeader> header = SafetensorsHeader::load(file);
    if (!header)
        qFatal("%s", header.error().message.c_str());
    return std::move(*header);
}

QByteArray firstDefect(const SafetensorsHeader& header)
{
    return header.defects().empty() ? QByteArray() : QByteArray::fromStdString(header.defects().front().text);
}

/// One file with this header and so much data.
struct Case {
    Scratch folder;
    SafetensorsHeader header;
    Case(std::string_view text, std::uint64_t dataBytes)
        : header([&] {
            writeRaw(folder / "m.safetensors", text, dataBytes);
            return loaded(folder / "m.safetensors");
        }())
    {
    }
};

} // namespace

class tst_SafetensorsHeader : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsTensorsInTheOrderOfTheData();
    void takesWhatTheFormatAllows_data();
    void takesWhatTheFormatAllows();
    void namesRuleTensorAndNumbers_data();
    void namesRuleTensorAndNumbers();
    void tellsCutFilesFromWrongOnes_data();
    void tellsCutFilesFromWrongOnes();
    void knowsEveryDtypeOfTheFormat();
    void undoesEscapesInNames();
    void keepsTheLastOfDuplicates();
    void countsWhatItDoesNotSpellOut();
    void remarksAreNoDefects();
    void digestFollowsHeaderAndSizeOnly();
    void opensRegularFilesOnly();
    void survivesAnyByte();
    void staysBelowThreeTimesTheHeader_data();
    void staysBelowThreeTimesTheHeader();
};

void tst_SafetensorsHeader::readsTensorsInTheOrderOfTheData()
{
    Case c(
        R"({"b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})",
        28);
    QCOMPARE(firstDefect(c.header), QByteArray());
    QVERIFY(c.header.usable());
    QCOMPARE(c.header.count(), std::size_t{2});
    QCOMPARE(c.header.tensor(0).name, std::string_view("a"));
    QCOMPARE(c.header.tensor(0).dtype, Dtype::F16);
    QCOMPARE(c.header.tensor(1).name, std::string_view("b"));
    QCOMPARE(c.header.tensor(1).shape.size(), std::size_t{2});
    QCOMPARE(c.header.tensor(1).shape[1], std::uint64_t{3});
    QCOMPARE(c.header.tensor(1).sizeBytes(), std::uint64_t{24});
    QCOMPARE(c.header.tensor(1).elements(), std::uint64_t{6});
    QCOMPARE(c.header.dataOffset() + 28, c.header.fileBytes());
}

void tst_SafetensorsHeader::takesWhatTheFormatAllows_data()
{
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<int>("dataBytes");
    QTest::addColumn<int>("tensors");
    QTest::newRow("no tensor") << QByteArray("{}") << 0 << 0;
    QTest::newRow("spaces behind") << QByteArray("{}          ") << 0 << 0;
    QTest::newRow("no metadata") << QByteArray(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})") << 3 << 1;
    QTest::newRow("metadata null") << QByteArray(R"({"__metadata__":null})") << 0 << 0;
    QTest::newRow("scalar") << QByteArray(R"({"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]}})") << 8 << 1;
    QTest::newRow("no elements") << QByteArray(R"({"a":{"dtype":"F64","shape":[4,0],"data_offsets":[0,0]}})") << 0 << 1;
    QTest::newRow("0 before a large dimension")
        << QByteArray(R"({"a":{"dtype":"F64","shape":[4611686018427387904,0],"data_offsets":[0,0]}})") << 0 << 1;
    QTest::newRow("empty tensors between others") << QByteArray(
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},)"
        R"("c":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"d":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})")
                                                  << 2 << 4;
    QTest::newRow("unaligned") << QByteArray(
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})")
                               << 5 << 2;
    QTest::newRow("half bytes that make whole ones")
        << QByteArray(R"({"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}})") << 3 << 1;
    QTest::newRow("six bits") << QByteArray(R"({"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}})") << 3 << 1;
    QTest::newRow("fields in another order, unknown ones between")
        << QByteArray(R"({"a":{"data_offsets":[0,1],"more":{"x":[1,{"y":null}]},"shape":[1],"z":true,"dtype":"I8"}})")
        << 1 << 1;
    QTest::newRow("odd names") << QByteArray(
        R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a b\n":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})")
                               << 2 << 2;
    QTest::newRow("names of other scripts")
        << QByteArray("{\"\xE6\xA8\xA1\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}") << 1 << 1;
    QByteArray wide = R"({"a":{"dtype":"U8","shape":[1)";
    for (int i = 0; i < 99; ++i)
        wide += ",1";
    QTest::newRow("a hundred dimensions") << wide + QByteArray(R"(],"data_offsets":[0,1]}})") << 1 << 1;
}

void tst_SafetensorsHeader::takesWhatTheFormatAllows()
{
    QFETCH(QByteArray, header);
    QFETCH(int, dataBytes);
    QFETCH(int, tensors);
    Case c(header.toStdString(), static_cast<std::uint64_t>(dataBytes));
    QCOMPARE(firstDefect(c.header), QByteArray());
    QCOMPARE(static_cast<int>(c.header.count()), tensors);
}

void tst_SafetensorsHeader::namesRuleTensorAndNumbers_data()
{
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<int>("dataBytes");
    QTest::addColumn<QByteArray>("words");
    const auto one = [](const char* rest) { return QByteArray(R"({"w":{"dtype":"F32",)") + rest + "}}"; };
    const auto row = [](const char* name, const QByteArray& header, int bytes, const char* words) {
        QTest::newRow(name) << header << bytes << QByteArray(words);
    };
    row("not an object", "[]", 0, "begins with '[' instead of '{'");
    row("text", "hello world", 0, "instead of '{'");
    row("syntax", R"({"a":})", 0, "invalid JSON in the header at byte 13");
    row("two documents", "{}{}", 0, "invalid JSON");
    row("cut JSON", R"({"a":{"dtype":"F32")", 0, "invalid JSON");
    row("NUL for padding", QByteArray("{}\0\0", 4), 0, "NUL");
    row("bad UTF-8", "{\"a\xFF\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1,
        "invalid UTF-8 in the header at byte 11");
    row("lone surrogate", R"({"\ud800":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1, "invalid JSON");
    row("unknown dtype", R"({"w":{"dtype":"F33","shape":[],"data_offsets":[0,4]}})", 4,
        "tensor 'w': unknown dtype 'F33'");
    row("lower-case dtype", R"({"w":{"dtype":"f32","shape":[],"data_offsets":[0,4]}})", 4, "unknown dtype 'f32'");
    row("dtype no text", R"({"w":{"dtype":32,"shape":[],"data_offsets":[0,4]}})", 4,
        "tensor 'w': dtype is a number, not a text");
    row("entry no object", R"({"w":[1]})", 0, "tensor 'w': its entry is an array, not an object");
    row("no dtype", R"({"w":{"shape":[],"data_offsets":[0,4]}})", 4, "tensor 'w': dtype is missing");
    row("no shape", one(R"("data_offsets":[0,4])"), 4, "tensor 'w': shape is missing");
    row("no offsets", one(R"("shape":[])"), 4, "tensor 'w': data_offsets is missing");
    row("shape twice", one(R"("shape":[],"shape":[],"data_offsets":[0,4])"), 4, "tensor 'w': shape is given twice");
    row("negative dimension", one(R"("shape":[-1],"data_offsets":[0,4])"), 4,
        "dimension 1 of shape is a negative number");
    row("minus zero", one(R"("shape":[-0],"data_offsets":[0,0])"), 0, "dimension 1 of shape is a negative number");
    row("fractional dimension", one(R"("shape":[1,1.0],"data_offsets":[0,4])"), 4,
        "dimension 2 of shape is a number that is not whole");
    row("65 bits", one(R"("shape":[18446744073709551616],"data_offsets":[0,4])"), 4, "needs more than 64 bits");
    row("shape no array", one(R"("shape":4,"data_offsets":[0,4])"), 4, "shape is a number, not an array");
    row("one offset", one(R"("shape":[],"data_offsets":[0])"), 4, "data_offsets holds 1 numbers");
    row("three offsets", one(R"("shape":[],"data_offsets":[0,4,8])"), 4, "more than two");
    row("text offset", one(R"("shape":[],"data_offsets":["0",4])"), 4, "data_offsets[0] is a text");
    row("metadata array", R"({"__metadata__":[]})", 0, "__metadata__ is an array");
    row("metadata number", R"({"__metadata__":{"a":1}})", 0, "__metadata__ holds a number");
    row("metadata twice", R"({"__metadata__":{},"__metadata__":{}})", 0, "__metadata__ appears twice");
    row("wrong size", one(R"("shape":[2,3],"data_offsets":[0,20])"), 20,
        "tensor 'w': F32 [2, 3] takes 24 bytes, data_offsets [0, 20] hold 20");
    row("overflow", one(R"("shape":[4294967296,4294967296],"data_offsets":[0,0])"), 0,
        "tensor 'w': the size of F32 [4294967296, 4294967296] overflows");
    row("overflow by the type", one(R"("shape":[4611686018427387904],"data_offsets":[0,0])"), 0, "overflows");
    row("half a byte", R"({"w":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1,
        "tensor 'w': F4 [3] makes 12 bits");
    row("backwards", one(R"("shape":[0],"data_offsets":[4,0])"), 4, "tensor 'w': the first tensor begins at byte 4");
    row("first not at 0", one(R"("shape":[1],"data_offsets":[4,8])"), 8,
        "the first tensor begins at byte 4 of the data instead of 0");
    row("hole",
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[5,7]}})",
        7, "hole of 3 bytes between tensor 'a', which ends at 2, and tensor 'b', which begins at 5");
    row("overlap",
        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
        7, "tensor 'b' with data_offsets [3, 7] overlaps tensor 'a' with [0, 4] by 1 bytes");
    row("bytes behind", one(R"("shape":[1],"data_offsets":[0,4])"), 9, "5 bytes after the last tensor");
    row("bytes missing", one(R"("shape":[2],"data_offsets":[0,8])"), 5,
        "(3 are missing); the first tensor that is not whole is 'w'");
    row("beyond any file", one(R"("shape":[0],"data_offsets":[18446744073709551615,18446744073709551615])"), 0,
        "instead of 0");
    row("deep", QByteArray(R"({"w":{"x":)") + QByteArray(200, '[') + QByteArray(200, ']') + "}}", 0,
        "nested deeper than 127");
    row("empty inside another",
        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[3,3]}})",
        4, "tensor 'b' with data_offsets [3, 3] lies inside tensor 'a' with [0, 4]");
}

void tst_SafetensorsHeader::namesRuleTensorAndNumbers()
{
    QFETCH(QByteArray, header);
    QFETCH(int, dataBytes);
    QFETCH(QByteArray, words);
    Case c(header.toStdString(), static_cast<std::uint64_t>(dataBytes));
    QVERIFY(!c.header.usable());
    QVERIFY2(firstDefect(c.header).contains(words), firstDefect(c.header).constData());
}

void tst_SafetensorsHeader::tellsCutFilesFromWrongOnes_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("mode");
    QTest::addColumn<QByteArray>("words");
    const auto row = [](const char* name, const QByteArray& bytes, const char* mode, const char* words) {
        QTest::newRow(name) << bytes << QByteArray(mode) << QByteArray(words);
    };
    row("empty", "", "incomplete_download", "header too small: the file has 0 bytes");
    row("seven bytes", QByteArray("\x02\0\0\0\0\0\0", 7), "incomplete_download",
        "header too small: the file has 7 bytes");
    row("cut in the header", QByteArray("\x40\0\0\0\0\0\0\0{\"a\"", 12), "incomplete_download",
        "the header takes 72 bytes, the file has 12");
    row("zeros", QByteArray(4096, '\0'), "incomplete_download", "begins with zeros");
    row("header of zeros", QByteArray("\x20\0\0\0\0\0\0\0", 8) + QByteArray(40, '\0'), "incomplete_download",
        "ends in zeros");
    row("length 0", QByteArray("\0\0\0\0\0\0\0\0{}", 10), "corrupt_file", "its length field says 0 bytes");
    row("web page", "<!DOCTYPE html><html><body>404</body></html>", "corrupt_file", "header too large");
    row("one above the limit", QByteArray("\x01\xE1\xF5\x05\0\0\0\0{}", 10), "corrupt_file", "100,000,001");
    row("at the limit, cut", QByteArray("\x00\xE1\xF5\x05\0\0\0\0{}", 10), "incomplete_download",
        "takes 100,000,008 bytes");
    row("pointer",
        "version https://git-lfs.github.com/spec/v1\noid "
        "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 988097824\n",
        "incomplete_download", "git-lfs pointer: the 988,097,824 bytes");
}

void tst_SafetensorsHeader::tellsCutFilesFromWrongOnes()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QByteArray, mode);
    QFETCH(QByteArray, words);
    Scratch folder;
    writeText(folder / "m.safetensors", bytes.toStdString());
    const SafetensorsHeader header = loaded(folder / "m.safetensors");
    QCOMPARE(header.defects().size(), std::size_t{1});
    QCOMPARE(QByteArray::fromStdString(std::string(toWireName(header.defects().front().mode))), mode);
    QVERIFY2(firstDefect(header).contains(words), firstDefect(header).constData());
    QCOMPARE(header.isLfsPointer(), bytes.startsWith("version https://git-lfs"));
    QCOMPARE(header.count(), std::size_t{0});
}

void tst_SafetensorsHeader::knowsEveryDtypeOfTheFormat()
{
    std::vector<TensorSpec> tensors;
    for (std::size_t i = 0; i < kDtypeCount; ++i)
        tensors.push_back({"t" + std::to_string(i), std::string(toHeaderName(static_cast<Dtype>(i))), {8}});
    Scratch folder;
    writeSafetensors(folder / "m.safetensors", tensors);
    const SafetensorsHeader header = loaded(folder / "m.safetensors");
    QVERIFY2(header.usable(), firstDefect(header).constData());
    QCOMPARE(header.count(), kDtypeCount);
}

void tst_SafetensorsHeader::undoesEscapesInNames()
{
    Case c(R"({"a\u002eb\t\"\u00e9\ud83d\ude00":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1);
    QVERIFY2(c.header.usable(), firstDefect(c.header).constData());
    QCOMPARE(c.header.tensor(0).name, std::string_view("a.b\t\"\xC3\xA9\xF0\x9F\x98\x80"));
}

void tst_SafetensorsHeader::keepsTheLastOfDuplicates()
{
    Case same(
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}})",
        2);
    QCOMPARE(same.header.defects().size(), std::size_t{1});
    QVERIFY(same.header.defects().front().tolerated);
    QVERIFY(firstDefect(same.header).contains("'a' is given more than once"));
    QVERIFY(same.header.usable());
    QCOMPARE(same.header.count(), std::size_t{1});
    QCOMPARE(same.header.tensor(0).dtype, Dtype::I8);

    Case apart(
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
        4);
    QVERIFY(!apart.header.usable()); // the one that counts leaves a hole
}

void tst_SafetensorsHeader::countsWhatItDoesNotSpellOut()
{
    std::string text = "{";
    for (int i = 0; i < 100; ++i)
        text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[3],"data_offsets":[)"
            + std::to_string(2 * i) + "," + std::to_string(2 * i + 2) + "]}";
    Case c(text + "}", 200);
    QCOMPARE(c.header.defects().size(), std::size_t{21});
    QCOMPARE(c.header.defects().back().text, std::string("and 80 more defects of this header"));
    QVERIFY(!c.header.usable());
}

void tst_SafetensorsHeader::remarksAreNoDefects()
{
    std::string text = R"({"__metadata__":{"format":"np"},"a b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                       R"("b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
    text.append((8 - text.size() % 8) % 8, ' ');
    Case c(text, 5);
    QVERIFY(c.header.defects().empty());
    QCOMPARE(c.header.remarks().size(), std::size_t{3});
}

void tst_SafetensorsHeader::digestFollowsHeaderAndSizeOnly()
{
    Scratch folder;
    writeSafetensors(folder / "a", {{"x", "F32", {4}}}, Fill::Pattern);
    writeSafetensors(folder / "b", {{"x", "F32", {4}}}, Fill::Sparse);
    writeSafetensors(folder / "c", {{"y", "F32", {4}}});
    QCOMPARE(loaded(folder / "a").digest(), loaded(folder / "b").digest());
    QVERIFY(loaded(folder / "a").digest() != loaded(folder / "c").digest());
    fs::resize_file(folder / "b", fs::file_size(folder / "b") - 1);
    QVERIFY(loaded(folder / "a").digest() != loaded(folder / "b").digest());
    QCOMPARE(loaded(folder / "a").digest().size(), std::size_t{64});
}

void tst_SafetensorsHeader::opensRegularFilesOnly()
{
    Scratch folder;
    QCOMPARE(::mkfifo((folder / "fifo").c_str(), 0600), 0);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder / "sock").string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    QCOMPARE(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    fs::create_symlink("nowhere", folder / "dangling");
    fs::create_symlink("fifo", folder / "to-fifo");
    const auto refusal = [&](const fs::path& file) {
        const Result<SafetensorsHeader> header = SafetensorsHeader::load(file);
        return header ? std::string("opened") : header.error().message;
    };
    QVERIFY(refusal(folder / "fifo").find("is a FIFO") != std::string::npos);
    QVERIFY(refusal(folder / "to-fifo").find("is a FIFO") != std::string::npos);
    QVERIFY(refusal(folder / "sock").find("is a socket") != std::string::npos);
    QVERIFY(refusal("/dev/zero").find("is a character device") != std::string::npos);
    QVERIFY(refusal(folder.path()).find("is a folder") != std::string::npos);
    QVERIFY(refusal(folder / "absent").find("absent: No such file") != std::string::npos);
    QCOMPARE(SafetensorsHeader::load(folder / "dangling").error().kind, ErrorKind::NotFound);
    QCOMPARE(SafetensorsHeader::load(folder / "fifo").error().kind, ErrorKind::Invalid);
    ::close(socket);
}

void tst_SafetensorsHeader::survivesAnyByte()
{
    std::uint64_t dataBytes = 0;
    const std::string good
        = headerText({{"model.a\u00e9.weight", "BF16", {3, 4}}, {"b", "F4", {4}}, {"c", "I64", {}}}, &dataBytes);
    Scratch folder;
    const fs::path file = folder / "m.safetensors";
    writeRaw(file, good, dataBytes);
    std::string bytes(static_cast<std::size_t>(fs::file_size(file)), '\0');
    std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    std::mt19937 random(20260131);
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string mutated = bytes;
        for (unsigned i = 0; i <= random() % 4; ++i)
            mutated[random() % (8 + good.size())]
                = random() % 3 == 0 ? "\"{}[],:0919\\u\0"[random() % 14] : static_cast<char>(random());
        if (random() % 8 == 0)
            mutated.resize(random() % mutated.size());
        // Not emptied first: giving a block back and taking it anew, 20,000 times, keeps the disk busy for a minute.
        QCOMPARE(::pwrite(descriptor, mutated.data(), mutated.size(), 0), static_cast<ssize_t>(mutated.size()));
        QCOMPARE(::ftruncate(descriptor, static_cast<off_t>(mutated.size())), 0);
        const SafetensorsHeader header = loaded(file);
        accepted += header.usable() ? 1 : 0;
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < header.count(); ++i)
            sum += header.tensor(i).name.size() + header.tensor(i).elements() + header.tensor(i).shape.size();
        QVERIFY(sum > 0 || header.count() == 0 || header.tensor(0).name.empty());
    }
    ::close(descriptor);
    QVERIFY(accepted > 0 && accepted < 10'000);
}

namespace {

/// Builds one adversarial header of about this size.
std::string hugeHeader(const QByteArray& kind, std::size_t size)
{
    std::string text = "{";
    text.reserve(size + 4096);
    const auto entry = [&text](const std::string& name, const char* rest) {
        text += (text.size() == 1 ? "\"" : ",\"") + name + "\":" + rest;
    };
    if (kind == "tiny tensors")
        for (int i = 0; text.size() < size; ++i)
            entry(std::to_string(i), R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})");
    else if (kind == "one name twice")
        while (text.size() < size)
            entry("a", R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})");
    else if (kind == "one name")
        entry(std::string(size, 'n'), R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})");
    else if (kind == "one text of metadata")
        entry("__metadata__", ("{\"a\":\"" + std::string(size, 'n') + "\"}").c_str());
    else if (kind == "spaces")
        text.append(size, ' ');
    else if (kind == "depth")
        entry("a", ("{\"x\":" + std::string(size, '[')).c_str());
    else if (kind == "digits")
        entry("a", ("{\"shape\":[" + std::string(size, '7') + "]}").c_str());
    else if (kind == "dimensions") {
        text += R"("a":{"dtype":"U8","data_offsets":[0,0],"shape":[0)";
        while (text.size() < size)
            text += ",1";
        text += "]}";
    } else if (kind == "shapes that differ") {
        std::mt19937_64 random(7);
        for (int i = 0; text.size() < size; ++i) {
            std::string rest = R"({"dtype":"U8","data_offsets":[0,0],"shape":[0)";
            for (std::uint64_t bits = random(), k = 0; k < 60; ++k)
                rest += (bits >> k & 1) != 0 ? ",1" : ",2";
            entry(std::to_string(i), (rest + "]}").c_str());
        }
    }
    return text + "}";
}

} // namespace

void tst_SafetensorsHeader::staysBelowThreeTimesTheHeader_data()
{
    QTest::addColumn<int>("size");
    QTest::addColumn<bool>("usable");
    constexpr int largest = 99'000'000;
    constexpr int large = 20'000'000;
    QTest::newRow("tiny tensors") << largest << true;
    QTest::newRow("one name twice") << large << true;
    QTest::newRow("one name") << largest << true;
    QTest::newRow("one text of metadata") << large << true;
    QTest::newRow("spaces") << largest << true;
    QTest::newRow("depth") << large << false;
    QTest::newRow("digits") << large << false;
    QTest::newRow("dimensions") << large << false;
    QTest::newRow("shapes that differ") << large << false;
}

void tst_SafetensorsHeader::staysBelowThreeTimesTheHeader()
{
    if (loadlab::test::kSanitized)
        QSKIP("a sanitizer's own memory is counted too");
    QFETCH(int, size);
    QFETCH(bool, usable);
    Scratch folder;
    const fs::path file = folder / "m.safetensors";
    {
        const std::string text = hugeHeader(QTest::currentDataTag(), static_cast<std::size_t>(size));
        writeRaw(file, text, 0);
    }
    const auto headerBytes = static_cast<long>(fs::file_size(file));
    const pid_t child = ::fork();
    if (child == 0) {
        // A process of its own, so that its peak is this load's: exit code 0 usable, 1 not, 2 could not be read.
        ::malloc_trim(0); // what was freed must not serve again uncounted
        std::ofstream("/proc/self/clear_refs") << "5"; // VmHWM counts from here
        const auto residentKiB = [](const char* key) {
            std::ifstream status("/proc/self/status");
            for (std::string line; std::getline(status, line);)
                if (line.rfind(key, 0) == 0)
                    return std::stol(line.substr(std::string_view(key).size() + 1));
            return 0L;
        };
        const long before = residentKiB("VmRSS");
        const Result<SafetensorsHeader> header = SafetensorsHeader::load(file);
        const long grown = (residentKiB("VmHWM") - before) * 1024;
        std::fprintf(
            stderr, "grew by %.2f times the header\n", static_cast<double>(grown) / static_cast<double>(headerBytes));
        ::_exit(!header ? 2 : grown > 3 * headerBytes ? 3 : header->usable() ? 0 : 1);
    }
    int status = 0;
    QCOMPARE(::waitpid(child, &status, 0), child);
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), usable ? 0 : 1);
}

QTEST_GUILESS_MAIN(tst_SafetensorsHeader)
#include "tst_SafetensorsHeader.moc"
