#include "CutOff.h"
#include "Folder.h"
#include "RawDatabase.h"
#include "RunBuilder.h"
#include "Take.h"

#include "core/Text.h"
#include "db/RunStore.h"

#include <QTest>
#include <fcntl.h>
#include <functional>
#include <sys/stat.h>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;

namespace {

constexpr std::chrono::milliseconds kHasty{50};

/// The error of opening, in both modes, and that the folder is as it was.
Error refusalOf(const Folder& folder, const std::filesystem::path& file)
{
    const auto before = folder.picture();
    const Result<RunStore> reading = RunStore::open(file, RunStore::Mode::ReadOnly, kHasty);
    const Result<RunStore> writing = RunStore::open(file, RunStore::Mode::ReadWrite, kHasty);
    if (reading || writing)
        qFatal("%s was accepted", file.c_str());
    if (folder.picture() != before)
        qFatal("refusing %s changed the folder", file.c_str());
    if (!isUtf8(writing.error().message) || writing.error().message.find(toUtf8(file.native())) == std::string::npos)
        qFatal("the file is not named: %s", writing.error().message.c_str());
    return writing.error();
}

/// Acts as an ordinary user for a while: root may write everywhere.
class OrdinaryUser {
public:
    OrdinaryUser() { m_changed = ::geteuid() == 0 && ::seteuid(65534) == 0; }
    ~OrdinaryUser()
    {
        if (m_changed && ::seteuid(0) != 0)
            qFatal("cannot become root again");
    }

private:
    bool m_changed = false;
};

} // namespace

class tst_StoreRefusals : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void leavesAlone_data();
    void leavesAlone();
    void leavesAloneWhatAnotherProgramIsWriting();
    void leavesAloneACutCheckpointOfAnotherProgram();
    void refusesANewerSchema();
    void refusesANewerSchemaThatIsStillInTheLog();
    void refusesWhatIsNoRegularFile();
    void refusesPathsThatLeadNowhere();
    void makesNothingWhenOnlyReading();
    void fillsAnEmptyFile();
    void takesOddNames();
    void saysThatTheDatabaseIsLocked();
    void saysThatTheFileIsReadOnly();
    void saysThatTheFolderIsReadOnly();
    void readsFromAReadOnlyFolder();
    void saysThatTheFileIsGone();
    void saysThatTheDatabaseIsDamaged();
};

void tst_StoreRefusals::leavesAlone_data()
{
    using Make = std::function<void(const std::filesystem::path&)>;
    QTest::addColumn<Make>("make");
    QTest::addColumn<QString>("words");
    const auto sql = [](std::string text) {
        return Make([text](const std::filesystem::path& file) { RawDatabase(file).execute(text); });
    };
    const auto bytes = [](std::string content) {
        return Make([content](const std::filesystem::path& file) { writeFile(file, content); });
    };
    QTest::newRow("tables and another id") << sql("PRAGMA application_id = 7; CREATE TABLE t(x)") << "another program";
    QTest::newRow("tables and no id") << sql("CREATE TABLE t(x)") << "another program";
    QTest::newRow("another id and no tables")
        << sql("PRAGMA application_id = 7; CREATE TABLE t(x); DROP TABLE t") << "another program";
    QTest::newRow("a version and no tables") << sql("PRAGMA user_version = 3") << "another program";
    QTest::newRow("write-ahead log") << sql("PRAGMA journal_mode = WAL; CREATE TABLE t(x)") << "another program";
    QTest::newRow("text") << bytes(std::string(10'000, 'x')) << "not a database";
    QTest::newRow("zeros") << bytes(std::string(8192, '\0')) << "not a database";
    QTest::newRow("one byte") << bytes("x") << "not a database";
    QTest::newRow("a cut header") << bytes("SQLite format 3") << "not a database";
    QTest::newRow("cut short") << Make([](const std::filesystem::path& file) {
        RawDatabase(file).execute("CREATE TABLE t(x); CREATE TABLE u(x); CREATE TABLE v(x)");
        std::filesystem::resize_file(file, 4096);
    }) << "damaged";
}

void tst_StoreRefusals::leavesAlone()
{
    QFETCH(std::function<void(const std::filesystem::path&)>, make);
    QFETCH(QString, words);
    const Folder folder;
    make(folder.file());
    const Error error = refusalOf(folder, folder.file());
    QCOMPARE(error.kind, ErrorKind::Invalid);
    QVERIFY2(error.message.find(words.toStdString()) != std::string::npos, error.message.c_str());
    QVERIFY2(error.message.find("--db") != std::string::npos, error.message.c_str());
}

/// All of another program's tables are in its -wal; the main file alone looks empty.
void tst_StoreRefusals::leavesAloneWhatAnotherProgramIsWriting()
{
    const Folder source;
    const Folder folder;
    const RawDatabase other(source.file());
    other.execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t(x)");
    copyWithLog(source.file(), folder.file());
    const Error error = refusalOf(folder, folder.file());
    QCOMPARE(error.kind, ErrorKind::Invalid);
    QVERIFY2(error.message.find("unfinished work") != std::string::npos, error.message.c_str());
}

void tst_StoreRefusals::leavesAloneACutCheckpointOfAnotherProgram()
{
    for (const std::string mark : {"", "PRAGMA application_id = 7;"}) {
        const Folder source;
        const Folder folder;
        RawDatabase(source.file()).execute(mark + "PRAGMA journal_mode = WAL; CREATE TABLE t(x)");
        const RawDatabase other(source.file());
        other.execute("PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES (zeroblob(100000)); CREATE TABLE u(x)");
        copyWithLog(source.file(), folder.file());
        writeFirstPageOfLog(folder.file());
        const Error error = refusalOf(folder, folder.file());
        QCOMPARE(error.kind, ErrorKind::Invalid);
        QVERIFY2(error.message.find("unfinished work") != std::string::npos, error.message.c_str());
    }
}

void tst_StoreRefusals::refusesANewerSchema()
{
    const Folder folder;
    take(RunStore::open(folder.file()));
    RawDatabase(folder.file()).execute("PRAGMA user_version = 99; CREATE TABLE of_the_future(x)");
    const Error error = refusalOf(folder, folder.file());
    QCOMPARE(error.kind, ErrorKind::Invalid);
    QVERIFY2(error.message.find("newer LoadLab (schema 99, this one knows up to ") != std::string::npos,
        error.message.c_str());
}

void tst_StoreRefusals::refusesANewerSchemaThatIsStillInTheLog()
{
    const Folder source;
    const Folder folder;
    take(RunStore::open(source.file()));
    const RawDatabase newer(source.file());
    newer.execute("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 99");
    copyWithLog(source.file(), folder.file());
    const auto before = folder.picture();
    const Result<RunStore> store = RunStore::open(folder.file());
    QVERIFY(!store);
    QVERIFY2(store.error().message.find("schema 99") != std::string::npos, store.error().message.c_str());
    for (const auto& [name, digest] : before) // a -shm may be there now: it holds nothing
        QCOMPARE(folder.picture()[name], digest);
}

void tst_StoreRefusals::refusesWhatIsNoRegularFile()
{
    const Folder folder;
    std::filesystem::create_directory(folder.file("folder"));
    QCOMPARE(::mkfifo(folder.file("fifo").c_str(), 0600), 0);
    std::filesystem::create_symlink("/dev/null", folder.file("device"));
    QVERIFY(refusalOf(folder, folder.file("folder")).message.find("is a folder") != std::string::npos);
    QVERIFY(refusalOf(folder, folder.file("fifo")).message.find("not a regular file") != std::string::npos);
    QVERIFY(refusalOf(folder, folder.file("device")).message.find("not a regular file") != std::string::npos);
}

void tst_StoreRefusals::refusesPathsThatLeadNowhere()
{
    const Folder folder;
    writeFile(folder.file("plain"), "x");
    std::filesystem::create_symlink("loop", folder.file("loop"));
    const Error below = refusalOf(folder, folder.file("plain") / "runs.sqlite");
    QVERIFY2(below.message.find("Not a directory") != std::string::npos, below.message.c_str());
    QCOMPARE(refusalOf(folder, folder.file("loop")).kind, ErrorKind::Io);
    QCOMPARE(refusalOf(folder, folder.file(std::string(300, 'n'))).kind, ErrorKind::Io);
    QCOMPARE(RunStore::open("").error().kind, ErrorKind::Invalid);
    QCOMPARE(RunStore::open(folder.path() / "").error().kind, ErrorKind::Invalid);
    QCOMPARE(RunStore::open("/proc/nowhere/runs.sqlite").error().kind, ErrorKind::Io);
}

void tst_StoreRefusals::makesNothingWhenOnlyReading()
{
    const Folder folder;
    writeFile(folder.file("empty"), "");
    const auto before = folder.picture();
    QCOMPARE(RunStore::open(folder.file("deep/absent"), RunStore::Mode::ReadOnly).error().kind, ErrorKind::NotFound);
    QCOMPARE(RunStore::open(folder.file("empty"), RunStore::Mode::ReadOnly).error().kind, ErrorKind::NotFound);
    QVERIFY(folder.picture() == before);
}

void tst_StoreRefusals::fillsAnEmptyFile()
{
    const Folder folder;
    writeFile(folder.file(), "");
    take(take(RunStore::open(folder.file())).startRun(started()));
    const RawDatabase raw(folder.file());
    QCOMPARE(raw.number("PRAGMA application_id"), 0x4c4c6162LL);
    QCOMPARE(raw.number("PRAGMA user_version"), 2LL);
    QCOMPARE(raw.text("PRAGMA journal_mode"), "wal");
}

/// SQLite on Debian takes names that begin with "file:" for URIs, and some names have a meaning of their own.
void tst_StoreRefusals::takesOddNames()
{
    const Folder folder;
    std::filesystem::current_path(folder.path());
    for (const std::string name : {"file:a?mode=memory", ":memory:", "\xff\xfe bytes", "100% #1?x=y&z", "-labs"}) {
        take(take(RunStore::open(name)).startRun(started()));
        QVERIFY2(std::filesystem::file_size(folder.path() / name) > 4096, toUtf8(name).c_str());
        QCOMPARE(take(take(RunStore::open(name, RunStore::Mode::ReadOnly)).countRuns()), std::uint64_t{1});
    }
    std::filesystem::current_path("/");
    RawDatabase(folder.file("\xff")).execute("CREATE TABLE t(x)");
    QVERIFY(refusalOf(folder, folder.file("\xff")).message.find("another program") != std::string::npos);
}

void tst_StoreRefusals::saysThatTheDatabaseIsLocked()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    RunStore hasty = take(RunStore::open(folder.file(), RunStore::Mode::ReadWrite, kHasty));
    take(store.begin());
    const Error error = hasty.startRun(started()).error();
    QCOMPARE(error.kind, ErrorKind::Io);
    QVERIFY2(error.message.find("keeps the database locked") != std::string::npos, error.message.c_str());
    QCOMPARE(take(hasty.countRuns()), std::uint64_t{0}); // reading goes on
    store.rollback();
    take(hasty.startRun(started()));
}

void tst_StoreRefusals::saysThatTheFileIsReadOnly()
{
    const Folder folder;
    take(take(RunStore::open(folder.file())).startRun(started()));
    ::chmod(folder.path().c_str(), 0777);
    ::chmod(folder.file().c_str(), 0444);
    const OrdinaryUser user;
    const auto before = folder.picture();
    const Result<RunStore> store = RunStore::open(folder.file());
    QVERIFY(!store);
    QCOMPARE(store.error().kind, ErrorKind::Io);
    QVERIFY2(store.error().message.find("file is read-only") != std::string::npos, store.error().message.c_str());
    QVERIFY(folder.picture() == before);
    QCOMPARE(take(take(RunStore::open(folder.file(), RunStore::Mode::ReadOnly)).countRuns()), std::uint64_t{1});
}

void tst_StoreRefusals::saysThatTheFolderIsReadOnly()
{
    const Folder folder;
    take(take(RunStore::open(folder.file())).startRun(started()));
    ::chmod(folder.file().c_str(), 0666);
    ::chmod(folder.path().c_str(), 0555);
    const OrdinaryUser user;
    const Result<RunStore> old = RunStore::open(folder.file());
    QVERIFY(!old);
    QCOMPARE(old.error().kind, ErrorKind::Io);
    QVERIFY2(old.error().message.find(folder.path().native()) != std::string::npos, old.error().message.c_str());
    const Result<RunStore> fresh = RunStore::open(folder.file("new.sqlite"));
    QVERIFY(!fresh);
    QCOMPARE(fresh.error().kind, ErrorKind::Io);
    QVERIFY2(fresh.error().message.find("Permission denied") != std::string::npos, fresh.error().message.c_str());
    QCOMPARE(RunStore::open(folder.file("deep/new.sqlite")).error().kind, ErrorKind::Io);
}

void tst_StoreRefusals::readsFromAReadOnlyFolder()
{
    const Folder folder;
    {
        RunStore store = take(RunStore::open(folder.file()));
        const RunId run = take(store.startRun(started()));
        take(store.addSamples(run, samples(10)));
    }
    ::chmod(folder.path().c_str(), 0555);
    const OrdinaryUser user;
    const auto before = folder.picture();
    const RunStore store = take(RunStore::open(folder.file(), RunStore::Mode::ReadOnly));
    QCOMPARE(take(store.curve({1})).samples.size(), std::size_t{10});
    QVERIFY(take(store.check()).ok);
    QVERIFY(folder.picture() == before);
}

void tst_StoreRefusals::saysThatTheFileIsGone()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    const RunId run = take(store.startRun(started()));
    std::filesystem::rename(folder.file(), folder.file("elsewhere"));
    const Result<void> written = store.addSamples(run, samples(3));
    QVERIFY(!written);
    QCOMPARE(written.error().kind, ErrorKind::Io);
    QVERIFY2(written.error().message.find("moved or deleted") != std::string::npos, written.error().message.c_str());
    std::filesystem::rename(folder.file("elsewhere"), folder.file());
    take(store.addSamples(run, samples(3)));
}

void tst_StoreRefusals::saysThatTheDatabaseIsDamaged()
{
    const Folder folder;
    {
        RunStore store = take(RunStore::open(folder.file()));
        const RunStarted begin = started();
        const RunId run = take(store.startRun(begin));
        take(store.addSamples(run, samples(9000)));
        take(store.finishRun(run, finished(begin)));
    }
    RawDatabase(folder.file()).execute("UPDATE sample_chunks SET data = substr(data, 1, 50) WHERE first = 4096");
    {
        const RunStore store = take(RunStore::open(folder.file()));
        const Error error = store.curve({1}).error();
        QCOMPARE(error.kind, ErrorKind::Invalid);
        QVERIFY2(error.message.find("run 1, samples from number 4096") != std::string::npos, error.message.c_str());
        QCOMPARE(take(store.run({1})).verdict->mode, FailureMode::Ok); // the rest can be read
        const DatabaseCheck check = take(store.check());
        QVERIFY(!check.ok);
        QCOMPARE(check.findings.size(), std::size_t{1});
    }
    std::string bytes = bytesOf(folder.file());
    for (std::size_t page = 1; page * 4096 < bytes.size(); ++page)
        bytes.replace(page * 4096, 100, std::string(100, '\x55'));
    writeFile(folder.file(), bytes);
    const Result<RunStore> store = RunStore::open(folder.file());
    if (store) {
        QCOMPARE(store->run({1}).error().kind, ErrorKind::Invalid);
        QVERIFY(!take(store->check()).ok);
    }
}

QTEST_APPLESS_MAIN(tst_StoreRefusals)
#include "tst_StoreRefusals.moc"
