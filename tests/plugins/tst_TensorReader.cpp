#include "core/checkpoint/MappedFaultGuard.h"
#include "core/checkpoint/TensorReader.h"

#include <QtTest>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <numeric>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace loadlab;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

using Open = Result<std::unique_ptr<TensorReader>> (*)(const fs::path&);

std::byte byteAt(std::uint64_t offset)
{
    return static_cast<std::byte>((offset * 31 + offset / 4096) & 0xff);
}

void writeFile(const fs::path& file, std::uint64_t bytes)
{
    std::vector<char> content(bytes);
    for (std::uint64_t i = 0; i < bytes; ++i)
        content[i] = static_cast<char>(byteAt(i));
    std::ofstream(file, std::ios::binary).write(content.data(), static_cast<std::streamsize>(bytes));
}

/// Resident file pages of this process, from /proc/self/status.
std::uint64_t rssFileBytes()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind("RssFile:", 0) == 0)
            return std::stoull(line.substr(8)) * 1024;
    return 0;
}

} // namespace

class TestTensorReader : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Before the first guard: what is not the guard's goes to the kernel's default, not to QtTest's crash report.
    void initTestCase() { std::signal(SIGBUS, SIG_DFL); }
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }

    void readsTheSameBytesEitherWay_data() { addReaders(); }
    void readsTheSameBytesEitherWay();
    void viewsWithoutCopying();
    void refusesRangesOutsideTheFile_data() { addReaders(); }
    void refusesRangesOutsideTheFile();
    void refusesWhatIsNoRegularFile_data() { addReaders(); }
    void refusesWhatIsNoRegularFile();
    void opensNamesThatAreNotUtf8_data() { addReaders(); }
    void opensNamesThatAreNotUtf8();
    void takesAnEmptyFile_data() { addReaders(); }
    void takesAnEmptyFile();
    void releasedPagesLeaveTheResidentSet();
    void saysThatTheFileShrank_data() { addReaders(); }
    void saysThatTheFileShrank();
    void viewsOfAShrunkFileReadAsZeros();
    void manyThreadsMayMeetTheEnd();
    void touchingAShrunkFileIsAnError();
    void otherBusErrorsStillEndTheProcess();
    void forgetsClosedMappings();

private:
    void addReaders()
    {
        QTest::addColumn<bool>("mapped");
        QTest::newRow("mapped") << true;
        QTest::newRow("read") << false;
    }
    static Open opener(bool mapped) { return mapped ? openMappedReader : openReadingReader; }
    [[nodiscard]] fs::path file(const char* name = "weights") const
    {
        return fs::path(m_folder->path().toStdString()) / name;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
};

void TestTensorReader::readsTheSameBytesEitherWay()
{
    QFETCH(bool, mapped);
    writeFile(file(), 3 * kMiB + 17);
    const auto reader = opener(mapped)(file());
    QVERIFY2(reader.has_value(), reader ? "" : reader.error().message.c_str());
    QCOMPARE((*reader)->fileBytes(), 3 * kMiB + 17);
    std::vector<std::byte> bytes(kMiB + 3);
    QVERIFY((*reader)->read(kMiB - 1, bytes).has_value());
    for (std::size_t i = 0; i < bytes.size(); ++i)
        if (bytes[i] != byteAt(kMiB - 1 + i))
            QFAIL(qPrintable(QString("byte %1 differs").arg(i)));
    QVERIFY((*reader)->check().has_value());
}

void TestTensorReader::viewsWithoutCopying()
{
    writeFile(file(), kMiB);
    const auto mapped = openMappedReader(file());
    const auto view = (*mapped)->view(5, 100);
    QCOMPARE(view.size(), std::size_t{100});
    QCOMPARE(view[7], byteAt(12));
    QVERIFY((*mapped)->view(5, 100).data() == view.data());
    const auto reading = openReadingReader(file());
    QVERIFY((*reading)->view(5, 100).empty());
}

void TestTensorReader::refusesRangesOutsideTheFile()
{
    QFETCH(bool, mapped);
    writeFile(file(), 1000);
    const auto reader = opener(mapped)(file());
    std::vector<std::byte> bytes(10);
    const auto outcome = (*reader)->read(995, bytes);
    QVERIFY(!outcome);
    QVERIFY2(outcome.error().message.find("has 1000 bytes, too few for 10 bytes at 995") != std::string::npos,
        outcome.error().message.c_str());
    QVERIFY(!(*reader)->read(UINT64_MAX, bytes));
    QVERIFY((*reader)->view(UINT64_MAX - 2, 10).empty());
    QVERIFY((*reader)->view(995, 10).empty());
}

void TestTensorReader::refusesWhatIsNoRegularFile()
{
    QFETCH(bool, mapped);
    QCOMPARE(::mkfifo(file("fifo").c_str(), 0600), 0);
    for (const fs::path& path : {file("fifo"), fs::path("/dev/zero"), fs::path(m_folder->path().toStdString())}) {
        const auto reader = opener(mapped)(path);
        QVERIFY(!reader);
        QCOMPARE(reader.error().kind, ErrorKind::Invalid);
    }
    const auto absent = opener(mapped)(file("absent"));
    QVERIFY(!absent);
    QCOMPARE(absent.error().kind, ErrorKind::NotFound);
}

void TestTensorReader::opensNamesThatAreNotUtf8()
{
    QFETCH(bool, mapped);
    const fs::path odd = file("gewichte-\xff\xfe.bin");
    writeFile(odd, 10);
    QVERIFY(opener(mapped)(odd).has_value());
    fs::remove(odd); // QTemporaryDir cannot.
    const auto absent = opener(mapped)(file("weg-\xff"));
    QVERIFY(!absent);
    QVERIFY(QString::fromStdString(absent.error().message).contains(QChar(0xfffd)));
}

void TestTensorReader::takesAnEmptyFile()
{
    QFETCH(bool, mapped);
    writeFile(file(), 0);
    const auto reader = opener(mapped)(file());
    QVERIFY(reader.has_value());
    QCOMPARE((*reader)->fileBytes(), std::uint64_t{0});
    QVERIFY((*reader)->read(0, {}).has_value());
    QVERIFY((*reader)->touch(0, 0).has_value());
    QVERIFY((*reader)->check().has_value());
}

void TestTensorReader::releasedPagesLeaveTheResidentSet()
{
    constexpr std::uint64_t bytes = 32 * kMiB;
    writeFile(file(), bytes);
    const auto reader = openMappedReader(file());
    const std::uint64_t before = rssFileBytes();
    QVERIFY((*reader)->touch(0, bytes).has_value());
    QVERIFY(rssFileBytes() >= before + bytes - kMiB);
    (*reader)->release(0, bytes);
    QVERIFY(rssFileBytes() <= before + kMiB);
    QCOMPARE((*reader)->view(0, bytes)[12345], byteAt(12345));
}

void TestTensorReader::saysThatTheFileShrank()
{
    QFETCH(bool, mapped);
    writeFile(file(), 2 * kMiB);
    const auto reader = opener(mapped)(file());
    QCOMPARE(::truncate(file().c_str(), 5000), 0);
    std::vector<std::byte> bytes(kMiB);
    // Beyond the new end, across it, and no read at all: always the length that the file has now.
    for (const auto& outcome : {(*reader)->check(), (*reader)->read(kMiB, bytes), (*reader)->read(100, bytes)}) {
        QVERIFY(!outcome);
        QCOMPARE(outcome.error().kind, ErrorKind::Invalid);
        QVERIFY2(outcome.error().message.find("shrank while it was read") != std::string::npos,
            outcome.error().message.c_str());
        QVERIFY2(outcome.error().message.find("5000 bytes now, 2097152") != std::string::npos,
            outcome.error().message.c_str());
    }
}

void TestTensorReader::viewsOfAShrunkFileReadAsZeros()
{
    writeFile(file(), 2 * kMiB);
    const auto reader = openMappedReader(file());
    const auto view = (*reader)->view(0, 2 * kMiB);
    QCOMPARE(view[100], byteAt(100));
    QCOMPARE(::truncate(file().c_str(), 8192), 0);
    QCOMPARE(view[kMiB], std::byte{0});
    QCOMPARE(view[100], byteAt(100)); // What is left of the file is still there.
    // Grown again, the bytes are back in the file but not in the view: the fault is not forgotten.
    QCOMPARE(::truncate(file().c_str(), static_cast<off_t>(2 * kMiB)), 0);
    const auto outcome = (*reader)->check();
    QVERIFY(!outcome);
    QCOMPARE(outcome.error().kind, ErrorKind::Io);
}

void TestTensorReader::manyThreadsMayMeetTheEnd()
{
    constexpr std::uint64_t bytes = 8 * kMiB;
    writeFile(file(), bytes);
    const auto reader = openMappedReader(file());
    const auto view = (*reader)->view(0, bytes);
    QCOMPARE(::truncate(file().c_str(), 4096), 0);
    std::atomic<std::uint64_t> sum{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, i] {
            for (std::uint64_t at = 8192 + static_cast<std::uint64_t>(i); at < bytes; at += 1024)
                sum += static_cast<std::uint64_t>(view[at]);
        });
    for (std::thread& thread : threads)
        thread.join();
    QCOMPARE(sum.load(), std::uint64_t{0});
    QVERIFY(!(*reader)->check());
}

void TestTensorReader::touchingAShrunkFileIsAnError()
{
    writeFile(file(), 4 * kMiB);
    const auto reader = openMappedReader(file());
    QVERIFY((*reader)->touch(0, 4 * kMiB).has_value());
    QCOMPARE(::truncate(file().c_str(), static_cast<off_t>(kMiB)), 0);
    QVERIFY((*reader)->touch(0, kMiB / 2).has_value());
    const auto outcome = (*reader)->touch(2 * kMiB, kMiB);
    QVERIFY(!outcome);
    QCOMPARE(outcome.error().kind, ErrorKind::Invalid);
}

void TestTensorReader::otherBusErrorsStillEndTheProcess()
{
    writeFile(file(), kMiB);
    const auto reader = openMappedReader(file("weights")); // Installs the handler.
    writeFile(file("other"), kMiB);
    const pid_t child = ::fork();
    if (child == 0) {
        const int fd = ::open(file("other").c_str(), O_RDWR);
        volatile char* bytes = static_cast<char*>(::mmap(nullptr, kMiB, PROT_READ, MAP_SHARED, fd, 0));
        if (::ftruncate(fd, 0) == 0)
            ::_exit(bytes[5000]);
        ::_exit(1);
    }
    int status = 0;
    QCOMPARE(::waitpid(child, &status, 0), child);
    QVERIFY(WIFSIGNALED(status) || WEXITSTATUS(status) != 1); // Sanitizers turn the signal into an exit of their own.
    if (WIFSIGNALED(status))
        QVERIFY(WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGABRT);
}

void TestTensorReader::forgetsClosedMappings()
{
    writeFile(file(), 8192);
    for (int i = 0; i < 3 * MappedFaultGuard::kMaxGuards; ++i) {
        const auto reader = openMappedReader(file());
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().message.c_str());
    }
}

QTEST_APPLESS_MAIN(TestTensorReader)
#include "tst_TensorReader.moc"
