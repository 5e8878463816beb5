#include "core/checkpoint/DevicePlan.h"
#include "core/checkpoint/ModuleBlocks.h"

#include <QtTest>

#include <deque>

using namespace loadlab;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

const std::vector<DeviceSpec> kCpuOnly{{"cpu", 20 * kGiB}};

/// Names that live as long as the placed tensors.
struct Model {
    std::deque<std::string> names;
    std::vector<PlacedTensor> tensors;

    void add(std::string name, std::uint64_t bytes)
    {
        names.push_back(std::move(name));
        tensors.push_back({names.back(), bytes});
    }
};

/// Qwen2.5-7B in bfloat16: 28 layers of 444.5 MiB, embedding and head of 1039.5 MiB. In a file's order, not a model's.
Model qwen7b()
{
    Model model;
    model.add("lm_head.weight", 2079 * kMiB / 2);
    model.add("model.embed_tokens.weight", 2079 * kMiB / 2);
    for (int layer :
        {10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12}) {
        const std::string prefix = "model.layers." + std::to_string(layer);
        model.add(prefix + ".mlp.down_proj.weight", 300 * kMiB);
        model.add(prefix + ".self_attn.q_proj.weight", 289 * kMiB / 2);
    }
    model.add("model.norm.weight", 7168);
    return model;
}

std::string deviceOf(const DevicePlan& plan, const Model& model, std::string_view name)
{
    for (std::size_t i = 0; i < model.tensors.size(); ++i)
        if (model.tensors[i].name == name)
            return plan.devices[plan.deviceOf[i]].name;
    return "no such tensor";
}

QString messageOf(const Result<DevicePlan>& plan)
{
    return plan ? QString("no error") : QString::fromStdString(plan.error().message);
}

} // namespace

class TestDevicePlan : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void putsEverythingOnTheCpu();
    void refusesADeviceThatIsNotHere_data();
    void refusesADeviceThatIsNotHere();
    void autoWithoutGpusIsTheCpu();
    void autoFillsOneGpuAsAccelerateDoes();
    void sequentialUsesAllOfTheGpu();
    void balancedSharesTwoGpus();
    void keepsLayersWhole();
    void ordersBlocksAsAModelIsWritten();
    void keepsExpertsWithTheirLayer();
    void takesTheLongestPrefixOfAMap();
    void refusesAMapThatLacksATensor();
    void namesEntriesThatMatchNothing();
    void refusesLimitsThatAreTooSmall();
    void usesNoDeviceThatMaxMemoryLeavesOut();
    void saysWhatFindsNoRoom();
    void mergesSiblingsOfOneDevice();
    void checksTheFormOfTheWord_data();
    void checksTheFormOfTheWord();
};

void TestDevicePlan::putsEverythingOnTheCpu()
{
    const Model model = qwen7b();
    const auto plan = planDevices("cpu", model.tensors, kCpuOnly);
    QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
    QCOMPARE(plan->modules, (std::map<std::string, std::string>{{"", "cpu"}}));
    QCOMPARE(plan->deviceOf.size(), model.tensors.size());
}

void TestDevicePlan::refusesADeviceThatIsNotHere_data()
{
    QTest::addColumn<QString>("map");
    QTest::addColumn<QString>("part");
    QTest::newRow("cuda") << "cuda"
                          << "no device 'cuda:0' here; devices here: cpu";
    QTest::newRow("cuda:7") << "cuda:7"
                            << "no device 'cuda:7' here";
    QTest::newRow("in a map") << R"({"": "cpu", "lm_head": "cuda:1"})"
                              << "entry 'lm_head': no device 'cuda:1' here";
    QTest::newRow("by number") << R"({"": 0})"
                               << "no device 'cuda:0' here";
    QTest::newRow("disk") << R"({"": "disk"})"
                          << "offloads nothing";
    QTest::newRow("nonsense") << R"({"": "toaster"})"
                              << "'toaster' names no device";
}

void TestDevicePlan::refusesADeviceThatIsNotHere()
{
    QFETCH(QString, map);
    QFETCH(QString, part);
    const Model model = qwen7b();
    const auto plan = planDevices(map.toStdString(), model.tensors, kCpuOnly);
    QVERIFY(!plan);
    QCOMPARE(plan.error().kind, ErrorKind::Invalid);
    QVERIFY2(messageOf(plan).contains(part), qPrintable(messageOf(plan)));
}

void TestDevicePlan::autoWithoutGpusIsTheCpu()
{
    const Model model = qwen7b();
    const std::vector<DeviceSpec> small{{"cpu", kGiB}}; // Whether it fits is for the trial to show.
    for (const char* word : {"auto", "balanced", "sequential"}) {
        const auto plan = planDevices(word, model.tensors, small);
        QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
        QCOMPARE(plan->modules, (std::map<std::string, std::string>{{"", "cpu"}}));
    }
}

/// 15.5 GiB free: 13.95 after the 10 %, less 1.02 for the head that is still to come: embedding and 27 layers.
void TestDevicePlan::autoFillsOneGpuAsAccelerateDoes()
{
    const Model model = qwen7b();
    const std::vector<DeviceSpec> devices{{"cpu", 64 * kGiB}, {"cuda:0", 31 * kGiB / 2}};
    const auto plan = planDevices("auto", model.tensors, devices);
    QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
    QCOMPARE(deviceOf(*plan, model, "model.embed_tokens.weight"), std::string("cuda:0"));
    QCOMPARE(deviceOf(*plan, model, "model.layers.26.mlp.down_proj.weight"), std::string("cuda:0"));
    QCOMPARE(deviceOf(*plan, model, "model.layers.27.mlp.down_proj.weight"), std::string("cpu"));
    QCOMPARE(deviceOf(*plan, model, "model.norm.weight"), std::string("cpu"));
    QCOMPARE(deviceOf(*plan, model, "lm_head.weight"), std::string("cpu"));
}

void TestDevicePlan::sequentialUsesAllOfTheGpu()
{
    const Model model = qwen7b();
    const std::vector<DeviceSpec> devices{{"cpu", 64 * kGiB}, {"cuda:0", 31 * kGiB / 2}};
    const auto plan = planDevices("sequential", model.tensors, devices);
    QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
    QCOMPARE(plan->modules, (std::map<std::string, std::string>{{"", "cuda:0"}}));
}

void TestDevicePlan::balancedSharesTwoGpus()
{
    const Model model = qwen7b();
    const std::vector<DeviceSpec> devices{{"cpu", 64 * kGiB}, {"cuda:0", 80 * kGiB}, {"cuda:1", 80 * kGiB}};
    const auto plan = planDevices("balanced", model.tensors, devices);
    QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
    std::map<std::string, std::uint64_t> bytes;
    for (std::size_t i = 0; i < model.tensors.size(); ++i)
        bytes[plan->devices[plan->deviceOf[i]].name] += model.tensors[i].sizeBytes;
    QCOMPARE(bytes.count("cpu"), std::size_t{0});
    QVERIFY(bytes["cuda:0"] > 5 * kGiB && bytes["cuda:1"] > 5 * kGiB);
}

void TestDevicePlan::keepsLayersWhole()
{
    const Model model = qwen7b();
    const std::vector<DeviceSpec> devices{{"cpu", 64 * kGiB}, {"cuda:0", 4 * kGiB}, {"cuda:1", 5 * kGiB}};
    const auto plan = planDevices("sequential", model.tensors, devices);
    QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
    for (int layer = 0; layer < 28; ++layer) {
        const std::string prefix = "model.layers." + std::to_string(layer);
        QCOMPARE(deviceOf(*plan, model, prefix + ".mlp.down_proj.weight"),
            deviceOf(*plan, model, prefix + ".self_attn.q_proj.weight"));
    }
    QCOMPARE(deviceOf(*plan, model, "lm_head.weight"), std::string("cpu"));
}

void TestDevicePlan::ordersBlocksAsAModelIsWritten()
{
    const Model model = qwen7b();
    const auto blocks = moduleBlocks(model.tensors);
    QCOMPARE(blocks.size(), std::size_t{31});
    QCOMPARE(std::string(blocks[0].name), std::string("model.embed_tokens"));
    QCOMPARE(std::string(blocks[1].name), std::string("model.layers.0"));
    QCOMPARE(std::string(blocks[3].name), std::string("model.layers.2"));
    QCOMPARE(std::string(blocks[28].name), std::string("model.layers.27"));
    QCOMPARE(std::string(blocks[29].name), std::string("model.norm"));
    QCOMPARE(std::string(blocks[30].name), std::string("lm_head"));
}

void TestDevicePlan::keepsExpertsWithTheirLayer()
{
    QCOMPARE(
        blockOf("thinker.model.layers.5.mlp.experts.17.up_proj.weight"), std::string_view("thinker.model.layers.5"));
    QCOMPARE(blockOf("model.norm.weight"), std::string_view("model.norm"));
    QCOMPARE(blockOf("weight"), std::string_view("weight"));
    QCOMPARE(blockOf("0.weight"), std::string_view("0"));
    QCOMPARE(blockOf(""), std::string_view(""));
}

void TestDevicePlan::takesTheLongestPrefixOfAMap()
{
    const Model model = qwen7b();
    const std::vector<DeviceSpec> devices{{"cpu", kGiB}, {"cuda:0", kGiB}, {"cuda:1", kGiB}};
    const auto plan
        = planDevices(R"({"": "cpu", "model.layers.1": 1, "model.layers": "cuda"})", model.tensors, devices);
    QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
    QCOMPARE(deviceOf(*plan, model, "model.layers.1.mlp.down_proj.weight"), std::string("cuda:1"));
    QCOMPARE(deviceOf(*plan, model, "model.layers.10.mlp.down_proj.weight"), std::string("cuda:0"));
    QCOMPARE(deviceOf(*plan, model, "lm_head.weight"), std::string("cpu"));
}

void TestDevicePlan::refusesAMapThatLacksATensor()
{
    const Model model = qwen7b();
    const auto plan = planDevices(R"({"model": "cpu"})", model.tensors, kCpuOnly);
    QVERIFY(!plan);
    QVERIFY2(messageOf(plan).contains("no entry for tensor 'lm_head.weight'"), qPrintable(messageOf(plan)));
}

void TestDevicePlan::namesEntriesThatMatchNothing()
{
    const Model model = qwen7b();
    const auto plan = planDevices(R"({"": "cpu", "model.layer.1": "cpu"})", model.tensors, kCpuOnly);
    QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
    QCOMPARE(plan->notes, (std::vector<std::string>{"device map entry 'model.layer.1' matches no tensor"}));
}

void TestDevicePlan::refusesLimitsThatAreTooSmall()
{
    const Model model = qwen7b();
    const auto plan = planDevices("cpu", model.tensors, kCpuOnly, {{"cpu", 2 * kGiB}});
    QVERIFY(!plan);
    QVERIFY2(messageOf(plan).contains("max_memory allows 2.00 GiB on cpu"), qPrintable(messageOf(plan)));
    const auto unknown = planDevices("cpu", model.tensors, kCpuOnly, {{"3", 2 * kGiB}});
    QVERIFY2(messageOf(unknown).contains("max_memory: no device 'cuda:3' here"), qPrintable(messageOf(unknown)));
}

void TestDevicePlan::usesNoDeviceThatMaxMemoryLeavesOut()
{
    const Model model = qwen7b();
    const std::vector<DeviceSpec> devices{{"cpu", 64 * kGiB}, {"cuda:0", 80 * kGiB}};
    const auto plan = planDevices("auto", model.tensors, devices, {{"cpu", 60 * kGiB}});
    QVERIFY2(plan.has_value(), qPrintable(messageOf(plan)));
    QCOMPARE(plan->modules, (std::map<std::string, std::string>{{"", "cpu"}}));
    const auto contradiction = planDevices("cuda", model.tensors, devices, {{"cpu", 60 * kGiB}});
    QVERIFY2(
        messageOf(contradiction).contains("max_memory allows 0 B on cuda:0"), qPrintable(messageOf(contradiction)));
}

void TestDevicePlan::saysWhatFindsNoRoom()
{
    const Model model = qwen7b();
    const std::vector<DeviceSpec> devices{{"cpu", 64 * kGiB}, {"cuda:0", 80 * kGiB}};
    const auto plan = planDevices("auto", model.tensors, devices, {{"0", 4 * kGiB}, {"cpu", 4 * kGiB}});
    QVERIFY(!plan);
    QVERIFY2(messageOf(plan).contains("no room for 'model.layers."), qPrintable(messageOf(plan)));
    QVERIFY2(messageOf(plan).contains("cuda:0 (4.00 GiB), cpu (4.00 GiB)"), qPrintable(messageOf(plan)));
}

void TestDevicePlan::mergesSiblingsOfOneDevice()
{
    const std::vector<std::string_view> names{
        "model.layers.0.a", "model.layers.0.b", "model.layers.1.a", "lm_head.weight"};
    const std::vector<std::string> devices{"cuda:0", "cuda:0", "cuda:1", "cuda:1"};
    QCOMPARE(mergedModules(names, devices),
        (std::map<std::string, std::string>{
            {"model.layers.0", "cuda:0"}, {"model.layers.1", "cuda:1"}, {"lm_head", "cuda:1"}}));
}

void TestDevicePlan::checksTheFormOfTheWord_data()
{
    QTest::addColumn<QString>("word");
    QTest::addColumn<QString>("part"); // Empty: well formed.
    QTest::newRow("cpu") << "cpu"
                         << "";
    QTest::newRow("cuda:12") << "cuda:12"
                             << "";
    QTest::newRow("map") << R"({"model": "cuda:1", "lm_head": 0})"
                         << "";
    QTest::newRow("slip") << "ato"
                          << "did you mean 'auto'";
    QTest::newRow("cuda:") << "cuda:"
                           << "is no device map";
    QTest::newRow("cuda:x") << "cuda:x"
                            << "is no device map";
    QTest::newRow("empty") << ""
                           << "is no device map";
    QTest::newRow("cut") << R"({"model": )"
                         << "no JSON object";
    QTest::newRow("array") << R"(["cpu"])"
                           << "no JSON object";
    QTest::newRow("empty map") << "{}"
                               << "empty";
    QTest::newRow("negative") << R"({"": -1})"
                              << "entry '' is -1";
    QTest::newRow("nested") << R"({"model": {"a": 1}})"
                            << "neither a device name";
}

void TestDevicePlan::checksTheFormOfTheWord()
{
    QFETCH(QString, word);
    QFETCH(QString, part);
    const auto outcome = checkDeviceMapWord(word.toStdString());
    if (part.isEmpty()) {
        QVERIFY2(outcome.has_value(), outcome ? "" : outcome.error().message.c_str());
        return;
    }
    QVERIFY(!outcome);
    QVERIFY2(QString::fromStdString(outcome.error().message).contains(part), outcome.error().message.c_str());
}

QTEST_APPLESS_MAIN(TestDevicePlan)
#include "tst_DevicePlan.moc"
