#include "core/telemetry/OpenFiles.h"
#include "core/telemetry/Pace.h"
#include "core/telemetry/Whereabouts.h"
#include "tests/core/MemoryClient.h"

#include <QTemporaryDir>
#include <QtTest>

#include <array>
#include <csignal>
#include <dlfcn.h>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loadlab;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

/// A second of samples, ten of them; every column grows by so much a second.
struct Second {
    double read = 0;
    double tree = 0;
    double cpuS = 0;
    double swappedIn = 0;
    std::int64_t swap = 0;
    const char* line = ""; ///< Printed ten times in it.
    double faults = 0; ///< Major ones.
    double written = 0;
};

Pace after(const std::vector<Second>& seconds)
{
    PaceWatch watch(std::chrono::seconds(2));
    std::array<double, 6> sums{};
    std::int64_t ns = 1'000'000'000;
    for (const auto& second : seconds)
        for (int i = 0; i < 10; ++i) {
            Sample sample;
            sample.monotonicNs = ns += 100'000'000;
            sample[Column::ReadBytes] = static_cast<std::int64_t>(sums[0] += second.read / 10);
            sample[Column::TreeBytes] = static_cast<std::int64_t>(sums[1] += second.tree / 10);
            sample[Column::CpuNs] = static_cast<std::int64_t>(sums[2] += second.cpuS * 1e8);
            sample[Column::SystemSwapInBytes] = static_cast<std::int64_t>(sums[3] += second.swappedIn / 10);
            sample[Column::MajorFaults] = static_cast<std::int64_t>(sums[4] += second.faults / 10);
            sample[Column::SwapBytes] = second.swap;
            watch.output(second.line);
            watch.use({static_cast<std::uint64_t>(sums[5] += second.written / 10), 0});
            watch.sample(sample);
        }
    return watch.pace();
}

bool nearly(double a, double b)
{
    return std::abs(a - b) <= 0.02 * std::abs(b);
}

/// Of a file that is mapped: where it begins, how long it is, what of that is touched.
using Part = std::array<std::int64_t, 3>;

/// A process that inherits what is open and mapped here, and goes on with it when it is told.
class Forked {
public:
    template <typename Work> explicit Forked(Work&& work)
    {
        if (::pipe(m_go.data()) != 0 || ::pipe(m_done.data()) != 0)
            qFatal("no pipes");
        m_pid[0] = ::fork();
        if (m_pid[0] != 0)
            return;
        char turn = 0;
        while (::read(m_go[0], &turn, 1) == 1) {
            work();
            static_cast<void>(::write(m_done[1], &turn, 1) == 1);
        }
        ::_exit(0);
    }
    ~Forked()
    {
        ::kill(m_pid[0], SIGKILL);
        ::waitpid(m_pid[0], nullptr, 0);
        for (const int fd : {m_go[0], m_go[1], m_done[0], m_done[1]})
            ::close(fd);
    }
    Forked(const Forked&) = delete;
    Forked& operator=(const Forked&) = delete;
    /// Returns when it has done so.
    void go() const
    {
        char turn = 0;
        if (::write(m_go[1], &turn, 1) != 1 || ::read(m_done[0], &turn, 1) != 1)
            qFatal("no answer");
    }
    [[nodiscard]] std::span<const pid_t> processes() const { return m_pid; }

private:
    std::array<int, 2> m_go{};
    std::array<int, 2> m_done{};
    std::array<pid_t, 1> m_pid{};
};

} // namespace

class tst_Whereabouts : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_path = fs::canonical(m_folder->path().toStdString());
    }

    void aFileThatIsReadTellsItsPosition()
    {
        const auto file = makeFile("model-00002-of-00004.safetensors", 4 * kMiB);
        const auto other = makeFile("model-00001-of-00004.safetensors", kMiB);
        const int fd = ::open(file.c_str(), O_RDONLY);
        const int done = ::open(other.c_str(), O_RDONLY);
        ::lseek(fd, kMiB, SEEK_SET);
        ::lseek(done, 0, SEEK_END);
        const auto here = findWhereabouts(self(), m_path);
        ::close(fd);
        ::close(done);
        QVERIFY(here);
        QCOMPARE(here->file, file);
        QCOMPARE(here->atBytes, std::uint64_t(kMiB));
        QCOMPARE(here->sizeBytes, std::uint64_t(4 * kMiB));
        QCOMPARE(
            toWords(*here), std::string("at model-00002-of-00004.safetensors, at byte 1,048,576 of 4,194,304 (25 %)"));
        QVERIFY(!findWhereabouts(self(), m_path));
    }

    void aFileThatIsMappedTellsWhatIsResident()
    {
        const auto file = makeFile("model.safetensors", 4 * kMiB);
        const int fd = ::open(file.c_str(), O_RDONLY);
        auto* data = static_cast<char*>(::mmap(nullptr, 4 * kMiB, PROT_READ, MAP_PRIVATE, fd, 0));
        ::close(fd);
        ::madvise(data, 4 * kMiB, MADV_RANDOM);
        volatile char sink = 0;
        for (std::int64_t at = 0; at < kMiB; at += 4096)
            sink = data[at];
        static_cast<void>(sink);
        const auto here = findWhereabouts(self(), m_path);
        ::munmap(data, 4 * kMiB);
        QVERIFY(here);
        QVERIFY(here->by == Whereabouts::By::Mapping);
        QCOMPARE(here->file, file);
        QVERIFY(here->atBytes >= std::uint64_t(kMiB) && here->atBytes <= here->sizeBytes);
    }

    void withoutAFolderAMappingThatLooksLikeALoadCounts()
    {
        const std::vector<fs::path> files{makeFile("model-00001-of-00003.safetensors", 2 * kMiB),
            makeFile("model-00002-of-00003.safetensors", 8 * kMiB), makeFile("vocabulary.json", kMiB / 2),
            makeFile("zz-code.so", 2 * kMiB), makeFile("zz-state.db", 2 * kMiB)};
        const std::vector<std::int64_t> touched{2 * kMiB, kMiB / 2, kMiB / 4, kMiB / 4, kMiB / 4};
        std::vector<void*> mappings;
        for (std::size_t i = 0; i < files.size(); ++i)
            mappings.push_back(mapped(files[i], touched[i], i == 3 ? PROT_READ | PROT_EXEC : PROT_READ, i == 4));
        const auto here = findWhereabouts(self(), {});
        ::munmap(mappings[1], 8 * kMiB);
        const auto whole = findWhereabouts(self(), {});
        ::munmap(mappings[0], 2 * kMiB);
        const auto none = findWhereabouts(self(), {});
        for (std::size_t i = 2; i < files.size(); ++i)
            ::munmap(mappings[i], fs::file_size(files[i]));
        QVERIFY(here && here->by == Whereabouts::By::Mapping);
        QCOMPARE(here->file, files[1]);
        QVERIFY2(here->atBytes >= std::uint64_t(kMiB / 2) && here->atBytes < here->sizeBytes, toWords(*here).c_str());
        QVERIFY(whole && whole->file == files[0] && whole->atBytes == whole->sizeBytes);
        QVERIFY2(!none, none ? none->file.c_str() : "");
    }

    void theFileWhosePositionMovedIsTold()
    {
        // All are open with their headers read; the second one goes on.
        std::vector<int> descriptors;
        for (const char* name : {"model-00001.safetensors", "model-00002.safetensors", "model-00003.safetensors"}) {
            descriptors.push_back(::open(makeFile(name, kMiB).c_str(), O_RDONLY));
            ::lseek(descriptors.back(), 4096, SEEK_SET);
        }
        const Forked reader([&descriptors] { ::lseek(descriptors[1], 8192, SEEK_SET); });
        FileTrail trail(m_path);
        trail.look(reader.processes());
        const auto first = trail.find(reader.processes());
        reader.go();
        trail.look(reader.processes());
        const auto moved = trail.find(reader.processes()); // Stands still since.
        std::ranges::for_each(descriptors, [](int fd) { ::close(fd); });
        QVERIFY(first);
        QVERIFY2(toWords(*first).starts_with("pid " + std::to_string(reader.processes()[0])
                     + " has model-00003.safetensors (1.00 MiB) and 2 other files open, "),
            toWords(*first).c_str()); // Any of them may be read on by pread().
        QVERIFY(moved);
        QCOMPARE(moved->file.filename().string(), std::string("model-00002.safetensors"));
        QCOMPARE(moved->atBytes, std::uint64_t(8192));
    }

    void aPositionThatStandsWhileMoreIsReadIsNoPlace()
    {
        // All headers by read(), then the second file by pread().
        std::vector<int> descriptors;
        for (const char* name : {"model-00001.safetensors", "model-00002.safetensors", "model-00003.safetensors"}) {
            descriptors.push_back(::open(makeFile(name, kMiB).c_str(), O_RDONLY));
            ::lseek(descriptors.back(), 4096, SEEK_SET);
        }
        std::vector<char> buffer(kMiB);
        const Forked reader([&] { static_cast<void>(::pread(descriptors[1], buffer.data(), kMiB / 2, 4096)); });
        FileTrail trail(m_path);
        trail.look(reader.processes());
        reader.go();
        trail.look(reader.processes());
        const auto here = trail.find(reader.processes());
        std::ranges::for_each(descriptors, [](int fd) { ::close(fd); });
        QVERIFY(here);
        QVERIFY2(here->by == Whereabouts::By::Open && here->others == 2, toWords(*here).c_str());
    }

    void aPositionThatStandsWhileAChildReadsIsNoPlace_data()
    {
        QTest::addColumn<bool>("isSeenToMove"); // The header is read between two looks, else before the first.
        QTest::addColumn<bool>("readsAtOnce"); // The child, between the same two.
        QTest::newRow("seen from the first") << true << false;
        QTest::newRow("all within two looks") << true << true;
        QTest::newRow("known before the first") << false << false;
        QTest::newRow("all before the first") << false << true;
    }

    void aPositionThatStandsWhileAChildReadsIsNoPlace()
    {
        QFETCH(bool, isSeenToMove);
        QFETCH(bool, readsAtOnce);
        const int header = ::open(makeFile("model-00001.safetensors", kMiB).c_str(), O_RDONLY);
        const auto file = makeFile("model-00002.safetensors", kMiB);
        std::vector<char> buffer(kMiB);
        const Forked parent([&] { static_cast<void>(::read(header, buffer.data(), 4096)); });
        const Forked child([&] { // Has the header's file open as well.
            const int fd = ::open(file.c_str(), O_RDONLY);
            static_cast<void>(::pread(fd, buffer.data(), kMiB / 2, 4096));
        });
        const std::array<pid_t, 2> tree{parent.processes()[0], child.processes()[0]};
        FileTrail trail(m_path);
        if (isSeenToMove)
            trail.look(tree);
        parent.go();
        if (!readsAtOnce)
            trail.look(tree);
        child.go();
        trail.look(tree);
        const auto here = trail.find(tree);
        ::close(header);
        QVERIFY(here);
        QVERIFY2(toWords(*here).starts_with("pid " + std::to_string(tree[1])
                     + " has model-00002.safetensors (1.00 MiB) and 1 other file open, "),
            toWords(*here).c_str());
    }

    void aPositionThatMovesAgainIsAPlaceAgain()
    {
        const int shard = ::open(makeFile("model-00001.safetensors", kMiB).c_str(), O_RDONLY);
        const auto file = makeFile("model-00002.safetensors", kMiB);
        std::vector<char> buffer(kMiB);
        const Forked parent([&] { static_cast<void>(::read(shard, buffer.data(), 4096)); });
        const Forked child([&] {
            const int fd = ::open(file.c_str(), O_RDONLY);
            static_cast<void>(::pread(fd, buffer.data(), kMiB / 2, 4096));
        });
        const std::array<pid_t, 2> tree{parent.processes()[0], child.processes()[0]};
        FileTrail trail(m_path);
        trail.look(tree);
        parent.go();
        trail.look(tree);
        child.go();
        trail.look(tree);
        trail.look(tree);
        parent.go();
        trail.look(tree);
        const auto here = trail.find(tree);
        ::close(shard);
        QVERIFY(here);
        QVERIFY2(here->by == Whereabouts::By::Position && here->atBytes == 8192, toWords(*here).c_str());
    }

    void whoReadsFromAPipeDoubtsNoPosition()
    {
        std::array<int, 2> pipe{};
        QVERIFY(::pipe(pipe.data()) == 0);
        const int shard = ::open(makeFile("model-00001.safetensors", 4 * kMiB).c_str(), O_RDONLY);
        const int other = ::open(makeFile("model-00002.safetensors", kMiB).c_str(), O_RDONLY); // Of both.
        std::vector<char> buffer(kMiB);
        const Forked reader([&] {
            static_cast<void>(::read(shard, buffer.data(), 60000));
            static_cast<void>(::write(pipe[1], buffer.data(), 60000) == 60000);
        });
        ::close(shard);
        const Forked user([&] { static_cast<void>(::read(pipe[0], buffer.data(), 60000)); });
        const std::array<pid_t, 2> tree{reader.processes()[0], user.processes()[0]};
        FileTrail trail(m_path);
        trail.look(tree);
        for (int i = 0; i < 5; ++i) {
            reader.go();
            trail.look(tree);
            user.go();
        }
        const auto here = trail.find(tree);
        for (const int fd : {other, pipe[0], pipe[1]})
            ::close(fd);
        QVERIFY(here);
        QVERIFY2(here->by == Whereabouts::By::Position && here->atBytes == 300'000, toWords(*here).c_str());
    }

    void aFileThatIsOpenTwiceStandsAtBothPositions()
    {
        std::vector<int> descriptors;
        const auto twice = makeFile("model-00002.safetensors", kMiB);
        for (const fs::path& file : {makeFile("model-00001.safetensors", kMiB), twice, twice}) {
            descriptors.push_back(::open(file.c_str(), O_RDONLY));
            ::lseek(descriptors.back(), 4096 * static_cast<off_t>(descriptors.size()), SEEK_SET);
        }
        const Forked reader([&descriptors] { ::lseek(descriptors[0], 16384, SEEK_SET); });
        FileTrail trail(m_path);
        trail.look(reader.processes());
        reader.go();
        trail.look(reader.processes());
        trail.look(reader.processes());
        const auto here = trail.find(reader.processes());
        std::ranges::for_each(descriptors, [](int fd) { ::close(fd); });
        QVERIFY(here);
        QCOMPARE(here->file.filename().string(), std::string("model-00001.safetensors"));
    }

    void headersReadBetweenTwoLooksTellNoPlace()
    {
        std::vector<int> descriptors;
        for (const char* name : {"model-00001.safetensors", "model-00002.safetensors"})
            descriptors.push_back(::open(makeFile(name, kMiB).c_str(), O_RDONLY));
        std::vector<char> buffer(kMiB);
        int turn = 0;
        const Forked reader([&] {
            const bool again = ++turn == 2;
            for (std::size_t i = 0; i < (again ? 1U : 2U); ++i)
                static_cast<void>(::read(descriptors[i], buffer.data(), 4096 << i));
            if (!again)
                static_cast<void>(::pread(descriptors[0], buffer.data(), kMiB / 2, 4096));
        });
        FileTrail trail(m_path);
        trail.look(reader.processes());
        reader.go();
        trail.look(reader.processes());
        const auto doubtful = trail.find(reader.processes()); // A look that sees nothing move.
        reader.go();
        const auto moved = trail.find(reader.processes());
        std::ranges::for_each(descriptors, [](int fd) { ::close(fd); });
        QVERIFY(doubtful);
        QVERIFY2(doubtful->by == Whereabouts::By::Open && doubtful->others == 1, toWords(*doubtful).c_str());
        QVERIFY(moved && moved->file.filename() == "model-00001.safetensors");
        QVERIFY2(moved->by == Whereabouts::By::Position && moved->atBytes == 8192, toWords(*moved).c_str());
    }

    void aFileThatIsOpenedAgainBeginsAnew()
    {
        const auto again = makeFile("model-00001.safetensors", kMiB);
        const auto other = makeFile("model-00002.safetensors", kMiB);
        std::array<char, 4096> buffer{};
        int first = -1;
        int turn = 0;
        const Forked reader([&] { // Reads the first file's header, then the second one's, and the first one's anew.
            const bool isOther = ++turn == 2;
            const int fd = ::open((isOther ? other : again).c_str(), O_RDONLY);
            static_cast<void>(::read(fd, buffer.data(), buffer.size()));
            if (isOther)
                ::close(first); // The first one gets its number again.
            first = fd;
        });
        FileTrail trail(m_path);
        trail.look(reader.processes());
        for (int i = 0; i < 3; ++i) {
            reader.go();
            trail.look(reader.processes());
        }
        const auto here = trail.find(reader.processes());
        QVERIFY(here);
        QVERIFY2(here->by == Whereabouts::By::Position && here->file == again, toWords(*here).c_str());
    }

    void whatAnEndedChildReadIsInThePosition()
    {
        const int fd = ::open(makeFile("model.safetensors", kMiB).c_str(), O_RDONLY);
        std::vector<char> buffer(kMiB / 2);
        pid_t child = 0;
        const Forked shell([&] {
            siginfo_t ended{};
            if (child > 0) { // Now its reads are the shell's.
                ::waitpid(child, nullptr, 0);
            } else if (child = ::fork(); child == 0) {
                ::_exit(::read(fd, buffer.data(), buffer.size()) > 0 ? 0 : 1);
            } else {
                ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
            }
        });
        FileTrail trail(m_path);
        trail.look(shell.processes());
        shell.go();
        trail.look(shell.processes());
        shell.go();
        trail.look(shell.processes());
        const auto here = trail.find(shell.processes());
        ::close(fd);
        QVERIFY(here);
        QVERIFY2(
            here->by == Whereabouts::By::Position && here->atBytes == std::uint64_t(kMiB / 2), toWords(*here).c_str());
    }

    void aFileThatIsReadWithItsOwnPositionsIsToldAsOpen()
    {
        std::array<int, 2> descriptors{};
        for (std::size_t i = 0; i < 2; ++i)
            descriptors[i]
                = ::open(makeFile(i ? "model-2.safetensors" : "model-1.safetensors", kMiB).c_str(), O_RDONLY);
        std::vector<char> buffer(kMiB);
        QCOMPARE(::pread(descriptors[1], buffer.data(), buffer.size(), 0), ssize_t(kMiB));
        FileTrail trail(m_path);
        const auto both = trail.find(self());
        ::close(descriptors[0]);
        ::lseek(descriptors[1], 0, SEEK_END);
        const auto atEnd = trail.find(self());
        ::close(descriptors[1]);
        const auto between = trail.find(self());
        QVERIFY(both && both->by == Whereabouts::By::Open && both->others == 1);
        QVERIFY(both->readBytes >= std::uint64_t(kMiB));
        const std::string words = toWords(*both);
        QVERIFY2(words.starts_with("pid " + std::to_string(::getpid())
                     + " has model-2.safetensors (1.00 MiB) and 1 other file open, "),
            words.c_str());
        QVERIFY2(words.ends_with(" read so far"), words.c_str());
        QVERIFY(atEnd && atEnd->by == Whereabouts::By::Open && atEnd->others == 0);
        QVERIFY(between && between->by == Whereabouts::By::WasOpen);
        QVERIFY2(
            toWords(*between).starts_with("model-2.safetensors (1.00 MiB) was open last, "), toWords(*between).c_str());
    }

    void whatWasReadSinceAFileWasOpenCounts()
    {
        const auto file = makeFile("model.safetensors", 4 * kMiB);
        std::vector<char> buffer(4 * kMiB);
        int fd = -1;
        const Forked reader([&] {
            const bool isFirst = fd < 0;
            if (isFirst)
                fd = ::open(file.c_str(), O_RDONLY);
            static_cast<void>(::read(fd, buffer.data(), isFirst ? 4096 : buffer.size()));
            if (!isFirst)
                ::close(fd);
        });
        FileTrail trail(m_path);
        reader.go();
        trail.look(reader.processes());
        reader.go();
        const auto after = trail.find(reader.processes());
        const auto ended = trail.find({}); // Nobody can be asked any more.
        QVERIFY(after && after->by == Whereabouts::By::WasOpen);
        QVERIFY2(after->readBytes >= std::uint64_t(4 * kMiB), toWords(*after).c_str());
        QVERIFY(ended && ended->by == Whereabouts::By::WasOpen);
        QVERIFY(ended->readBytes == after->readBytes);
    }

    void theMappedFileThatGrewIsTold()
    {
        // The third one is opened with its header read, but the second one is what is read.
        std::vector<volatile const char*> files;
        for (const char* name : {"model-00001.safetensors", "model-00002.safetensors", "model-00003.safetensors"})
            files.push_back(
                static_cast<volatile const char*>(mapped(makeFile(name, 2 * kMiB), 4096, PROT_READ, false)));
        const int header = ::open((m_path / "model-00003.safetensors").c_str(), O_RDONLY);
        ::lseek(header, 4096, SEEK_SET);
        const Forked reader([&files] {
            for (std::int64_t at = 0; at < kMiB; at += 4096)
                static_cast<void>(files[1][at]);
        });
        FileTrail trail(m_path);
        trail.look(reader.processes());
        reader.go();
        trail.look(reader.processes());
        const auto grown = trail.find(reader.processes());
        ::close(header);
        for (volatile const char* data : files)
            ::munmap(const_cast<char*>(data), 2 * kMiB);
        QVERIFY(grown && grown->by == Whereabouts::By::Mapping);
        QCOMPARE(grown->file.filename().string(), std::string("model-00002.safetensors"));
        QVERIFY2(grown->atBytes >= std::uint64_t(kMiB), toWords(*grown).c_str());
    }

    void aMappingThatIsDroppedAgainDoubtsAPosition_data()
    {
        QTest::addColumn<int>("bytes"); // Of the first file, at its position.
        QTest::addColumn<bool>("isRead"); // The second one, through the mapping.
        QTest::addColumn<bool>("isDoubtful");
        QTest::newRow("a header") << 4096 << true << true;
        QTest::newRow("much of it") << int(kMiB) << true << true;
        QTest::newRow("much of it, and the other only mapped") << int(kMiB) << false << false;
    }

    void aMappingThatIsDroppedAgainDoubtsAPosition()
    {
        QFETCH(int, bytes);
        QFETCH(bool, isRead);
        QFETCH(bool, isDoubtful);
        const int fd = ::open(makeFile("model-00001.safetensors", 8 * kMiB).c_str(), O_RDONLY);
        auto* data = static_cast<char*>(mapped(makeFile("model-00002.safetensors", 8 * kMiB), 0, PROT_READ, false));
        std::vector<char> buffer(kMiB);
        int turn = 0;
        const Forked reader([&] {
            if (++turn == 1)
                static_cast<void>(::read(fd, buffer.data(), static_cast<std::size_t>(bytes)));
            for (std::int64_t at = 0; isRead && turn > 1 && at < 8 * kMiB; at += 4096)
                static_cast<void>(*static_cast<volatile const char*>(data + at));
            ::madvise(data, 8 * kMiB, MADV_DONTNEED);
        });
        FileTrail trail(m_path);
        trail.look(reader.processes());
        for (int i = 0; i < 2; ++i) {
            reader.go();
            trail.look(reader.processes());
        }
        const auto here = trail.find(reader.processes());
        ::munmap(data, 8 * kMiB);
        ::close(fd);
        QVERIFY(here);
        const std::string words = isDoubtful ? "pid " + std::to_string(reader.processes()[0])
                + " has model-00002.safetensors (8.00 MiB) and 1 other file open, "
                                             : "at model-00001.safetensors, at byte 1,048,576 of ";
        QVERIFY2(toWords(*here).starts_with(words), toWords(*here).c_str());
    }

    void aFileMappedInPartsCountsWithAll()
    {
        const auto file = makeFile("model.safetensors", 4 * kMiB);
        std::vector<void*> parts;
        for (int i = 0; i < 4; ++i)
            parts.push_back(mapped(file, kMiB / 2, PROT_READ, false, i * kMiB, kMiB));
        parts.push_back(mapped(file, kMiB / 2, PROT_READ, false, 0, kMiB)); // The first part again.
        const auto here = findWhereabouts(self(), m_path);
        for (void* data : parts)
            ::munmap(data, kMiB);
        QVERIFY(here && here->by == Whereabouts::By::Mapping);
        QVERIFY2(here->atBytes >= std::uint64_t(2 * kMiB) && here->atBytes <= here->sizeBytes, toWords(*here).c_str());
    }

    void whatIsMappedTwiceCountsOnce_data()
    {
        using Parts = QList<Part>;
        QTest::addColumn<Parts>("parts");
        QTest::addColumn<qint64>("inMemory");
        const Part whole{0, 8 * kMiB, 2 * kMiB};
        QTest::newRow("the whole file") << Parts{whole, whole} << qint64(2 * kMiB);
        QTest::newRow("a part again") << Parts{{0, kMiB, kMiB}, whole} << qint64(2 * kMiB);
        QTest::newRow("a part again, and one behind it")
            << Parts{{0, 4 * kMiB, 2 * kMiB}, {0, 4 * kMiB, 2 * kMiB}, {4 * kMiB, kMiB, kMiB}} << qint64(3 * kMiB);
        QTest::newRow("a page of two neighbours") << Parts{{0, kMiB + 4096, kMiB + 4096}, {kMiB, kMiB, kMiB},
            {2 * kMiB - 4096, kMiB, kMiB}} << qint64(3 * kMiB - 4096);
    }

    void whatIsMappedTwiceCountsOnce()
    {
        QFETCH(QList<Part>, parts);
        QFETCH(qint64, inMemory);
        const auto file = makeFile("model.safetensors", 8 * kMiB);
        std::vector<void*> mappings;
        for (const auto& [from, length, touched] : parts)
            mappings.push_back(mapped(file, touched, PROT_READ, false, from, length));
        const auto here = findWhereabouts(self(), m_path);
        for (qsizetype i = 0; i < parts.size(); ++i)
            ::munmap(mappings[std::size_t(i)], std::size_t(parts[i][1]));
        QVERIFY(here && here->by == Whereabouts::By::Mapping);
        const auto least = static_cast<std::uint64_t>(inMemory); // A fault maps what is around it as well.
        QVERIFY2(here->atBytes >= least && here->atBytes < least + kMiB / 4, toWords(*here).c_str());
    }

    void aHubCacheIsReadThroughItsLinks()
    {
        fs::create_directories(m_path / "blobs");
        fs::create_directories(m_path / "snapshots/one");
        const auto blob = makeFile("blobs/0123abcd", 2 * kMiB);
        fs::create_symlink(blob, m_path / "snapshots/one/model.safetensors");
        const int fd = ::open((m_path / "snapshots/one/model.safetensors").c_str(), O_RDONLY);
        ::lseek(fd, 4096, SEEK_SET);
        const auto here = findWhereabouts(self(), m_path / "snapshots/one");
        ::close(fd);
        QVERIFY(here);
        QCOMPARE(here->file, blob);
    }

    void otherFilesAreNobodysBusiness()
    {
        fs::create_directories(m_path / "model");
        const auto beside = makeFile("model-beside.bin", kMiB);
        const int fd = ::open(beside.c_str(), O_RDONLY);
        ::lseek(fd, 4096, SEEK_SET);
        const auto here = findWhereabouts(self(), m_path / "model");
        const auto anywhere = findWhereabouts(self(), {});
        ::close(fd);
        QVERIFY(!here);
        QVERIFY(anywhere && anywhere->file == beside); // A program without a checkpoint reads what it likes.
        QVERIFY(!findWhereabouts(self(), {}));
        QVERIFY(!findWhereabouts(std::array<pid_t, 1>{0x7ffffff0}, m_path));
    }

    void anOpenLibraryOfTheSystemIsNoLoad()
    {
        Dl_info library{};
        QVERIFY(::dladdr(reinterpret_cast<const void*>(&::getpid), &library) != 0);
        const fs::path file = fs::canonical(library.dli_fname);
        if (!file.native().starts_with("/usr/lib") || fs::file_size(file) < kMiB)
            QSKIP("No large library of the system is loaded here.");
        int fd = -1;
        const Forked linker([&] {
            if (fd >= 0)
                ::close(fd);
            else if (fd = ::open(file.c_str(), O_RDONLY); ::lseek(fd, 4096, SEEK_SET) != 4096)
                ::_exit(1);
        });
        linker.go();
        FileTrail trail{fs::path()};
        trail.look(linker.processes());
        const auto asked = findWhereabouts(linker.processes(), file); // Who says what is loaded knows better.
        linker.go();
        const auto last = trail.find(linker.processes());
        QVERIFY2(!last, last ? toWords(*last).c_str() : "");
        QVERIFY(asked && asked->file == file && asked->by == Whereabouts::By::Position);
    }

    void aFileThatIsOpenForWritingTooIsToldLast()
    {
        const auto file = makeFile("weights.npy", 4 * kMiB);
        const int fd = ::open(file.c_str(), O_RDWR);
        ::lseek(fd, kMiB, SEEK_SET);
        const auto inside = findWhereabouts(self(), {});
        const int other = ::open(makeFile("model.safetensors", 2 * kMiB).c_str(), O_RDONLY);
        ::lseek(other, 4096, SEEK_SET);
        const auto onlyRead = findWhereabouts(self(), {});
        ::close(other);
        ::lseek(fd, 0, SEEK_END); // As numpy.memmap does, for the size.
        const auto atEnd = findWhereabouts(self(), {});
        void* data = mapped(file, kMiB, PROT_READ, true);
        const auto inMemory = findWhereabouts(self(), {});
        ::munmap(data, 4 * kMiB);
        ::lseek(fd, kMiB, SEEK_SET);
        FileTrail trail{fs::path()};
        trail.look(self());
        ::close(fd);
        const auto before = trail.find(self());
        QVERIFY(before && before->by == Whereabouts::By::WasOpen && before->file == file);
        QVERIFY(inside && inside->by == Whereabouts::By::Position);
        QVERIFY(inside->file == file && inside->atBytes == std::uint64_t(kMiB));
        QVERIFY(onlyRead && onlyRead->file.filename() == "model.safetensors");
        QVERIFY2(!atEnd, atEnd ? toWords(*atEnd).c_str() : "");
        QVERIFY(inMemory && inMemory->by == Whereabouts::By::Mapping);
        QVERIFY(inMemory->file == file && inMemory->atBytes >= std::uint64_t(kMiB));
    }

    void aMappedShardIsToldBeforeAFileThatMayBeWritten()
    {
        void* shard = mapped(makeFile("model.safetensors", 2 * kMiB), 0, PROT_READ, false);
        const int fd = ::open(makeFile("state.bin", 2 * kMiB).c_str(), O_RDWR);
        ::lseek(fd, 4096, SEEK_SET);
        const Forked process([&] {
            ::lseek(fd, 4096, SEEK_CUR);
            static_cast<void>(*static_cast<volatile const char*>(shard));
        });
        process.go();
        FileTrail trail{fs::path()};
        trail.look(process.processes());
        process.go();
        const auto here = trail.find(process.processes());
        ::close(fd);
        ::munmap(shard, 2 * kMiB);
        QVERIFY(here);
        QCOMPARE(here->file.filename().string(), std::string("model.safetensors"));
    }

    void whatMovedIsToldBeforeWhatIsOnlyOpen()
    {
        const int through = ::open(makeFile("tokenizer.json", 2 * kMiB).c_str(), O_RDONLY);
        ::lseek(through, 0, SEEK_END);
        const auto file = makeFile("weights.npy", 8 * kMiB);
        const int fd = ::open(file.c_str(), O_RDWR);
        std::vector<char> buffer(kMiB);
        const Forked reader([&] { static_cast<void>(::read(fd, buffer.data(), kMiB)); });
        FileTrail trail{fs::path()};
        trail.look(reader.processes());
        reader.go();
        trail.look(reader.processes());
        reader.go();
        const auto here = trail.find(reader.processes());
        ::close(fd);
        ::close(through);
        QVERIFY(here);
        QVERIFY2(here->file == file && here->atBytes == std::uint64_t(2 * kMiB), toWords(*here).c_str());
    }

    void whatIsWrittenIsNotToldAsRead_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<int>("append");
        QTest::addColumn<bool>("isWritten");
        QTest::newRow("a database by name") << QByteArray("state.db") << QByteArray() << 0 << false;
        QTest::newRow("a database by content")
            << QByteArray("state.bin") << QByteArray("SQLite format 3", 16) << 0 << false;
        QTest::newRow("another by content")
            << QByteArray("state.bin") << QByteArray(16, 0).append("\xde\xc0\xef\xbe") << 0 << false;
        for (const char* magic : {"13579acd", "13579ace", "13579acf", "13579ad0", "13579ad1"}) { // GDBM.
            const QByteArray bytes = QByteArray::fromHex(magic);
            QTest::newRow(magic) << QByteArray("cache") << bytes << 0 << false;
            QTest::addRow("%s, little-endian", magic)
                << QByteArray("cache") << QByteArray(std::string(bytes.rbegin(), bytes.rend()).c_str()) << 0 << false;
        }
        QTest::newRow("a log by name") << QByteArray("run.log.1") << QByteArray() << 0 << false;
        QTest::newRow("a log by its mode") << QByteArray("events.bin") << QByteArray() << O_APPEND << false;
        QTest::newRow("written meanwhile") << QByteArray("state.bin") << QByteArray() << 0 << true;
    }

    void whatIsWrittenIsNotToldAsRead()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, head);
        QFETCH(int, append);
        QFETCH(bool, isWritten);
        const auto file = makeFile(name.constData(), 2 * kMiB);
        const int fd = ::open(file.c_str(), O_RDWR | append);
        QCOMPARE(::pwrite(fd, head.data(), std::size_t(head.size()), 0), ssize_t(head.size()));
        const fs::file_time_type longAgo = fs::file_time_type::clock::now() - std::chrono::hours(1);
        fs::last_write_time(file, longAgo);
        ::lseek(fd, 4096, SEEK_SET);
        const auto* data = static_cast<volatile const char*>(append ? nullptr : mapped(file, 4096, PROT_READ, true));
        const Forked process([&] {
            ::lseek(fd, 4096, SEEK_CUR);
            for (std::int64_t at = 0; data && at < kMiB; at += 4096)
                static_cast<void>(data[at]);
            if (isWritten)
                static_cast<void>(::pwrite(fd, "y", 1, 2 * kMiB) == 1);
        });
        FileTrail trail{fs::path()};
        trail.look(process.processes());
        process.go();
        trail.look(process.processes());
        const auto told = trail.find(process.processes());
        fs::last_write_time(file, longAgo); // It is longer still.
        const auto again = trail.find(process.processes());
        if (data)
            ::munmap(const_cast<char*>(data), 2 * kMiB);
        ::close(fd);
        QVERIFY2(!told, told ? toWords(*told).c_str() : "");
        QVERIFY2(!again, again ? toWords(*again).c_str() : "");
    }

    void aCheckpointIsToldHoweverItIsOpened()
    {
        const auto file = makeFile("model.bin", 2 * kMiB);
        const int fd = ::open(file.c_str(), O_RDWR);
        ::lseek(fd, 4096, SEEK_SET);
        QCOMPARE(::pwrite(fd, "y", 1, 0), ssize_t(1));
        const auto here = findWhereabouts(self(), m_path);
        ::close(fd);
        QVERIFY(here && here->file == file);
    }

    void onlyAPositionThatGetsFurtherIsReading()
    {
        ReadPositions positions;
        positions.gotFurther(self()); // What the test's own program has open.
        const auto file = makeFile("small.json", 1000);
        const int fd = ::open(file.c_str(), O_RDONLY);
        std::array<char, 64> buffer{};
        QVERIFY(!positions.gotFurther(self()));
        QCOMPARE(::read(fd, buffer.data(), 10), ssize_t(10));
        QVERIFY(positions.gotFurther(self()));
        QVERIFY(!positions.gotFurther(self()));
        ::lseek(fd, 0, SEEK_SET); // The same again.
        QCOMPARE(::read(fd, buffer.data(), 9), ssize_t(9));
        QVERIFY(!positions.gotFurther(self()));
        QCOMPARE(::read(fd, buffer.data(), 2), ssize_t(2));
        QVERIFY(positions.gotFurther(self()));
        const int poll = ::open("/proc/self/stat", O_RDONLY);
        QVERIFY(::read(poll, buffer.data(), 10) == 10);
        const int log = ::open((file.string() + ".log").c_str(), O_RDWR | O_CREAT, 0600);
        QCOMPARE(::write(log, buffer.data(), 10), ssize_t(10));
        const bool further = positions.gotFurther(self());
        ::close(log);
        ::close(poll);
        ::close(fd);
        QVERIFY(!further);
        QVERIFY(!positions.gotFurther(std::array<pid_t, 1>{0x7ffffff0}));
    }

    void aFileWithTheNumberOfOneThatIsGoneIsAnotherOne()
    {
        ReadPositions positions;
        std::array<char, 4096> buffer{};
        const auto anew = [this] { // Ext4 gives the number that became free last.
            fs::remove(m_path / "shard");
            return knownFile(makeFile("shard", kMiB));
        };
        const auto isFurther = [&](std::size_t bytes) {
            const int fd = ::open((m_path / "shard").c_str(), O_RDONLY);
            const bool isRead = ::read(fd, buffer.data(), bytes) == static_cast<ssize_t>(bytes);
            const bool further = isRead && positions.gotFurther(self());
            ::close(fd);
            return further;
        };
        const std::int64_t bornNs = anew()->bornNs;
        if (bornNs == 0)
            QSKIP("the file system does not tell when a file was made");
        QVERIFY(isFurther(4096));
        QTRY_VERIFY(anew()->bornNs != bornNs); // Its clock ticks a few hundred times a second.
        QVERIFY(isFurther(10));
    }

    void onlySoManyFilesAreKnownFromBefore()
    {
        ByFile<int> known(3);
        const auto file = [](ino_t number, std::int64_t bornNs = 7) { return KnownFile{{1, number}, 9, 8, bornNs}; };
        for (ino_t number = 1; number <= 3; ++number)
            known[file(number)] = 1;
        known.endTurn();
        QCOMPARE(known[file(2)], 1);
        known.endTurn();
        QCOMPARE(known.size(), std::size_t(3));
        QCOMPARE(known[file(2, 8)], 0); // Born later.
        known[file(2, 8)] = 2;
        for (ino_t number = 4; number <= 8; ++number)
            known[file(number)] = 2;
        known.endTurn();
        QCOMPARE(known.size(), std::size_t(6)); // All of this turn, however many.
        QCOMPARE(known[file(1)], 0);
        QCOMPARE(known[file(2, 8)], 2);
    }

    void theStateOfAProcessIsToldInWords()
    {
        QVERIFY(describeState(::getpid()).starts_with("running"));
        QVERIFY(describeState(0x7ffffff0).empty());
        const pid_t child = ::fork();
        if (child == 0)
            for (;;)
                ::pause();
        ::kill(child, SIGSTOP);
        ::waitpid(child, nullptr, WUNTRACED);
        const auto stopped = describeState(child);
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        QCOMPARE(stopped, std::string("stopped by a signal"));
        const std::array<pid_t, 2> both{0x7ffffff0, ::getpid()};
        QCOMPARE(describeStates(both), "pid " + std::to_string(::getpid()) + " running");
    }

    void aProcessWhoseFirstThreadHasEndedIsToldByAnother()
    {
        const QTemporaryDir folder;
        const fs::path file = fs::canonical(folder.path().toStdString()) / "weights";
        std::ofstream(file) << std::string(static_cast<std::size_t>(2 * kMiB), 'x');
        const QString name = QString::fromStdString(file.native());
        MemoryClient client;
        client.tell("map " + name);
        client.tell("leave-thread");
        const std::array<pid_t, 1> processes{client.pid()};
        QTRY_VERIFY2(describeState(client.pid()).starts_with("sleeping"), describeState(client.pid()).c_str());
        const auto mapped = findWhereabouts(processes, {});
        QVERIFY(mapped && mapped->file == file && mapped->by == Whereabouts::By::Mapping);
        client.tell("begin " + name);
        const auto open = findWhereabouts(processes, {});
        QVERIFY(open && open->file == file && open->by == Whereabouts::By::Position);
        QCOMPARE(open->atBytes, static_cast<std::uint64_t>(kMiB));
    }

    void thePaceIsNamedByWhatMoves()
    {
        QCOMPARE(after({{}, {}, {}}).kind, Pace::Kind::Still);
        const auto slow = after({{2e8, 2e8, 0.1, 0, 0}, {2e8, 2e8, 0.1, 0, 0}, {2e8, 2e8, 0.1, 0, 0}});
        QCOMPARE(slow.kind, Pace::Kind::Reading);
        QVERIFY(nearly(slow.readBytesPerS, 2e8));
        QVERIFY2(toWords(slow).starts_with("reading at 0.1"), toWords(slow).c_str()); // GiB
        const auto growing = after({{0, 1e9, 1, 0, 0}, {0, 1e9, 1, 0, 0}, {0, 1e9, 1, 0, 0}});
        QCOMPARE(growing.kind, Pace::Kind::Growing);
        QVERIFY(nearly(growing.growthBytesPerS, 1e9));
        const auto computing = after({{0, 0, 1.5, 0, 0}, {0, 0, 1.5, 0, 0}, {0, 0, 1.5, 0, 0}});
        QCOMPARE(computing.kind, Pace::Kind::Computing);
        QCOMPARE(toWords(computing), std::string("computing on 1.5 cores"));
        const Second printing{0, 0, 0, 0, 0, "a line\n"};
        QCOMPARE(after({printing, printing, printing}).kind, Pace::Kind::Printing);
        QCOMPARE(toWords(after({{}, printing, {}})), std::string("printing, 10 lines in the last 2 s"));
        const Second writing{0, 0, 0.3, 0, 0, "", 0, 4 * kMiB};
        QCOMPARE(after({writing, writing, writing}).kind, Pace::Kind::Writing);
        QCOMPARE(toWords(after({writing, writing, writing})), std::string("writing at 4.00 MiB/s"));
        QCOMPARE(after({writing, {}, {}, {}}).kind, Pace::Kind::Still);
        const std::string page(20'000, 'x'); // What it prints it writes, too.
        const Second pages{0, 0, 0, 0, 0, page.c_str(), 0, 200'000};
        QCOMPARE(after({pages, pages, pages}).kind, Pace::Kind::Printing);
        const Second bar{0, 0, 0, 0, 0, "\r 42 %"};
        QCOMPARE(toWords(after({{}, bar, {}})), std::string("printing, 60 B in the last 2 s"));
        QCOMPARE(after({printing, {}, {}, {}}).kind, Pace::Kind::Still);
        const Second swapping{1e6, 0, 0.1, 5e7, kMiB, "", 2000};
        QCOMPARE(after({swapping, swapping, swapping}).kind, Pace::Kind::Swapping);
        const Second thrashing{1e5, 0, 0, 1e5, kMiB, "", 25};
        QCOMPARE(after({thrashing, thrashing, thrashing}).kind, Pace::Kind::Swapping);
        QCOMPARE(
            toWords(after({thrashing, thrashing, thrashing})), std::string("swapping at 97.7 KiB/s, 0.0 cores busy"));
        const Second beside{1e5, 0, 0, 1e5, kMiB, "", 4}; // A page now and then; nothing else was read.
        QCOMPARE(after({beside, beside, beside}).kind, Pace::Kind::Still);
        const Second reading{1e8, 0, 0, 1e5, kMiB, "", 500}; // A mapped file faults as well.
        QCOMPARE(after({reading, reading, reading}).kind, Pace::Kind::Reading);
        const Second others{0, 0, 0, 5e7, 0}; // The machine swaps, this tree does not.
        QCOMPARE(after({others, others, others}).kind, Pace::Kind::Still);
    }

    void whatOthersSwapIsNotTakenOffWhatIsRead()
    {
        const Second reader{1e8, 0, 0.1, 3e8, kMiB, "", 2};
        const auto reading = after({reader, reader, reader});
        QCOMPARE(reading.kind, Pace::Kind::Reading);
        QVERIFY2(nearly(reading.readBytesPerS, 1e8), toWords(reading).c_str());
        QVERIFY2(reading.swapBytesPerS < 1e5, toWords(reading).c_str());
        // Out of its own swap, whatever the faults say.
        const auto back
            = after({{1e8, 0, 0.1, 3e8, 300 * kMiB}, {1e8, 0, 0.1, 3e8, 200 * kMiB}, {1e8, 0, 0.1, 3e8, 0}});
        QCOMPARE(back.kind, Pace::Kind::Swapping);
        QVERIFY2(back.readBytesPerS < 1e6, QByteArray::number(back.readBytesPerS));
    }

    void thePaceIsThatOfTheLastSeconds()
    {
        const Second reading{1e9, 1e9, 0.5, 0, 0};
        QCOMPARE(after({reading, reading, reading, {}, {}, {}}).kind, Pace::Kind::Still);
        QCOMPARE(after({{}, {}, {}, reading, reading, reading}).kind, Pace::Kind::Reading);
        // The start of a program is reading and growth; what it does since is its pace.
        const Second spinning{0, 0, 1, 0, 0};
        QCOMPARE(after({{1e7, 1e7, 1, 0, 0}, spinning}).kind, Pace::Kind::Computing);
        QCOMPARE(after({reading, {}}).kind, Pace::Kind::Still);
        QCOMPARE(PaceWatch().pace().kind, Pace::Kind::Unknown);
    }

private:
    /// Shared ones are open for writing.
    static void* mapped(const fs::path& file, std::int64_t touched, int protection, bool shared, std::int64_t from = 0,
        std::int64_t length = 0)
    {
        const auto size = length > 0 ? static_cast<std::size_t>(length) : fs::file_size(file);
        const int fd = ::open(file.c_str(), shared ? O_RDWR : O_RDONLY);
        void* data = ::mmap(
            nullptr, size, protection | (shared ? PROT_WRITE : 0), shared ? MAP_SHARED : MAP_PRIVATE, fd, from);
        ::close(fd);
        if (data == MAP_FAILED)
            qFatal("cannot map %s", file.c_str());
        ::madvise(data, size, MADV_RANDOM);
        for (std::int64_t at = 0; at < touched; at += 4096)
            static_cast<void>(*(static_cast<volatile const char*>(data) + at));
        return data;
    }
    fs::path makeFile(const char* name, std::int64_t size)
    {
        const auto file = m_path / name;
        QFile out(QString::fromStdString(file.string()));
        if (!out.open(QIODevice::WriteOnly) || out.write(QByteArray(size, 'x')) != size)
            qFatal("cannot write %s", file.c_str());
        return file;
    }
    static std::array<pid_t, 1> self() { return {::getpid()}; }

    std::unique_ptr<QTemporaryDir> m_folder;
    fs::path m_path;
};

QTEST_APPLESS_MAIN(tst_Whereabouts)
#include "tst_Whereabouts.moc"
