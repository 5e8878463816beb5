#include "core/Digest.h"
#include "core/checkpoint/DemoZoo.h"
#include "tests/Sanitized.h"
#include "tests/plugins/TestWeights.h"
#include "tests/plugins/WorkerDriver.h"

#include <QtTest>

#include <csignal>
#include <cstring>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace loadlab;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

Variant variantOf(const std::string& dtype, const std::map<std::string, std::string>& options = {})
{
    Variant variant;
    variant.dtype = dtype;
    variant.options = options;
    return variant;
}

Variant onDevices(const std::string& map)
{
    Variant variant;
    variant.deviceMap = map;
    return variant;
}

std::uint16_t toBf16(float value)
{
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<std::uint16_t>(bits >> 16);
}

/// Values that bfloat16 holds exactly.
std::vector<float> exactValues(std::size_t count)
{
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
        values[i] = static_cast<float>(static_cast<int>(i % 255) - 127) / 64.0f;
    return values;
}

std::string asBf16(const std::vector<float>& values)
{
    std::vector<std::uint16_t> bits;
    for (const float value : values)
        bits.push_back(toBf16(value));
    return bytesOf(bits);
}

} // namespace

class TestLibtorchWorker : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init()
    {
        m_temporary = std::make_unique<QTemporaryDir>();
        m_folder = fs::path(m_temporary->path().toStdString());
    }

    void probePrintsHelloAndEnds();
    void refusesOtherArguments();
    void leavesWhenStdinEndsBeforeTheJob();
    void answersNonsenseInsteadOfAJob();
    void keepsLibrariesOffTheProtocol();

    void goesThroughItsPhases();
    void holdsTheBytesOfTheFile_data();
    void holdsTheBytesOfTheFile();
    void convertsFloats_data();
    void convertsFloats();
    void roundsToNearestEven();
    void leavesIntegersAlone();
    void takesUnalignedTensors_data();
    void takesUnalignedTensors();
    void loadsAShardedCheckpoint();
    void countsRepeatedTensorsOnce();
    void reportsProgressInStep();
    void findsNonFiniteValues();

    void viewsCostNoMemory();
    void conversionCostsTheDestinationOnly();

    void keepsDtypesThatLibtorchLacks();
    void refusesToConvertDtypesThatLibtorchLacks();
    void refusesPackedWeights_data();
    void refusesPackedWeights();
    void keepsPackedWeightsWhenAsked();

    void refusesDevicesBeforeReading_data();
    void refusesDevicesBeforeReading();
    void takesAnExplicitMap();
    void nothingIsThere();
    void namesWhatIsWrongWithTheFiles_data();
    void namesWhatIsWrongWithTheFiles();
    void comparesWithTheFamily();
    void refusesPickles();
    void asksBeforeRunningTorchScript();
    void opensNamesThatAreNotUtf8();

    void survivesAFileThatShrinks_data();
    void survivesAFileThatShrinks();
    void saysThatMemoryWasRefused();

    void stopsWhileLoading_data();
    void stopsWhileLoading();
    void answersCommandsWhileHolding();

private:
    /// Loads and lets go again; the worker has ended.
    std::unique_ptr<WorkerDriver> loadedAndGone(const fs::path& checkpoint, const Variant& variant = {})
    {
        auto worker = std::make_unique<WorkerDriver>();
        worker->sendJob(checkpoint, variant);
        worker->waitFor("loaded");
        worker->closeStdin();
        worker->waitForEnd();
        return worker;
    }
    void verifyFailed(WorkerDriver& worker, const char* mode)
    {
        QVERIFY2(!worker.last("error").is_null(), worker.story().c_str());
        QVERIFY2(worker.last("error")["type"] == mode, worker.story().c_str());
        QCOMPARE(worker.exitCode(), 1);
        QVERIFY(worker.last("loaded").is_null());
        QVERIFY(!worker.last("bye").is_null());
    }
    static std::string digestOf(WorkerDriver& worker, const std::string& tensor, json* turn = nullptr)
    {
        worker.send({{"command", "exercise"}, {"kind", "digest"}, {"argument", tensor}});
        json answer;
        worker.waitFor("turn", &answer);
        if (turn)
            *turn = answer;
        return answer.is_object() ? answer.value("sha256", "") : "";
    }

    std::unique_ptr<QTemporaryDir> m_temporary;
    fs::path m_folder;
};

void TestLibtorchWorker::initTestCase()
{
    if (!QFile::exists(WorkerDriver::program()))
        QSKIP("the libtorch worker is not built (LOADLAB_LIBTORCH=OFF)");
}

void TestLibtorchWorker::probePrintsHelloAndEnds()
{
    WorkerDriver worker({"--probe"});
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.exitCode(), 0);
    QCOMPARE(worker.events().size(), std::size_t{1});
    const json hello = worker.last("hello");
    QCOMPARE(hello["protocol"], 1);
    QCOMPARE(hello["backend"], "libtorch");
    QVERIFY(!hello["versions"]["libtorch"].get<std::string>().empty());
    QVERIFY(hello["facts"]["devices"].get<std::string>().rfind("cpu", 0) == 0);
}

void TestLibtorchWorker::refusesOtherArguments()
{
    WorkerDriver worker({"--load-everything"});
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.exitCode(), 2);
    QVERIFY(worker.events().empty());
    QVERIFY(worker.standardError().contains("'--load-everything'"));
}

void TestLibtorchWorker::leavesWhenStdinEndsBeforeTheJob()
{
    WorkerDriver worker;
    QVERIFY(worker.waitFor("hello"));
    worker.closeStdin();
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.exitCode(), 0);
    QVERIFY(!worker.last("bye").is_null());
}

void TestLibtorchWorker::answersNonsenseInsteadOfAJob()
{
    WorkerDriver noJob;
    noJob.send({{"command", "dance"}});
    QVERIFY(noJob.waitForEnd());
    QVERIFY2(
        noJob.last("error")["message"].get<std::string>().find("no job") != std::string::npos, noJob.story().c_str());
    QCOMPARE(noJob.exitCode(), 1);

    WorkerDriver noJson;
    noJson.sendLine("}{");
    QVERIFY(noJson.waitForEnd());
    QCOMPARE(noJson.last("warning")["code"], "nonsense_on_stdin");
}

void TestLibtorchWorker::keepsLibrariesOffTheProtocol()
{
    WorkerDriver worker;
    QVERIFY(worker.waitFor("hello"));
    const std::string descriptors = "/proc/" + std::to_string(worker.pid()) + "/fd/";
    QCOMPARE(fs::read_symlink(descriptors + "1"), fs::read_symlink(descriptors + "2"));
}

void TestLibtorchWorker::goesThroughItsPhases()
{
    const auto values = exactValues(1000);
    writeTestWeights(m_folder / "model.safetensors", {{"w", "BF16", {10, 100}, asBf16(values)}});
    const auto worker = loadedAndGone(m_folder / "model.safetensors");
    QCOMPARE(worker->phases(), (std::vector<std::string>{"inspecting", "reading", "checking", "holding"}));
    QCOMPARE(worker->exitCode(), 0);
    QVERIFY(!worker->sawNonsense());
    const json loaded = worker->last("loaded");
    QVERIFY2(loaded.is_object(), worker->story().c_str());
    QCOMPARE(loaded["parameters"], 1000);
    QCOMPARE(loaded["tensors"], 1);
    QCOMPARE(loaded["dtypes"], (json{{"BF16", 1000}}));
    QCOMPARE(loaded["devices"], (json{{"cpu", 2000}}));
    QCOMPARE(loaded["family_known"], false);
    QCOMPARE(loaded["non_finite_tensors"], 0);
    QVERIFY(loaded["sampled_values"].get<int>() >= 2);
}

void TestLibtorchWorker::holdsTheBytesOfTheFile_data()
{
    QTest::addColumn<QString>("reader");
    QTest::newRow("mapped") << "mapped";
    QTest::newRow("read") << "read";
}

/// 20 MiB: more than two pieces, with an end that fills none.
void TestLibtorchWorker::holdsTheBytesOfTheFile()
{
    QFETCH(QString, reader);
    std::string large(20 * kMiB + 26, '\0');
    for (std::size_t i = 0; i < large.size(); ++i)
        large[i] = static_cast<char>((i * 2654435761u) >> 13);
    const std::string small = bytesOf<std::int64_t>({1, -2, INT64_MAX});
    writeTestWeights(m_folder / "model.safetensors",
        {{"large", "I16", {large.size() / 2}, large}, {"pad", "U8", {6}, "abcdef"}, {"small", "I64", {3, 1}, small},
            {"empty", "F32", {0, 7}, ""}, {"scalar", "F64", {}, bytesOf<double>({3.25})},
            {"yes", "BOOL", {2}, std::string("\1\0", 2)}, {"complex", "C64", {1}, bytesOf<float>({1, 2})}});
    WorkerDriver worker;
    worker.sendJob(m_folder / "model.safetensors", variantOf("auto", {{"reader", reader.toStdString()}}));
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    QVERIFY(digestOf(worker, "large") == sha256Hex(large));
    QVERIFY(digestOf(worker, "small") == sha256Hex(small));
    QVERIFY(digestOf(worker, "scalar") == sha256Hex(bytesOf<double>({3.25})));
    QVERIFY(digestOf(worker, "yes") == sha256Hex(std::string("\1\0", 2)));
    json empty;
    QVERIFY(digestOf(worker, "empty", &empty) == sha256Hex(""));
    QCOMPARE(empty["shape"], (json{0, 7}));
    json absent;
    digestOf(worker, "no such tensor", &absent);
    QCOMPARE(absent["ok"], false);
    QCOMPARE(worker.last("loaded")["parameters"], large.size() / 2 + 6 + 3 + 0 + 1 + 2 + 1);
    const std::string said = worker.last("loaded")["facts"]["reader"];
    QCOMPARE(said, std::string(reader == "mapped" ? "mapped views" : "read"));
}

void TestLibtorchWorker::convertsFloats_data()
{
    QTest::addColumn<QString>("reader");
    QTest::addColumn<QString>("dtype");
    for (const char* reader : {"mapped", "read"})
        for (const char* dtype : {"float32", "bfloat16", "float16"})
            QTest::addRow("%s %s", reader, dtype) << reader << dtype;
}

void TestLibtorchWorker::convertsFloats()
{
    QFETCH(QString, reader);
    QFETCH(QString, dtype);
    const auto values = exactValues(5 * kMiB + 13); // 10 MiB as bfloat16, 20 as float32, 40 as float64.
    std::vector<double> wide(values.begin(), values.end());
    writeTestWeights(m_folder / "model.safetensors",
        {{"f64", "F64", {values.size()}, bytesOf(wide)}, {"f32", "F32", {values.size()}, bytesOf(values)},
            {"bf16", "BF16", {values.size()}, asBf16(values)}});
    WorkerDriver worker;
    worker.sendJob(m_folder / "model.safetensors", variantOf(dtype.toStdString(), {{"reader", reader.toStdString()}}));
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    const std::map<QString, std::string> names{{"float32", "F32"}, {"bfloat16", "BF16"}, {"float16", "F16"}};
    QCOMPARE(worker.last("loaded")["dtypes"], (json{{names.at(dtype), 3 * values.size()}}));
    const std::string f32 = digestOf(worker, "f32");
    QCOMPARE(digestOf(worker, "bf16"), f32); // All of these values are exact in each of the four dtypes.
    QCOMPARE(digestOf(worker, "f64"), f32);
    if (dtype == "float32")
        QCOMPARE(f32, sha256Hex(bytesOf(values)));
    else if (dtype == "bfloat16")
        QCOMPARE(f32, sha256Hex(asBf16(values)));
}

void TestLibtorchWorker::roundsToNearestEven()
{
    const std::vector<std::uint32_t> bits{0x3f808000, 0x3f818000, 0x3f808001, 0xbf80ffff, 0x00000001, 0x7f800000};
    const std::vector<std::uint16_t> rounded{0x3f80, 0x3f82, 0x3f81, 0xbf81, 0x0000, 0x7f80};
    writeTestWeights(m_folder / "model.safetensors", {{"w", "F32", {bits.size()}, bytesOf(bits)}});
    WorkerDriver worker;
    worker.sendJob(m_folder / "model.safetensors", variantOf("bfloat16"));
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    QCOMPARE(digestOf(worker, "w"), sha256Hex(bytesOf(rounded)));
}

void TestLibtorchWorker::leavesIntegersAlone()
{
    const std::string ids = bytesOf<std::int64_t>({7, 8, 9});
    writeTestWeights(m_folder / "model.safetensors",
        {{"ids", "I64", {3}, ids}, {"w", "BF16", {4}, asBf16(exactValues(4))}, {"mask", "BOOL", {3}, {1, 0, 1}}});
    WorkerDriver worker;
    worker.sendJob(m_folder / "model.safetensors", variantOf("float32"));
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    QCOMPARE(worker.last("loaded")["dtypes"], (json{{"I64", 3}, {"F32", 4}, {"BOOL", 3}}));
    QCOMPARE(digestOf(worker, "ids"), sha256Hex(ids));
}

void TestLibtorchWorker::takesUnalignedTensors_data()
{
    QTest::addColumn<QString>("dtype");
    QTest::newRow("same dtype") << "auto";
    QTest::newRow("converted") << "float32";
}

/// A header whose length is no multiple of 8, and a byte between two tensors: no address fits its dtype.
void TestLibtorchWorker::takesUnalignedTensors()
{
    QFETCH(QString, dtype);
    const auto values = exactValues(5 * kMiB);
    writeTestWeights(m_folder / "model.safetensors",
        {{"a", "F32", {values.size()}, bytesOf(values)}, {"byte", "U8", {1}, "x"},
            {"b", "BF16", {values.size()}, asBf16(values)}},
        3);
    WorkerDriver worker;
    worker.sendJob(m_folder / "model.safetensors", variantOf(dtype.toStdString()));
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    QCOMPARE(digestOf(worker, "a"), sha256Hex(bytesOf(values)));
    QCOMPARE(digestOf(worker, "b"), sha256Hex(dtype == "auto" ? asBf16(values) : bytesOf(values)));
    QCOMPARE(digestOf(worker, "byte"), sha256Hex("x"));
}

void TestLibtorchWorker::loadsAShardedCheckpoint()
{
    const auto values = exactValues(100);
    writeTestWeights(m_folder / "model-00001-of-00002.safetensors", {{"a", "BF16", {100}, asBf16(values)}});
    writeTestWeights(m_folder / "model-00002-of-00002.safetensors", {{"b", "F32", {100}, bytesOf(values)}});
    const json index{{"metadata", {{"total_size", 600}}},
        {"weight_map", {{"a", "model-00001-of-00002.safetensors"}, {"b", "model-00002-of-00002.safetensors"}}}};
    writeText(m_folder / "model.safetensors.index.json", index.dump());
    writeText(m_folder / "config.json", R"({"model_type": "somebody-elses"})");
    WorkerDriver worker;
    worker.sendJob(m_folder, variantOf("float32"));
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    QCOMPARE(worker.last("loaded")["parameters"], 200);
    QCOMPARE(worker.last("loaded")["family_known"], false);
    QCOMPARE(digestOf(worker, "a"), sha256Hex(bytesOf(values)));
    QCOMPARE(digestOf(worker, "b"), sha256Hex(bytesOf(values)));
}

void TestLibtorchWorker::countsRepeatedTensorsOnce()
{
    const auto values = exactValues(100);
    writeTestWeights(m_folder / "model-00001-of-00002.safetensors", {{"a", "BF16", {100}, asBf16(values)}});
    writeTestWeights(m_folder / "model-00002-of-00002.safetensors",
        {{"a", "BF16", {100}, asBf16(values)}, {"b", "BF16", {100}, asBf16(values)}});
    const json index{{"metadata", {{"total_size", 400}}},
        {"weight_map", {{"a", "model-00001-of-00002.safetensors"}, {"b", "model-00002-of-00002.safetensors"}}}};
    writeText(m_folder / "model.safetensors.index.json", index.dump());
    writeText(m_folder / "config.json", R"({"model_type": "somebody-elses"})");
    const auto worker = loadedAndGone(m_folder);
    QVERIFY2(worker->last("loaded").is_object(), worker->story().c_str());
    QCOMPARE(worker->last("loaded")["parameters"], 200);
}

void TestLibtorchWorker::reportsProgressInStep()
{
    writeSparseWeights(m_folder / "model.safetensors", "F32", 256 * kMiB / 4, 256 * kMiB);
    const auto worker = loadedAndGone(m_folder / "model.safetensors", variantOf("bfloat16"));
    std::vector<json> steps;
    for (const json& event : worker->events())
        if (event["event"] == "progress")
            steps.push_back(event);
    QVERIFY2(steps.size() >= 2, worker->story().c_str());
    QCOMPARE(steps.front()["done_bytes"], 0);
    QCOMPARE(steps.back()["done_bytes"], 256 * kMiB);
    QCOMPARE(steps.back()["done"], 1);
    for (std::size_t i = 1; i < steps.size(); ++i) {
        QVERIFY(steps[i]["done_bytes"] >= steps[i - 1]["done_bytes"]);
        const std::int64_t apart = steps[i]["t_ns"].get<std::int64_t>() - steps[i - 1]["t_ns"].get<std::int64_t>();
        QVERIFY2(apart >= 50'000'000 || i + 1 == steps.size(), qPrintable(QString::number(apart)));
    }
}

void TestLibtorchWorker::findsNonFiniteValues()
{
    auto values = exactValues(100'000);
    values.back() = std::numeric_limits<float>::infinity();
    auto large = exactValues(1000);
    large[0] = 70000.0f; // Beyond float16.
    writeTestWeights(m_folder / "model.safetensors",
        {{"bad", "F32", {values.size()}, bytesOf(values)}, {"large", "F32", {1000}, bytesOf(large)},
            {"good", "F32", {1000}, bytesOf(exactValues(1000))}});
    const auto plain = loadedAndGone(m_folder / "model.safetensors");
    QCOMPARE(plain->last("loaded")["non_finite"], (json{"bad"}));
    QCOMPARE(plain->last("loaded")["non_finite_tensors"], 1);
    const auto narrow = loadedAndGone(m_folder / "model.safetensors", variantOf("float16"));
    QCOMPARE(narrow->last("loaded")["non_finite"], (json{"bad", "large"}));
}

void TestLibtorchWorker::viewsCostNoMemory()
{
    if (test::kSanitized)
        QSKIP("a sanitizer's own memory would be measured");
    constexpr std::uint64_t bytes = 256 * kMiB;
    writeSparseWeights(m_folder / "model.safetensors", "BF16", bytes / 2, bytes);
    WorkerDriver worker;
    QVERIFY(worker.waitFor("hello"));
    const std::uint64_t idle = worker.memory("RssAnon");
    worker.sendJob(m_folder / "model.safetensors");
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    const std::uint64_t held = worker.memory("RssAnon");
    QVERIFY2(held <= idle + 16 * kMiB, qPrintable(QString("%1 -> %2").arg(idle).arg(held)));
    QVERIFY(worker.memory("RssFile") >= bytes); // Really read, all the same.
}

/// VmHWM is the kernel's own high-water mark, file pages included: no sampling can miss a peak.
void TestLibtorchWorker::conversionCostsTheDestinationOnly()
{
    if (test::kSanitized)
        QSKIP("a sanitizer's own memory would be measured");
    constexpr std::uint64_t bytes = 192 * kMiB;
    writeSparseWeights(m_folder / "model.safetensors", "BF16", bytes / 2, bytes);
    WorkerDriver worker;
    QVERIFY(worker.waitFor("hello"));
    const std::uint64_t idle = worker.memory("VmHWM");
    worker.sendJob(m_folder / "model.safetensors", variantOf("float32"));
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    const std::uint64_t peak = worker.memory("VmHWM");
    QVERIFY2(peak <= idle + 2 * bytes + 48 * kMiB, qPrintable(QString("%1 -> %2").arg(idle).arg(peak)));
    QVERIFY(worker.memory("RssAnon") >= 2 * bytes);
}

void TestLibtorchWorker::keepsDtypesThatLibtorchLacks()
{
    writeTestWeights(m_folder / "model.safetensors",
        {{"six", "F6_E2M3", {4, 4}, std::string(12, '\3')}, {"four", "F4", {8}, std::string(4, '\x42')},
            {"w", "BF16", {4}, asBf16(exactValues(4))}});
    WorkerDriver worker;
    worker.sendJob(m_folder / "model.safetensors");
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    QCOMPARE(worker.last("loaded")["dtypes"], (json{{"F6_E2M3", 16}, {"F4", 8}, {"BF16", 4}}));
    QCOMPARE(worker.last("loaded")["parameters"], 28);
    QCOMPARE(worker.last("loaded")["devices"], (json{{"cpu", 12 + 4 + 8}}));
    QCOMPARE(digestOf(worker, "six"), sha256Hex(std::string(12, '\3')));
    QCOMPARE(worker.last("warning")["code"], "dtype_kept_raw");
}

void TestLibtorchWorker::refusesToConvertDtypesThatLibtorchLacks()
{
    writeTestWeights(m_folder / "model.safetensors",
        {{"six", "F6_E3M2", {4, 4}, std::string(12, '\3')}, {"w", "BF16", {4}, asBf16(exactValues(4))}});
    const auto worker = loadedAndGone(m_folder / "model.safetensors", variantOf("float32"));
    verifyFailed(*worker, "dtype_quantization_conflict");
    QCOMPARE(worker->phases(), (std::vector<std::string>{"inspecting"}));
    const std::string message = worker->last("error")["message"];
    QVERIFY2(
        message.find("'six'") != std::string::npos && message.find("F6_E3M2") != std::string::npos, message.c_str());
}

void TestLibtorchWorker::refusesPackedWeights_data()
{
    QTest::addColumn<QString>("dtype");
    for (const char* dtype : {"auto", "float16", "float32", "bfloat16"})
        QTest::newRow(dtype) << dtype;
}

void TestLibtorchWorker::refusesPackedWeights()
{
    QFETCH(QString, dtype);
    QVERIFY(makeDemoZoo(m_folder, {2 * kMiB, 1}).has_value());
    const auto worker = loadedAndGone(m_folder / "qwen2.5-0.5b-dtype-conflict", variantOf(dtype.toStdString()));
    verifyFailed(*worker, "dtype_quantization_conflict");
}

void TestLibtorchWorker::keepsPackedWeightsWhenAsked()
{
    QVERIFY(makeDemoZoo(m_folder, {2 * kMiB, 1}).has_value());
    const fs::path folder = m_folder / "qwen2.5-0.5b-dtype-conflict";
    const auto worker = loadedAndGone(folder, variantOf("auto", {{"packed_weights", "keep"}}));
    QVERIFY2(worker->last("loaded").is_object(), worker->story().c_str());
    QVERIFY(worker->last("loaded")["dtypes"].contains("I32"));
    QCOMPARE(worker->last("warning")["code"], "packed_kept");
    const auto converted = loadedAndGone(folder, variantOf("float32", {{"packed_weights", "keep"}}));
    verifyFailed(*converted, "dtype_quantization_conflict");
}

void TestLibtorchWorker::refusesDevicesBeforeReading_data()
{
    QTest::addColumn<QString>("map");
    QTest::newRow("no such GPU") << "cuda:63";
    QTest::newRow("disk") << R"({"": "disk"})";
    QTest::newRow("incomplete") << R"({"elsewhere": "cpu"})";
}

void TestLibtorchWorker::refusesDevicesBeforeReading()
{
    QFETCH(QString, map);
    writeTestWeights(m_folder / "model.safetensors", {{"w", "BF16", {4}, asBf16(exactValues(4))}});
    const auto worker = loadedAndGone(m_folder / "model.safetensors", onDevices(map.toStdString()));
    verifyFailed(*worker, "device_map_error");
    QCOMPARE(worker->phases(), (std::vector<std::string>{"inspecting"}));
}

void TestLibtorchWorker::takesAnExplicitMap()
{
    writeTestWeights(m_folder / "model.safetensors",
        {{"a.w", "BF16", {4}, asBf16(exactValues(4))}, {"b.w", "BF16", {4}, asBf16(exactValues(4))}});
    const auto worker
        = loadedAndGone(m_folder / "model.safetensors", onDevices(R"({"a": "cpu", "": "cpu", "c": "cpu"})"));
    QCOMPARE(worker->last("loaded")["devices"], (json{{"cpu", 16}}));
    QVERIFY(worker->last("warning")["message"].get<std::string>().find("'c' matches no tensor") != std::string::npos);
}

void TestLibtorchWorker::nothingIsThere()
{
    verifyFailed(*loadedAndGone(m_folder / "nowhere"), "model_missing");
    fs::create_directories(m_folder / "empty");
    verifyFailed(*loadedAndGone(m_folder / "empty"), "model_missing");
}

void TestLibtorchWorker::namesWhatIsWrongWithTheFiles_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("mode");
    QTest::newRow("truncated") << "qwen2.5-0.5b-truncated"
                               << "incomplete_download";
    QTest::newRow("missing shard") << "qwen2.5-0.5b-missing-shard"
                                   << "incomplete_download";
    QTest::newRow("pointer") << "qwen2.5-0.5b-lfs-pointer"
                             << "incomplete_download";
    QTest::newRow("nonsense") << "nonsense"
                              << "corrupt_file";
}

void TestLibtorchWorker::namesWhatIsWrongWithTheFiles()
{
    QFETCH(QString, name);
    QFETCH(QString, mode);
    QVERIFY(makeDemoZoo(m_folder, {2 * kMiB, 1}).has_value());
    fs::copy(m_folder / "qwen2.5-0.5b-standin", m_folder / "nonsense");
    writeText(m_folder / "nonsense/model.safetensors", std::string("\x10\0\0\0\0\0\0\0this is no JSON!", 24));
    const auto worker = loadedAndGone(m_folder / name.toStdString(), variantOf("float32"));
    verifyFailed(*worker, qPrintable(mode));
    const std::string file = worker->last("error")["file"];
    QVERIFY2(file.rfind("model", 0) == 0, worker->story().c_str());
    QVERIFY(worker->last("error")["message"].get<std::string>().find(file) != std::string::npos);
    QCOMPARE(worker->phases(), (std::vector<std::string>{"inspecting"}));
}

void TestLibtorchWorker::comparesWithTheFamily()
{
    QVERIFY(makeDemoZoo(m_folder, {2 * kMiB, 1}).has_value());
    const fs::path folder = m_folder / "qwen2.5-0.5b-standin";
    const auto good = loadedAndGone(folder, variantOf("float32"));
    QVERIFY2(good->last("loaded").is_object(), good->story().c_str());
    QCOMPARE(good->last("loaded")["family_known"], true);
    for (const char* count : {"missing_count", "unexpected_count", "misshaped_count"})
        QCOMPARE(good->last("loaded")[count], 0);

    QFile config(QString::fromStdString((folder / "config.json").string()));
    QVERIFY(config.open(QIODevice::ReadOnly));
    json changed = json::parse(config.readAll().toStdString());
    const auto vocabulary = changed["vocab_size"].get<int>();
    changed["vocab_size"] = vocabulary + 1;
    writeText(folder / "config.json", changed.dump());
    const auto misshaped = loadedAndGone(folder);
    verifyFailed(*misshaped, "structure_mismatch");
    QVERIFY(
        misshaped->last("error")["message"].get<std::string>().find("model.embed_tokens.weight") != std::string::npos);
    const auto lenient = loadedAndGone(folder, variantOf("auto", {{"strict", "false"}}));
    QVERIFY2(lenient->last("loaded").is_object(), lenient->story().c_str());
    QCOMPARE(lenient->last("loaded")["misshaped_count"], 1);

    changed["vocab_size"] = vocabulary;
    changed["num_hidden_layers"] = 2;
    writeText(folder / "config.json", changed.dump());
    const auto missing = loadedAndGone(folder);
    verifyFailed(*missing, "structure_mismatch");
    const auto without = loadedAndGone(folder, variantOf("auto", {{"strict", "false"}}));
    QVERIFY2(without->last("loaded").is_object(), without->story().c_str());
    QCOMPARE(without->last("loaded")["missing_count"], 12);
}

void TestLibtorchWorker::refusesPickles()
{
    writeText(m_folder / "config.json", R"({"model_type": "qwen2"})");
    writeText(m_folder / "pytorch_model.bin", "\x80\x02}q\x01.");
    const auto worker = loadedAndGone(m_folder);
    verifyFailed(*worker, "remote_code_refused");
}

void TestLibtorchWorker::asksBeforeRunningTorchScript()
{
    const QString maker = LOADLAB_BINARY_DIR "/tests/make_torchscript";
    const fs::path file = m_folder / "program.pt";
    if (!QFile::exists(maker))
        QSKIP("make_torchscript is not built");
    QCOMPARE(QProcess::execute(maker, {QString::fromStdString(file.string())}), 0);
    verifyFailed(*loadedAndGone(file), "remote_code_refused");

    const auto worker = loadedAndGone(file, variantOf("auto", {{"allow_torchscript", "true"}}));
    QVERIFY2(worker->last("loaded").is_object(), worker->story().c_str());
    QCOMPARE(worker->last("loaded")["parameters"], 12 + 5);
    QCOMPARE(worker->last("loaded")["dtypes"], (json{{"F32", 12}, {"I64", 5}})); // Tied weights count once,
    QCOMPARE(worker->last("loaded")["devices"], (json{{"cpu", 12 * 4 + 5 * 8}}));
    const auto converted = loadedAndGone(file, variantOf("bfloat16", {{"allow_torchscript", "true"}}));
    QCOMPARE(converted->last("loaded")["dtypes"], (json{{"BF16", 12}, {"I64", 5}})); // and stay tied.

    fs::resize_file(file, fs::file_size(file) / 2);
    const auto cut = loadedAndGone(file, variantOf("auto", {{"allow_torchscript", "true"}}));
    QVERIFY2(cut->last("error").is_object() && cut->exitCode() == 1, cut->story().c_str());
}

void TestLibtorchWorker::opensNamesThatAreNotUtf8()
{
    const fs::path file = m_folder / "gewichte-\xff.safetensors";
    writeTestWeights(file, {{"w", "BF16", {4}, asBf16(exactValues(4))}});
    const auto worker = loadedAndGone(file);
    fs::remove(file); // QTemporaryDir cannot.
    QVERIFY2(worker->last("loaded").is_object(), worker->story().c_str());
}

void TestLibtorchWorker::survivesAFileThatShrinks_data()
{
    QTest::addColumn<QString>("dtype");
    QTest::addColumn<QString>("reader");
    QTest::newRow("views") << "auto"
                           << "mapped";
    QTest::newRow("converted") << "bfloat16"
                               << "mapped";
    QTest::newRow("read") << "auto"
                          << "read";
}

/// 6 GiB of hole: long enough that the first progress is seen well before the end, and next to nothing on disk.
void TestLibtorchWorker::survivesAFileThatShrinks()
{
    QFETCH(QString, dtype);
    QFETCH(QString, reader);
    const std::uint64_t bytes = (reader == "read" ? 2048 : 6144) * kMiB;
    const fs::path file = m_folder / "model.safetensors";
    writeSparseWeights(file, "F32", bytes / 4, bytes);
    WorkerDriver worker;
    worker.sendJob(file, variantOf(dtype.toStdString(), {{"reader", reader.toStdString()}}));
    QVERIFY2(worker.waitFor("progress"), worker.story().c_str());
    QCOMPARE(::truncate(file.c_str(), static_cast<off_t>(kMiB)), 0);
    QVERIFY(worker.waitForEnd());
    QVERIFY2(!worker.crashed(), worker.story().c_str());
    verifyFailed(worker, "corrupt_file");
    const std::string message = worker.last("error")["message"];
    QVERIFY2(message.find("shrank while it was read: 1048576 bytes now") != std::string::npos, message.c_str());
}

void TestLibtorchWorker::saysThatMemoryWasRefused()
{
    if (test::kSanitized)
        QSKIP("a sanitizer's shadow does not fit below the limit");
    writeSparseWeights(m_folder / "model.safetensors", "BF16", 4096 * kMiB / 2, 4096 * kMiB);
    WorkerDriver worker({}, [] {
        const rlimit limit{10ull << 30, 10ull << 30};
        ::setrlimit(RLIMIT_AS, &limit);
    });
    worker.sendJob(m_folder / "model.safetensors", variantOf("float32"));
    QVERIFY(worker.waitForEnd());
    verifyFailed(worker, "host_alloc_failed");
    const std::string message = worker.last("error")["message"];
    QVERIFY2(message.find("8.00 GiB") != std::string::npos, message.c_str());
}

void TestLibtorchWorker::stopsWhileLoading_data()
{
    QTest::addColumn<QString>("how");
    QTest::newRow("cancel") << "cancel";
    QTest::newRow("unload") << "unload";
    QTest::newRow("end of stdin") << "";
}

void TestLibtorchWorker::stopsWhileLoading()
{
    QFETCH(QString, how);
    constexpr std::uint64_t bytes = 6144 * kMiB;
    writeSparseWeights(m_folder / "model.safetensors", "F32", bytes / 4, bytes);
    WorkerDriver worker;
    worker.sendJob(m_folder / "model.safetensors", variantOf("bfloat16"));
    QVERIFY2(worker.waitFor("progress"), worker.story().c_str());
    if (how.isEmpty())
        worker.closeStdin();
    else
        worker.send({{"command", how.toStdString()}});
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.exitCode(), 0);
    QVERIFY(worker.last("loaded").is_null());
    QVERIFY(worker.last("error").is_null());
    QVERIFY(!worker.last("bye").is_null());
    QVERIFY(worker.last("progress")["done_bytes"].get<std::uint64_t>() < bytes);
}

void TestLibtorchWorker::answersCommandsWhileHolding()
{
    writeTestWeights(m_folder / "model.safetensors", {{"w", "BF16", {4}, asBf16(exactValues(4))}});
    WorkerDriver worker;
    worker.sendJob(m_folder / "model.safetensors");
    QVERIFY2(worker.waitFor("loaded"), worker.story().c_str());
    worker.send({{"command", "exercise"}, {"kind", "load"}});
    json turn;
    QVERIFY(worker.waitFor("turn", &turn));
    QCOMPARE(turn["ok"], true);
    worker.send({{"command", "sing"}});
    json warning;
    QVERIFY(worker.waitFor("warning", &warning));
    QCOMPARE(warning["code"], "unknown_command");
    worker.send({{"command", "exercise"}, {"kind", "poem"}});
    QVERIFY(worker.waitFor("warning", &warning));
    QCOMPARE(warning["code"], "unknown_exercise");
    worker.send({{"command", "unload"}});
    QVERIFY(worker.waitForEnd());
    QCOMPARE(worker.exitCode(), 0);
    QCOMPARE(worker.events().back()["event"], "bye");
}

QTEST_GUILESS_MAIN(TestLibtorchWorker)
#include "tst_LibtorchWorker.moc"
