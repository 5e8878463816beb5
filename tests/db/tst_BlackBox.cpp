#include "Folder.h"
#include "Noise.h"
#include "RunBuilder.h"
#include "Take.h"

#include "db/BlackBox.h"
#include "db/RunRecorder.h"

#include <QTest>
#include <csignal>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace loadlab;
using namespace loadlab::test;

namespace {

const std::string kUuid = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b";

std::filesystem::path boxFile(const Folder& folder)
{
    return folder.file().native() + "-box-" + kUuid;
}

std::size_t boxesIn(const Folder& folder)
{
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        count += entry.path().native().find("-box-") != std::string::npos ? 1U : 0U;
    return count;
}

} // namespace

class tst_BlackBox : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void givesBackWhatWasAdded();
    void keepsTheNewestWhenItIsFull();
    void outlivesTheProcess();
    void leavesOutARecordThatIsTorn();
    void refusesWhatIsNoBoxOfThisRun();
    void aRunThatEndsLeavesNone();
    void aDatabaseThatIsNoneGetsNone();
};

void tst_BlackBox::givesBackWhatWasAdded()
{
    const Folder folder;
    BlackBox box = take(BlackBox::create(folder.file(), kUuid));
    box.add(samples(30));
    box.add(0, {LogStream::Stderr, 5, "first\n"});
    box.add(6, {LogStream::Stdout, 7, noise(10'000)}); // Larger than a slot.
    box.add(samples(3, 30));
    box.sync();
    const BlackBox::Content content = take(BlackBox::read(folder.file(), kUuid));
    QVERIFY(content.samples == samples(33));
    std::string log;
    for (const auto& [at, piece] : content.log) {
        QCOMPARE(at, std::uint64_t(log.size()));
        log += piece.bytes;
    }
    QVERIFY(log == "first\n" + noise(10'000));
    QCOMPARE(content.log.front().second.stream, LogStream::Stderr);
    QCOMPARE(content.log.back().second.tMs, std::int64_t(7));
    QCOMPARE(std::filesystem::file_size(boxFile(folder)), std::uintmax_t(BlackBox::kBytes));
    box.remove();
    QVERIFY(!std::filesystem::exists(boxFile(folder)));
    QCOMPARE(BlackBox::read(folder.file(), kUuid).error().kind, ErrorKind::NotFound);
}

void tst_BlackBox::keepsTheNewestWhenItIsFull()
{
    const Folder folder;
    BlackBox box = take(BlackBox::create(folder.file(), kUuid));
    std::uint64_t said = 0;
    for (std::size_t i = 0; i < 2000; ++i) {
        box.add(samples(1, i));
        box.add(said, {LogStream::Stderr, 0, noise(1000)});
        said += 1000;
    }
    const BlackBox::Content content = take(BlackBox::read(folder.file(), kUuid));
    QCOMPARE(content.samples.back(), samples(1, 1999).front());
    QVERIFY(content.samples.size() > 500 && content.samples.size() < 2000);
    const std::size_t kept = content.samples.size();
    QVERIFY(content.samples == samples(kept, 2000 - kept)); // No gap.
    QCOMPARE(content.log.back().first, said - 1000);
}

void tst_BlackBox::outlivesTheProcess()
{
    const Folder folder;
    const pid_t child = ::fork();
    if (child == 0) {
        Result<BlackBox> box = BlackBox::create(folder.file(), kUuid);
        if (box)
            box->add(samples(100));
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    QVERIFY(take(BlackBox::read(folder.file(), kUuid)).samples == samples(100));
}

void tst_BlackBox::leavesOutARecordThatIsTorn()
{
    const Folder folder;
    BlackBox box = take(BlackBox::create(folder.file(), kUuid));
    box.add(samples(8));
    box.add(samples(8, 8));
    std::string bytes = bytesOf(boxFile(folder));
    const auto second = bytes.find('s', 4096 + 8 + 5 + 8 + 4);
    QVERIFY(second != std::string::npos);
    bytes[second + 40] = static_cast<char>(bytes[second + 40] ^ 0x55); // Inside its chunk.
    writeFile(boxFile(folder), bytes);
    const BlackBox::Content content = take(BlackBox::read(folder.file(), kUuid));
    QVERIFY(content.samples == samples(8) || content.samples.empty());
    for (std::size_t at = 0; at < bytes.size(); at += 977) { // Whatever it holds, nothing worse happens.
        std::string broken = bytes;
        broken.replace(at, 40, noise(40).substr(0, std::min<std::size_t>(40, bytes.size() - at)));
        writeFile(boxFile(folder), broken.substr(0, bytes.size()));
        static_cast<void>(BlackBox::read(folder.file(), kUuid));
    }
}

void tst_BlackBox::refusesWhatIsNoBoxOfThisRun()
{
    const Folder folder;
    writeFile(boxFile(folder), "somebody's notes");
    QCOMPARE(BlackBox::read(folder.file(), kUuid).error().kind, ErrorKind::Invalid);
    QCOMPARE(BlackBox::create(folder.file(), kUuid).error().kind, ErrorKind::Io); // Nothing is written over.
    QCOMPARE(bytesOf(boxFile(folder)), std::string("somebody's notes"));
}

void tst_BlackBox::aRunThatEndsLeavesNone()
{
    const Folder folder;
    const RunStarted begin = started();
    RunRecorder recorder(folder.file());
    recorder.onEvent(at(0, begin));
    QCOMPARE(boxesIn(folder), std::size_t(1));
    recorder.onEvent(at(1, SamplesTaken{samples(10)}));
    recorder.onEvent(at(5, RunFinished{finished(begin)}));
    QVERIFY(recorder.finish());
    QCOMPARE(boxesIn(folder), std::size_t(0));
}

void tst_BlackBox::aDatabaseThatIsNoneGetsNone()
{
    const Folder folder;
    writeFile(folder.file(), "this is no database, and nobody wants it changed");
    const RunStarted begin = started();
    RunRecorder recorder(folder.file());
    recorder.onEvent(at(0, begin));
    recorder.onEvent(at(5, RunFinished{finished(begin)}));
    QVERIFY(!recorder.finish());
    QCOMPARE(boxesIn(folder), std::size_t(0));
}

QTEST_GUILESS_MAIN(tst_BlackBox)
#include "tst_BlackBox.moc"
