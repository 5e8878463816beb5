#include "core/checkpoint/DemoModel.h"
#include "core/checkpoint/DemoZoo.h"
#include "core/checkpoint/SafetensorsHeader.h"

#include <QtTest>

#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sys/resource.h>

using namespace loadlab;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string contentOf(const fs::path& file)
{
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::uint64_t bytesBelow(const fs::path& folder)
{
    std::uint64_t sum = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        sum += entry.is_regular_file() ? entry.file_size() : 0;
    return sum;
}

std::set<std::string> namesIn(const fs::path& folder)
{
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.insert(entry.path().filename().string());
    return names;
}

float fromBf16(std::uint16_t bits)
{
    const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
    float value = 0;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

} // namespace

class TestDemoZoo : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_temporary = std::make_unique<QTemporaryDir>();
        m_zoo = fs::path(m_temporary->path().toStdString()) / "zoo";
    }

    void hasTheRealShapeAtItsDefault();
    void shrinksLayersThenVocabularyThenWidth();
    void makesFiveFolders();
    void goodOneIsWholeAndSmallerThanAsked();
    void brokenOnesBreakAsTheyShould();
    void packsTheConflictingOne();
    void sameSeedMakesSameBytes();
    void valuesAreNormalAndFinite();
    void keepsWhatIsWhole();
    void replacesItsOwnThatIsNotWhole();
    void leavesFoldersOfOthersAlone();
    void stopsWithoutLeavingPieces();
    void reportsEveryByteOnce();
    void saysWhereTheDiskIsFull();

private:
    std::unique_ptr<QTemporaryDir> m_temporary;
    fs::path m_zoo;
};

void TestDemoZoo::hasTheRealShapeAtItsDefault()
{
    const DemoShape shape = DemoShape::within(DemoZooOptions().goodSizeBytes);
    QCOMPARE(shape.tensors().size(), std::size_t{290});
    QCOMPARE(shape.weightBytes(), std::uint64_t{988'065'536});
    std::uint64_t parameters = 0;
    for (const TensorSpec& tensor : shape.tensors())
        parameters += tensor.sizeBytes() / 2;
    QCOMPARE(parameters, std::uint64_t{494'032'768});
    QCOMPARE(shape.config()["vocab_size"], 151936);
    QCOMPARE(shape.config()["num_hidden_layers"], 24);
}

void TestDemoZoo::shrinksLayersThenVocabularyThenWidth()
{
    const DemoShape layers = DemoShape::within(512 * kMiB);
    QVERIFY(layers.layers < 24 && layers.layers >= 1);
    QCOMPARE(layers.vocabulary, DemoShape().vocabulary);
    const DemoShape vocabulary = DemoShape::within(64 * kMiB);
    QCOMPARE(vocabulary.layers, std::uint64_t{1});
    QVERIFY(vocabulary.vocabulary < DemoShape().vocabulary);
    QCOMPARE(vocabulary.hidden, DemoShape().hidden);
    QVERIFY(DemoShape::within(8 * kMiB).hidden < DemoShape().hidden);
    for (std::uint64_t size = 2 * kMiB; size < 1100 * kMiB; size += 23 * kMiB) {
        const std::uint64_t bytes = DemoShape::within(size).weightBytes();
        QVERIFY2(bytes <= size, qPrintable(QString("%1 for %2").arg(bytes).arg(size)));
        QVERIFY2(bytes > size / 3 || size > 1000 * kMiB, qPrintable(QString("%1 for %2").arg(bytes).arg(size)));
    }
}

void TestDemoZoo::makesFiveFolders()
{
    const auto made = makeDemoZoo(m_zoo, {4 * kMiB, 1});
    QVERIFY2(made.has_value(), made ? "" : made.error().message.c_str());
    QCOMPARE(made->size(), std::size_t{5});
    QCOMPARE(made->front().filename().string(), std::string("qwen2.5-0.5b-standin"));
    QCOMPARE(namesIn(m_zoo),
        (std::set<std::string>{"qwen2.5-0.5b-standin", "qwen2.5-0.5b-truncated", "qwen2.5-0.5b-missing-shard",
            "qwen2.5-0.5b-lfs-pointer", "qwen2.5-0.5b-dtype-conflict"}));
    const auto large = DemoShape::within(40 * kMiB);
    QVERIFY(layOutSafetensors(large.packedTensors()).fileBytes() <= 64 * kMiB);
    QVERIFY(layOutSafetensors(large.tensors()).fileBytes() <= 64 * kMiB);
}

void TestDemoZoo::goodOneIsWholeAndSmallerThanAsked()
{
    const auto made = makeDemoZoo(m_zoo, {4 * kMiB, 1});
    const auto header = SafetensorsHeader::load(made->front() / "model.safetensors");
    QVERIFY2(header.has_value() && header->usable(), "broken header");
    QVERIFY(header->defects().empty());
    QVERIFY(header->fileBytes() <= 4 * kMiB + 64 * 1024);
    const auto config = nlohmann::json::parse(contentOf(made->front() / "config.json"));
    QCOMPARE(config["model_type"], "qwen2");
    QCOMPARE(config["tie_word_embeddings"], true);
    QVERIFY(fs::exists(made->front() / "generation_config.json"));
}

void TestDemoZoo::brokenOnesBreakAsTheyShould()
{
    QVERIFY(makeDemoZoo(m_zoo, {4 * kMiB, 1}).has_value());
    const auto cut = SafetensorsHeader::load(m_zoo / "qwen2.5-0.5b-truncated/model.safetensors");
    QVERIFY(cut.has_value() && !cut->usable());
    QCOMPARE(cut->defects().front().mode, FailureMode::IncompleteDownload);
    const auto pointer = SafetensorsHeader::load(m_zoo / "qwen2.5-0.5b-lfs-pointer/model.safetensors");
    QVERIFY(pointer.has_value() && pointer->isLfsPointer());

    const fs::path sharded = m_zoo / "qwen2.5-0.5b-missing-shard";
    const auto index = nlohmann::json::parse(contentOf(sharded / "model.safetensors.index.json"));
    std::map<std::string, int> promised;
    for (const auto& [tensor, file] : index["weight_map"].items())
        ++promised[file.get<std::string>()];
    QCOMPARE(promised.size(), std::size_t{3});
    int absent = 0;
    for (const auto& [file, tensors] : promised) {
        if (!fs::exists(sharded / file)) {
            ++absent;
            continue;
        }
        const auto header = SafetensorsHeader::load(sharded / file);
        QVERIFY(header.has_value() && header->usable());
        QCOMPARE(header->count(), static_cast<std::size_t>(tensors));
    }
    QCOMPARE(absent, 1);
}

void TestDemoZoo::packsTheConflictingOne()
{
    QVERIFY(makeDemoZoo(m_zoo, {40 * kMiB, 1}).has_value());
    const fs::path file = m_zoo / "qwen2.5-0.5b-dtype-conflict/model.safetensors";
    const auto header = SafetensorsHeader::load(file);
    QVERIFY(header.has_value() && header->usable());
    const std::string bytes = contentOf(file);
    std::map<std::string, SafetensorsHeader::Tensor> tensors;
    for (std::size_t i = 0; i < header->count(); ++i)
        tensors[std::string(header->tensor(i).name)] = header->tensor(i);
    const auto packed = tensors.at("model.layers.0.mlp.down_proj.weight_packed");
    QCOMPARE(packed.dtype, Dtype::I32);
    const auto shape = tensors.at("model.layers.0.mlp.down_proj.weight_shape");
    std::int64_t unpacked[2];
    std::memcpy(unpacked, bytes.data() + header->dataOffset() + shape.begin, sizeof unpacked);
    QCOMPARE(unpacked[0], std::int64_t{896});
    QCOMPARE(unpacked[1], std::int64_t{4864});
    QCOMPARE(packed.shape[0], std::uint64_t{896});
    QCOMPARE(packed.shape[1], std::uint64_t{4864 / 4});
    QCOMPARE(tensors.at("model.layers.0.mlp.down_proj.weight_scale").shape[1], std::uint64_t{4864 / 128});
    const auto config = nlohmann::json::parse(contentOf(file.parent_path() / "config.json"));
    QCOMPARE(config["quantization_config"]["format"], "pack-quantized");
}

void TestDemoZoo::sameSeedMakesSameBytes()
{
    QVERIFY(makeDemoZoo(m_zoo / "a", {2 * kMiB, 7}).has_value());
    QVERIFY(makeDemoZoo(m_zoo / "b", {2 * kMiB, 7}).has_value());
    QVERIFY(makeDemoZoo(m_zoo / "c", {2 * kMiB, 8}).has_value());
    const std::string file = "qwen2.5-0.5b-standin/model.safetensors";
    QVERIFY(contentOf(m_zoo / "a" / file) == contentOf(m_zoo / "b" / file));
    QVERIFY(contentOf(m_zoo / "a" / file) != contentOf(m_zoo / "c" / file));
    QVERIFY(contentOf(m_zoo / "a" / file).size() > kMiB);
}

void TestDemoZoo::valuesAreNormalAndFinite()
{
    const DemoShape shape = DemoShape::within(4 * kMiB);
    const DemoValues values(3, shape);
    const TensorSpec weight{"model.layers.0.mlp.up_proj.weight", Dtype::BF16, {1000, 1000}};
    std::vector<std::uint16_t> bits(1'000'000);
    values.fill(weight, 0, std::as_writable_bytes(std::span(bits)));
    double sum = 0;
    double squares = 0;
    std::set<std::uint16_t> distinct(bits.begin(), bits.end());
    for (const std::uint16_t b : bits) {
        const double value = static_cast<double>(fromBf16(b));
        QVERIFY(std::isfinite(value));
        sum += value;
        squares += value * value;
    }
    QVERIFY(std::abs(sum / 1e6) < 1e-3);
    QVERIFY(std::abs(std::sqrt(squares / 1e6) - 0.02) < 2e-3);
    QVERIFY(distinct.size() > 1000);
    // A block in the middle is the same as the middle of the whole.
    std::vector<std::uint16_t> middle(1000);
    values.fill(weight, 800'000, std::as_writable_bytes(std::span(middle)));
    QVERIFY(std::equal(middle.begin(), middle.end(), bits.begin() + 400'000));
}

void TestDemoZoo::keepsWhatIsWhole()
{
    const auto made = makeDemoZoo(m_zoo, {2 * kMiB, 1});
    const fs::path file = made->front() / "model.safetensors";
    const auto before = fs::last_write_time(file) - std::chrono::hours(1);
    fs::last_write_time(file, before);
    QVERIFY(makeDemoZoo(m_zoo, {2 * kMiB, 1}).has_value());
    QCOMPARE(fs::last_write_time(file), before);
}

void TestDemoZoo::replacesItsOwnThatIsNotWhole()
{
    const auto made = makeDemoZoo(m_zoo, {2 * kMiB, 1});
    const fs::path file = made->front() / "model.safetensors";
    const std::uint64_t bytes = fs::file_size(file);
    fs::resize_file(file, 1000);
    QVERIFY(makeDemoZoo(m_zoo, {2 * kMiB, 1}).has_value());
    QCOMPARE(std::uint64_t{fs::file_size(file)}, bytes);
    QVERIFY(makeDemoZoo(m_zoo, {6 * kMiB, 1}).has_value());
    QVERIFY(fs::file_size(file) > bytes);
}

void TestDemoZoo::leavesFoldersOfOthersAlone()
{
    fs::create_directories(m_zoo / "qwen2.5-0.5b-standin");
    std::ofstream(m_zoo / "qwen2.5-0.5b-standin/thesis.txt") << "years of work";
    const auto made = makeDemoZoo(m_zoo, {2 * kMiB, 1});
    QVERIFY(!made);
    QCOMPARE(made.error().kind, ErrorKind::Invalid);
    QVERIFY(made.error().message.find("not made by demo-zoo") != std::string::npos);
    QCOMPARE(contentOf(m_zoo / "qwen2.5-0.5b-standin/thesis.txt"), std::string("years of work"));
}

void TestDemoZoo::stopsWithoutLeavingPieces()
{
    std::stop_source stop;
    const auto made = makeDemoZoo(
        m_zoo, {64 * kMiB, 1},
        [&](const DemoZooProgress& p) {
            if (p.doneBytes > 16 * kMiB)
                stop.request_stop();
        },
        stop.get_token());
    QVERIFY(!made);
    QCOMPARE(made.error().kind, ErrorKind::Cancelled);
    QCOMPARE(namesIn(m_zoo), std::set<std::string>());
}

void TestDemoZoo::reportsEveryByteOnce()
{
    DemoZooProgress last;
    const auto made = makeDemoZoo(m_zoo, {32 * kMiB, 1}, [&](const DemoZooProgress& progress) {
        QVERIFY(progress.doneBytes >= last.doneBytes && progress.doneBytes <= progress.totalBytes);
        last = progress;
    });
    QVERIFY(made.has_value());
    QCOMPARE(last.doneBytes, last.totalBytes);
    const std::uint64_t onDisk = bytesBelow(m_zoo);
    QVERIFY(last.totalBytes <= onDisk && last.totalBytes > onDisk - 256 * 1024);
}

/// RLIMIT_FSIZE refuses as a full disk does: write fails half-way, and nothing may be left behind.
void TestDemoZoo::saysWhereTheDiskIsFull()
{
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit small = before;
    small.rlim_cur = 9 * kMiB;
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto made = makeDemoZoo(m_zoo, {32 * kMiB, 1});
    ::setrlimit(RLIMIT_FSIZE, &before);
    QVERIFY(!made);
    QCOMPARE(made.error().kind, ErrorKind::Io);
    QVERIFY2(made.error().message.find("model.safetensors") != std::string::npos, made.error().message.c_str());
    QCOMPARE(namesIn(m_zoo), std::set<std::string>());
}

QTEST_APPLESS_MAIN(TestDemoZoo)
#include "tst_DemoZoo.moc"
