#include "tests/core/CommandBench.h"
#include "tests/core/SwapFile.h"

#include <QtTest>
#include <fstream>

using namespace loadlab;
using namespace loadlab::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// What stands still is told from what is slow, by real programs under a stall watch.
class tst_SlowRuns : public QObject, private CommandBench {
    Q_OBJECT
private Q_SLOTS:
    void whatStandsStillIsAHang_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("asleep") << QByteArray("exec sleep 1000") << QByteArray(" sleeping");
        QTest::newRow("stopped") << QByteArray("kill -STOP $$") << QByteArray(" stopped by a signal");
        QTest::newRow("a child of it") << QByteArray("sh -c 'kill -STOP $$'; true")
                                       << QByteArray(" stopped by a signal");
        QTest::newRow("after a busy start")
            << QByteArray("head -c 40000000 /dev/zero | cat >/dev/null; exec sleep 1000") << QByteArray("still");
        // What they read all the time is no way forward, and the file that is open with it moves no further.
        QTest::newRow("polling the kernel")
            << QByteArray("mkfifo FILE.fifo; exec 3<FILE 4<>FILE.fifo; head -c 99 <&3 >/dev/null; "
                          "exec bash -c 'while read -r x </proc/uptime; do read -rt 0.5 -u 4; done'")
            << QByteArray("; at shard, at byte 99 ");
        QTest::newRow("woken through a pipe")
            << QByteArray("while :; do echo; sleep 0.5; done | while read x; do :; done") << QByteArray("still");
        QTest::newRow("polling with processes of its own") // Which fault for their own beginning and end.
            << QByteArray("while :; do grep x /dev/null; sleep 0.2; done") << QByteArray("still");
    }

    void whatStandsStillIsAHang()
    {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, words);
        Limits limits;
        limits.stall = 2s;
        limits.timeout = 20s;
        const QTemporaryDir folder;
        const RunResult result = run(withShard(line, folder), limits);
        QVERIFY2(modeOf(result) == "hang", allWords(result).c_str());
        const std::string told = factOf(result, "standstill");
        QVERIFY2(told.starts_with("standing still; pid "), told.c_str());
        QVERIFY2(told.find(words.toStdString()) != std::string::npos, told.c_str());
    }

    void aLoadByMappingStandsStillAtItsShard()
    {
        const QTemporaryDir folder;
        std::string files;
        for (const char* name : {"/model-1.safetensors", "/model-2.safetensors"}) {
            const std::string file = folder.path().toStdString() + name;
            std::ofstream(file) << std::string(8 << 20, 'x');
            files += " " + file;
        }
        Limits limits;
        limits.stall = 2s;
        limits.timeout = 20s;
        const RunResult result = run("exec " LOADLAB_BINARY_DIR "/tests/file_mapper 2097152" + files, limits);
        QVERIFY2(modeOf(result) == "hang", allWords(result).c_str());
        const std::string told = factOf(result, "standstill");
        QVERIFY2(told.find("; at model-2.safetensors, ") != std::string::npos, told.c_str());
        QVERIFY2(told.find(" of 8,388,608 bytes of its mapping in memory") != std::string::npos, told.c_str());
    }

    void aLoadStandsStillAtTheFileThatMovedLast()
    {
        // Both headers are read at once, then the first file, slowly; at its middle nothing goes on.
        const QTemporaryDir folder;
        const std::string files = twoShards(folder);
        Limits limits;
        limits.stall = 2s;
        limits.timeout = 20s;
        const RunResult result = run("exec" + files
                + "; head -c 4096 <&3; head -c 4096 <&4; for i in 1 2 3 4 5 6 7 8 9; do dd bs=400k count=1 <&3; sleep "
                  "0.2; "
                  "done >/dev/null 2>&1; exec sleep 1000",
            limits);
        QVERIFY2(modeOf(result) == "hang", allWords(result).c_str());
        const std::string told = factOf(result, "standstill");
        QVERIFY2(
            told.find("; at model-1.safetensors, at byte 3,690,496 of 8,388,608") != std::string::npos, told.c_str());
    }

    void aShortLoadStandsStillAtTheFileThatMovedLast()
    {
        // All of it within an eighth of the limit.
        const QTemporaryDir folder;
        const std::string files = twoShards(folder);
        Limits limits;
        limits.stall = 6s;
        limits.timeout = 30s;
        const RunResult result = run("exec" + files
                + "; head -c 4096 <&3; head -c 4096 <&4; for i in 1 2 3 4 5 6; do dd bs=400k count=1 <&3; sleep 0.1; "
                  "done >/dev/null 2>&1; exec sleep 1000",
            limits);
        QVERIFY2(modeOf(result) == "hang", allWords(result).c_str());
        const std::string told = factOf(result, "standstill");
        // Where its looks take long (a busy machine), they are too seldom to be sure, and it says so.
        const bool sure = told.find("; at model-1.safetensors, at byte 2,461,696 of 8,388,608") != std::string::npos;
        const bool doubts = told.find(" and 1 other file open, 2.4") != std::string::npos;
        QVERIFY2(sure || doubts, told.c_str());
    }

    void whichOfSeveralFilesIsReadIsInDoubt_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("both headers by read(), then at once the first file by pread()") << QByteArray(
            "exec 3<FIRST 4<SECOND; exec python3 -c 'import os, time; os.read(3, 4096); os.read(4, 4096); "
            "os.pread(3, 1 << 22, 4096); time.sleep(1000)'");
        QTest::newRow("the header of the first by the shell, the second by a child's pread()")
            << QByteArray("exec 3<FIRST; head -c 4096 <&3; python3 -c 'import os, time; "
                          "f = os.open(\"SECOND\", os.O_RDONLY); [(os.pread(f, 1 << 20, i << 20), time.sleep(0.1)) "
                          "for i in range(4)]; time.sleep(1000)'; true");
        // Looked at before it reads the header, and again before it opens the second file.
        QTest::newRow("the header of the first, then the second through a mapping that is dropped again")
            << QByteArray("exec 3<FIRST; exec python3 -c 'import mmap, os, time; time.sleep(0.6); os.read(3, 4096); "
                          "time.sleep(0.6); f = os.open(\"SECOND\", os.O_RDONLY); "
                          "m = mmap.mmap(f, 0, prot=mmap.PROT_READ); [(m[i << 20:(i + 1) << 20], "
                          "m.madvise(mmap.MADV_DONTNEED), time.sleep(0.2)) for i in range(5)]; time.sleep(1000)'");
    }

    void whichOfSeveralFilesIsReadIsInDoubt()
    {
        QFETCH(QByteArray, line);
        const QTemporaryDir folder;
        twoShards(folder);
        line.replace("FIRST", folder.filePath(QStringLiteral("model-1.safetensors")).toUtf8());
        line.replace("SECOND", folder.filePath(QStringLiteral("model-2.safetensors")).toUtf8());
        Limits limits;
        limits.stall = 2s;
        limits.timeout = 20s;
        const RunResult result = run(line.toStdString(), limits);
        QVERIFY2(modeOf(result) == "hang", allWords(result).c_str());
        const std::string told = factOf(result, "standstill");
        QVERIFY2(told.find(" has model-2.safetensors (8.00 MiB) and 1 other file open, ") != std::string::npos,
            told.c_str());
    }

    void aReaderWithPositionsOfItsOwnTellsItsFile_data()
    {
        QTest::addColumn<QByteArray>("end");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("pread") << QByteArray() << QByteArray(" has model.safetensors (8.00 MiB) open, ");
        QTest::newRow("between two files")
            << QByteArray("os.close(f); ") << QByteArray("; model.safetensors (8.00 MiB) was open last, ");
    }

    void aReaderWithPositionsOfItsOwnTellsItsFile()
    {
        QFETCH(QByteArray, end);
        QFETCH(QByteArray, words);
        const QTemporaryDir folder;
        const std::string file = folder.path().toStdString() + "/model.safetensors";
        std::ofstream(file) << std::string(8 << 20, 'x');
        Limits limits;
        limits.stall = 2s;
        limits.timeout = 20s;
        const std::string program = "import os, time; f = os.open(\"" + file
            + "\", os.O_RDONLY); [(os.pread(f, 1 << 20, i << 20), time.sleep(0.4)) for i in range(6)]; "
            + end.toStdString() + "time.sleep(1000)";
        const RunResult result = run("exec python3 -c '" + program + "'", limits);
        QVERIFY2(modeOf(result) == "hang", allWords(result).c_str());
        const std::string told = factOf(result, "standstill");
        QVERIFY2(told.find(words.toStdString()) != std::string::npos, told.c_str());
        QVERIFY2(told.find(" MiB read so far") != std::string::npos && told.find("at byte") == std::string::npos,
            told.c_str());
    }

    void aFileOpenedForReadingAndWritingIsTold_data()
    {
        QTest::addColumn<QByteArray>("use");
        QTest::addColumn<QByteArray>("words");
        // What numpy.memmap does by default.
        const QByteArray map = "f.seek(0, 2); m = mmap.mmap(f.fileno(), f.tell()); ";
        QTest::newRow("mapped") << map + "sum(m[i] for i in range(0, 3 << 20, 4096)); "
                                << QByteArray(" of 8,388,608 bytes of its mapping in memory");
        QTest::newRow("read") << QByteArray("f.read(3 << 20); ") << QByteArray("; at weights.npy, at byte 3,145,728 ");
        QTest::newRow("mapped and written") << map + "m[0] = 1; m.flush(); " << QByteArray();
        QTest::newRow("written") << QByteArray("f.write(bytes(3 << 20)); ") << QByteArray();
        QTest::newRow("appended to") << QByteArray("f.seek(0, 2); f.write(bytes(3 << 20)); ") << QByteArray();
    }

    void aFileOpenedForReadingAndWritingIsTold()
    {
        QFETCH(QByteArray, use);
        QFETCH(QByteArray, words);
        const QTemporaryDir folder;
        const std::string file = folder.path().toStdString() + "/weights.npy";
        std::ofstream(file) << std::string(8 << 20, 'x');
        Limits limits;
        limits.stall = 2s;
        limits.timeout = 20s;
        const RunResult result = run("exec python3 -c '"
                                     "import mmap, time; f = open(\""
                + file + "\", \"r+b\", buffering=0); " + use.toStdString() + "time.sleep(1000)'",
            limits);
        QVERIFY2(modeOf(result) == "hang", allWords(result).c_str());
        const std::string told = factOf(result, "standstill");
        QVERIFY2(told.find(words.toStdString()) != std::string::npos, told.c_str());
        QVERIFY2((told.find("weights.npy") == std::string::npos) == words.isEmpty(), told.c_str());
    }

    void whatIsSlowIsNone_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QByteArray>("words");
        QTest::newRow("reading with pauses")
            << QByteArray("exec 3<FILE; while dd bs=200k count=1 <&3 of=/dev/null 2>&1; do sleep 0.5; done >/dev/null")
            << QByteArray(", reading at ");
        QTest::newRow("reading a little")
            << QByteArray("mkfifo FILE.fifo; exec 3<FILE 4<>FILE.fifo; "
                          "exec bash -c 'while read -rN 2048 -u 3 x; do read -rt 0.5 -u 4; done'")
            << QByteArray(", reading a");
        QTest::newRow("a download") // From a socket: rchar says nothing of it.
            << QByteArray("exec python3 -c \"import os, socket, time\n"
                          "a, b = socket.socketpair(); f = open('FILE.new', 'wb', buffering=0)\n"
                          "while True: a.send(bytes(100000)); f.write(b.recv(100000)); time.sleep(0.1)\"")
            << QByteArray(", writing at ");
        QTest::newRow("a mapping that is dropped again") // Neither grows nor reads by calls.
            << QByteArray("exec python3 -c \"import mmap, time\n"
                          "f = open('FILE', 'rb'); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\n"
                          "while True: sum(m[::4096]); m.madvise(mmap.MADV_DONTNEED); time.sleep(0.1)\"")
            << QByteArray("");
        // What comes and goes beside them hides nothing of those that stay.
        QTest::newRow("reading beside programs that come and go") << QByteArray(
            "exec python3 -c \"import os, subprocess, time\n"
            "f = os.open('FILE', 0)\n"
            "for i in range(100): os.pread(f, 60000, i * 60000); subprocess.run(['true']); time.sleep(0.2)\"")
                                                                  << QByteArray("");
        QTest::newRow("a mapping beside programs that come and go") << QByteArray(
            "python3 -c \"import mmap, time\n"
            "f = open('FILE', 'rb'); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\n"
            "while True: sum(m[::4096]); m.madvise(mmap.MADV_DONTNEED); time.sleep(0.1)\" &\n"
            "while :; do sleep 0.1; done") << QByteArray("");
        QTest::newRow("short programs that each read a little")
            << QByteArray("while :; do head -c 100000 FILE >/dev/null; sleep 0.2; done") << QByteArray("");
        QTest::newRow("a line now and then")
            << QByteArray("while :; do echo .; sleep 0.5; done") << QByteArray(", printing, ");
        QTest::newRow("computing") << QByteArray("while :; do :; done") << QByteArray(", computing on ");
    }

    void whatIsSlowIsNone()
    {
        QFETCH(QByteArray, line);
        QFETCH(QByteArray, words);
        const QTemporaryDir folder;
        Limits limits;
        limits.stall = 2s;
        limits.timeout = 4s;
        const RunResult result = run(withShard(line, folder), limits);
        QVERIFY2(modeOf(result) == "timed_out", allWords(result).c_str());
        QVERIFY2(result.verdict->summary.find(words.toStdString()) != std::string::npos, allWords(result).c_str());
        if (line.contains("3<"))
            QVERIFY2(factOf(result, "standstill").find("; at shard, at byte ") != std::string::npos,
                allWords(result).c_str());
    }

    void whatSwapsIsNone_data()
    {
        QTest::addColumn<QByteArray>("pages");
        QTest::newRow("as fast as it can") << QByteArray();
        QTest::newRow("some pages a second") << QByteArray(" 40"); // read_bytes has them, too.
    }

    void whatSwapsIsNone()
    {
        QFETCH(QByteArray, pages);
        NEEDS_GROUPS();
        const SwapFile swap(fs::current_path(), 256 * kMiB);
        if (!swap.isOn())
            QSKIP("no swap file can be made here");
        Limits limits;
        limits.capMemoryBytes = 64 * kMiB;
        limits.capSwapBytes = 160 * kMiB;
        limits.stall = 2s;
        limits.timeout = 5s;
        const RunResult result = run("exec " + kHog + " 128 0 1000 again" + pages.toStdString(), limits);
        QVERIFY2(modeOf(result) == "timed_out", allWords(result).c_str());
        QVERIFY2(result.verdict->summary.find(", swapping at ") != std::string::npos, allWords(result).c_str());
        QVERIFY2(result.curve.peakSwapBytes >= 32 * kMiB, allWords(result).c_str());
        QVERIFY2(result.curve.swapBeganS && *result.curve.swapBeganS < 5, allWords(result).c_str());
        const auto swapped = [&](Column column) { return m_swapped.has(column) && m_swapped[column] > 0; };
        QVERIFY(swapped(Column::SwapBytes) && swapped(Column::SystemSwapInBytes) && swapped(Column::MajorFaults));
    }

private:
    /// Opened by the shell as 3 and 4.
    static std::string twoShards(const QTemporaryDir& folder)
    {
        const std::string name = folder.path().toStdString() + "/model-";
        for (const char* number : {"1", "2"})
            std::ofstream(name + number + ".safetensors") << std::string(8 << 20, 'x');
        return " 3<" + name + "1.safetensors 4<" + name + "2.safetensors";
    }
    static std::string withShard(QByteArray line, const QTemporaryDir& folder)
    {
        const QByteArray file = folder.path().toUtf8() + "/shard";
        std::ofstream(file.toStdString()) << std::string(8 << 20, 'x');
        return line.replace("FILE", file).toStdString();
    }
    RunResult run(const std::string& line, const Limits& limits)
    {
        Watched watched;
        RunResult result = CommandBench::run(watched, line, limits);
        m_swapped = {};
        for (const Sample& sample : watched.samples())
            if (sample.has(Column::SwapBytes) && sample[Column::SwapBytes] > 0)
                m_swapped = sample;
        return result;
    }

    Sample m_swapped; ///< The last one with swap: at its end a process has none.
};

QTEST_GUILESS_MAIN(tst_SlowRuns)
#include "tst_SlowRuns.moc"
