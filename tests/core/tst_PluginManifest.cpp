#include "core/worker/PluginManifest.h"

#include <QTemporaryDir>
#include <QtTest>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

using namespace loadlab;
namespace fs = std::filesystem;

namespace {

constexpr const char* kManifest = R"({
  "name": "toy", "title": "Toy backend", "protocol": 1, "program": "worker", "arguments": ["--quiet"],
  "dtypes": ["auto", {"name": "bfloat16", "synonyms": ["bf16", "torch.bfloat16"], "help": "brain float"}, "float32"],
  "device_maps": ["cpu", "cuda", "cuda:N", {"name": "auto"}],
  "json_device_map": true, "max_memory": true, "install": "sudo apt-get install toy",
  "options": [
    {"name": "allow_torchscript", "type": "bool", "default": false, "help": "runs code"},
    {"name": "threads", "type": "int", "default": 4},
    {"name": "share", "type": "number", "default": 0.5},
    {"name": "reader", "type": "choice", "choices": ["mapped", "read"]},
    {"name": "note", "type": "text"}]
})";

void write(const fs::path& file, std::string_view text)
{
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
}

} // namespace

class tst_PluginManifest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void readsEveryField();
    void aBrokenManifestSaysWhereAndHurtsNothingElse_data();
    void aBrokenManifestSaysWhereAndHurtsNothingElse();
    void theFirstRootWins();
    void aBrokenOneTakesNoOthersPlace();
    void installedMeansThatTheProgramIsExecutable();
    void whoTakesAnyProgramNeedsNone();
    void translatesSynonymsInAnyCase();
    void refusesUnknownWordsAndNamesTheNearest_data();
    void refusesUnknownWordsAndNamesTheNearest();
    void equalTrialsAreEqualVariants();
    void checksJsonDeviceMaps();
    void aBackendWithoutWordsTakesNone();
    void neverOpensAFifo();

private:
    [[nodiscard]] fs::path root() const { return m_folder->path().toStdString(); }
    [[nodiscard]] PluginManifest toy() const;
    std::unique_ptr<QTemporaryDir> m_folder;
};

void tst_PluginManifest::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
}

PluginManifest tst_PluginManifest::toy() const
{
    write(root() / "toy/plugin.json", kManifest);
    return loadManifest(root() / "toy").value();
}

void tst_PluginManifest::readsEveryField()
{
    const PluginManifest manifest = toy();
    QCOMPARE(manifest.title, std::string("Toy backend"));
    QCOMPARE(manifest.programPath(), root() / "toy/worker");
    QCOMPARE(manifest.arguments, std::vector<std::string>{"--quiet"});
    QCOMPARE(manifest.probeArguments, std::vector<std::string>{"--probe"});
    QCOMPARE(manifest.dtypes.size(), std::size_t{3});
    QCOMPARE(manifest.dtypes[1].help, std::string("brain float"));
    QCOMPARE(manifest.options.size(), std::size_t{5});
    QCOMPARE(manifest.options[0].defaultValue, std::string("false"));
    QCOMPARE(manifest.options[1].defaultValue, std::string("4"));
    QCOMPARE(manifest.options[2].defaultValue, std::string("0.5"));
    QCOMPARE(manifest.options[3].defaultValue, std::string("mapped"));
    QVERIFY(manifest.takesJsonDeviceMap && manifest.takesMaxMemory && !manifest.takesEnvironment);
    const nlohmann::json shown = toJson(findPlugins({root()}).front());
    QCOMPARE(shown.at("options").at(1).at("type").get<std::string>(), std::string("int"));
    QVERIFY(shown.at("error").is_null());
}

void tst_PluginManifest::aBrokenManifestSaysWhereAndHurtsNothingElse_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("says");
    QTest::newRow("no JSON") << QByteArray("{\n\"name\": oops}") << QByteArray("line 2");
    QTest::newRow("empty") << QByteArray() << QByteArray("no JSON");
    QTest::newRow("a list") << QByteArray("[]") << QByteArray("an object");
    QTest::newRow("no name") << QByteArray(R"({"protocol": 1, "program": "x"})") << QByteArray("lacks \"name\"");
    QTest::newRow("no program") << QByteArray(R"({"name": "a", "protocol": 1})") << QByteArray("lacks \"program\"");
    QTest::newRow("odd name") << QByteArray(R"({"name": "a/b", "protocol": 1, "program": "x"})") << QByteArray("'a/b'");
    QTest::newRow("other protocol") << QByteArray(R"({"name": "a", "protocol": 2, "program": "x"})")
                                    << QByteArray("protocol 2");
    QTest::newRow("option type") << QByteArray(
        R"({"name": "a", "protocol": 1, "program": "x", "options": [{"name": "o", "type": "boolean"}]})")
                                 << QByteArray("options[0].type: 'boolean'");
    QTest::newRow("default of another type") << QByteArray(
        R"({"name": "a", "protocol": 1, "program": "x", "options": [{"name": "o", "type": "int", "default": "many"}]})")
                                             << QByteArray("options[0].default: 'many'");
    QTest::newRow("choice without choices")
        << QByteArray(R"({"name": "a", "protocol": 1, "program": "x", "options": [{"name": "o", "type": "choice"}]})")
        << QByteArray("choices");
    QTest::newRow("twice") << QByteArray(R"({"name": "a", "protocol": 1, "program": "x", "dtypes": ["auto", "auto"]})")
                           << QByteArray("dtypes[1]");
}

void tst_PluginManifest::aBrokenManifestSaysWhereAndHurtsNothingElse()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, says);
    (void)toy();
    write(root() / "broken/plugin.json", text.toStdString());
    const std::vector<PluginEntry> entries = findPlugins({root()});
    QCOMPARE(entries.size(), std::size_t{2});
    QCOMPARE(entries[0].name, std::string("broken"));
    QVERIFY(entries[0].error && !entries[0].installed());
    QVERIFY2(
        entries[0].error->message.find(says.toStdString()) != std::string::npos, entries[0].error->message.c_str());
    QVERIFY(entries[0].error->message.find((root() / "broken/plugin.json").string()) != std::string::npos);
    QVERIFY(entries[1].manifest);
}

void tst_PluginManifest::theFirstRootWins()
{
    write(root() / "one/x/plugin.json", R"({"name": "x", "title": "first", "protocol": 1, "program": "p"})");
    write(root() / "two/x/plugin.json", R"({"name": "x", "title": "second", "protocol": 1, "program": "p"})");
    write(root() / "two/a/plugin.json", R"({"name": "a", "protocol": 1, "program": "p"})");
    const std::vector<PluginEntry> entries = findPlugins({root() / "absent", root() / "one", root() / "two"});
    QCOMPARE(entries.size(), std::size_t{2});
    QCOMPARE(entries[0].name, std::string("a"));
    QCOMPARE(entries[1].manifest->title, std::string("first"));
}

void tst_PluginManifest::aBrokenOneTakesNoOthersPlace()
{
    write(root() / "one/x/plugin.json", R"({"name": "x"})");
    write(root() / "two/x/plugin.json", R"({"name": "x", "title": "good", "protocol": 1, "program": "p"})");
    const std::vector<PluginEntry> entries = findPlugins({root() / "one", root() / "two"});
    QCOMPARE(entries.size(), std::size_t{2});
    QCOMPARE(std::ranges::count_if(entries, [](const PluginEntry& entry) { return entry.error.has_value(); }), 1);
    QCOMPARE(std::ranges::count_if(entries, [](const PluginEntry& entry) { return entry.manifest.has_value(); }), 1);
}

void tst_PluginManifest::installedMeansThatTheProgramIsExecutable()
{
    (void)toy();
    QVERIFY(!findPlugins({root()}).front().installed());
    write(root() / "toy/worker", "#!/bin/sh\n");
    ::chmod((root() / "toy/worker").c_str(), 0755);
    QVERIFY(findPlugins({root()}).front().installed());
}

void tst_PluginManifest::whoTakesAnyProgramNeedsNone()
{
    write(root() / "any/plugin.json", R"({"name": "any", "protocol": 1, "any_program": true})");
    const std::vector<PluginEntry> entries = findPlugins({root()});
    QCOMPARE(entries.size(), std::size_t{1});
    QVERIFY2(entries[0].manifest && entries[0].installed(), "nothing has to be there");
    QVERIFY(toJson(entries[0]).at("program").is_null());
    Variant asked;
    asked.backend = "any";
    asked.dtype = asked.deviceMap = "";
    QVERIFY(entries[0].manifest->normalise(asked));
    const PluginManifest ours = loadManifest(fs::path(LOADLAB_SOURCE_DIR) / "plugins/command").value();
    QVERIFY(ours.takesProgram && ours.name == "command");
}

void tst_PluginManifest::translatesSynonymsInAnyCase()
{
    const PluginManifest manifest = toy();
    for (const char* typed : {"bf16", "BF16", "bfloat16", "torch.bfloat16"}) {
        Variant asked;
        asked.backend = "toy";
        asked.dtype = typed;
        asked.deviceMap = "CUDA:12";
        const Result<Variant> variant = manifest.normalise(asked);
        QVERIFY2(variant, typed);
        QCOMPARE(variant->dtype, std::string("bfloat16"));
        QCOMPARE(variant->deviceMap, std::string("cuda:12"));
    }
}

void tst_PluginManifest::refusesUnknownWordsAndNamesTheNearest_data()
{
    QTest::addColumn<QByteArray>("field");
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<QByteArray>("nearest");
    QTest::newRow("dtype") << QByteArray("dtype") << QByteArray("bfloat61") << QByteArray("did you mean 'bfloat16'");
    QTest::newRow("map") << QByteArray("map") << QByteArray("cudaa") << QByteArray("did you mean 'cuda'");
    QTest::newRow("number missing") << QByteArray("map") << QByteArray("cuda:") << QByteArray("'cuda:'");
    QTest::newRow("number negative") << QByteArray("map") << QByteArray("cuda:-1") << QByteArray("'cuda:-1'");
    QTest::newRow("the pattern itself") << QByteArray("map") << QByteArray("cuda:N") << QByteArray("'cuda:N'");
    QTest::newRow("option") << QByteArray("allow_torchscrip") << QByteArray("true")
                            << QByteArray("did you mean 'allow_torchscript'");
    QTest::newRow("bool") << QByteArray("allow_torchscript") << QByteArray("maybe")
                          << QByteArray("'maybe' is neither true nor false");
    QTest::newRow("int") << QByteArray("threads") << QByteArray("4.5") << QByteArray("'4.5' is no whole number");
    QTest::newRow("number") << QByteArray("share") << QByteArray("half") << QByteArray("'half' is no number");
    QTest::newRow("choice") << QByteArray("reader") << QByteArray("maped") << QByteArray("did you mean 'mapped'");
    QTest::newRow("not UTF-8") << QByteArray("dtype") << QByteArray("\xff") << QByteArray("\xEF\xBF\xBD");
}

void tst_PluginManifest::refusesUnknownWordsAndNamesTheNearest()
{
    QFETCH(QByteArray, field);
    QFETCH(QByteArray, value);
    QFETCH(QByteArray, nearest);
    Variant asked;
    asked.backend = "toy";
    if (field == "dtype")
        asked.dtype = value.toStdString();
    else if (field == "map")
        asked.deviceMap = value.toStdString();
    else
        asked.options[field.toStdString()] = value.toStdString();
    const Result<Variant> variant = toy().normalise(asked);
    QVERIFY(!variant);
    QCOMPARE(variant.error().kind, ErrorKind::Invalid);
    QVERIFY2(variant.error().message.find(nearest.toStdString()) != std::string::npos, variant.error().message.c_str());
}

void tst_PluginManifest::equalTrialsAreEqualVariants()
{
    Variant typed;
    typed.backend = "toy";
    typed.dtype = "BF16";
    typed.options = {{"allow_torchscript", "no"}, {"threads", "007"}, {"share", "0.50"}};
    typed.maxMemory = {{"0", 5}, {"cpu", 7}};
    Variant clicked;
    clicked.backend = "toy";
    clicked.dtype = "bfloat16";
    clicked.options = {{"threads", "7"}, {"reader", "mapped"}, {"note", ""}};
    clicked.maxMemory = {{"cuda:0", 5}, {"cpu", 7}};
    const PluginManifest manifest = toy();
    QVERIFY(manifest.normalise(typed).value() == manifest.normalise(clicked).value());
    QCOMPARE(manifest.normalise(typed)->options, (std::map<std::string, std::string>{{"threads", "7"}}));
    typed.maxMemory["cuda:0"] = 6;
    QVERIFY(!manifest.normalise(typed));
}

void tst_PluginManifest::checksJsonDeviceMaps()
{
    const PluginManifest manifest = toy();
    const auto normalised = [&manifest](const std::string& map) {
        Variant asked;
        asked.backend = "toy";
        asked.deviceMap = map;
        const Result<Variant> variant = manifest.normalise(asked);
        return variant ? variant->deviceMap : "refused: " + variant.error().message;
    };
    QCOMPARE(normalised(R"( { "": "cpu",  "lm_head": 1 } )"), std::string(R"({"":"cpu","lm_head":1})"));
    QVERIFY(normalised("{\"a\": ").starts_with("refused"));
    QVERIFY(normalised("{}").starts_with("refused"));
    QVERIFY(normalised("[\"cpu\"]").starts_with("refused"));
    QVERIFY(normalised(R"({"a": 1.5})").find("'a'") != std::string::npos);
    QVERIFY(normalised(R"({"a": "the moon"})").find("'the moon' is no device") != std::string::npos);
}

void tst_PluginManifest::aBackendWithoutWordsTakesNone()
{
    write(root() / "plain/plugin.json", R"({"name": "plain", "protocol": 1, "program": "p"})");
    const PluginManifest manifest = loadManifest(root() / "plain").value();
    Variant asked;
    asked.backend = "plain";
    QVERIFY(manifest.normalise(asked));
    Variant dtype = asked;
    dtype.dtype = "float16";
    QVERIFY(manifest.normalise(dtype).error().message.find("takes no dtype, 'float16'") != std::string::npos);
    Variant map = asked;
    map.deviceMap = "cuda";
    QVERIFY(!manifest.normalise(map));
    map.deviceMap = "{\"\": 0}";
    QVERIFY(!manifest.normalise(map));
    Variant environment = asked;
    environment.environment = "venv";
    QVERIFY(!manifest.normalise(environment));
}

void tst_PluginManifest::neverOpensAFifo()
{
    fs::create_directories(root() / "pipe");
    QCOMPARE(::mkfifo((root() / "pipe/plugin.json").c_str(), 0600), 0);
    const std::vector<PluginEntry> entries = findPlugins({root()});
    QCOMPARE(entries.size(), std::size_t{1});
    QVERIFY(entries[0].error->message.find("no regular file") != std::string::npos);
}

QTEST_APPLESS_MAIN(tst_PluginManifest)
#include "tst_PluginManifest.moc"
