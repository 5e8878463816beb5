#include "core/trial/RunCounters.h"

#include <QtTest>
#include <nlohmann/json.hpp>

using namespace loadlab;

namespace {

/// Two samples 50 ms apart with the columns of a process tree and of its cgroup.
ColumnRates twoOfATree()
{
    ColumnRates rates;
    for (int i = 0; i < 2; ++i) {
        Sample sample;
        sample.monotonicNs = i * 50'000'000LL;
        for (const Column column :
            {Column::AnonBytes, Column::TreeBytes, Column::SystemFreeBytes, Column::GpuBytes, Column::CgroupUsageBytes})
            sample[column] = 1;
        rates.add(sample);
    }
    return rates;
}

RunCounter counterOf(Column column, const ColumnRates& rates, const CounterOrigins& origins)
{
    return describeCounters(rates, origins).at(static_cast<std::size_t>(column));
}

CounterOrigins origins()
{
    CounterOrigins known{20, GroupKind::V2, {}, {}};
    known.gpu.devicesHz = 19.5;
    known.gpu.processesHz = 0.75;
    return known;
}

} // namespace

class tst_RunCounters : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyColumnIsToldOnce()
    {
        const auto counters = describeCounters(ColumnRates(), {});
        QCOMPARE(counters.size(), kColumnCount);
        for (std::size_t i = 0; i < counters.size(); ++i) {
            QCOMPARE(counters[i].column, static_cast<Column>(i));
            QVERIFY2(!counters[i].source.empty(), toWireName(counters[i].column).data());
            QVERIFY(!counters[i].rateHz);
        }
        QCOMPARE(counters[0].problem, std::string("no process was measured"));
    }

    void whatWasThereHasARateAndNoProblem()
    {
        const RunCounter anon = counterOf(Column::AnonBytes, twoOfATree(), origins());
        QCOMPARE(anon.source, std::string("/proc/PID/status RssAnon"));
        QCOMPARE(anon.rateHz, std::optional(20.0));
        QVERIFY(anon.problem.empty());
    }

    void marksAreNoFasterRate()
    {
        CounterOrigins slow = origins();
        slow.sampledHz = 5;
        QCOMPARE(counterOf(Column::AnonBytes, twoOfATree(), slow).rateHz, std::optional(5.0));
    }

    void aboveFiftyHertzACheaperSourceComesBetween()
    {
        CounterOrigins fast = origins();
        fast.sampledHz = 1000;
        QCOMPARE(counterOf(Column::AnonBytes, twoOfATree(), fast).source,
            std::string("/proc/PID/status RssAnon; between /proc/PID/statm"));
        QCOMPARE(counterOf(Column::SystemFreeBytes, twoOfATree(), fast).source,
            std::string("/proc/meminfo MemFree; between sysinfo(2)"));
        QCOMPARE(counterOf(Column::FileBytes, twoOfATree(), fast).source, std::string("/proc/PID/status RssFile"));
    }

    void samplesThatRepeatAGpusReadingAreNoReadings()
    {
        QCOMPARE(counterOf(Column::GpuBytes, twoOfATree(), origins()).rateHz, std::optional(0.75));
        CounterOrigins once = origins();
        once.gpu.processesHz = 0;
        QVERIFY(!counterOf(Column::GpuBytes, twoOfATree(), once).rateHz);
    }

    void theGroupsVersionIsInItsSource()
    {
        QCOMPARE(
            counterOf(Column::CgroupUsageBytes, twoOfATree(), origins()).source, std::string("cgroup/memory.current"));
        CounterOrigins v1 = origins();
        v1.group = GroupKind::V1;
        QCOMPARE(
            counterOf(Column::CgroupUsageBytes, twoOfATree(), v1).source, std::string("cgroup/memory.usage_in_bytes"));
    }

    void whatWasAbsentSaysWhy()
    {
        ColumnRates rates;
        Sample sample;
        sample[Column::TreeBytes] = 1;
        rates.add(sample);
        CounterOrigins none = origins();
        none.group = GroupKind::None;
        none.noGroup = "no controller";
        none.gpu.problem = "no library";
        QCOMPARE(counterOf(Column::CgroupFileBytes, rates, none).problem, std::string("no controller"));
        QCOMPARE(counterOf(Column::GpuBytes, rates, none).problem, std::string("no library"));
        CounterOrigins unified = origins();
        unified.gpu.unifiedMemory = true;
        QVERIFY(counterOf(Column::GpuUsedBytes, rates, unified).problem.starts_with("unified memory"));
        QCOMPARE(counterOf(Column::GpuBusyPercent, rates, unified).problem, std::string("the driver does not tell"));
        QVERIFY(counterOf(Column::PssBytes, rates, unified).problem.starts_with("never due"));
    }

    void theyComeBackAsTheyWent()
    {
        const auto counters = describeCounters(twoOfATree(), origins());
        auto json = toJson(counters);
        QCOMPARE(countersFromJson(json), counters);
        json.push_back({{"column", "of_tomorrow_bytes"}, {"source", "/proc/tomorrow"}});
        QCOMPARE(countersFromJson(json), counters);
        QVERIFY(countersFromJson(nullptr).empty());
        QVERIFY(countersFromJson({{{"column", 5}}}).empty());
    }
};

QTEST_APPLESS_MAIN(tst_RunCounters)
#include "tst_RunCounters.moc"
