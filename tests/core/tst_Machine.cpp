#include "core/telemetry/Counters.h"
#include "core/telemetry/Machine.h"
#include "core/telemetry/ProcFile.h"
#include "core/telemetry/SelfTest.h"
#include "core/telemetry/SystemCounters.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <nlohmann/json.hpp>

using namespace loadlab;

namespace {

/// A root folder with files of another machine.
class OtherMachine {
public:
    void write(const QString& path, const QByteArray& text)
    {
        const auto full = m_root.filePath(path.mid(1));
        QDir().mkpath(QFileInfo(full).path());
        QFile file(full);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(text);
    }
    MachineInfo read() const { return readMachineBelow(m_root.path().toStdString()); }

private:
    QTemporaryDir m_root;
};

} // namespace

class tst_Machine : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void thisMachineIsKnown()
    {
        const auto machine = readMachine();
        QVERIFY(machine.memoryBytes > (std::uint64_t{100} << 20));
        QVERIFY(machine.cpuCount >= 1);
        QVERIFY(!machine.kernel.empty());
        QCOMPARE(machine.bootId.size(), std::size_t(36));
        const auto json = toJson(machine);
        for (const auto* key : {"host_name", "machine_id", "boot_id", "kernel", "distribution", "cpu_model",
                 "cpu_count", "memory_bytes", "swap_bytes", "gpu", "unified_memory"})
            QVERIFY2(json.contains(key), key);
    }

    void theMachineIdNeverLeavesTheMachine()
    {
        OtherMachine other;
        other.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        // HMAC-SHA256, key 0123…, message "loadlab", by another implementation.
        QCOMPARE(other.read().machineId, std::string("c58c6fe4c1255dc94aaba272eb083ea8"));
        QVERIFY(OtherMachine().read().machineId.empty());
    }

    void osReleaseIsUnquoted()
    {
        OtherMachine other;
        other.write("/etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n");
        QCOMPARE(other.read().distribution, std::string("Debian GNU/Linux 12 (bookworm)"));
        OtherMachine bare;
        bare.write("/usr/lib/os-release", "PRETTY_NAME=Bare\n");
        QCOMPARE(bare.read().distribution, std::string("Bare"));
    }

    void cpuModelsOfDifferentKindsAreFound()
    {
        OtherMachine x86;
        x86.write("/proc/cpuinfo", "processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9354\n\nprocessor\t: 1\n");
        QCOMPARE(x86.read().cpuModel, std::string("AMD EPYC 9354"));
        OtherMachine arm;
        arm.write("/proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 62.50\n");
        arm.write("/proc/device-tree/model", QByteArray("NVIDIA Jetson AGX Thor Developer Kit\0", 37));
        QCOMPARE(arm.read().cpuModel, std::string("NVIDIA Jetson AGX Thor Developer Kit"));
    }

    void aJetsonHasUnifiedMemory()
    {
        OtherMachine jetson;
        jetson.write("/proc/device-tree/model", QByteArray("NVIDIA Jetson AGX Thor Developer Kit\0", 37));
        jetson.write("/proc/device-tree/compatible", QByteArray("nvidia,p3971\0nvidia,tegra264\0", 29));
        QVERIFY(jetson.read().unifiedMemory);
        QVERIFY(!jetson.read().gpu.empty());
        OtherMachine orin;
        orin.write("/proc/device-tree/model", "NVIDIA Jetson AGX Orin Developer Kit");
        orin.write("/proc/device-tree/compatible", QByteArray("nvidia,p3737-0000+p3701-0005\0nvidia,tegra234\0", 45));
        QVERIFY(orin.read().unifiedMemory);
    }

    void graphicsCardsAreNamed()
    {
        OtherMachine two;
        for (const auto* gpu : {"0000:01:00.0", "0000:02:00.0"})
            two.write(QString("/proc/driver/nvidia/gpus/%1/information").arg(gpu),
                "Model: \t\t NVIDIA H200\nIRQ:   \t\t 44\nGPU UUID: \t GPU-1\n");
        QCOMPARE(two.read().gpu, std::string("2x NVIDIA H200"));
        QVERIFY(!two.read().unifiedMemory);
        OtherMachine spark;
        spark.write("/proc/driver/nvidia/gpus/000f:01:00.0/information", "Model: \t\t NVIDIA GB10\n");
        QVERIFY(spark.read().unifiedMemory);
        OtherMachine amd;
        amd.write("/sys/class/drm/card0/device/vendor", "0x1002\n");
        amd.write("/sys/class/drm/card0/device/device", "0x744c\n");
        amd.write("/sys/class/drm/card0-DP-1/device/vendor", "0x1002\n");
        QCOMPARE(amd.read().gpu, std::string("AMD 0x744c"));
        QVERIFY(OtherMachine().read().gpu.empty());
    }

    void systemMemoryAddsUp()
    {
        const auto memory = readSystemMemory();
        QVERIFY(memory.totalBytes >= memory.availableBytes);
        QVERIFY(memory.availableBytes > 0);
        QVERIFY(memory.swapUsedBytes <= memory.swapTotalBytes);
        Sample sample;
        SystemCounters().sample(sample);
        QVERIFY(sample[Column::SystemAvailableBytes] > 0);
        QCOMPARE(sample.has(Column::SystemPsiSomeUs), memory.psiSomeUs.has_value());
    }

    void theKernelCountsOutOfMemoryKills()
    {
        if (!QFile::exists("/proc/vmstat"))
            QSKIP("no /proc/vmstat");
        const auto counters = readKernelCounters();
        QVERIFY(counters.vmstatOomKill.has_value());
        QVERIFY(!counters.cgroupOomKill.has_value());
    }

    void numbersAreFoundAtTheBeginningOfALineOnly()
    {
        QCOMPARE(procfs::numberAfter("xoom_kill 1\noom_kill 7\n", "oom_kill ").value(), std::uint64_t(7));
        QVERIFY(!procfs::numberAfter("a 1\n", "b ").has_value());
        QVERIFY(!procfs::numberAfter("b x\n", "b ").has_value());
        QVERIFY(!procfs::numberAfter("", "b").has_value());
    }

    void aFileThatIsAbsentIsEmpty()
    {
        QVERIFY(readSmallFile("/nonexistent").empty());
        ProcFile file("/nonexistent");
        std::array<char, 8> buffer{};
        QVERIFY(!file.isOpen());
        QVERIFY(!file.read(buffer).has_value());
    }

    void everyCounterSaysWhatItIs()
    {
        const auto counters = probeCounters();
        QVERIFY(counters.size() >= 15);
        for (const auto& counter : counters) {
            QVERIFY2(!counter.name.empty() && !counter.source.empty() && !counter.unit.empty() && !counter.bias.empty(),
                counter.name.c_str());
            QVERIFY2(counter.available ? counter.cost.ends_with(" us") && counter.problem.empty()
                                       : counter.cost.empty() && !counter.problem.empty(),
                counter.name.c_str());
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(Column::CgroupUsageBytes); ++i) {
            const auto column = static_cast<Column>(i);
            const auto found = std::ranges::find(counters, toWireName(column), &CounterInfo::name);
            QVERIFY2(found != counters.end(), toWireName(column).data());
            QVERIFY2(found->source.starts_with(sourceOf(column)), found->source.c_str());
        }
        const auto anon
            = std::find_if(counters.begin(), counters.end(), [](const auto& c) { return c.name == "anon_bytes"; });
        QVERIFY(anon != counters.end() && anon->available);
    }

    void theSelfTestSeesWhatItsChildDid()
    {
        const auto result = runSamplerSelfTest();
        QVERIFY2(result.problem.empty(), result.problem.c_str());
        for (const auto& check : result.checks)
            QVERIFY2(check.passed,
                qPrintable(
                    QString("%1: %2 of %3").arg(check.what.c_str()).arg(check.measuredBytes).arg(check.expectedBytes)));
        QVERIFY(result.passed);
        QCOMPARE(result.checks.size(), std::size_t(6));
        QVERIFY(result.achievedHz > 0 && result.achievedHz <= result.askedHz);
        QVERIFY(result.duration < std::chrono::seconds(3));
        QVERIFY(toJson(result)["checks"].size() == 6);
    }
};

QTEST_APPLESS_MAIN(tst_Machine)
#include "tst_Machine.moc"
