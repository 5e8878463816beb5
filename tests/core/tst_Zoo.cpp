#include "CheckpointFiles.h"

#include "core/checkpoint/Zoo.h"
#include "core/checkpoint/ZooSearch.h"

#include <QtTest>
#include <atomic>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;
namespace fs = std::filesystem;

namespace {

QStringList namesOf(const ZooFolder& folder)
{
    QStringList names;
    for (const Checkpoint& checkpoint : folder.checkpoints)
        names << QString::fromStdString(checkpoint.name);
    return names;
}

} // namespace

class tst_Zoo : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void listsWholeAndBroken();
    void hubCaches();
    void foldersThatAreNoCheckpoints();
    void looseFilesAreCheckpoints();
    void checkpointItselfAsZoo();
    void depthAndLoops();
    void hiddenFoldersAreLeftOut();
    void unreadableFolders();
    void listsAFolderThatMayNotBeRead();
    void tellsEachOnceAndNeverTwoAtOnce();
    void stopsAtTheToken();
    void whereTheHubCacheIs();
    void findsByPathNameAndBeginning();
    void namesTheNearest();

private:
    void make(const fs::path& folder) const { writeStandIn(folder, m_catalog, m_config, 1, Fill::Pattern); }
    void makeRepo(const fs::path& hub, const std::string& name) const
    {
        writeStandIn(hub / name / "snapshots" / "c0", m_catalog, m_config, 1, Fill::Pattern);
        writeText(hub / name / "refs" / "main", "c0");
    }

    FamilyCatalog m_catalog = FamilyCatalog::load(LOADLAB_SOURCE_DIR "/resources/families");
    nlohmann::json m_config{{"architectures", {"Qwen2ForCausalLM"}}, {"model_type", "qwen2"}, {"hidden_size", 8},
        {"intermediate_size", 16}, {"num_hidden_layers", 1}, {"num_attention_heads", 2}, {"vocab_size", 32}};
};

void tst_Zoo::listsWholeAndBroken()
{
    Scratch zoo;
    make(zoo / "c-whole");
    make(zoo / "b-absent");
    fs::remove(zoo / "b-absent" / "model.safetensors");
    make(zoo / "a-cut");
    fs::resize_file(zoo / "a-cut" / "model.safetensors", 50);
    writeText(zoo / "d-pointer" / "model.safetensors", "version https://git-lfs.github.com/spec/v1\n");
    fs::create_directories(zoo / "e-never-fetched");
    const std::vector<ZooFolder> found = scanZoo({zoo.path()}, m_catalog);
    QCOMPARE(found.size(), std::size_t{1});
    QVERIFY(!found[0].error && !found[0].isHubCache);
    QCOMPARE(namesOf(found[0]), (QStringList{"a-cut", "b-absent", "c-whole", "d-pointer", "e-never-fetched"}));
    const auto state = [&](std::size_t i) { return found[0].checkpoints[i].state; };
    QVERIFY(state(0) == CheckpointState::Incomplete);
    QVERIFY(state(1) == CheckpointState::Incomplete);
    QVERIFY(state(2) == CheckpointState::Complete);
    QVERIFY(state(3) == CheckpointState::Pointer);
    QVERIFY(state(4) == CheckpointState::Empty);
    for (const Checkpoint& checkpoint : found[0].checkpoints)
        QVERIFY(checkpoint.path.is_absolute());
}

void tst_Zoo::hubCaches()
{
    Scratch hub;
    makeRepo(hub.path(), "models--Qwen--Qwen2.5-7B");
    makeRepo(hub.path(), "models--gpt2");
    fs::create_directories(hub / "datasets--a--b" / "snapshots" / "c0");
    fs::create_directories(hub / ".locks" / "models--gpt2");
    writeText(hub / "models--x--y" / "blobs" / "e.incomplete", "1");
    const std::vector<ZooFolder> found = scanZoo({hub.path()}, m_catalog);
    QVERIFY(found[0].isHubCache);
    QCOMPARE(namesOf(found[0]), (QStringList{"Qwen/Qwen2.5-7B", "gpt2", "x/y"}));
    const fs::path repo = hub / "models--gpt2";
    QCOMPARE(namesOf(scanZoo({repo}, m_catalog)[0]), (QStringList{"gpt2"}));
    QCOMPARE(namesOf(scanZoo({repo / "snapshots" / "c0"}, m_catalog)[0]), (QStringList{"gpt2"}));
}

void tst_Zoo::foldersThatAreNoCheckpoints()
{
    Scratch zoo;
    writeText(zoo / "notes" / "README.md", "x");
    writeText(zoo / "code" / "main.py", "x");
    make(zoo / "models" / "a");
    make(zoo / "models" / "b");
    writeText(zoo / "models" / "config.json", "{}"); // stray: there are checkpoints below
    writeText(zoo / "tokenizer-only" / "tokenizer.json", "{}");
    make(zoo / "omni");
    make(zoo / "omni" / "original"); // a part of what is above
    QCOMPARE(namesOf(scanZoo({zoo.path()}, m_catalog)[0]), (QStringList{"a", "b", "omni", "tokenizer-only"}));
}

void tst_Zoo::looseFilesAreCheckpoints()
{
    Scratch zoo;
    writeSafetensors(zoo / "exports" / "one.safetensors", {{"w", "F32", {2}}});
    writeSafetensors(zoo / "exports" / "two.safetensors", {{"w", "F32", {2}}});
    writeText(zoo / "exports" / "three.pt", "\x80\x02}q");
    QCOMPARE(::mkfifo((zoo / "exports" / "four.pt").c_str(), 0600), 0);
    const ZooFolder found = scanZoo({zoo.path()}, m_catalog)[0];
    QCOMPARE(namesOf(found), (QStringList{"four.pt", "one.safetensors", "three.pt", "two.safetensors"}));
    QVERIFY(found.checkpoints[0].problems.front().text.find("is a FIFO") != std::string::npos);
    QVERIFY(found.checkpoints[1].state == CheckpointState::Complete);
    QVERIFY(found.checkpoints[2].isPickle);
}

void tst_Zoo::checkpointItselfAsZoo()
{
    Scratch zoo;
    make(zoo / "m");
    QCOMPARE(namesOf(scanZoo({zoo / "m"}, m_catalog)[0]), (QStringList{"m"}));
    QCOMPARE(namesOf(scanZoo({fs::path((zoo / "m").string() + "/")}, m_catalog)[0]), (QStringList{"m"}));
}

void tst_Zoo::depthAndLoops()
{
    Scratch zoo;
    make(zoo / "1/2/3/four-deep");
    make(zoo / "1/2/3/4/five-deep");
    fs::create_directory_symlink("..", zoo / "1" / "up");
    fs::create_directory_symlink(".", zoo / "self");
    fs::create_directory_symlink("1/2/3/four-deep", zoo / "alias");
    const QStringList names = namesOf(scanZoo({zoo.path()}, m_catalog)[0]);
    QCOMPARE(names.size(), 1); // once, by whichever way came first
    QVERIFY(names.front() == "alias" || names.front() == "four-deep");
}

void tst_Zoo::hiddenFoldersAreLeftOut()
{
    Scratch zoo;
    make(zoo / ".trash" / "m");
    make(zoo / "m");
    QCOMPARE(namesOf(scanZoo({zoo.path()}, m_catalog)[0]), (QStringList{"m"}));
}

void tst_Zoo::unreadableFolders()
{
    Scratch zoo;
    make(zoo / "m");
    writeText(zoo / "file", "x");
    const std::vector<ZooFolder> found = scanZoo({zoo / "absent", zoo / "file", zoo.path()}, m_catalog);
    QVERIFY(found[0].error && found[0].error->kind == ErrorKind::NotFound);
    QVERIFY(found[1].error && found[1].error->kind == ErrorKind::Invalid);
    QVERIFY(!found[2].error);
    QCOMPARE(namesOf(found[2]), (QStringList{"m"}));
}

void tst_Zoo::listsAFolderThatMayNotBeRead()
{
    Scratch zoo;
    make(zoo / "open");
    make(zoo / "locked");
    make(zoo / "open" / "below");
    fs::permissions(zoo.path(), fs::perms(0755));
    fs::permissions(zoo / "locked", fs::perms::none);
    fs::permissions(zoo / "open" / "below", fs::perms::none);
    constexpr uid_t nobody = 65534;
    const uid_t before = ::geteuid(); // root may read everything
    QVERIFY(before != 0 || ::seteuid(nobody) == 0);
    const std::vector<ZooFolder> found = scanZoo({zoo.path()}, m_catalog);
    QVERIFY(before != 0 || ::seteuid(before) == 0);
    fs::permissions(zoo / "locked", fs::perms::owner_all);
    fs::permissions(zoo / "open" / "below", fs::perms::owner_all);
    QCOMPARE(namesOf(found[0]), (QStringList{"locked", "open"}));
    const Checkpoint& locked = found[0].checkpoints[0];
    QVERIFY(locked.state != CheckpointState::Complete);
    QCOMPARE(locked.problems.front().mode, FailureMode::DiskIo);
}

void tst_Zoo::tellsEachOnceAndNeverTwoAtOnce()
{
    Scratch zoo;
    for (int i = 0; i < 40; ++i)
        make(zoo / std::to_string(i));
    std::atomic<int> inside = 0;
    std::atomic<int> most = 0;
    QStringList told;
    scanZoo({zoo.path()}, m_catalog, [&](const fs::path& folder, const Checkpoint& checkpoint) {
        most = std::max(most.load(), ++inside);
        QCOMPARE(folder, zoo.path());
        told << QString::fromStdString(checkpoint.name);
        --inside;
    });
    QCOMPARE(most.load(), 1);
    QCOMPARE(told.size(), 40);
    told.removeDuplicates();
    QCOMPARE(told.size(), 40);
}

void tst_Zoo::stopsAtTheToken()
{
    Scratch zoo;
    for (int i = 0; i < 40; ++i)
        make(zoo / std::to_string(i));
    std::stop_source source;
    int told = 0;
    const auto found = scanZoo(
        {zoo.path()}, m_catalog,
        [&](const fs::path&, const Checkpoint&) {
            ++told;
            source.request_stop();
        },
        source.get_token());
    QVERIFY(told >= 1 && told < 40);
    QVERIFY(found[0].checkpoints.size() < 40);
}

void tst_Zoo::whereTheHubCacheIs()
{
    for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"})
        qunsetenv(name);
    qputenv("HOME", "/h");
    QCOMPARE(hubCacheFolder(), fs::path("/h/.cache/huggingface/hub"));
    qputenv("XDG_CACHE_HOME", "/c");
    QCOMPARE(hubCacheFolder(), fs::path("/c/huggingface/hub"));
    qputenv("HF_HOME", "/hf");
    QCOMPARE(hubCacheFolder(), fs::path("/hf/hub"));
    qputenv("HF_HUB_CACHE", "/x");
    QCOMPARE(hubCacheFolder(), fs::path("/x"));
}

void tst_Zoo::findsByPathNameAndBeginning()
{
    Scratch zoo;
    make(zoo / "plain" / "qwen2.5-0.5b");
    make(zoo / "plain" / "llama-8b");
    makeRepo(zoo / "hub", "models--Qwen--Qwen2.5-7B");
    makeRepo(zoo / "hub", "models--Qwen--Qwen2.5-7B-Instruct");
    const std::vector<fs::path> folders{zoo / "plain", zoo / "hub"};
    const auto found = [&](std::string_view word) { return findCheckpoint(word, folders); };
    QCOMPARE(*found((zoo / "plain").string()), zoo / "plain"); // any path
    QCOMPARE(*found("llama-8b"), zoo / "plain" / "llama-8b");
    QCOMPARE(*found("lla"), zoo / "plain" / "llama-8b");
    QCOMPARE(*found("Qwen/Qwen2.5-7B"), zoo / "hub" / "models--Qwen--Qwen2.5-7B"); // whole name before longer ones
    QCOMPARE(*found("Qwen2.5-7B-Instruct"), zoo / "hub" / "models--Qwen--Qwen2.5-7B-Instruct");
    QCOMPARE(*found("models--Qwen--Qwen2.5-7B"), zoo / "hub" / "models--Qwen--Qwen2.5-7B");
    QCOMPARE(*found("Qwen2.5-7B-I"), zoo / "hub" / "models--Qwen--Qwen2.5-7B-Instruct");
    const auto ambiguous = found("Qwen2");
    QVERIFY(!ambiguous);
    QCOMPARE(ambiguous.error().kind, ErrorKind::Invalid);
    QVERIFY(ambiguous.error().message.find("Qwen/Qwen2.5-7B, Qwen/Qwen2.5-7B-Instruct") != std::string::npos);
    QCOMPARE(*findCheckpoint("llama-8b", {zoo / "plain", zoo / "plain"}), zoo / "plain" / "llama-8b"); // once
}

void tst_Zoo::namesTheNearest()
{
    Scratch zoo;
    make(zoo / "llama-8b");
    make(zoo / "qwen2.5-0.5b");
    const auto slip = findCheckpoint("lama-8b", {zoo.path()});
    QVERIFY(!slip);
    QCOMPARE(slip.error().kind, ErrorKind::NotFound);
    QVERIFY2(slip.error().message.find("did you mean 'llama-8b'?") != std::string::npos, slip.error().message.c_str());
    const auto other = findCheckpoint("something-else-altogether", {zoo.path()});
    QVERIFY2(other.error().message.find("llama-8b, qwen2.5-0.5b") != std::string::npos, other.error().message.c_str());
    QVERIFY(findCheckpoint("x", {}).error().message.find("empty") != std::string::npos);
    QVERIFY(!findCheckpoint("", {zoo.path()}));
    QVERIFY(!findCheckpoint("\xFF\xFE", {zoo.path()}));
}

QTEST_GUILESS_MAIN(tst_Zoo)
#include "tst_Zoo.moc"
