#include "CheckpointFiles.h"
#include "ModelConfigs.h"

#include "core/checkpoint/Checkpoint.h"
#include "core/checkpoint/HubCache.h"

#include <QtTest>
#include <nlohmann/json.hpp>

using namespace loadlab;
using namespace loadlab::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kCommit = "a8b602d9b4d5f7f4b0e2f3ac0dd3b8ab2f6a1f2c";

QByteArray told(const Checkpoint& checkpoint)
{
    return QByteArray::fromStdString(toJson(checkpoint).dump(1));
}

bool has(const Checkpoint& checkpoint, std::string_view file, std::string_view words)
{
    for (const Problem& problem : checkpoint.problems)
        if (problem.file == file && problem.text.find(words) != std::string::npos)
            return problem.mode == FailureMode::IncompleteDownload;
    return false;
}

} // namespace

class tst_HubCache : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void namesOfRepos();
    void namesAsModelsArePublished();
    void repoStandsForItsMainSnapshot();
    void snapshotFolderIsTheSameCheckpoint();
    void realFilesInsteadOfLinks();
    void withoutMainTheNewestSnapshot();
    void refThatNamesAnAbsentSnapshot();
    void refIsNeverAPath();
    void danglingLinks();
    void unfinishedBlobs_data();
    void unfinishedBlobs();
    void leftOverBlobIsANote();
    void nothingButUnfinishedBlobs();
    void emptyRepo();
    void linkOutOfTheRepoIsNotFollowed();
    void localFolderDownloads();

private:
    /// A repo as the hub client writes it: blobs by name, a snapshot of links, refs/main.
    fs::path repo(const Scratch& hub, const std::string& name = "models--Qwen--Qwen2.5-0.5B") const
    {
        const fs::path folder = hub / name;
        const fs::path snapshot = folder / "snapshots" / kCommit;
        writeStandIn(hub / "source", m_catalog, m_config, 2, Fill::Pattern);
        fs::create_directories(folder / "blobs");
        fs::create_directories(snapshot);
        for (const fs::directory_entry& file : fs::directory_iterator(hub / "source")) {
            const std::string etag = "e" + std::to_string(std::hash<std::string>{}(file.path().filename().string()));
            fs::rename(file.path(), folder / "blobs" / etag);
            fs::create_symlink(fs::path("../../blobs") / etag, snapshot / file.path().filename());
        }
        fs::remove_all(hub / "source");
        writeText(folder / "refs" / "main", kCommit);
        return folder;
    }
    Checkpoint inspected(const fs::path& path) const
    {
        Result<Checkpoint> checkpoint = inspectCheckpoint(path, m_catalog);
        if (!checkpoint)
            qFatal("%s", checkpoint.error().message.c_str());
        return std::move(*checkpoint);
    }

    FamilyCatalog m_catalog = FamilyCatalog::load(LOADLAB_SOURCE_DIR "/resources/families");
    nlohmann::json m_config{{"architectures", {"Qwen2ForCausalLM"}}, {"model_type", "qwen2"}, {"hidden_size", 8},
        {"intermediate_size", 16}, {"num_hidden_layers", 2}, {"num_attention_heads", 2}, {"num_key_value_heads", 1},
        {"vocab_size", 32}, {"tie_word_embeddings", true}};
};

void tst_HubCache::namesOfRepos()
{
    QCOMPARE(hubIdOf("models--Qwen--Qwen2.5-0.5B").value(), std::string("Qwen/Qwen2.5-0.5B"));
    QCOMPARE(hubIdOf("models--gpt2").value(), std::string("gpt2"));
    QCOMPARE(hubIdOf("models--a--b-c_d.e").value(), std::string("a/b-c_d.e"));
    QVERIFY(!hubIdOf("models--"));
    QVERIFY(!hubIdOf("datasets--a--b"));
    QVERIFY(!hubIdOf("Qwen2.5-0.5B"));
}

void tst_HubCache::namesAsModelsArePublished()
{
    for (const char* name : {"org/name", "Qwen/Qwen2.5-0.5B", "a_b/c.d"})
        QVERIFY2(isPublishedName(name), name);
    for (const char* name :
        {"name", "/name", "org/", "-o/x", "o/-rf", "../x", "./x", "a/b/c", "a b/c", "a;b/c", "$(id)/x"})
        QVERIFY2(!isPublishedName(name), name);
}

void tst_HubCache::repoStandsForItsMainSnapshot()
{
    Scratch hub;
    const Checkpoint checkpoint = inspected(repo(hub));
    QVERIFY2(checkpoint.state == CheckpointState::Complete, told(checkpoint));
    QCOMPARE(checkpoint.name, std::string("Qwen/Qwen2.5-0.5B"));
    QCOMPARE(checkpoint.tensorCount, std::uint64_t{26});
    QVERIFY(checkpoint.problems.empty());
    QVERIFY(checkpoint.weightFiles.front().path.string().find(kCommit) != std::string::npos);
}

void tst_HubCache::snapshotFolderIsTheSameCheckpoint()
{
    Scratch hub;
    const fs::path folder = repo(hub);
    const Checkpoint whole = inspected(folder);
    const Checkpoint snapshot = inspected(folder / "snapshots" / kCommit / "");
    QCOMPARE(snapshot.name, whole.name);
    QCOMPARE(snapshot.fingerprint, whole.fingerprint);
    const Checkpoint file = inspected(folder / "snapshots" / kCommit / "model-00001-of-00002.safetensors");
    QVERIFY2(file.state == CheckpointState::Complete, told(file));
}

void tst_HubCache::realFilesInsteadOfLinks()
{
    Scratch hub;
    const fs::path folder = hub / "models--a--b";
    writeStandIn(folder / "snapshots" / kCommit, m_catalog, m_config, 1, Fill::Pattern);
    writeText(folder / "refs" / "main", std::string(kCommit) + "\n");
    QVERIFY(inspected(folder).state == CheckpointState::Complete);
}

void tst_HubCache::withoutMainTheNewestSnapshot()
{
    Scratch hub;
    const fs::path folder = repo(hub);
    fs::remove(folder / "refs" / "main");
    fs::create_directories(folder / "snapshots" / "0ld");
    fs::last_write_time(folder / "snapshots" / "0ld", fs::file_time_type::clock::now() - std::chrono::hours(48));
    const Checkpoint checkpoint = inspected(folder);
    QVERIFY2(checkpoint.state == CheckpointState::Complete, told(checkpoint));
    QVERIFY2(
        !checkpoint.notes.empty() && checkpoint.notes.front().find(kCommit) != std::string::npos, told(checkpoint));
}

void tst_HubCache::refThatNamesAnAbsentSnapshot()
{
    Scratch hub;
    const fs::path folder = repo(hub);
    writeText(folder / "refs" / "main", "b000000000000000000000000000000000000000");
    const Checkpoint checkpoint = inspected(folder);
    QVERIFY2(checkpoint.state == CheckpointState::Incomplete, told(checkpoint));
    QVERIFY2(has(checkpoint, "", "refs/main names the snapshot b0"), told(checkpoint));
}

void tst_HubCache::refIsNeverAPath()
{
    Scratch hub;
    const fs::path folder = repo(hub);
    writeStandIn(hub / "outside", m_catalog, m_config);
    for (const char* ref : {"../../outside", "/etc", "", "a/b", "."}) {
        writeText(folder / "refs" / "main", ref);
        const Checkpoint checkpoint = inspected(folder);
        QVERIFY2(checkpoint.state == CheckpointState::Incomplete && checkpoint.tensorCount == 0, told(checkpoint));
    }
}

void tst_HubCache::danglingLinks()
{
    Scratch hub;
    const fs::path folder = repo(hub);
    const fs::path snapshot = folder / "snapshots" / kCommit;
    fs::remove(fs::canonical(snapshot / "model-00002-of-00002.safetensors"));
    fs::create_symlink("../../blobs/absent", snapshot / "README.md");
    const Checkpoint checkpoint = inspected(folder);
    QVERIFY2(checkpoint.state == CheckpointState::Incomplete, told(checkpoint));
    QVERIFY2(has(checkpoint, "model-00002-of-00002.safetensors", "which is absent"), told(checkpoint));
    QVERIFY2(has(checkpoint, "README.md", "which is absent"), told(checkpoint)); // the snapshot promises it
    QCOMPARE(checkpoint.shardsPresent, 1U);
}

void tst_HubCache::unfinishedBlobs_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::newRow("until 2026") << QByteArray("4d7a214614ab2935c943f9e0ff69d22e.incomplete");
    QTest::newRow("since 2026") << QByteArray("4d7a214614ab2935c943f9e0ff69d22e.0a1b2c3d.incomplete");
}

void tst_HubCache::unfinishedBlobs()
{
    QFETCH(QByteArray, name);
    Scratch hub;
    const fs::path folder = repo(hub);
    writeText(folder / "blobs" / name.toStdString(), "so far");
    const Checkpoint checkpoint = inspected(folder);
    QVERIFY2(checkpoint.state == CheckpointState::Incomplete, told(checkpoint));
    QVERIFY2(has(checkpoint, "blobs/" + name.toStdString(), "6 bytes so far"), told(checkpoint));
    const auto blobs = findIncompleteBlobs(findHubRepo(folder).value());
    QCOMPARE(blobs.size(), std::size_t{1});
    QCOMPARE(blobs.front().etag, std::string("4d7a214614ab2935c943f9e0ff69d22e"));
    // The same for somebody who looks at the snapshot alone.
    QVERIFY(inspected(folder / "snapshots" / kCommit).state == CheckpointState::Incomplete);
}

void tst_HubCache::leftOverBlobIsANote()
{
    Scratch hub;
    const fs::path folder = repo(hub);
    const fs::path blob = fs::canonical(folder / "snapshots" / kCommit / "config.json");
    writeText(blob.string() + ".incomplete", "{");
    const Checkpoint checkpoint = inspected(folder);
    QVERIFY2(checkpoint.state == CheckpointState::Complete, told(checkpoint));
    QVERIFY2(checkpoint.notes.size() == 1 && checkpoint.notes.front().find("left over") != std::string::npos,
        told(checkpoint));
}

void tst_HubCache::nothingButUnfinishedBlobs()
{
    Scratch hub;
    writeText(hub / "models--a--b" / "blobs" / "abc.incomplete", "x");
    writeText(hub / "models--a--b" / "refs" / "main", kCommit);
    const Checkpoint checkpoint = inspected(hub / "models--a--b");
    QVERIFY2(checkpoint.state == CheckpointState::Incomplete, told(checkpoint));
    QVERIFY2(has(checkpoint, "blobs/abc.incomplete", "1 bytes so far"), told(checkpoint));
    QCOMPARE(checkpoint.name, std::string("a/b"));
}

void tst_HubCache::emptyRepo()
{
    Scratch hub;
    fs::create_directories(hub / "models--a--b" / "snapshots");
    const Checkpoint checkpoint = inspected(hub / "models--a--b");
    QVERIFY2(checkpoint.state == CheckpointState::Empty, told(checkpoint));
    QCOMPARE(checkpoint.problems.size(), std::size_t{1});
    QVERIFY(checkpoint.problems.front().mode == FailureMode::ModelMissing);
}

void tst_HubCache::linkOutOfTheRepoIsNotFollowed()
{
    Scratch hub;
    const fs::path folder = repo(hub);
    const fs::path link = folder / "snapshots" / kCommit / "model-00001-of-00002.safetensors";
    fs::rename(fs::canonical(link), hub / "stolen.safetensors");
    fs::remove(link);
    fs::create_symlink("../../../stolen.safetensors", link);
    const Checkpoint checkpoint = inspected(folder);
    QVERIFY2(checkpoint.state == CheckpointState::Corrupt, told(checkpoint)); // the index names it
    QVERIFY2(checkpoint.shardsPresent == 1, told(checkpoint));
}

void tst_HubCache::localFolderDownloads()
{
    Scratch folder;
    writeStandIn(folder.path(), m_catalog, m_config, 1, Fill::Pattern);
    const fs::path downloads = folder / ".cache/huggingface/download";
    writeText(downloads / "config.json.metadata", "x");
    QVERIFY(inspected(folder.path()).state == CheckpointState::Complete);
    writeText(downloads / "model.safetensors.4d7a2146.incomplete", "left over"); // the file itself is there
    QVERIFY(inspected(folder.path()).state == CheckpointState::Complete);
    writeText(downloads / "tokenizer.json.4d7a2146.incomplete", "abc");
    const Checkpoint checkpoint = inspected(folder.path());
    QVERIFY2(checkpoint.state == CheckpointState::Incomplete, told(checkpoint));
    QVERIFY2(has(checkpoint, ".cache/huggingface/download/tokenizer.json.4d7a2146.incomplete", "3 bytes so far"),
        told(checkpoint));
}

QTEST_GUILESS_MAIN(tst_HubCache)
#include "tst_HubCache.moc"
