#include "Folder.h"
#include "Noise.h"
#include "RunBuilder.h"
#include "Take.h"

#include "db/RunRecorder.h"
#include "db/RunStore.h"

#include <QTest>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;

namespace {

/// A disk of one MiB of its own; where mounting is not allowed there is none.
class SmallDisk {
public:
    SmallDisk() { m_mounted = ::mount("tmpfs", m_folder.path().c_str(), "tmpfs", 0, "size=1m") == 0; }
    ~SmallDisk()
    {
        if (m_mounted)
            ::umount2(m_folder.path().c_str(), MNT_DETACH);
    }
    [[nodiscard]] bool exists() const { return m_mounted; }
    [[nodiscard]] std::filesystem::path file(const std::string& name) const { return m_folder.file(name); }
    void fill() const
    {
        const std::string block(4096, 'x');
        const int out = ::open(file("filler").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        while (::write(out, block.data(), block.size()) == static_cast<ssize_t>(block.size())) { }
        ::close(out);
    }
    void free() const { std::filesystem::remove(file("filler")); }

private:
    Folder m_folder;
    bool m_mounted = false;
};

void saysThatTheDiskIsFull(const Error& error)
{
    QCOMPARE(error.kind, ErrorKind::Io);
    QVERIFY2(error.message.find("no space is left") != std::string::npos, error.message.c_str());
}

RecorderOptions committingOften()
{
    RecorderOptions options;
    options.commitEvery = std::chrono::milliseconds(50);
    return options;
}

/// The disk has room again, and the run comes to its end.
RunStore recordedToItsEnd(const SmallDisk& disk, RunRecorder& recorder, const RunStarted& begin)
{
    disk.free();
    recorder.onEvent(at(5, RunFinished{finished(begin)}));
    recorder.flush();
    take(recorder.error() ? Result<void>(*recorder.error()) : Result<void>());
    return take(RunStore::open(disk.file("runs.sqlite")));
}

} // namespace

/// What the store does when its disk is full.
class tst_FullDisk : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void keepsWhatWasStoredWhenTheDiskIsFull();
    void storesNoRunOnAFullDisk();
    void recordsOnWhenTheDiskHasRoomAgain();
    void marksWhatAFullDiskCost();
    void opensWhatAFullDiskKeptFromTheMainFile();
    void makesNoDatabaseOnAFullDisk();
};

void tst_FullDisk::initTestCase()
{
    if (!SmallDisk().exists())
        QSKIP("mounting a small disk is not allowed here");
}

void tst_FullDisk::keepsWhatWasStoredWhenTheDiskIsFull()
{
    const SmallDisk disk;
    RunStore store = take(RunStore::open(disk.file("runs.sqlite")));
    const RunStarted begin = started();
    const RunId run = take(store.startRun(begin));
    take(store.addSamples(run, samples(100)));
    disk.fill();
    Result<void> written;
    for (int i = 0; written && i < 100; ++i)
        written = store.addLog(run, LogStream::Stderr, 0, noise(100'000));
    QVERIFY(!written);
    saysThatTheDiskIsFull(written.error());
    QVERIFY(take(store.curve(run)).samples == samples(100)); // reading goes on
    disk.free();
    take(store.addSamples(run, samples(100, 100)));
    take(store.finishRun(run, finished(begin)));
    QVERIFY(take(store.curve(run)).samples == samples(200));
    QVERIFY(take(store.check()).ok);
}

void tst_FullDisk::storesNoRunOnAFullDisk()
{
    const SmallDisk disk;
    take(take(RunStore::open(disk.file("runs.sqlite"))).countRuns());
    disk.fill();
    const RunStarted begin = started();
    {
        RunRecorder recorder(disk.file("runs.sqlite"));
        recorder.onEvent(at(0, begin));
        recorder.onEvent(at(1, SamplesTaken{samples(100)}));
        recorder.onEvent(at(5, RunFinished{finished(begin)}));
        recorder.flush();
        QVERIFY(recorder.error());
        saysThatTheDiskIsFull(*recorder.error());
        QVERIFY(!recorder.run());
    }
    disk.free();
    const RunStore store = take(RunStore::open(disk.file("runs.sqlite")));
    QCOMPARE(take(store.countRuns()), std::uint64_t{0});
    QVERIFY(take(store.check()).ok);
}

void tst_FullDisk::recordsOnWhenTheDiskHasRoomAgain()
{
    const SmallDisk disk;
    const RunStarted begin = started();
    RunRecorder recorder(disk.file("runs.sqlite"), committingOften());
    recorder.onEvent(at(0, begin));
    recorder.onEvent(at(0, LogText{LogStream::Lab, "early\n"}));
    recorder.flush();
    QVERIFY(!recorder.error());
    disk.fill();
    recorder.onEvent(at(1, LogText{LogStream::Stderr, noise(200'000) + "\n"}));
    recorder.onEvent(at(1, SamplesTaken{samples(100)}));
    recorder.flush();
    QVERIFY(recorder.error());
    const RunStore store = recordedToItsEnd(disk, recorder, begin);
    QVERIFY(take(store.curve({1})).samples == samples(100));
    QCOMPARE(take(store.logLines({1})).front(), "early");
    QCOMPARE(take(store.run({1})).verdict->mode, FailureMode::Ok);
}

/// More was said, and measured, than waits in memory: the run tells of both.
void tst_FullDisk::marksWhatAFullDiskCost()
{
    const SmallDisk disk;
    RecorderOptions options = committingOften();
    options.logLimitBytes = 64 << 10;
    const RunStarted begin = started();
    RunRecorder recorder(disk.file("runs.sqlite"), options);
    recorder.onEvent(at(0, begin));
    recorder.flush();
    QVERIFY(!recorder.error());
    disk.fill();
    for (std::size_t i = 0; i < 80; ++i) {
        recorder.onEvent(at(1, LogText{LogStream::Stderr, noise(20'000) + "\n"}));
        recorder.onEvent(at(1, SamplesTaken{samples(1000, 1000 * i)}));
    }
    recorder.onEvent(at(2, LogText{LogStream::Stderr, "\nthe newest line\n"}));
    recorder.flush();
    QVERIFY(recorder.error());
    const RunStore store = recordedToItsEnd(disk, recorder, begin);
    const std::vector<std::string> lines = take(store.logLines({1}));
    QVERIFY(std::ranges::any_of(lines, [](const std::string& line) { return line.find("not kept") != line.npos; }));
    QCOMPARE(lines.back(), "the newest line");
    const std::vector<StoredEvent> events = take(store.events({1}));
    QVERIFY(std::ranges::any_of(
        events, [](const StoredEvent& event) { return event.json.find("thinned") != event.json.npos; }));
    const Curve curve = take(store.curve({1}));
    QVERIFY(curve.samples.size() >= 30'000 && curve.samples.size() < 80'000);
    QCOMPARE(curve.samples.back()[Column::TreeBytes], std::int64_t{79'999} << 20); // The highest stays.
}

/// The last close writes page 1 of the log into the main file, and finds no room for the pages behind it.
void tst_FullDisk::opensWhatAFullDiskKeptFromTheMainFile()
{
    const SmallDisk disk;
    const std::filesystem::path file = disk.file("runs.sqlite");
    std::uintmax_t before = 0;
    {
        RunStore store = take(RunStore::open(file));
        before = std::filesystem::file_size(file);
        const RunId run = take(store.startRun(started()));
        take(store.addSamples(run, samples(100)));
        take(store.addLog(run, LogStream::Stderr, 0, noise(100'000)));
        disk.fill();
    }
    QVERIFY(std::filesystem::file_size(file) < before + 100'000);
    disk.free();
    for (const auto mode : {RunStore::Mode::ReadOnly, RunStore::Mode::ReadWrite}) {
        const RunStore store = take(RunStore::open(file, mode));
        QVERIFY(take(store.curve({1})).samples == samples(100));
        QVERIFY(take(store.check()).ok);
    }
}

void tst_FullDisk::makesNoDatabaseOnAFullDisk()
{
    const SmallDisk disk;
    disk.fill();
    const Result<RunStore> store = RunStore::open(disk.file("runs.sqlite"));
    QVERIFY(!store);
    saysThatTheDiskIsFull(store.error());
    disk.free();
    QVERIFY(take(take(RunStore::open(disk.file("runs.sqlite"))).check()).ok); // nothing half-made is in the way
}

QTEST_GUILESS_MAIN(tst_FullDisk)
#include "tst_FullDisk.moc"
