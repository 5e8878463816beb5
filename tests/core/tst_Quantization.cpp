#include "CheckpointFiles.h"

#include "core/checkpoint/Checkpoint.h"
#include "core/checkpoint/StructureReport.h"

#include <QtTest>
#include <nlohmann/json.hpp>

using namespace loadlab;
using namespace loadlab::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

/// The tensors of one Linear [16, 32] in a scheme of MODEL_FACTS 4.2.
std::vector<TensorSpec> linear(const std::string& scheme, const std::string& m)
{
    if (scheme == "awq")
        return {{m + ".qweight", "I32", {32, 2}}, {m + ".qzeros", "I32", {1, 2}}, {m + ".scales", "F16", {1, 16}}};
    if (scheme == "gptq")
        return {{m + ".qweight", "I32", {4, 16}}, {m + ".qzeros", "I32", {1, 2}}, {m + ".scales", "F16", {1, 16}},
            {m + ".g_idx", "I32", {32}}};
    if (scheme == "pack-quantized")
        return {{m + ".weight_packed", "I32", {16, 8}}, {m + ".weight_scale", "BF16", {16, 1}},
            {m + ".weight_shape", "I64", {2}}};
    if (scheme == "float-quantized")
        return {{m + ".weight", "F8_E4M3", {16, 32}}, {m + ".weight_scale", "F32", {16, 1}}};
    if (scheme == "int-quantized")
        return {{m + ".weight", "I8", {16, 32}}, {m + ".weight_scale", "BF16", {16, 1}}};
    if (scheme == "bnb8")
        return {{m + ".weight", "I8", {16, 32}}, {m + ".SCB", "F32", {16}}, {m + ".weight_format", "U8", {}}};
    if (scheme == "bnb4")
        return {{m + ".weight", "U8", {256, 1}}, {m + ".weight.absmax", "F32", {8}},
            {m + ".weight.quant_map", "F32", {16}}, {m + ".weight.quant_state.bitsandbytes__nf4", "U8", {90}}};
    if (scheme == "fp8")
        return {{m + ".weight", "F8_E4M3", {16, 32}}, {m + ".weight_scale_inv", "F32", {1, 1}}};
    if (scheme == "nvfp4")
        return {{m + ".weight", "U8", {16, 16}}, {m + ".weight_scale", "F8_E4M3", {16, 2}},
            {m + ".weight_scale_2", "F32", {}}, {m + ".input_scale", "F32", {}}};
    if (scheme == "nvfp4-pack")
        return {{m + ".weight_packed", "U8", {16, 16}}, {m + ".weight_scale", "F8_E4M3", {16, 2}},
            {m + ".weight_global_scale", "F32", {1}}};
    if (scheme == "mxfp4")
        return {{m + "_blocks", "U8", {4, 16}}, {m + "_scales", "U8", {4}}};
    return {{m + ".weight", "BF16", {16, 32}}};
}

} // namespace

class tst_Quantization : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void schemes_data();
    void schemes();
    void plainModelsHaveNone();
    void contradictions_data();
    void contradictions();
    void modeloptsOwnFile();
    void textConfigCounts();
    void packedWeightsSatisfyTheFamily();
    void packedWeightsAreEstimatedAsTheyAre();

private:
    Checkpoint inspected(const Scratch& folder, const std::string& scheme, const Json& quantization) const
    {
        Json config{{"model_type", "x"}};
        if (!quantization.is_null())
            config["quantization_config"] = quantization;
        writeText(folder / "config.json", config.dump());
        writeSafetensors(folder / "model.safetensors", linear(scheme, "model.layers.0.mlp.up_proj"));
        return *inspectCheckpoint(folder.path(), m_catalog);
    }

    FamilyCatalog m_catalog = FamilyCatalog::load(LOADLAB_SOURCE_DIR "/resources/families");
};

void tst_Quantization::schemes_data()
{
    QTest::addColumn<QByteArray>("scheme");
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("format");
    QTest::addColumn<int>("bits");
    QTest::addColumn<int>("groupSize");
    const auto row = [](const char* name, const char* scheme, const char* config, const char* method,
                         const char* format, int bits, int group) {
        QTest::newRow(name) << QByteArray(scheme) << QByteArray(config) << QByteArray(method) << QByteArray(format)
                            << bits << group;
    };
    row("AWQ", "awq", R"({"quant_method":"awq","bits":4,"group_size":128,"version":"gemm"})", "awq", "gemm", 4, 128);
    row("GPTQ", "gptq", R"({"quant_method":"gptq","bits":8,"group_size":32,"checkpoint_format":"gptq_v2"})", "gptq",
        "gptq_v2", 8, 32);
    row("AWQ-8bit by llm-compressor", "pack-quantized",
        R"({"quant_method":"compressed-tensors","format":"pack-quantized","config_groups":{"group_0":{"weights":{"num_bits":8,"group_size":32}}}})",
        "compressed-tensors", "pack-quantized", 8, 32);
    row("FP8 dynamic", "float-quantized",
        R"({"quant_method":"compressed-tensors","config_groups":{"group_0":{"format":"float-quantized","weights":{"num_bits":8,"group_size":null}}}})",
        "compressed-tensors", "float-quantized", 8, -1);
    row("bitsandbytes 8", "bnb8", R"({"load_in_8bit":true})", "bitsandbytes", "int8", 8, -1);
    row("bitsandbytes 4", "bnb4", R"({"quant_method":"bitsandbytes","load_in_4bit":true,"bnb_4bit_quant_type":"nf4"})",
        "bitsandbytes", "nf4", 4, -1);
    row("fine-grained FP8", "fp8", R"({"quant_method":"fp8","weight_block_size":[128,128],"fmt":"e4m3"})", "fp8",
        "e4m3", 8, -1);
    row("modelopt", "nvfp4", R"({"quant_method":"modelopt","quant_algo":"NVFP4"})", "modelopt", "NVFP4", 4, -1);
    row("NVFP4 by compressed-tensors", "nvfp4-pack",
        R"({"quant_method":"compressed-tensors","format":"nvfp4-pack-quantized"})", "compressed-tensors",
        "nvfp4-pack-quantized", 4, -1);
    row("MXFP4", "mxfp4", R"({"quant_method":"mxfp4"})", "mxfp4", "mxfp4", 4, -1);
}

void tst_Quantization::schemes()
{
    QFETCH(QByteArray, scheme);
    QFETCH(QByteArray, config);
    QFETCH(QByteArray, method);
    QFETCH(QByteArray, format);
    QFETCH(int, bits);
    QFETCH(int, groupSize);
    Scratch folder;
    const Checkpoint said = inspected(folder, scheme.toStdString(), Json::parse(config.toStdString()));
    const QByteArray told = QByteArray::fromStdString(toJson(said).dump(1));
    QVERIFY2(said.quantization, told);
    QVERIFY2(
        said.quantization->method == method.toStdString() && said.quantization->format == format.toStdString(), told);
    QVERIFY2(said.quantization->bits == bits, told);
    QVERIFY2(said.quantization->groupSize.value_or(-1) == groupSize, told);
    const bool isFloat = scheme == "fp8" || scheme == "float-quantized"; // one value a byte, kept raw by auto
    QVERIFY2(said.quantization->packed == !isFloat, told);
    QCOMPARE(said.estimates.size(), std::size_t{1}); // none can be converted
    QCOMPARE(said.problems.size(), std::size_t{1}); // the unknown family
    // The same from the tensors alone, with a problem: no loader would know.
    const Checkpoint unsaid = inspected(folder, scheme.toStdString(), nullptr);
    QVERIFY(unsaid.quantization && unsaid.quantization->packed == !isFloat);
    QCOMPARE(unsaid.quantization->method, method.toStdString());
    QVERIFY(unsaid.problems.front().mode == FailureMode::DtypeQuantizationConflict);
    QVERIFY(unsaid.state == CheckpointState::Unsupported); // by its family; a conflict is no broken file
}

void tst_Quantization::plainModelsHaveNone()
{
    Scratch folder;
    const Checkpoint plain = inspected(folder, "plain", nullptr);
    QVERIFY(!plain.quantization);
    QCOMPARE(toJson(plain).at("quantization"), Json::object());
}

void tst_Quantization::contradictions_data()
{
    QTest::addColumn<QByteArray>("scheme");
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QByteArray>("words");
    QTest::newRow("said, plain") << QByteArray("plain") << QByteArray(R"({"quant_method":"awq"})")
                                 << QByteArray("says that the weights are quantized (awq)");
    QTest::newRow("other method") << QByteArray("bnb8") << QByteArray(R"({"quant_method":"compressed-tensors"})")
                                  << QByteArray("yet tensors such as");
    QTest::newRow("no method") << QByteArray("awq") << QByteArray(R"({"bits":4})")
                               << QByteArray("names no quant_method");
}

void tst_Quantization::contradictions()
{
    QFETCH(QByteArray, scheme);
    QFETCH(QByteArray, config);
    QFETCH(QByteArray, words);
    Scratch folder;
    const Checkpoint checkpoint = inspected(folder, scheme.toStdString(), Json::parse(config.toStdString()));
    QVERIFY(checkpoint.problems.front().mode == FailureMode::DtypeQuantizationConflict);
    QVERIFY2(checkpoint.problems.front().text.find(words.toStdString()) != std::string::npos,
        checkpoint.problems.front().text.c_str());
}

void tst_Quantization::modeloptsOwnFile()
{
    Scratch folder;
    writeText(folder / "hf_quant_config.json",
        R"({"producer":{"name":"modelopt"},"quantization":{"quant_algo":"NVFP4","group_size":16}})");
    const Checkpoint checkpoint = inspected(folder, "nvfp4", nullptr);
    QVERIFY(checkpoint.quantization);
    QCOMPARE(checkpoint.quantization->method, std::string("modelopt"));
    QCOMPARE(checkpoint.quantization->format, std::string("NVFP4"));
    QVERIFY(checkpoint.quantization->groupSize == 16);
    writeText(folder / "hf_quant_config.json", "{");
    QVERIFY(inspected(folder, "nvfp4", nullptr).state == CheckpointState::Incomplete);
}

void tst_Quantization::textConfigCounts()
{
    Scratch folder;
    const Json config{{"model_type", "x"},
        {"thinker_config", {{"text_config", {{"quantization_config", {{"quant_method", "awq"}}}}}}}};
    writeSafetensors(folder / "model.safetensors", linear("awq", "a"));
    writeText(folder / "config.json", config.dump());
    const Checkpoint checkpoint = *inspectCheckpoint(folder.path(), m_catalog);
    QVERIFY(checkpoint.quantization && checkpoint.quantization->method == "awq");
    QCOMPARE(checkpoint.problems.size(), std::size_t{1}); // the unknown family
}

void tst_Quantization::packedWeightsSatisfyTheFamily()
{
    Json config{{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"}, {"hidden_size", 32},
        {"intermediate_size", 16}, {"num_hidden_layers", 1}, {"num_attention_heads", 2}, {"vocab_size", 8}};
    config["quantization_config"] = {{"quant_method", "compressed-tensors"}, {"format", "pack-quantized"}};
    const auto expected = m_catalog.findByModelType("llama")->expectedTensors(config);
    for (const char* scheme : {"pack-quantized", "awq", "bnb4"}) {
        Scratch folder;
        std::vector<TensorSpec> tensors;
        for (const ExpectedTensor& tensor : *expected) {
            if (tensor.name.find("_proj.weight") == std::string::npos)
                tensors.push_back({tensor.name, "BF16", tensor.shape});
            else
                for (const TensorSpec& part : linear(scheme, tensor.name.substr(0, tensor.name.size() - 7)))
                    tensors.push_back(part);
        }
        const auto method = std::string(scheme) == "pack-quantized" ? "compressed-tensors"
            : std::string(scheme) == "bnb4"                         ? "bitsandbytes"
                                                                    : scheme;
        config["quantization_config"]["quant_method"] = method;
        writeText(folder / "config.json", config.dump());
        writeSafetensors(folder / "model.safetensors", tensors);
        const Checkpoint whole = *inspectCheckpoint(folder.path(), m_catalog);
        const QByteArray told = QByteArray::fromStdString(toJson(whole).dump(1));
        QVERIFY2(whole.state == CheckpointState::Complete && whole.problems.empty(), told);
        std::erase_if(tensors, [](const TensorSpec& t) { return t.name.find("o_proj") != std::string::npos; });
        writeSafetensors(folder / "model.safetensors", tensors);
        const Checkpoint cut = *inspectCheckpoint(folder.path(), m_catalog);
        QVERIFY(cut.state == CheckpointState::Incomplete);
        QVERIFY(cut.problems.front().mode == FailureMode::StructureMismatch);
    }
}

void tst_Quantization::packedWeightsAreEstimatedAsTheyAre()
{
    Scratch folder;
    const Checkpoint checkpoint = inspected(folder, "awq", {{"quant_method", "awq"}});
    QCOMPARE(checkpoint.estimates.size(), std::size_t{1});
    QCOMPARE(checkpoint.estimates.front().dtype, std::string("auto"));
}

QTEST_GUILESS_MAIN(tst_Quantization)
#include "tst_Quantization.moc"
