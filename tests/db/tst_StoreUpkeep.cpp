#include "Folder.h"
#include "RawDatabase.h"
#include "RunBuilder.h"
#include "Take.h"

#include "db/RunStore.h"
#include "db/Schema.h"
#include "db/Sqlite.h"

#include <QTest>
#include <QTextStream>
#include <set>
#include <thread>

using namespace loadlab;
using namespace loadlab::test;

namespace {

void fill(RunStore& store, int runs = 3)
{
    for (int i = 0; i < runs; ++i) {
        const RunStarted begin = started();
        const RunId run = take(store.startRun(begin));
        take(store.addSamples(run, samples(5000)));
        take(store.addLog(run, LogStream::Stderr, 0, "line\n"));
        take(store.addEvent(run, at(0.5, StateChanged{TrialState::Loading}), kOriginNs));
        take(store.finishRun(run, finished(begin)));
    }
}

} // namespace

class tst_StoreUpkeep : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void findsNothingWrong();
    void findsWhatIsWrong_data();
    void findsWhatIsWrong();
    void backsUp();
    void backsUpWhileAnotherWrites();
    void overwritesNothing();
    void leavesNothingOfABackupThatFails();
    void callsNoBackupWhatALockKeptFromIt();
    void leavesNothingOfABackupThatIsStopped();
    void documentsEveryTableAndColumn();
    void appliesMigrationsOnce();
    void leavesTheOldSchemaWhenAMigrationFails();
};

void tst_StoreUpkeep::findsNothingWrong()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    fill(store);
    take(store.startRun(started())); // one in progress
    for (const RunStore::Mode mode : {RunStore::Mode::ReadWrite, RunStore::Mode::ReadOnly}) {
        const DatabaseCheck check = take(take(RunStore::open(folder.file(), mode)).check());
        QVERIFY2(check.ok, check.findings.empty() ? "" : check.findings.front().c_str());
        QCOMPARE(check.schema, schema::newest());
        QCOMPARE(check.runs, std::uint64_t{4});
        QVERIFY(check.sizeBytes > 100'000);
    }
}

void tst_StoreUpkeep::findsWhatIsWrong_data()
{
    QTest::addColumn<QString>("sql");
    QTest::addColumn<QString>("finding");
    QTest::newRow("verdict") << "DELETE FROM verdicts WHERE run = 2"
                             << "run 2 has ended without a verdict";
    QTest::newRow("end") << "UPDATE runs SET ended_utc_ms = NULL WHERE id = 2"
                         << "run 2 has a verdict and no end";
    QTest::newRow("details") << "DELETE FROM run_details WHERE run = 1"
                             << "run 1 has no details";
    QTest::newRow("chunk") << "UPDATE sample_chunks SET data = x'01' WHERE run = 1 AND first = 0"
                           << "run 1, samples from number 0: ";
    QTest::newRow("chunk gone") << "DELETE FROM sample_chunks WHERE run = 3 AND first = 0"
                                << "run 3, samples from number 4096: the samples before them are missing";
    QTest::newRow("count") << "UPDATE sample_chunks SET count = 4095 WHERE run = 3 AND first = 0"
                           << "run 3, samples from number 0: 4096 instead of 4095";
    QTest::newRow("log") << "UPDATE log_blocks SET size = 9 WHERE run = 1"
                         << "run 1, log from byte 0: 5 bytes instead of 9";
    QTest::newRow("json") << "UPDATE run_details SET loaded = '{' WHERE run = 1"
                          << "run 1: its details are no JSON";
    QTest::newRow("counters") << "UPDATE run_details SET counters = '[' WHERE run = 1"
                              << "run 1: its details are no JSON";
    QTest::newRow("event") << "UPDATE events SET json = 'x' WHERE run = 1"
                           << "run 1: event 0 is no JSON";
    QTest::newRow("orphan") << "PRAGMA foreign_keys = OFF; DELETE FROM runs WHERE id = 2"
                            << "points to nothing in runs";
    QTest::newRow("index")
        << "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'peak_tree_bytes',"
           " 'duration_ns') WHERE name = 'runs_by_peak'"
        << "integrity: ";
}

void tst_StoreUpkeep::findsWhatIsWrong()
{
    QFETCH(QString, sql);
    QFETCH(QString, finding);
    const Folder folder;
    {
        RunStore store = take(RunStore::open(folder.file()));
        fill(store);
    }
    RawDatabase(folder.file()).execute(sql.toStdString());
    const DatabaseCheck check = take(take(RunStore::open(folder.file())).check());
    QVERIFY(!check.ok);
    QVERIFY(std::ranges::any_of(check.findings,
        [&finding](const std::string& text) { return text.find(finding.toStdString()) != std::string::npos; }));
}

void tst_StoreUpkeep::backsUp()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    fill(store);
    take(store.backupTo(folder.file("copy.sqlite")));
    QCOMPARE(folder.picture().size(), std::size_t{5}); // the database with -wal, -shm and -labs, and one file more
    const RunStore copy = take(RunStore::open(folder.file("copy.sqlite"), RunStore::Mode::ReadOnly));
    QVERIFY(take(copy.check()).ok);
    QCOMPARE(take(copy.countRuns({.words = "line"})), std::uint64_t{3});
    QVERIFY(take(copy.curve({3})).samples == samples(5000));
    take(RunStore::open(folder.file("copy.sqlite"))); // and it can be gone on with
}

void tst_StoreUpkeep::backsUpWhileAnotherWrites()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    fill(store, 1);
    std::jthread writer([&folder](const std::stop_token& stop) {
        RunStore other = take(RunStore::open(folder.file()));
        while (!stop.stop_requested())
            fill(other, 1);
    });
    for (int i = 0; i < 5; ++i) {
        take(store.backupTo(folder.file("copy" + std::to_string(i))));
        QVERIFY(take(take(RunStore::open(folder.file("copy" + std::to_string(i)))).check()).ok);
    }
}

void tst_StoreUpkeep::overwritesNothing()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    fill(store, 1);
    writeFile(folder.file("there"), "precious");
    std::filesystem::create_symlink("nowhere", folder.file("link"));
    std::filesystem::create_directory(folder.file("folder"));
    const auto before = folder.picture();
    for (const char* name : {"there", "link", "folder", "runs.sqlite"}) {
        const Result<void> done = store.backupTo(folder.file(name));
        QVERIFY(!done);
        QCOMPARE(done.error().kind, ErrorKind::Invalid);
        QVERIFY2(
            done.error().message.find(folder.file(name).native()) != std::string::npos, done.error().message.c_str());
    }
    QVERIFY(folder.picture() == before);
}

void tst_StoreUpkeep::leavesNothingOfABackupThatFails()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    fill(store, 1);
    const auto before = folder.picture();
    QCOMPARE(store.backupTo(folder.file("absent/copy")).error().kind, ErrorKind::Io);
    QCOMPARE(store.backupTo("").error().kind, ErrorKind::Invalid);
    QCOMPARE(store.backupTo("/proc/copy").error().kind, ErrorKind::Io);
    QCOMPARE(store.backupTo("/dev/full/copy").error().kind, ErrorKind::Io);
    QVERIFY(folder.picture() == before);
}

/// docs/SCHEMA.md holds a table per table, one row per column, and nothing that is not there.
void tst_StoreUpkeep::callsNoBackupWhatALockKeptFromIt()
{
    const Folder folder;
    {
        RunStore store = take(RunStore::open(folder.file()));
        fill(store, 1);
    }
    const RawDatabase other(folder.file());
    other.execute("PRAGMA journal_mode = DELETE"); // as on a file system that can do no WAL
    const RunStore store
        = take(RunStore::open(folder.file(), RunStore::Mode::ReadOnly, std::chrono::milliseconds(100)));
    other.execute("BEGIN EXCLUSIVE");
    const Result<void> done = store.backupTo(folder.file("copy"));
    QVERIFY(!done);
    QCOMPARE(done.error().kind, ErrorKind::Io);
    QVERIFY2(done.error().message.find("locked") != std::string::npos, done.error().message.c_str());
    QVERIFY(!std::filesystem::exists(folder.file("copy")));
    other.execute("ROLLBACK");
    take(store.backupTo(folder.file("copy")));
}

void tst_StoreUpkeep::leavesNothingOfABackupThatIsStopped()
{
    const Folder folder;
    RunStore store = take(RunStore::open(folder.file()));
    fill(store, 1);
    std::stop_source stop;
    stop.request_stop();
    const Result<void> done = store.backupTo(folder.file("copy"), stop.get_token());
    QVERIFY(!done);
    QCOMPARE(done.error().kind, ErrorKind::Cancelled);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        QVERIFY2(!entry.path().filename().native().starts_with("copy"), entry.path().c_str());
    fill(store, 1); // no transaction is left open
    take(store.backupTo(folder.file("copy")));
}

void tst_StoreUpkeep::documentsEveryTableAndColumn()
{
    const Folder folder;
    take(RunStore::open(folder.file()));
    const RawDatabase raw(folder.file());
    std::set<QString> actual;
    const QString columns = QString::fromStdString(
        raw.text("SELECT t.name || '.' || c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c"
                 " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'run_text_%'"));
    for (const QString& column : columns.split('|'))
        actual.insert(column);
    std::set<QString> documented;
    QString table;
    const QString text = QString::fromStdString(bytesOf(std::filesystem::path(LOADLAB_SOURCE_DIR) / "docs/SCHEMA.md"));
    for (const QString& line : text.split('\n')) {
        if (line.startsWith("### `"))
            table = line.section('`', 1, 1);
        else if (line.startsWith("## "))
            table.clear();
        else if (!table.isEmpty() && line.startsWith("| `"))
            documented.insert(table + '.' + line.section('`', 1, 1));
    }
    for (const QString& column : actual)
        QVERIFY2(documented.contains(column), qPrintable(column + " is not documented"));
    for (const QString& column : documented)
        QVERIFY2(actual.contains(column), qPrintable(column + " does not exist"));
    QVERIFY(text.contains("0x4c4c6162"));
}

void tst_StoreUpkeep::appliesMigrationsOnce()
{
    const Folder folder;
    take(RunStore::open(folder.file()));
    const int newest = schema::newest();
    const std::vector<schema::Migration> steps{
        {newest, "this would fail"}, {newest + 1, "CREATE TABLE second(x)"}, {newest + 2, "CREATE TABLE third(x)"}};
    std::vector<std::jthread> threads;
    std::atomic<int> failed{0};
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            const auto database = sqlite::Connection::open(folder.file(), {.patience = std::chrono::seconds(10)});
            failed += database && schema::migrate(*database, steps) ? 0 : 1;
        });
    threads.clear();
    QCOMPARE(failed.load(), 0);
    const RawDatabase raw(folder.file());
    QCOMPARE(raw.number("PRAGMA user_version"), newest + 2LL);
    QCOMPARE(raw.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('second', 'third')"), 2LL);
}

void tst_StoreUpkeep::leavesTheOldSchemaWhenAMigrationFails()
{
    const Folder folder;
    take(RunStore::open(folder.file()));
    const int next = schema::newest() + 1;
    const std::vector<schema::Migration> steps{{next, "CREATE TABLE second(x); CREATE TABLE runs(x)"}};
    {
        const auto database = sqlite::Connection::open(folder.file(), {});
        const Result<void> done = schema::migrate(*database, steps);
        QVERIFY(!done);
        QVERIFY2(done.error().message.find("to schema " + std::to_string(next)) != std::string::npos, done.error().message.c_str());
    }
    const RawDatabase raw(folder.file());
    QCOMPARE(raw.number("PRAGMA user_version"), next - 1LL);
    QCOMPARE(raw.number("SELECT count(*) FROM sqlite_schema WHERE name = 'second'"), 0LL);
    QVERIFY(take(take(RunStore::open(folder.file())).check()).ok);
}

QTEST_APPLESS_MAIN(tst_StoreUpkeep)
#include "tst_StoreUpkeep.moc"
