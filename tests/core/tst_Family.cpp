#include "CheckpointFiles.h"
#include "ModelConfigs.h"

#include "core/checkpoint/Expression.h"
#include "core/checkpoint/Family.h"
#include "core/checkpoint/Glob.h"

#include <QtTest>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

using namespace loadlab;
using namespace loadlab::test;
using Json = nlohmann::json;

namespace {

std::vector<ExpectedTensor> expectedOf(const FamilyCatalog& catalog, const Json& config)
{
    const Family* family = catalog.findByModelType(config.at("model_type").get<std::string>());
    if (family == nullptr)
        qFatal("no family");
    Result<std::vector<ExpectedTensor>> tensors = family->expectedTensors(config);
    if (!tensors)
        qFatal("%s", tensors.error().message.c_str());
    return std::move(*tensors);
}

std::uint64_t elements(const ExpectedTensor& tensor)
{
    std::uint64_t product = 1;
    for (const std::uint64_t dimension : tensor.shape)
        product *= dimension;
    return product;
}

struct Totals {
    std::size_t tensors = 0;
    std::uint64_t parameters = 0;
    std::map<std::string, std::uint64_t> components;
};

Totals totalsOf(const FamilyCatalog& catalog, const Json& config)
{
    Totals totals;
    const Family* family = catalog.findByModelType(config.at("model_type").get<std::string>());
    std::set<std::string> names;
    for (const ExpectedTensor& tensor : expectedOf(catalog, config)) {
        if (tensor.optional || !names.insert(tensor.name).second)
            continue;
        ++totals.tensors;
        totals.parameters += elements(tensor);
        totals.components[std::string(family->componentOf(tensor.name))] += elements(tensor);
    }
    return totals;
}

} // namespace

class tst_Family : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyFamilyFileIsRead();
    void promisesWhatIsPublished_data();
    void promisesWhatIsPublished();
    void omniComponentsAddUp();
    void omniWithoutAudioHasNoTalker();
    void readsOldAndNewSpellings();
    void headDimIsTakenFromTheConfig();
    void tiedHeadIsOptional();
    void denseLayersAmongExperts();
    void biasesFollowTheConfig();
    void namesTheKeyThatIsMissing();
    void refusesAbsurdConfigs_data();
    void refusesAbsurdConfigs();
    void otherArchitecturesHaveNoList();
    void brokenFileHurtsNoOther();
    void newFamilyNeedsNoCode();
    void unknownFamiliesHaveComponents();
    void expressions_data();
    void expressions();
    void badExpressionsAreRefused_data();
    void badExpressionsAreRefused();
    void globs();

private:
    FamilyCatalog m_catalog = FamilyCatalog::load(LOADLAB_SOURCE_DIR "/resources/families");
};

void tst_Family::everyFamilyFileIsRead()
{
    for (const Error& error : m_catalog.errors())
        qWarning("%s", error.message.c_str());
    QVERIFY(m_catalog.errors().empty());
    for (const char* name : {"qwen2", "llama", "qwen3", "qwen3_moe", "qwen3_omni_moe"})
        QVERIFY2(m_catalog.findByModelType(name) != nullptr, name);
    QVERIFY(m_catalog.findByModelType("bert") == nullptr);
    QVERIFY(m_catalog.findByModelType("") == nullptr);
}

void tst_Family::promisesWhatIsPublished_data()
{
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<quint64>("tensors");
    QTest::addColumn<quint64>("parameters");
    const auto row = [](const char* name, const Json& config, quint64 tensors, quint64 parameters) {
        QTest::newRow(name) << QByteArray::fromStdString(config.dump()) << tensors << parameters;
    };
    row("Qwen2.5-0.5B", qwen25Config("0.5B"), 290, 494'032'768);
    row("Qwen2.5-7B", qwen25Config("7B"), 339, 7'615'616'512);
    row("Qwen2.5-14B", qwen25Config("14B"), 579, 14'770'033'664);
    row("Nemotron-Nano-4B", nemotronConfig(), 291, 4'512'746'496);
    row("Qwen3-Omni-30B", omniConfig(), 28'010, 35'259'818'545);
}

void tst_Family::promisesWhatIsPublished()
{
    QFETCH(QByteArray, config);
    QFETCH(quint64, tensors);
    QFETCH(quint64, parameters);
    const Totals totals = totalsOf(m_catalog, Json::parse(config.toStdString()));
    QCOMPARE(totals.tensors, static_cast<std::size_t>(tensors));
    QCOMPARE(totals.parameters, static_cast<std::uint64_t>(parameters));
}

void tst_Family::omniComponentsAddUp()
{
    const auto components = totalsOf(m_catalog, omniConfig()).components;
    QCOMPARE(components.at("experts"), std::uint64_t{28'991'029'248});
    QCOMPARE(components.at("embeddings") + components.at("lm_head"), std::uint64_t{622'854'144});
    QCOMPARE(
        components.at("experts") + components.at("embeddings") + components.at("lm_head") + components.at("thinker"),
        std::uint64_t{30'532'646'912});
    QCOMPARE(components.at("audio"), std::uint64_t{647'927'168});
    QCOMPARE(components.at("vision"), std::uint64_t{538'631'408});
    QCOMPARE(components.at("talker"), std::uint64_t{3'324'596'480});
    QCOMPARE(components.at("code2wav"), std::uint64_t{216'016'577});
    QVERIFY(!components.contains("other"));
}

void tst_Family::omniWithoutAudioHasNoTalker()
{
    Json config = omniConfig();
    config["enable_audio_output"] = false;
    config.erase("talker_config");
    config.erase("code2wav_config");
    QCOMPARE(totalsOf(m_catalog, config).parameters, std::uint64_t{31'719'205'488});
}

void tst_Family::readsOldAndNewSpellings()
{
    Json moe{{"model_type", "qwen3_moe"}, {"hidden_size", 96}, {"num_hidden_layers", 2}, {"num_attention_heads", 4},
        {"num_key_value_heads", 2}, {"intermediate_size", 96}, {"moe_intermediate_size", 96}, {"vocab_size", 1024},
        {"tie_word_embeddings", true}, {"num_experts", 8}};
    const Totals old = totalsOf(m_catalog, moe);
    QCOMPARE(old.tensors, std::size_t{68});
    moe.erase("num_experts");
    moe["num_local_experts"] = 8;
    QCOMPARE(totalsOf(m_catalog, moe).parameters, old.parameters);

    const Family* family = m_catalog.findByModelType("qwen2");
    QCOMPARE(family->findValue({{"rope_theta", 1e6}}, "rope_theta"), Json(1e6));
    QCOMPARE(family->findValue({{"rope_parameters", {{"rope_theta", 5e5}}}}, "rope_theta"), Json(5e5));
    QVERIFY(family->findValue(Json::object(), "rope_theta").is_null());
}

void tst_Family::headDimIsTakenFromTheConfig()
{
    Json config = nemotronConfig();
    config.erase("head_dim"); // then hidden / heads, which is wrong for this model
    QCOMPARE(
        totalsOf(m_catalog, config).parameters, std::uint64_t{4'512'746'496 - 32ULL * (2 * 1024 + 2 * 256) * 3072});
}

void tst_Family::tiedHeadIsOptional()
{
    std::size_t optional = 0;
    for (const ExpectedTensor& tensor : expectedOf(m_catalog, qwen25Config("0.5B")))
        if (tensor.optional) {
            ++optional;
            QCOMPARE(tensor.name, std::string("lm_head.weight"));
        }
    QCOMPARE(optional, std::size_t{1});
    for (const ExpectedTensor& tensor : expectedOf(m_catalog, qwen25Config("7B")))
        QVERIFY(!tensor.optional);
}

void tst_Family::denseLayersAmongExperts()
{
    const Json config{{"model_type", "qwen3_moe"}, {"hidden_size", 8}, {"num_hidden_layers", 4},
        {"num_attention_heads", 2}, {"intermediate_size", 16}, {"moe_intermediate_size", 4}, {"vocab_size", 32},
        {"num_experts", 2}, {"decoder_sparse_step", 2}, {"mlp_only_layers", {3}}};
    std::set<std::string> names;
    for (const ExpectedTensor& tensor : expectedOf(m_catalog, config))
        names.insert(tensor.name);
    QVERIFY(names.contains("model.layers.1.mlp.experts.1.up_proj.weight"));
    QVERIFY(names.contains("model.layers.1.mlp.gate.weight"));
    for (const char* dense : {"0", "2", "3"}) {
        QVERIFY(names.contains(std::string("model.layers.") + dense + ".mlp.up_proj.weight"));
        QVERIFY(!names.contains(std::string("model.layers.") + dense + ".mlp.gate.weight"));
    }
    QVERIFY(!names.contains("model.layers.1.mlp.up_proj.weight"));
}

void tst_Family::biasesFollowTheConfig()
{
    Json config = nemotronConfig();
    config["attention_bias"] = true;
    config["mlp_bias"] = true;
    QCOMPARE(totalsOf(m_catalog, config).tensors, std::size_t{291 + 32 * 7});
}

void tst_Family::namesTheKeyThatIsMissing()
{
    Json config = qwen25Config("7B");
    config.erase("num_hidden_layers");
    const auto missing = m_catalog.findByModelType("qwen2")->expectedTensors(config);
    QVERIFY(!missing);
    QVERIFY2(missing.error().message.find("lacks 'num_hidden_layers'") != std::string::npos,
        missing.error().message.c_str());
    config["num_hidden_layers"] = "28";
    const auto text = m_catalog.findByModelType("qwen2")->expectedTensors(config);
    QVERIFY(!text);
    QVERIFY2(
        text.error().message.find("'num_hidden_layers' is \"28\"") != std::string::npos, text.error().message.c_str());
}

void tst_Family::refusesAbsurdConfigs_data()
{
    QTest::addColumn<QByteArray>("key");
    QTest::addColumn<QByteArray>("value");
    QTest::newRow("a million layers") << QByteArray("num_hidden_layers") << QByteArray("1000000000000");
    QTest::newRow("2^63") << QByteArray("num_hidden_layers") << QByteArray("9223372036854775808");
    QTest::newRow("negative layers") << QByteArray("num_hidden_layers") << QByteArray("-1");
    QTest::newRow("negative") << QByteArray("hidden_size") << QByteArray("-5");
    QTest::newRow("overflow") << QByteArray("num_attention_heads") << QByteArray("4611686018427387903");
    QTest::newRow("list") << QByteArray("hidden_size") << QByteArray("[1,2]");
    QTest::newRow("object") << QByteArray("hidden_size") << QByteArray("{}");
    QTest::newRow("fraction") << QByteArray("hidden_size") << QByteArray("1.5");
}

void tst_Family::refusesAbsurdConfigs()
{
    QFETCH(QByteArray, key);
    QFETCH(QByteArray, value);
    Json config = nemotronConfig();
    config[key.toStdString()] = Json::parse(value.toStdString());
    const auto tensors = m_catalog.findByModelType("llama")->expectedTensors(config);
    QVERIFY(!tensors);
    QCOMPARE(tensors.error().kind, ErrorKind::Invalid);
    QVERIFY(!m_catalog.findByModelType("llama")->expectedTensors(Json::array()));
}

void tst_Family::otherArchitecturesHaveNoList()
{
    Json config = qwen25Config("7B");
    config["architectures"] = {"Qwen2ForSequenceClassification"};
    const auto tensors = m_catalog.findByModelType("qwen2")->expectedTensors(config);
    QVERIFY(!tensors);
    QCOMPARE(tensors.error().kind, ErrorKind::NotFound);
}

void tst_Family::brokenFileHurtsNoOther()
{
    Scratch folder;
    const std::string good
        = R"({"name":"a","model_types":["a"],"layouts":[{"architectures":["A"],"tensors":[{"of":{"w":[1]}}]}]})";
    writeText(folder / "good.json", good);
    writeText(folder / "syntax.json", "{");
    writeText(folder / "noname.json", "{}");
    writeText(folder / "types.json", R"({"name":7})");
    writeText(folder / "expression.json",
        R"({"name":"b","layouts":[{"architectures":["A"],"tensors":[{"of":{"w":["nobody"]}}]}]})");
    writeText(
        folder / "brace.json", R"({"name":"b","layouts":[{"architectures":["A"],"tensors":[{"of":{"w{x":[1]}}]}]})");
    writeText(folder / "readme.txt", "not a family");
    const FamilyCatalog catalog = FamilyCatalog::load(folder.path());
    QCOMPARE(catalog.families().size(), std::size_t{1});
    QCOMPARE(catalog.errors().size(), std::size_t{5});
    for (const Error& error : catalog.errors())
        QVERIFY(error.message.find(".json") != std::string::npos);
    QCOMPARE(FamilyCatalog::load(folder / "absent").errors().size(), std::size_t{1});
}

void tst_Family::newFamilyNeedsNoCode()
{
    Scratch folder;
    writeText(folder / "tiny.json",
        R"j({"name": "tiny", "title": "Tiny", "model_types": ["tiny", "tiny2"],)j"
        R"j("values": {"n": ["n", "old.n"], "twice": {"default": "2 * n"}, "rates": {"default": [3, 5]}},)j"
        R"j("components": [{"name": "body", "title": "The body", "match": ["b.*"]}],)j"
        R"j("layouts": [{"architectures": ["Tiny"], "tensors": [)j"
        R"j({"for": {"i": "len(rates)"}, "prefix": "b.{i + 1}.", "of": {"w": ["twice", "rates[i]"]}},)j"
        R"j({"when": "n > 100", "of": {"large": []}}]}]})j");
    const FamilyCatalog catalog = FamilyCatalog::load(folder.path());
    QVERIFY(catalog.errors().empty());
    const auto tensors = expectedOf(catalog, {{"model_type", "tiny2"}, {"old", {{"n", 4}}}});
    QCOMPARE(tensors.size(), std::size_t{2});
    QCOMPARE(tensors[1].name, std::string("b.2.w"));
    QCOMPARE(tensors[1].shape, (std::vector<std::uint64_t>{8, 5}));
    const Family& family = catalog.families().front();
    QCOMPARE(family.titleOfComponent(family.componentOf("b.1.w")), std::string_view("The body"));
    QCOMPARE(family.componentOf("c"), std::string_view("other"));
}

void tst_Family::unknownFamiliesHaveComponents()
{
    const Family* generic = m_catalog.generic();
    QVERIFY(generic != nullptr);
    QCOMPARE(generic->componentOf("embeddings.word_embeddings.weight"), std::string_view("embeddings"));
    QCOMPARE(generic->componentOf("encoder.layer.0.attention.self.query.weight"), std::string_view("attention"));
    QCOMPARE(generic->componentOf("encoder.layer.0.intermediate.dense.bias"), std::string_view("mlp"));
    QCOMPARE(generic->componentOf("pooler.dense.weight"), std::string_view("other"));
}

void tst_Family::expressions_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("value");
    const auto row = [](const char* text, qint64 value) { QTest::newRow(text) << QByteArray(text) << value; };
    row("7", 7);
    row("a", 12);
    row("2 + 3 * a", 38);
    row("(2 + 3) * a", 60);
    row("a / 5", 2);
    row("a % 5", 2);
    row("(0 - 7) / 2", -4);
    row("1 - 2 - 3", -4);
    row("100 / 5 / 2", 10);
    row("a >> 2", 3);
    row("list[1] + len(list)", 8);
    row("list[a - 11]", 5);
    row("has(list, 5)", 1);
    row("has(list, 6)", 0);
    row("a == 12 and not a > 12", 1);
    row("a < 3 or a >= 12", 1);
    row("not (a != 12)", 1);
    row("a <= 11", 0);
    row("nota", 4);
    row("((((a + 1) / 2 + 1) / 2 + 1) / 2)", 2);
}

void tst_Family::expressions()
{
    QFETCH(QByteArray, text);
    QFETCH(qint64, value);
    const std::vector<std::string> names{"a", "list", "nota"};
    const std::vector<Binding> bindings{{12, {}, ""}, {{}, std::vector<std::int64_t>{4, 5, 6 - 3}, ""}, {4, {}, ""}};
    const auto expression = Expression::compile(text.toStdString(), names);
    QVERIFY2(expression, expression ? "" : expression.error().message.c_str());
    const auto result = expression->evaluate(bindings);
    QVERIFY2(result, result ? "" : result.error().message.c_str());
    QCOMPARE(*result, static_cast<std::int64_t>(value));
}

void tst_Family::badExpressionsAreRefused_data()
{
    QTest::addColumn<QByteArray>("text");
    for (const char* text : {"", "a +", "(a", "a)", "b", "1 2", "1x", "a[0]", "list", "list[9]", "list[0 - 1]",
             "len(a)", "a / 0", "a % (a - a)", "9223372036854775807 + 1", "9223372036854775807 * 9223372036854775807",
             "99999999999999999999", "gone", "a >> 64", "a >> (0 - 1)", "a $ a"})
        QTest::newRow(text) << QByteArray(text);
    QTest::newRow("deep") << QByteArray(100'000, '(');
    QTest::newRow("not not") << QByteArray("not ").repeated(100'000) + "a";
    QTest::newRow("long stack") << QByteArray("1+(").repeated(60) + "1" + QByteArray(60, ')');
}

void tst_Family::badExpressionsAreRefused()
{
    QFETCH(QByteArray, text);
    const std::vector<std::string> names{"a", "list", "gone"};
    const std::vector<Binding> bindings{
        {12, {}, ""}, {{}, std::vector<std::int64_t>{4, 5}, ""}, {{}, {}, "no such key"}};
    const auto expression = Expression::compile(text.toStdString(), names);
    if (!expression)
        return;
    const auto result = expression->evaluate(bindings);
    QVERIFY(!result);
    QVERIFY(!result.error().message.empty());
}

void tst_Family::globs()
{
    QVERIFY(Glob("a.b").matches("a.b"));
    QVERIFY(!Glob("a.b").matches("a.bc"));
    QVERIFY(Glob("*").matches(""));
    QVERIFY(Glob("a*").matches("a"));
    QVERIFY(Glob("*.w").matches("x.y.w"));
    QVERIFY(Glob("a.*.mlp.*.w").matches("a.0.mlp.up.w"));
    QVERIFY(!Glob("a.*.mlp.*.w").matches("a.0.mlp.w"));
    QVERIFY(!Glob("ab*ba").matches("aba"));
    QVERIFY(Glob("a**b").matches("ab"));
}

QTEST_GUILESS_MAIN(tst_Family)
#include "tst_Family.moc"
