#include "core/telemetry/GpuCounters.h"
#include "core/telemetry/Nvml.h"

#include <QTemporaryDir>
#include <QtTest>

#include <array>
#include <fstream>

using namespace loadlab;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

/// The library with NVML's names that says what this script tells it to.
class FakeGpu {
public:
    explicit FakeGpu(const std::string& script) { say(script); }
    void say(const std::string& script)
    {
        // One rename: the library reads the file at every call.
        const std::string file = m_folder.filePath("script").toStdString();
        std::ofstream(file + ".new") << script;
        std::rename((file + ".new").c_str(), file.c_str());
        qputenv("LOADLAB_FAKE_NVML", QByteArray::fromStdString(file));
    }

private:
    QTemporaryDir m_folder;
};

std::string library(const char* variant = "")
{
    return std::string(LOADLAB_BINARY_DIR "/tests/libfake_nvml") + variant + ".so";
}

const char* const kDiscrete = "device NVIDIA H200\n"
                              "memory 150000000000 3221225472\n"
                              "busy 88\n"
                              "process 100 2147483648\n"
                              "process 200 1073741824\n"
                              "graphics 100 2000000000\n";

} // namespace

class tst_Gpu : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aLibraryThatIsAbsentIsNoFailure()
    {
        const auto nvml = Nvml::load("libnvidia-ml-that-is-not-there.so.1");
        QVERIFY(!nvml);
        QCOMPARE(nvml.error().kind, ErrorKind::NotFound);
        QVERIFY(nvml.error().message.find("libnvidia-ml-that-is-not-there") != std::string::npos);
    }

    void aDiscreteDeviceTellsAll()
    {
        const FakeGpu gpu(kDiscrete);
        auto nvml = Nvml::load(library());
        QVERIFY2(nvml.has_value(), nvml ? "" : nvml.error().message.c_str());
        QCOMPARE(nvml->driverVersion(), std::string("580.12 (fake)"));
        QCOMPARE(nvml->deviceCount(), std::size_t{1});
        QCOMPARE(nvml->name(0), std::string("NVIDIA H200"));
        QCOMPARE(nvml->memory(0)->usedBytes, 3 * kGiB);
        QCOMPARE(nvml->memory(0)->totalBytes, std::uint64_t{150'000'000'000});
        QCOMPARE(nvml->memory(0)->freeBytes, std::uint64_t{150'000'000'000} - 3 * kGiB);
        QCOMPARE(*nvml->busyPercent(0), 88U);
        const auto processes = *nvml->processes(0);
        QCOMPARE(processes.size(), std::size_t{2}); // 100 is in both lists, and counts once.
        QCOMPARE(*processes[0].bytes, 2 * kGiB);
        QVERIFY(nvml->lastProblem().empty());
    }

    void notSupportedIsNotZero()
    {
        const FakeGpu gpu("device NVIDIA GB10\nmemory !3\nbusy 5\nprocess 100 536870912\n");
        auto nvml = Nvml::load(library());
        QVERIFY(nvml.has_value());
        QVERIFY(!nvml->memory(0));
        QCOMPARE(nvml->lastProblem(), std::string("Not Supported"));
        QCOMPARE(*nvml->processes(0)->front().bytes, kGiB / 2);
    }

    void noneAtAllIsABlankAndNoneUsedIsNot()
    {
        FakeGpu gpu("device NVIDIA Orin\nmemory 0 0\nbusy 5\n");
        auto nvml = Nvml::load(library());
        QVERIFY(nvml.has_value());
        QVERIFY(!nvml->memory(0));
        QVERIFY(!nvml->lastProblem().empty());
        QVERIFY(GpuCounters(library()).report().unifiedMemory);
        gpu.say("device NVIDIA H200\nmemory 1000 0\n");
        QCOMPARE(nvml->memory(0)->usedBytes, std::uint64_t{0});
    }

    void aProcessWhoseMemoryIsNotToldIsKnownAllTheSame()
    {
        const FakeGpu gpu("device NVIDIA RTX\nmemory 1000 10\nprocess 100 na\n");
        auto nvml = Nvml::load(library());
        QVERIFY(nvml.has_value());
        QCOMPARE(nvml->processes(0)->size(), std::size_t{1});
        QVERIFY(!nvml->processes(0)->front().bytes);
    }

    void manyProcessesAreAllListed()
    {
        std::string script = "device NVIDIA RTX\n";
        for (int pid = 1; pid <= 500; ++pid)
            script += "process " + std::to_string(pid) + " 1000\n";
        const FakeGpu gpu(script);
        auto nvml = Nvml::load(library());
        QCOMPARE(nvml->processes(0)->size(), std::size_t{500});
    }

    void whatTheDriverLacksIsLeftAlone()
    {
        const FakeGpu gpu(kDiscrete);
        const auto useless = Nvml::load(library("_without_count"));
        QVERIFY(!useless);
        QCOMPARE(useless.error().kind, ErrorKind::Io);
        QVERIFY2(useless.error().message.find("nvmlDeviceGetCount_v2") != std::string::npos,
            useless.error().message.c_str());
        auto noMemory = Nvml::load(library("_without_memory"));
        QVERIFY(noMemory.has_value());
        QVERIFY(!noMemory->memory(0));
        QVERIFY(noMemory->processes(0).has_value());
        auto noBusy = Nvml::load(library("_without_busy"));
        QVERIFY(noBusy.has_value());
        QVERIFY(!noBusy->busyPercent(0));
        QVERIFY(noBusy->memory(0).has_value() && noBusy->processes(0).has_value());
        auto noProcesses = Nvml::load(library("_without_processes"));
        QVERIFY(noProcesses.has_value());
        QVERIFY(!noProcesses->processes(0));
        QVERIFY(noProcesses->memory(0).has_value());
    }

    void aDriverThatIsNotLoadedSaysSo()
    {
        const FakeGpu gpu("init 9\n");
        const auto nvml = Nvml::load(library());
        QVERIFY(!nvml);
        QCOMPARE(nvml.error().kind, ErrorKind::Io);
        QVERIFY(nvml.error().message.find("Driver Not Loaded") != std::string::npos);
    }

    void aDeviceThatGetsLostTellsNothingMore()
    {
        FakeGpu gpu(kDiscrete);
        auto nvml = Nvml::load(library());
        QVERIFY(nvml->memory(0).has_value());
        gpu.say("device NVIDIA H200\nmemory !15\nbusy !15\nprocesses !15\n");
        QVERIFY(!nvml->memory(0) && !nvml->busyPercent(0) && !nvml->processes(0));
        QCOMPARE(nvml->lastProblem(), std::string("GPU is lost"));
        gpu.say(kDiscrete); // Lost is not unsupported: it is asked again.
        QVERIFY(nvml->memory(0).has_value());
    }

    void aSampleHasWhatTheTreeHas()
    {
        FakeGpu gpu(kDiscrete);
        GpuCounters counters(library());
        QVERIFY(counters.report().problem.empty());
        QVERIFY(!counters.report().unifiedMemory);
        QCOMPARE(counters.report().devices, std::vector<std::string>{"NVIDIA H200"});
        Sample sample;
        counters.sample(sample, std::array<pid_t, 2>{200, 300});
        QCOMPARE(sample[Column::GpuBytes], std::int64_t{1'073'741'824});
        QCOMPARE(sample[Column::GpuUsedBytes], std::int64_t{3'221'225'472});
        QCOMPARE(sample[Column::GpuBusyPercent], std::int64_t{88});
        gpu.say("device NVIDIA H200\nmemory 150000000000 0\nbusy 0\n");
        counters.refresh();
        Sample idle;
        counters.sample(idle, std::array<pid_t, 1>{200});
        QCOMPARE(idle[Column::GpuBytes], std::int64_t{0}); // Known to be nothing.
        QCOMPARE(idle[Column::GpuUsedBytes], std::int64_t{0});
        QCOMPARE(idle[Column::GpuBusyPercent], std::int64_t{0});
    }

    void itsReadingsHaveTheirOwnRates()
    {
        const FakeGpu gpu(kDiscrete);
        GpuCounters counters(library());
        static_cast<void>(counters.report()); // The first reading is there.
        QCOMPARE(counters.reportSoFar().processesHz, 0.0);
        for (int i = 0; i < 3; ++i)
            counters.refresh();
        const auto report = counters.reportSoFar();
        QVERIFY(report.devicesHz > 0 && report.processesHz > 0);
    }

    void severalDevicesAddUp()
    {
        const FakeGpu gpu("device A\nmemory 1000 100\nbusy 10\nprocess 7 50\n"
                          "device B\nmemory 1000 200\nbusy 70\nprocess 7 60\n");
        const GpuCounters counters(library());
        QCOMPARE(counters.report().devices.size(), std::size_t{2});
        Sample sample;
        counters.sample(sample, std::array<pid_t, 1>{7});
        QCOMPARE(sample[Column::GpuBytes], std::int64_t{110});
        QCOMPARE(sample[Column::GpuUsedBytes], std::int64_t{300});
        QCOMPARE(sample[Column::GpuBusyPercent], std::int64_t{70});
    }

    void unifiedMemoryIsNoDeviceMemory()
    {
        const FakeGpu gpu("device NVIDIA Thor\nmemory !3\nbusy 96\nprocess 7 4096\n");
        const GpuCounters counters(library());
        QVERIFY(counters.report().unifiedMemory);
        Sample sample;
        counters.sample(sample, std::array<pid_t, 1>{7});
        QVERIFY(!sample.has(Column::GpuUsedBytes));
        QCOMPARE(sample[Column::GpuBytes], std::int64_t{4096});
    }

    void memoryThatIsNotToldStaysAbsent()
    {
        const FakeGpu gpu("device NVIDIA RTX\nmemory 1000 10\nbusy !3\nprocess 7 na\n");
        const GpuCounters counters(library());
        Sample sample;
        counters.sample(sample, std::array<pid_t, 1>{7});
        QVERIFY(!sample.has(Column::GpuBytes));
        QVERIFY(!sample.has(Column::GpuBusyPercent));
    }

    void itEndsWhateverTheDriverDoes()
    {
        FakeGpu gpu(kDiscrete);
        for (int i = 0; i < 20; ++i) { // While it loads, reads or waits.
            GpuCounters counters(library());
            if (i % 2 == 0)
                counters.refresh();
        }
        gpu.say("device NVIDIA H200\nmemory stuck\n");
        {
            const GpuCounters counters(library());
            Sample sample;
            counters.sample(sample, {});
            QVERIFY(!sample.has(Column::GpuUsedBytes));
        }
        gpu.say(kDiscrete); // Lets its thread go.
        const GpuCounters next(library());
        QVERIFY(next.report().problem.empty());
    }

    void withoutALibraryNothingIsTold()
    {
        GpuCounters counters("no-such-library.so");
        QVERIFY(counters.report().problem.find("no-such-library.so") != std::string::npos);
        counters.refresh();
        Sample sample;
        counters.sample(sample, {});
        QVERIFY(!sample.has(Column::GpuBytes) && !sample.has(Column::GpuUsedBytes));
    }
};

QTEST_APPLESS_MAIN(tst_Gpu)
#include "tst_Gpu.moc"
