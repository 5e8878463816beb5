#include "CheckpointFiles.h"

#include "core/checkpoint/Checkpoint.h"
#include "core/checkpoint/TorchFile.h"
#include "core/checkpoint/ZipListing.h"

#include <QtTest>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

using namespace loadlab;
using namespace loadlab::test;
namespace fs = std::filesystem;

namespace {

void put(std::string& bytes, std::uint64_t value, std::size_t width)
{
    for (std::size_t i = 0; i < width; ++i)
        bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

struct Member {
    std::string name;
    std::string bytes;
};

/// A zip archive of stored members, with zip64 records for everything when asked.
std::string zipOf(const std::vector<Member>& members, bool wide = false, const std::string& comment = {})
{
    std::string archive;
    std::string directory;
    for (const Member& member : members) {
        const std::uint64_t offset = archive.size();
        archive += "PK\x03\x04";
        put(archive, 0x14, 2);
        archive.append(12, '\0'); // flags, method, time, date, crc
        put(archive, member.bytes.size(), 4);
        put(archive, member.bytes.size(), 4);
        put(archive, member.name.size(), 2);
        put(archive, 5, 2); // an extra field, as torch writes to align
        archive += member.name + std::string(5, 'Z') + member.bytes;
        directory += "PK\x01\x02";
        directory.append(16, '\0');
        put(directory, wide ? 0xFFFFFFFF : member.bytes.size(), 4);
        put(directory, wide ? 0xFFFFFFFF : member.bytes.size(), 4);
        put(directory, member.name.size(), 2);
        put(directory, wide ? 28 : 0, 2);
        directory.append(10, '\0');
        put(directory, wide ? 0xFFFFFFFF : offset, 4);
        directory += member.name;
        if (wide) {
            put(directory, 1, 2);
            put(directory, 24, 2);
            put(directory, member.bytes.size(), 8);
            put(directory, member.bytes.size(), 8);
            put(directory, offset, 8);
        }
    }
    const std::uint64_t at = archive.size();
    archive += directory;
    if (wide) {
        const std::uint64_t record = archive.size();
        archive += "PK\x06\x06";
        put(archive, 44, 8);
        archive.append(12, '\0');
        put(archive, members.size(), 8);
        put(archive, members.size(), 8);
        put(archive, directory.size(), 8);
        put(archive, at, 8);
        archive += "PK\x06\x07";
        put(archive, 0, 4);
        put(archive, record, 8);
        put(archive, 1, 4);
    }
    archive += "PK\x05\x06";
    put(archive, 0, 4);
    put(archive, wide ? 0xFFFF : members.size(), 2);
    put(archive, wide ? 0xFFFF : members.size(), 2);
    put(archive, wide ? 0xFFFFFFFF : directory.size(), 4);
    put(archive, wide ? 0xFFFFFFFF : at, 4);
    put(archive, comment.size(), 2);
    return archive + comment;
}

const std::vector<Member> kProgram{{"model/data.pkl", "\x80\x02ctorch\nBFloat16Storage\n."},
    {"model/code/__torch__.py", "x"}, {"model/data/0", std::string(64, 'w')}, {"model/version", "3\n"}};

struct File {
    Scratch folder;
    fs::path path;
    explicit File(const std::string& bytes, const char* name = "m.pt")
        : path(folder / name)
    {
        writeText(path, bytes);
    }
    [[nodiscard]] ZipListing listing() const { return *readZipListing(*RegularFile::open(path)); }
    [[nodiscard]] TorchFile torch() const { return *examineTorchFile(*RegularFile::open(path)); }
};

} // namespace

class tst_TorchFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void listsMembersFromTheEnd_data();
    void listsMembersFromTheEnd();
    void brokenArchives_data();
    void brokenArchives();
    void survivesAnyByte();
    void tellsProgramsFromPickles();
    void inspectionOfATorchScriptFile();
    void inspectionOfPickles();
    void pickledShards();
    void otherFormats();

private:
    FamilyCatalog m_catalog = FamilyCatalog::load(LOADLAB_SOURCE_DIR "/resources/families");
};

void tst_TorchFile::listsMembersFromTheEnd_data()
{
    QTest::addColumn<bool>("wide");
    QTest::addColumn<int>("comment");
    QTest::newRow("plain") << false << 0;
    QTest::newRow("comment") << false << 65535;
    QTest::newRow("zip64") << true << 0;
    QTest::newRow("zip64 and comment") << true << 500;
}

void tst_TorchFile::listsMembersFromTheEnd()
{
    QFETCH(bool, wide);
    QFETCH(int, comment);
    const File file(zipOf(kProgram, wide, std::string(static_cast<std::size_t>(comment), 'c')));
    const ZipListing listing = file.listing();
    QVERIFY2(!listing.defect, listing.defect ? listing.defect->text.c_str() : "");
    QCOMPARE(listing.entries.size(), std::size_t{4});
    const ZipEntry* weights = listing.find("model/data/0");
    QVERIFY(weights != nullptr && weights->isStored);
    QCOMPARE(weights->sizeBytes, std::uint64_t{64});
    QVERIFY(listing.find("data/0") == nullptr);
    const RegularFile opened = std::move(*RegularFile::open(file.path));
    const std::uint64_t offset = *dataOffsetOf(opened, *weights);
    std::string bytes(64, ' ');
    QCOMPARE(*opened.read(offset, bytes), std::size_t{64});
    QCOMPARE(bytes, std::string(64, 'w'));
}

void tst_TorchFile::brokenArchives_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("mode");
    QTest::addColumn<QByteArray>("words");
    const QByteArray whole = QByteArray::fromStdString(zipOf(kProgram));
    const auto row = [](const char* name, const QByteArray& bytes, const char* mode, const char* words) {
        QTest::newRow(name) << bytes << QByteArray(mode) << QByteArray(words);
    };
    row("empty", "", "incomplete_download", "is empty");
    row("cut in the middle", whole.left(whole.size() / 2), "incomplete_download", "cut short");
    row("cut in the last record", whole.left(whole.size() - 1), "incomplete_download", "cut short");
    row("zeros", QByteArray(300, '\0'), "incomplete_download", "begins with zeros");
    row("pointer", "version https://git-lfs.github.com/spec/v1\nsize 5\n", "incomplete_download", "git-lfs pointer");
    row("garbage", "this is no model", "corrupt_file", "neither a zip archive nor a pickle");
    row("another zip", QByteArray::fromStdString(zipOf({{"a.txt", "x"}})), "corrupt_file", "none that torch wrote");
    QByteArray count = whole;
    count[count.size() - 12] = 5; // members
    row("fewer members than promised", count, "corrupt_file", "after 4 of 5 members");
    QByteArray size = whole;
    size[size.size() - 7] = '\x7F'; // directory of gigabytes
    row("absurd directory", size, "corrupt_file", "a directory of");
}

void tst_TorchFile::brokenArchives()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QByteArray, mode);
    QFETCH(QByteArray, words);
    const File file(bytes.toStdString());
    const TorchFile torch = file.torch();
    QVERIFY(torch.defect);
    QCOMPARE(QByteArray::fromStdString(std::string(toWireName(torch.defect->mode))), mode);
    QVERIFY2(torch.defect->text.find(words.toStdString()) != std::string::npos, torch.defect->text.c_str());
    const Checkpoint checkpoint = *inspectCheckpoint(file.path, m_catalog);
    QVERIFY(checkpoint.state < CheckpointState::Unsupported);
    QCOMPARE(checkpoint.problems.front().text, torch.defect->text);
}

void tst_TorchFile::survivesAnyByte()
{
    std::mt19937 random(4711);
    for (const bool wide : {false, true}) {
        const std::string whole = zipOf(kProgram, wide);
        const File file(whole);
        for (int round = 0; round < 1'500; ++round) {
            std::string mutated = whole;
            for (unsigned i = 0; i <= random() % 4; ++i)
                mutated[random() % mutated.size()] = static_cast<char>(random());
            if (random() % 8 == 0)
                mutated.resize(random() % mutated.size());
            std::ofstream(file.path, std::ios::binary) << mutated;
            const TorchFile torch = file.torch();
            QVERIFY(torch.kind != TorchFileKind::Unknown || torch.defect);
            for (const ZipEntry& entry : file.listing().entries)
                (void)dataOffsetOf(*RegularFile::open(file.path), entry);
        }
    }
}

void tst_TorchFile::tellsProgramsFromPickles()
{
    const TorchFile program = File(zipOf(kProgram)).torch();
    QVERIFY(program.kind == TorchFileKind::TorchScript);
    QCOMPARE(program.weightBytes, std::uint64_t{64});
    QCOMPARE(program.dtypes, (std::map<std::string, std::uint64_t>{{"BF16", 32}}));
    // code/ decides, not the word somewhere else in a name
    const TorchFile pickle
        = File(zipOf({{"m/data.pkl", "FloatStorage HalfStorage"}, {"m/data/code/0", "1234"}})).torch();
    QVERIFY(pickle.kind == TorchFileKind::Pickle);
    QVERIFY(pickle.dtypes.empty()); // two types: not to be told without unpickling
    QVERIFY(File("\x80\x02}q\x01.").torch().kind == TorchFileKind::Pickle);
    QVERIFY(File("GGUF\x03").torch().kind == TorchFileKind::OtherFormat);
}

void tst_TorchFile::inspectionOfATorchScriptFile()
{
    const File file(zipOf(kProgram));
    const Checkpoint checkpoint = *inspectCheckpoint(file.path, m_catalog);
    QVERIFY(checkpoint.state == CheckpointState::Complete);
    QVERIFY(checkpoint.isTorchScript && !checkpoint.isPickle);
    QVERIFY(checkpoint.problems.empty());
    QCOMPARE(checkpoint.familyTitle, std::string("TorchScript"));
    QCOMPARE(checkpoint.parameters, std::uint64_t{32});
    QVERIFY(checkpoint.notes.front().find("allow_torchscript") != std::string::npos);
}

void tst_TorchFile::inspectionOfPickles()
{
    const File file(zipOf({{"m/data.pkl", "x"}, {"m/data/0", "1234"}}), "pytorch_model.bin");
    for (const fs::path& path : {file.path, file.folder.path()}) {
        if (path != file.path)
            writeText(path / "config.json", R"({"model_type":"qwen2","architectures":["Qwen2ForCausalLM"]})");
        const Checkpoint checkpoint = *inspectCheckpoint(path, m_catalog);
        QVERIFY(checkpoint.isPickle && !checkpoint.isTorchScript);
        QVERIFY(checkpoint.state == CheckpointState::Unsupported);
        QCOMPARE(checkpoint.problems.size(), std::size_t{2});
        QVERIFY(checkpoint.problems[0].mode == FailureMode::RemoteCodeRefused);
        QVERIFY(checkpoint.problems[1].mode == FailureMode::UnsupportedArchitecture);
    }
}

void tst_TorchFile::pickledShards()
{
    Scratch folder;
    writeText(folder / "config.json", R"({"model_type":"qwen2"})");
    writeText(folder / "pytorch_model-00001-of-00002.bin", "\x80\x02.");
    writeText(folder / "pytorch_model.bin.index.json",
        R"({"metadata":{},"weight_map":{"a":"pytorch_model-00001-of-00002.bin","b":"pytorch_model-00002-of-00002.bin"}})");
    const Checkpoint checkpoint = *inspectCheckpoint(folder.path(), m_catalog);
    QVERIFY(checkpoint.state == CheckpointState::Incomplete);
    QCOMPARE(checkpoint.shardsExpected, 2U);
    QCOMPARE(checkpoint.shardsPresent, 1U);
}

void tst_TorchFile::otherFormats()
{
    Scratch folder;
    writeText(folder / "config.json", R"({"model_type":"qwen2"})");
    writeText(folder / "model.gguf", "GGUF\x03");
    const Checkpoint gguf = *inspectCheckpoint(folder.path(), m_catalog);
    QVERIFY(gguf.state == CheckpointState::Unsupported);
    QVERIFY(gguf.problems.front().mode == FailureMode::UnsupportedArchitecture);
    const Checkpoint file = *inspectCheckpoint(folder / "model.gguf", m_catalog);
    QVERIFY(file.state == CheckpointState::Unsupported);
    writeText(folder / "model.gguf", "version https://git-lfs.github.com/spec/v1\nsize 5\n");
    QVERIFY(inspectCheckpoint(folder.path(), m_catalog)->state == CheckpointState::Pointer);
}

QTEST_GUILESS_MAIN(tst_TorchFile)
#include "tst_TorchFile.moc"
