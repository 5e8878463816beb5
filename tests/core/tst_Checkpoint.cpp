#include "CheckpointFiles.h"
#include "ModelConfigs.h"
#include "tests/Sanitized.h"

#include "core/Text.h"
#include "core/checkpoint/Checkpoint.h"

#include <QtTest>
#include <fstream>
#include <malloc.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr std::string_view kPointer
    = "version https://git-lfs.github.com/spec/v1\noid sha256:"
      "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 988097824\n";

/// Two layers of Qwen2 with a hidden size of 8: 26 tensors.
Json tinyConfig()
{
    return {{"architectures", {"Qwen2ForCausalLM"}}, {"model_type", "qwen2"}, {"hidden_size", 8},
        {"intermediate_size", 16}, {"num_hidden_layers", 2}, {"num_attention_heads", 2}, {"num_key_value_heads", 1},
        {"vocab_size", 32}, {"tie_word_embeddings", true}, {"torch_dtype", "bfloat16"}};
}

bool has(const Checkpoint& checkpoint, FailureMode mode, std::string_view file, std::string_view words)
{
    for (const Problem& problem : checkpoint.problems)
        if (problem.mode == mode && problem.file == file && problem.text.find(words) != std::string::npos)
            return true;
    return false;
}

bool hasNote(const Checkpoint& checkpoint, std::string_view words)
{
    for (const std::string& note : checkpoint.notes)
        if (note.find(words) != std::string::npos)
            return true;
    return false;
}

std::string checkOf(const Checkpoint& checkpoint, std::string_view file)
{
    for (const CheckpointFile& row : checkpoint.files)
        if (row.name == file)
            return row.check;
    return "no such row";
}

/// Everything that was found, for a failing test's message.
QByteArray told(const Checkpoint& checkpoint)
{
    return QByteArray::fromStdString(toJson(checkpoint).dump(1));
}

} // namespace

#define QVERIFY_SAYS(condition, checkpoint) QVERIFY2(condition, told(checkpoint).constData())
#define QCOMPARE_STATE(checkpoint, expected)                                                                           \
    QVERIFY2((checkpoint).state == CheckpointState::expected, told(checkpoint).constData())

class tst_Checkpoint : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void omniStandInIsComplete();
    void publishedShapesAreComplete_data();
    void publishedShapesAreComplete();
    void emptyFolders();
    void pathsThatAreNoCheckpoint();
    void foldersWithoutPermission();
    void missingConfig();
    void configsOfEveryKind_data();
    void configsOfEveryKind();
    void pythonsNotANumberIsRead();
    void unknownFamilyIsUnsupportedAndWhole();
    void autoMapIsARefusalWhateverTheState();
    void pointers_data();
    void pointers();
    void statesKeepTheirOrder();
    void cutShardIsIncomplete();
    void missingShardIsNamed();
    void tensorThatTheIndexPromisesIsMissed();
    void tensorInAnotherShardThanTheIndexSays();
    void brokenIndexes_data();
    void brokenIndexes();
    void indexIsNeverFollowedOut_data();
    void indexIsNeverFollowedOut();
    void linksThatLeaveAreNotFollowed();
    void linksThatStayAreFollowed();
    void specialFilesAreNotOpened();
    void shardsWithoutIndex();
    void fromPretrainedsOrderDecides();
    void variantsAndOtherNames();
    void configPromisesMoreTensors();
    void shapesThatTheConfigDoesNotPromise();
    void tensorsBeyondTheConfigAreANote();
    void tensorsInTwoFilesCountOnce();
    void duplicateKeysLeaveItComplete();
    void tokenizersAreChecked();
    void singleFilesNeedNoConfig();
    void namesThatAreNoUtf8();
    void zeroTails_data();
    void zeroTails();
    void zeroFileAmongOthers();
    void fingerprintFollowsWeightsAndConfig();
    void estimatesFollowTheDtype();
    void cancelledInspectionSaysSo();
    void jsonHasThePromisedNames();
    void largestHeaderStaysBelowThreeTimes();

private:
    Checkpoint inspected(const fs::path& path) const
    {
        Result<Checkpoint> checkpoint = inspectCheckpoint(path, m_catalog);
        if (!checkpoint)
            qFatal("%s", checkpoint.error().message.c_str());
        return std::move(*checkpoint);
    }
    /// A whole tiny checkpoint at folder/"m".
    fs::path tiny(const Scratch& folder, std::size_t shards = 1, const Json& config = tinyConfig()) const
    {
        writeStandIn(folder / "m", m_catalog, config, shards, Fill::Pattern);
        return folder / "m";
    }

    FamilyCatalog m_catalog = FamilyCatalog::load(LOADLAB_SOURCE_DIR "/resources/families");
};

void tst_Checkpoint::omniStandInIsComplete()
{
    Scratch folder;
    writeStandIn(folder / "omni", m_catalog, omniConfig(), 15);
    const Checkpoint omni = inspected(folder / "omni");
    QCOMPARE_STATE(omni, Complete);
    QVERIFY_SAYS(omni.problems.empty(), omni);
    QCOMPARE(omni.tensorCount, std::uint64_t{28'010});
    QCOMPARE(omni.parameters, std::uint64_t{35'259'818'545});
    QCOMPARE(omni.weightBytes, std::uint64_t{70'519'637'090});
    QCOMPARE(omni.shardsPresent, 15U);
    QCOMPARE(omni.shardsExpected, 15U);
    QCOMPARE(omni.family, std::string("qwen3_omni_moe"));
    QCOMPARE(omni.configDtype, std::string("bfloat16"));
    QCOMPARE(omni.components.front().name, std::string("experts"));
    QCOMPARE(omni.components.front().title, std::string("Experts, thinker"));
    QCOMPARE(omni.components.front().parameters, std::uint64_t{28'991'029'248});
    QCOMPARE(omni.components.front().tensors, std::uint64_t{18'432});
    std::uint64_t parameters = 0;
    for (const Component& component : omni.components)
        parameters += component.parameters;
    QCOMPARE(parameters, omni.parameters);
}

void tst_Checkpoint::publishedShapesAreComplete_data()
{
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<int>("shards");
    QTest::addColumn<quint64>("tensors");
    QTest::addColumn<quint64>("parameters");
    const auto row = [](const char* name, const Json& config, int shards, quint64 tensors, quint64 parameters) {
        QTest::newRow(name) << QByteArray::fromStdString(config.dump()) << shards << tensors << parameters;
    };
    row("Qwen2.5-0.5B", qwen25Config("0.5B"), 1, 290, 494'032'768);
    row("Qwen2.5-7B", qwen25Config("7B"), 4, 339, 7'615'616'512);
    row("Qwen2.5-14B", qwen25Config("14B"), 8, 579, 14'770'033'664);
    row("Nemotron-Nano-4B", nemotronConfig(), 2, 291, 4'512'746'496);
}

void tst_Checkpoint::publishedShapesAreComplete()
{
    QFETCH(QByteArray, config);
    QFETCH(int, shards);
    QFETCH(quint64, tensors);
    QFETCH(quint64, parameters);
    Scratch folder;
    writeStandIn(folder / "m", m_catalog, Json::parse(config.toStdString()), static_cast<std::size_t>(shards));
    const Checkpoint checkpoint = inspected(folder / "m");
    QCOMPARE_STATE(checkpoint, Complete);
    QVERIFY_SAYS(checkpoint.problems.empty(), checkpoint);
    QCOMPARE(checkpoint.tensorCount, static_cast<std::uint64_t>(tensors));
    QCOMPARE(checkpoint.parameters, static_cast<std::uint64_t>(parameters));
    QCOMPARE(checkpoint.dtypes.at("BF16"), static_cast<std::uint64_t>(parameters));
    QCOMPARE(checkpoint.weightFiles.size(), static_cast<std::size_t>(shards));
}

void tst_Checkpoint::emptyFolders()
{
    Scratch folder;
    const Checkpoint nothing = inspected(folder.path());
    QCOMPARE_STATE(nothing, Empty);
    QVERIFY_SAYS(has(nothing, FailureMode::ModelMissing, "", "empty"), nothing);
    writeText(folder / "README.md", "hello");
    writeText(folder / "script.py", "print()");
    fs::create_directory(folder / "model.safetensors.d");
    QCOMPARE_STATE(inspected(folder.path()), Empty);
    writeText(folder / "tokenizer.json", "{}");
    QCOMPARE_STATE(inspected(folder.path()), Incomplete);
}

void tst_Checkpoint::pathsThatAreNoCheckpoint()
{
    Scratch folder;
    QCOMPARE(::mkfifo((folder / "fifo").c_str(), 0600), 0);
    fs::create_symlink("nowhere", folder / "dangling");
    const auto kindOf = [&](const fs::path& path) { return inspectCheckpoint(path, m_catalog).error().kind; };
    QCOMPARE(kindOf(folder / "absent"), ErrorKind::NotFound);
    QCOMPARE(kindOf(folder / "dangling"), ErrorKind::NotFound);
    QCOMPARE(kindOf(folder / "fifo"), ErrorKind::Invalid);
    QCOMPARE(kindOf("/dev/zero"), ErrorKind::Invalid);
    const std::string text = inspectCheckpoint(folder / "absent", m_catalog).error().message;
    QVERIFY(text.find((folder / "absent").string()) != std::string::npos);
}

void tst_Checkpoint::foldersWithoutPermission()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    fs::permissions(folder.path(), fs::perms(0755));
    const auto asNobody = [&](const auto& look) { // root may read everything: look with other eyes
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit((::getuid() != 0 || ::setresuid(65534, 65534, 65534) == 0) && look() ? 0 : 1);
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    };
    fs::permissions(path / "model.safetensors", fs::perms::none);
    QVERIFY(asNobody([&] {
        const Result<Checkpoint> checkpoint = inspectCheckpoint(path, m_catalog);
        return checkpoint && has(*checkpoint, FailureMode::DiskIo, "model.safetensors", "Permission denied")
            && checkpoint->state == CheckpointState::Incomplete;
    }));
    QVERIFY(asNobody([&] {
        const Result<Checkpoint> file = inspectCheckpoint(path / "model.safetensors", m_catalog);
        return !file && file.error().kind == ErrorKind::Io;
    }));
    fs::permissions(path, fs::perms::none);
    QVERIFY(asNobody([&] {
        const Result<Checkpoint> checkpoint = inspectCheckpoint(path, m_catalog);
        return !checkpoint && checkpoint.error().kind == ErrorKind::Io
            && checkpoint.error().message.find("Permission denied") != std::string::npos;
    }));
    fs::permissions(path, fs::perms::owner_all);
}

void tst_Checkpoint::missingConfig()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    fs::remove(path / "config.json");
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Incomplete);
    QVERIFY_SAYS(has(checkpoint, FailureMode::IncompleteDownload, "config.json", "absent"), checkpoint);
    QCOMPARE(checkOf(checkpoint, "config.json"), std::string("absent"));
    QCOMPARE(checkpoint.tensorCount, std::uint64_t{26});
}

void tst_Checkpoint::configsOfEveryKind_data()
{
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QByteArray>("state");
    QTest::addColumn<QByteArray>("mode");
    QTest::addColumn<QByteArray>("words");
    const auto row
        = [](const char* name, const QByteArray& config, const char* state, const char* mode, const char* words) {
              QTest::newRow(name) << config << QByteArray(state) << QByteArray(mode) << QByteArray(words);
          };
    const auto with = [](const char* key, const Json& value) {
        Json config = tinyConfig();
        config[key] = value;
        return QByteArray::fromStdString(config.dump());
    };
    row("empty", "", "incomplete", "incomplete_download", "is empty");
    row("cut", "{\"model_type\": \"qw", "incomplete", "incomplete_download", "cut short");
    row("zeros", QByteArray(700, '\0'), "incomplete", "incomplete_download", "zeros");
    row("garbage", "hello", "corrupt", "corrupt_file", "invalid JSON");
    row("trailing comma", "{\"model_type\":\"qwen2\",}", "corrupt", "corrupt_file", "invalid JSON at byte");
    row("array", "[1,2]", "corrupt", "corrupt_file", "an array where an object belongs");
    row("text", "\"x\"", "corrupt", "corrupt_file", "a string where an object belongs");
    row("not UTF-8", "{\"model_type\":\"\xFF\"}", "corrupt", "corrupt_file", "invalid JSON");
    row("deep", "{\"a\":" + QByteArray(100'000, '[') + QByteArray(100'000, ']') + "}", "corrupt", "corrupt_file",
        "levels deep");
    row("huge", "{\"a\":\"" + QByteArray(9 << 20, 'x') + "\"}", "corrupt", "corrupt_file", "at most");
    row("no model_type", "{}", "unsupported", "unsupported_architecture", "names no model_type");
    row("model_type null", with("model_type", nullptr), "unsupported", "unsupported_architecture",
        "names no model_type");
    row("model_type number", with("model_type", 7), "unsupported", "unsupported_architecture", "names no model_type");
    row("unknown model_type", with("model_type", "bert"), "unsupported", "unsupported_architecture", "'bert'");
    row("wrong type", with("num_hidden_layers", "2"), "complete", "structure_mismatch", "'num_hidden_layers' is \"2\"");
    row("missing key", with("hidden_size", nullptr), "complete", "structure_mismatch", "lacks 'hidden_size'");
    row("absurd", with("num_hidden_layers", 1'000'000'000), "complete", "structure_mismatch",
        "more than 300,000 tensors");
    row("odd architectures", with("architectures", 5), "complete", "", "");
    row("other architecture", with("architectures", {"Qwen2ForSequenceClassification"}), "complete", "", "");
}

void tst_Checkpoint::configsOfEveryKind()
{
    QFETCH(QByteArray, config);
    QFETCH(QByteArray, state);
    QFETCH(QByteArray, mode);
    QFETCH(QByteArray, words);
    Scratch folder;
    const fs::path path = tiny(folder);
    writeText(path / "config.json", config.toStdString());
    const Checkpoint checkpoint = inspected(path);
    QVERIFY_SAYS(toWireName(checkpoint.state) == state.toStdString(), checkpoint);
    if (mode.isEmpty())
        QVERIFY_SAYS(checkpoint.problems.empty(), checkpoint);
    else
        QVERIFY_SAYS(has(checkpoint, findFailureMode(mode.toStdString()).value(), "config.json", words.toStdString()),
            checkpoint);
}

void tst_Checkpoint::pythonsNotANumberIsRead()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    std::string config = tinyConfig().dump();
    config.insert(1, R"("limit":[0.0,Infinity,-Infinity,NaN],"text":"NaN \" Infinity",)");
    writeText(path / "config.json", config);
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Complete);
    QVERIFY_SAYS(hasNote(checkpoint, "NaN or Infinity"), checkpoint);
    QCOMPARE(checkpoint.config->at("text"), Json("NaN \" Infinity"));
    QCOMPARE(checkpoint.config->at("limit"), Json::parse("[0.0,null,null,null]"));
}

void tst_Checkpoint::unknownFamilyIsUnsupportedAndWhole()
{
    Scratch folder;
    writeSafetensors(folder / "model.safetensors",
        {{"embeddings.word_embeddings.weight", "F32", {30, 4}}, {"pooler.dense.bias", "F32", {4}},
            {"embeddings.position_ids", "I64", {1, 8}}});
    writeText(folder / "config.json", R"({"model_type":"bert","architectures":["BertModel"]})");
    const Checkpoint bert = inspected(folder.path());
    QCOMPARE_STATE(bert, Unsupported);
    QCOMPARE(bert.problems.size(), std::size_t{1});
    QCOMPARE(bert.parameters, std::uint64_t{132});
    QCOMPARE(bert.family, std::string());
    QCOMPARE(bert.architecture, std::string("BertModel"));
    QCOMPARE(bert.components.front().name, std::string("embeddings"));
    QCOMPARE(bert.dtypes, (std::map<std::string, std::uint64_t>{{"F32", 124}, {"I64", 8}}));
}

void tst_Checkpoint::autoMapIsARefusalWhateverTheState()
{
    Scratch folder;
    Json config = tinyConfig();
    config["auto_map"] = {{"AutoModelForCausalLM", "modeling_x.XForCausalLM"}};
    const fs::path path = tiny(folder, 1, config);
    const Checkpoint known = inspected(path);
    QCOMPARE_STATE(known, Complete);
    QVERIFY_SAYS(has(known, FailureMode::RemoteCodeRefused, "config.json", "modeling_x.XForCausalLM"), known);
    config["model_type"] = "x";
    writeText(path / "config.json", config.dump());
    const Checkpoint unknown = inspected(path);
    QCOMPARE_STATE(unknown, Unsupported);
    QVERIFY_SAYS(has(unknown, FailureMode::RemoteCodeRefused, "config.json", "auto_map"), unknown);
    config["auto_map"] = Json::object();
    writeText(path / "config.json", config.dump());
    QVERIFY(!has(inspected(path), FailureMode::RemoteCodeRefused, "config.json", ""));
}

void tst_Checkpoint::pointers_data()
{
    QTest::addColumn<QByteArray>("file");
    for (const char* file : {"model-00001-of-00002.safetensors", "model.safetensors.index.json", "config.json",
             "tokenizer.json", "tokenizer.model", "generation_config.json", "tokenizer_config.json"})
        QTest::newRow(file) << QByteArray(file);
}

void tst_Checkpoint::pointers()
{
    QFETCH(QByteArray, file);
    Scratch folder;
    const fs::path path = tiny(folder, 2);
    writeText(path / file.toStdString(), kPointer);
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Pointer);
    QVERIFY_SAYS(has(checkpoint, FailureMode::IncompleteDownload, file.toStdString(), "988,097,824"), checkpoint);
    QCOMPARE(checkOf(checkpoint, file.toStdString()), std::string("pointer"));
}

void tst_Checkpoint::statesKeepTheirOrder()
{
    Scratch folder;
    const fs::path path = tiny(folder, 3);
    writeText(path / "config.json", R"({"model_type":"nobody"})");
    QCOMPARE_STATE(inspected(path), Unsupported);
    fs::remove(path / "model-00003-of-00003.safetensors");
    QCOMPARE_STATE(inspected(path), Incomplete);
    writeText(path / "model-00002-of-00003.safetensors", "not a safetensors file at all");
    QCOMPARE_STATE(inspected(path), Corrupt);
    writeText(path / "tokenizer.json", kPointer);
    QCOMPARE_STATE(inspected(path), Pointer);
}

void tst_Checkpoint::cutShardIsIncomplete()
{
    Scratch folder;
    const fs::path path = tiny(folder, 2);
    const fs::path shard = path / "model-00002-of-00002.safetensors";
    const auto whole = fs::file_size(shard);
    fs::resize_file(shard, whole - 10);
    const Checkpoint data = inspected(path);
    QCOMPARE_STATE(data, Incomplete);
    QVERIFY_SAYS(has(data, FailureMode::IncompleteDownload, shard.filename().string(), "(10 are missing)"), data);
    QCOMPARE(checkOf(data, shard.filename().string()), std::string("cut short"));
    QCOMPARE(data.problems.size(), std::size_t{1}); // the cause alone, not each tensor that it costs
    QCOMPARE(data.tensorCount, std::uint64_t{26});
    fs::resize_file(shard, 100);
    const Checkpoint header = inspected(path);
    QCOMPARE_STATE(header, Incomplete);
    QVERIFY_SAYS(
        has(header, FailureMode::IncompleteDownload, shard.filename().string(), "cut short inside the header"), header);
    QCOMPARE(header.problems.size(), std::size_t{1});
}

void tst_Checkpoint::missingShardIsNamed()
{
    Scratch folder;
    const fs::path path = tiny(folder, 3);
    fs::remove(path / "model-00002-of-00003.safetensors");
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Incomplete);
    QCOMPARE(checkpoint.problems.size(), std::size_t{1});
    QVERIFY_SAYS(has(checkpoint, FailureMode::IncompleteDownload, "model-00002-of-00003.safetensors",
                     "promises it for 9 tensors"),
        checkpoint);
    QCOMPARE(checkpoint.shardsPresent, 2U);
    QCOMPARE(checkpoint.shardsExpected, 3U);
    QCOMPARE(checkOf(checkpoint, "model-00002-of-00003.safetensors"), std::string("absent"));
}

void tst_Checkpoint::tensorThatTheIndexPromisesIsMissed()
{
    Scratch folder;
    const fs::path path = tiny(folder, 2);
    std::ifstream file(path / "model.safetensors.index.json");
    Json index = Json::parse(file);
    index["weight_map"]["model.extra.weight"] = "model-00001-of-00002.safetensors";
    writeText(path / "model.safetensors.index.json", index.dump());
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Incomplete);
    QVERIFY_SAYS(
        has(checkpoint, FailureMode::IncompleteDownload, "model-00001-of-00002.safetensors", "'model.extra.weight'"),
        checkpoint);
}

void tst_Checkpoint::tensorInAnotherShardThanTheIndexSays()
{
    Scratch folder;
    const fs::path path = tiny(folder, 2);
    std::ifstream file(path / "model.safetensors.index.json");
    Json index = Json::parse(file);
    index["weight_map"]["model.norm.weight"] = "model-00002-of-00002.safetensors";
    index["metadata"]["total_size"] = 5;
    writeText(path / "model.safetensors.index.json", index.dump());
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Complete);
    QVERIFY_SAYS(has(checkpoint, FailureMode::CorruptFile, "model.safetensors.index.json",
                     "wrong file for 1 tensor: 'model.norm.weight'"),
        checkpoint);
    QVERIFY_SAYS(hasNote(checkpoint, "total_size 5"), checkpoint);
}

void tst_Checkpoint::brokenIndexes_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("state");
    QTest::addColumn<QByteArray>("words");
    const auto row = [](const char* name, const QByteArray& text, const char* state, const char* words) {
        QTest::newRow(name) << text << QByteArray(state) << QByteArray(words);
    };
    row("empty", "", "incomplete", "is empty");
    row("cut", R"({"weight_map":{"a":"b")", "incomplete", "cut short");
    row("garbage", "x", "corrupt", "invalid JSON at byte 0");
    row("NUL", QByteArray("{}\0", 3), "corrupt", "NUL");
    row("array", "[]", "corrupt", "holds no object");
    row("no map", R"({"metadata":{}})", "corrupt", "lacks weight_map");
    row("map array", R"({"weight_map":[]})", "corrupt", "weight_map is no object");
    row("map null", R"({"weight_map":null})", "corrupt", "weight_map is no object");
    row("empty map", R"({"weight_map":{}})", "corrupt", "weight_map is empty");
    row("file number", R"({"weight_map":{"a":1}})", "corrupt", "names no file for tensor 'a'");
    row("file object", R"({"weight_map":{"a":{}}})", "corrupt", "names no file for tensor 'a'");
    row("not UTF-8", "{\"weight_map\":{\"a\":\"\xFF\"}}", "corrupt", "invalid UTF-8 at byte 20");
    row("deep", "{\"x\":" + QByteArray(500'000, '['), "corrupt", "nested deeper");
    QByteArray many = R"({"weight_map":{"a":"a")";
    for (int i = 0; i < 10'001; ++i)
        many += ",\"" + QByteArray::number(i) + "\":\"f" + QByteArray::number(i) + "\"";
    row("too many files", many + "}}", "corrupt", "more than 10,000 files");
}

void tst_Checkpoint::brokenIndexes()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, state);
    QFETCH(QByteArray, words);
    Scratch folder;
    const fs::path path = tiny(folder, 2);
    writeText(path / "model.safetensors.index.json", text.toStdString());
    const Checkpoint checkpoint = inspected(path);
    QVERIFY_SAYS(toWireName(checkpoint.state) == state.toStdString(), checkpoint);
    const FailureMode mode = state == "corrupt" ? FailureMode::CorruptFile : FailureMode::IncompleteDownload;
    QVERIFY_SAYS(has(checkpoint, mode, "model.safetensors.index.json", words.toStdString()), checkpoint);
}

void tst_Checkpoint::indexIsNeverFollowedOut_data()
{
    QTest::addColumn<QByteArray>("file");
    QTest::newRow("parent") << QByteArray("../outside.safetensors");
    QTest::newRow("deep parent") << QByteArray("sub/../../outside.safetensors");
    QTest::newRow("absolute") << QByteArray("ABSOLUTE");
    QTest::newRow("through a linked folder") << QByteArray("way/outside.safetensors");
    QTest::newRow("linked file") << QByteArray("link.safetensors");
    QTest::newRow("nothing") << QByteArray("");
    QTest::newRow("NUL") << QByteArray("a\0b", 3);
}

void tst_Checkpoint::indexIsNeverFollowedOut()
{
    QFETCH(QByteArray, file);
    Scratch folder;
    const fs::path path = tiny(folder, 1);
    fs::remove(path / "model.safetensors");
    writeSafetensors(folder / "outside.safetensors", {{"secret", "F32", {4}}});
    fs::create_symlink("..", path / "way");
    fs::create_symlink("../outside.safetensors", path / "link.safetensors");
    const std::string named = file == "ABSOLUTE" ? (folder / "outside.safetensors").string() : file.toStdString();
    writeText(path / "model.safetensors.index.json",
        Json{{"metadata", Json::object()}, {"weight_map", {{"secret", named}}}}.dump());
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Corrupt);
    QVERIFY_SAYS(checkpoint.tensorCount == 0, checkpoint);
    QVERIFY_SAYS(has(checkpoint, FailureMode::CorruptFile, toUtf8(named), "not followed"), checkpoint);
}

void tst_Checkpoint::linksThatLeaveAreNotFollowed()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    fs::rename(path / "model.safetensors", folder / "elsewhere.safetensors");
    fs::create_symlink("../elsewhere.safetensors", path / "model.safetensors");
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Incomplete);
    QVERIFY_SAYS(
        has(checkpoint, FailureMode::IncompleteDownload, "model.safetensors", "leaves the checkpoint"), checkpoint);
    QCOMPARE(checkpoint.tensorCount, std::uint64_t{0});
    QCOMPARE_STATE(inspected(path / "model.safetensors"), Complete); // named by the operator
}

void tst_Checkpoint::linksThatStayAreFollowed()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    fs::create_directory(path / "data");
    fs::rename(path / "model.safetensors", path / "data" / "x");
    fs::create_symlink("data/x", path / "model.safetensors");
    fs::create_directory_symlink("m", folder / "alias");
    QCOMPARE_STATE(inspected(path), Complete);
    QCOMPARE_STATE(inspected(folder / "alias"), Complete);
    QCOMPARE(inspected(folder / "alias").name, std::string("alias"));
    // What huggingface_hub's older versions put into a local folder: a link to the blob in the cache.
    fs::create_directories(folder / "hub/models--a--b/blobs");
    fs::rename(path / "data" / "x", folder / "hub/models--a--b/blobs/abc");
    fs::remove(path / "model.safetensors");
    fs::create_symlink("../hub/models--a--b/blobs/abc", path / "model.safetensors");
    QCOMPARE_STATE(inspected(path), Complete);
}

void tst_Checkpoint::specialFilesAreNotOpened()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    for (const char* name : {"model.safetensors", "tokenizer.json", "config.json", "generation_config.json"}) {
        fs::remove(path / name);
        QCOMPARE(::mkfifo((path / name).c_str(), 0600), 0);
    }
    const Checkpoint checkpoint = inspected(path); // would wait for a writer if it opened one
    QCOMPARE_STATE(checkpoint, Incomplete);
    QCOMPARE(checkpoint.problems.size(), std::size_t{4});
    QVERIFY_SAYS(has(checkpoint, FailureMode::IncompleteDownload, "model.safetensors", "is a FIFO"), checkpoint);
}

void tst_Checkpoint::shardsWithoutIndex()
{
    Scratch folder;
    const fs::path path = tiny(folder, 3);
    fs::remove(path / "model.safetensors.index.json");
    const Checkpoint whole = inspected(path);
    QCOMPARE_STATE(whole, Incomplete);
    QVERIFY_SAYS(has(whole, FailureMode::IncompleteDownload, "model.safetensors.index.json", "absent"), whole);
    QCOMPARE(whole.tensorCount, std::uint64_t{26});
    fs::remove(path / "model-00001-of-00003.safetensors");
    const Checkpoint cut = inspected(path);
    QVERIFY_SAYS(has(cut, FailureMode::IncompleteDownload, "model-00001-of-00003.safetensors", "is absent"), cut);
    QCOMPARE(cut.shardsExpected, 3U);
}

void tst_Checkpoint::fromPretrainedsOrderDecides()
{
    Scratch folder;
    const fs::path path = tiny(folder, 2);
    writeText(path / "pytorch_model.bin", kPointer);
    writeText(path / "optimizer.pt", "x");
    const Checkpoint sharded = inspected(path);
    QCOMPARE_STATE(sharded, Complete); // a pointer that nobody needs is a note
    QVERIFY_SAYS(hasNote(sharded, "'pytorch_model.bin'"), sharded);
    QVERIFY(!sharded.isPickle);
    writeSafetensors(path / "model.safetensors", {{"other", "F32", {1}}});
    QCOMPARE(inspected(path).weightFiles.size(), std::size_t{1});
    QCOMPARE(inspected(path).weightFiles.front().name, std::string("model.safetensors"));
}

void tst_Checkpoint::variantsAndOtherNames()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    fs::rename(path / "model.safetensors", path / "model.fp16.safetensors");
    QCOMPARE_STATE(inspected(path), Complete);
    fs::rename(path / "model.fp16.safetensors", path / "adapter_model.safetensors");
    QCOMPARE_STATE(inspected(path), Complete);
    writeSafetensors(path / "second.safetensors", {{"extra", "F32", {1}}});
    const Checkpoint both = inspected(path);
    QCOMPARE(both.tensorCount, std::uint64_t{27});
    QVERIFY_SAYS(hasNote(both, "taken together"), both);
    Json config = tinyConfig();
    config["transformers_weights"] = "second.safetensors";
    writeText(path / "config.json", config.dump());
    QCOMPARE(inspected(path).tensorCount, std::uint64_t{1});
}

void tst_Checkpoint::configPromisesMoreTensors()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    Json config = tinyConfig();
    config["num_hidden_layers"] = 3;
    writeText(path / "config.json", config.dump());
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Incomplete);
    QVERIFY_SAYS(
        has(checkpoint, FailureMode::StructureMismatch, "", "12 tensors that config.json promises are in no file"),
        checkpoint);
    QVERIFY_SAYS(has(checkpoint, FailureMode::StructureMismatch, "", "'model.layers.2."), checkpoint);
}

void tst_Checkpoint::shapesThatTheConfigDoesNotPromise()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    Json config = tinyConfig();
    config["intermediate_size"] = 17;
    writeText(path / "config.json", config.dump());
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Complete);
    QVERIFY_SAYS(has(checkpoint, FailureMode::StructureMismatch, "", "6 tensors with another shape"), checkpoint);
    QVERIFY_SAYS(has(checkpoint, FailureMode::StructureMismatch, "", "[16, 8] instead of [17, 8]"), checkpoint);
}

void tst_Checkpoint::tensorsBeyondTheConfigAreANote()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    Json config = tinyConfig();
    config["num_hidden_layers"] = 1;
    writeText(path / "config.json", config.dump());
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Complete);
    QVERIFY_SAYS(
        checkpoint.problems.empty() && hasNote(checkpoint, "12 tensors beyond what config.json promises"), checkpoint);
}

void tst_Checkpoint::tensorsInTwoFilesCountOnce()
{
    Scratch folder;
    writeText(folder / "config.json", R"({"model_type":"x"})");
    writeSafetensors(folder / "a.safetensors", {{"t", "F32", {8}}, {"u", "F32", {1}}});
    writeSafetensors(folder / "b.safetensors", {{"t", "F32", {8}}, {"v", "F32", {1}}});
    const Checkpoint checkpoint = inspected(folder.path());
    QCOMPARE(checkpoint.parameters, std::uint64_t{10});
    QCOMPARE(checkpoint.tensorCount, std::uint64_t{3});
    QVERIFY_SAYS(
        hasNote(checkpoint, "1 tensor stored in more than one file, first 't' in a.safetensors and b.safetensors"),
        checkpoint);
}

void tst_Checkpoint::duplicateKeysLeaveItComplete()
{
    Scratch folder;
    const char* header
        = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
    writeRaw(folder / "m.safetensors", header, 2);
    const Checkpoint checkpoint = inspected(folder / "m.safetensors");
    QCOMPARE_STATE(checkpoint, Complete);
    QVERIFY_SAYS(has(checkpoint, FailureMode::CorruptFile, "m.safetensors", "'a' is given more than once"), checkpoint);
}

void tst_Checkpoint::tokenizersAreChecked()
{
    Scratch folder;
    const fs::path path = tiny(folder);
    writeText(path / "tokenizer.json", "{\"model\": {}}\n");
    writeText(path / "vocab.json", "  \xEF\xBB\xBF{}");
    QCOMPARE_STATE(inspected(path), Corrupt); // a mark only counts at the very beginning
    writeText(path / "vocab.json", "\xEF\xBB\xBF {}\r\n");
    writeText(path / "merges.txt", "#version: 0.2\na b\n");
    QCOMPARE_STATE(inspected(path), Complete);
    writeText(path / "tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 1, \"b");
    const Checkpoint cut = inspected(path);
    QCOMPARE_STATE(cut, Incomplete);
    QVERIFY_SAYS(has(cut, FailureMode::IncompleteDownload, "tokenizer.json", "cut short"), cut);
    writeText(path / "tokenizer.json", "<html>");
    QCOMPARE_STATE(inspected(path), Corrupt);
    writeText(path / "tokenizer.json", "{}");
    writeText(path / "generation_config.json", "{\"eos\": }");
    const Checkpoint generation = inspected(path);
    QCOMPARE_STATE(generation, Corrupt);
    QVERIFY_SAYS(has(generation, FailureMode::CorruptFile, "generation_config.json", "invalid JSON"), generation);
}

void tst_Checkpoint::singleFilesNeedNoConfig()
{
    Scratch folder;
    writeSafetensors(folder / "x.safetensors", {{"w", "F16", {4, 4}}});
    writeSafetensors(folder / "weights.data", {{"w", "F16", {4, 4}}});
    writeText(folder / "p.safetensors", kPointer);
    writeText(folder / "bad.safetensors", "garbage that is long enough");
    writeText(folder / "config.json", "broken, and of no concern");
    const Checkpoint whole = inspected(folder / "x.safetensors");
    QCOMPARE_STATE(whole, Complete);
    QCOMPARE(whole.name, std::string("x.safetensors"));
    QCOMPARE(whole.parameters, std::uint64_t{16});
    QVERIFY(whole.problems.empty());
    QCOMPARE(inspected(folder / "weights.data").parameters, std::uint64_t{16});
    QCOMPARE_STATE(inspected(folder / "p.safetensors"), Pointer);
    QCOMPARE_STATE(inspected(folder / "bad.safetensors"), Corrupt);
    fs::resize_file(folder / "x.safetensors", 100);
    QCOMPARE_STATE(inspected(folder / "x.safetensors"), Incomplete);
}

void tst_Checkpoint::namesThatAreNoUtf8()
{
    Scratch folder;
    const fs::path path = folder / "mod\xFF";
    writeStandIn(path, m_catalog, tinyConfig(), 1, Fill::Pattern);
    writeText(path / "tok\xFE.safetensors", "x");
    writeText(path / "tok\xFD.safetensors", "x");
    const Checkpoint checkpoint = inspected(path);
    QCOMPARE_STATE(checkpoint, Complete);
    QCOMPARE(checkpoint.name, std::string("mod\xEF\xBF\xBD"));
    QCOMPARE(checkpoint.path, path); // the bytes to open
    QCOMPARE(checkpoint.files.size(), std::size_t{4});
    QVERIFY(isUtf8(toJson(checkpoint).dump()));
}

void tst_Checkpoint::zeroTails_data()
{
    QTest::addColumn<int>("zeroFrom"); // in tenths of a per cent of the data
    QTest::addColumn<bool>("suspicious");
    QTest::newRow("none") << 1000 << false;
    QTest::newRow("last 2 per mille, inside the last tensor") << 998 << false;
    QTest::newRow("half") << 500 << true;
    QTest::newRow("nearly all") << 10 << true;
    QTest::newRow("everything") << 0 << false; // a stand-in
    QTest::newRow("last eighth: a whole tensor") << 875 << true;
    QTest::newRow("inside the last tensor") << 950 << true;
}

void tst_Checkpoint::zeroTails()
{
    QFETCH(int, zeroFrom);
    QFETCH(bool, suspicious);
    Scratch folder;
    const fs::path file = folder / "m.safetensors";
    std::vector<TensorSpec> tensors;
    for (int i = 0; i < 8; ++i)
        tensors.push_back({"t" + std::to_string(i), "U8", {1 << 20}});
    const std::uint64_t dataBytes = writeSafetensors(file, tensors);
    const std::uint64_t size = fs::file_size(file);
    const std::uint64_t from = size - dataBytes + dataBytes * static_cast<std::uint64_t>(zeroFrom) / 1000;
    fs::resize_file(file, from); // and back: what an interrupted download into reserved room leaves
    fs::resize_file(file, size);
    const Checkpoint checkpoint = inspected(file);
    QVERIFY_SAYS((checkpoint.state == CheckpointState::Incomplete) == suspicious, checkpoint);
    QVERIFY_SAYS(has(checkpoint, FailureMode::IncompleteDownload, "m.safetensors", "are zeros (sampled)") == suspicious,
        checkpoint);
    QVERIFY_SAYS(hasNote(checkpoint, "stand-in") == (zeroFrom == 0), checkpoint);
}

void tst_Checkpoint::zeroFileAmongOthers()
{
    Scratch folder;
    writeText(folder / "config.json", R"({"model_type":"x"})");
    writeSafetensors(folder / "a.safetensors", {{"a", "U8", {2 << 20}}}, Fill::Pattern);
    writeSafetensors(folder / "b.safetensors", {{"b", "U8", {2 << 20}}}, Fill::Sparse);
    writeSafetensors(folder / "c.safetensors", {{"c", "U8", {64}}}, Fill::Sparse); // small ones may be zero
    const Checkpoint checkpoint = inspected(folder.path());
    QCOMPARE_STATE(checkpoint, Incomplete);
    QVERIFY_SAYS(has(checkpoint, FailureMode::IncompleteDownload, "b.safetensors", "unlike those of the other files"),
        checkpoint);
    QVERIFY_SAYS(!has(checkpoint, FailureMode::IncompleteDownload, "c.safetensors", ""), checkpoint);
}

void tst_Checkpoint::fingerprintFollowsWeightsAndConfig()
{
    Scratch folder;
    const fs::path path = tiny(folder, 2);
    const std::string before = inspected(path).fingerprint;
    QCOMPARE(before.size(), std::size_t{64});
    fs::copy(path, folder / "copy", fs::copy_options::recursive);
    QCOMPARE(inspected(folder / "copy").fingerprint, before);
    Json config = tinyConfig();
    config["torch_dtype"] = "float16";
    writeText(folder / "copy" / "config.json", config.dump());
    QVERIFY(inspected(folder / "copy").fingerprint != before);
    fs::resize_file(path / "model-00001-of-00002.safetensors", 300);
    QVERIFY(inspected(path).fingerprint != before);
    QCOMPARE(inspected(folder.path()).fingerprint, std::string());
}

void tst_Checkpoint::estimatesFollowTheDtype()
{
    Scratch folder;
    writeStandIn(folder / "m", m_catalog, qwen25Config("0.5B"));
    const Checkpoint checkpoint = inspected(folder / "m");
    const auto estimate = [&](std::string_view dtype) {
        for (const Estimate& e : checkpoint.estimates)
            if (e.dtype == dtype && e.backend == "libtorch" && e.deviceMap == "cpu")
                return e;
        return Estimate{};
    };
    const std::uint64_t idle = estimate("auto").steadyBytes;
    QVERIFY(idle > 0 && idle < 100'000'000);
    QCOMPARE(estimate("bfloat16").peakBytes, idle); // mapped as it is
    QCOMPARE(estimate("float32").steadyBytes, idle + 4 * std::uint64_t{494'032'768});
    QCOMPARE(estimate("float16").steadyBytes, idle + 2 * std::uint64_t{494'032'768});
    QVERIFY(estimate("float32").peakBytes <= 4 * std::uint64_t{494'032'768} * 105 / 100 + (96 << 20));
}

void tst_Checkpoint::cancelledInspectionSaysSo()
{
    Scratch folder;
    std::stop_source source;
    source.request_stop();
    const Result<Checkpoint> checkpoint = inspectCheckpoint(tiny(folder), m_catalog, {.stop = source.get_token()});
    QVERIFY(!checkpoint);
    QCOMPARE(checkpoint.error().kind, ErrorKind::Cancelled);
}

void tst_Checkpoint::jsonHasThePromisedNames()
{
    Scratch folder;
    const fs::path path = tiny(folder, 2);
    fs::remove(path / "model-00002-of-00002.safetensors");
    const Json json = toJson(inspected(path));
    for (const char* key : {"path", "name", "family", "architecture", "parameters", "components", "dtypes",
             "quantization", "files", "state", "problems", "notes", "estimates"})
        QVERIFY2(json.contains(key), key);
    QCOMPARE(json.at("path"), Json(path.string()));
    QCOMPARE(json.at("family"), Json("qwen2"));
    QVERIFY(json.at("quantization").is_object());
    QVERIFY(json.at("components").is_array() && json.at("notes").is_array());
    for (const char* key : {"mode", "file", "text"})
        QVERIFY(json.at("problems").at(0).contains(key));
    for (const char* key : {"backend", "dtype", "device_map", "peak_bytes", "steady_bytes"})
        QVERIFY(json.at("estimates").at(0).contains(key));
    QCOMPARE(json.at("problems").at(0).at("mode"), Json("incomplete_download"));
    QCOMPARE(json.at("state"), Json("incomplete"));
}

void tst_Checkpoint::largestHeaderStaysBelowThreeTimes()
{
    if (loadlab::test::kSanitized)
        QSKIP("a sanitizer's own memory is counted too");
    Scratch folder;
    const fs::path path = tiny(folder);
    {
        std::string text = "{";
        for (int i = 0; text.size() < 99'000'000; ++i)
            text
                += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
        writeRaw(path / "model.safetensors", text + "}", 0);
    }
    const auto headerBytes = static_cast<long>(fs::file_size(path / "model.safetensors"));
    const pid_t child = ::fork();
    if (child == 0) {
        ::malloc_trim(0);
        std::ofstream("/proc/self/clear_refs") << "5"; // VmHWM counts from here
        const auto residentKiB = [](std::string_view key) {
            std::ifstream status("/proc/self/status");
            for (std::string line; std::getline(status, line);)
                if (line.starts_with(key))
                    return std::stol(line.substr(key.size() + 1));
            return 0L;
        };
        const long before = residentKiB("VmRSS");
        const Result<Checkpoint> checkpoint = inspectCheckpoint(path, m_catalog);
        const long grown = (residentKiB("VmHWM") - before) * 1024;
        std::fprintf(stderr, "inspection grew by %.2f times the header\n",
            static_cast<double>(grown) / static_cast<double>(headerBytes));
        ::_exit(!checkpoint || checkpoint->tensorCount < 1'000'000 ? 1 : grown > 3 * headerBytes ? 2 : 0);
    }
    int status = 0;
    QCOMPARE(::waitpid(child, &status, 0), child);
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 0);
}

QTEST_GUILESS_MAIN(tst_Checkpoint)
#include "tst_Checkpoint.moc"
