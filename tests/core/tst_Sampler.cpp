#include "core/Units.h"
#include "core/containment/GroupCounters.h"
#include "core/curve/CurveSummary.h"
#include "core/telemetry/Sampler.h"
#include "tests/core/FakeCgroups.h"
#include "tests/core/MemoryClient.h"

#include <QDir>
#include <QFile>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <sched.h>
#include <thread>

using namespace loadlab;

namespace {

constexpr std::int64_t kMiB = 1 << 20;
const std::string kUuid = "10000000-0000-4000-8000-000000000001";

thread_local std::uint64_t allocationsOfThisThread = 0;

/// Gathers what a sampler hands over; counts what its thread allocated between two samples.
class Gathering {
public:
    Gathering()
    {
        m_samples.reserve(20'000);
        m_allocations.reserve(20'000);
    }

    Sampler::Sink sink()
    {
        return [this](const Sample& sample) {
            const std::lock_guard lock(m_mutex);
            m_allocations.push_back(allocationsOfThisThread);
            m_samples.push_back(sample);
            m_came.notify_all();
        };
    }
    /// Waits until there are so many; false after 20 s.
    bool reaches(std::size_t count) const
    {
        std::unique_lock lock(m_mutex);
        return m_came.wait_for(lock, std::chrono::seconds(20), [&] { return m_samples.size() >= count; });
    }
    std::size_t count() const
    {
        const std::lock_guard lock(m_mutex);
        return m_samples.size();
    }
    std::vector<Sample> samples() const
    {
        const std::lock_guard lock(m_mutex);
        return m_samples;
    }
    std::vector<std::uint64_t> allocations() const
    {
        const std::lock_guard lock(m_mutex);
        return m_allocations;
    }

private:
    mutable std::mutex m_mutex;
    mutable std::condition_variable m_came;
    std::vector<Sample> m_samples;
    std::vector<std::uint64_t> m_allocations;
};

/// Of this process's thread with that name; -1 when there is none.
int policyOfThread(const QByteArray& name)
{
    const QDir tasks(QStringLiteral("/proc/self/task"));
    for (const auto& thread : tasks.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile comm(tasks.filePath(thread + QStringLiteral("/comm")));
        if (comm.open(QIODevice::ReadOnly) && comm.readAll().trimmed() == name)
            return ::sched_getscheduler(thread.toInt());
    }
    return -1;
}

} // namespace

void* operator new(std::size_t size)
{
    ++allocationsOfThisThread;
    if (void* memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}

class tst_Sampler : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void runsBeforeBusyProcessesWhereItMay()
    {
        Gathering gathering;
        Sampler sampler(100, gathering.sink());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(1));
        const auto said = sampler.report().priority;
        if (said != SamplerPriority::RealTime)
            QSKIP("this process may not ask for real-time priority");
        QCOMPARE(policyOfThread("sampler"), SCHED_RR | SCHED_RESET_ON_FORK);
        QCOMPARE(::sched_getscheduler(0), SCHED_OTHER); // Of the thread that asked for it.
    }

    void givesItsPriorityUpWhenItNeedsMostOfTheTime()
    {
        Gathering gathering;
        const auto keep = gathering.sink();
        Sampler sampler(1000, [&keep](const Sample& sample) {
            for (const auto until = monotonicNs() + 600'000; monotonicNs() < until;) { }
            keep(sample);
        });
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(1));
        if (sampler.report().priority != SamplerPriority::RealTime)
            QSKIP("this process may not ask for real-time priority");
        QTRY_COMPARE_WITH_TIMEOUT(sampler.report().priority, SamplerPriority::Normal, 20'000);
        QCOMPARE(policyOfThread("sampler"), SCHED_OTHER | SCHED_RESET_ON_FORK);
    }

    void refusesRatesOutsideOneToAThousand()
    {
        for (const double rate : {0.0, 0.5, 1001.0, -1.0, std::nan("")}) {
            Sampler sampler(rate, [](const Sample&) {});
            const auto started = sampler.start();
            QVERIFY(!started);
            QCOMPARE(started.error().kind, ErrorKind::Invalid);
        }
    }

    void theFirstSampleComesAtOnceAndHoldsTheSystem()
    {
        Gathering gathering;
        Sampler sampler(1, gathering.sink());
        const auto before = monotonicNs();
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(1));
        QVERIFY(monotonicNs() - before < 900'000'000);
        const auto first = gathering.samples().front();
        QVERIFY(first[Column::SystemAvailableBytes] > 0);
        QVERIFY(!first.has(Column::TreeBytes));
        QVERIFY(first.monotonicNs % 1000 == 0);
    }

    void everyTickIsTakenOrReportedAsMissed()
    {
        Gathering gathering;
        Sampler sampler(20, gathering.sink());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(41));
        const auto report = sampler.stop();
        const auto samples = gathering.samples();
        QCOMPARE(report.ticks, std::uint64_t(samples.size()));
        const auto span = samples.back().monotonicNs - samples.front().monotonicNs;
        const auto periods = static_cast<double>(span) / 50e6;
        QVERIFY(std::abs(periods - static_cast<double>(report.ticks + report.missedTicks - 1)) < 1.0);
        // 19 of 20 unless the machine kept the sampler from running, which is then told.
        const auto rate = summarise({0, samples}).rateHz;
        const auto taken = static_cast<double>(report.ticks) / static_cast<double>(report.ticks + report.missedTicks);
        QVERIFY2(rate >= 19.0 * taken, qPrintable(QString::number(rate)));
        QVERIFY(report.worstLatenessNs > 0);
    }

    void anotherRateCountsFromNowOn()
    {
        Gathering gathering;
        Sampler sampler(1, gathering.sink());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(1));
        sampler.setRate(200);
        sampler.setRate(1e9); // None that it can.
        QVERIFY(gathering.reaches(101)); // More than a minute and a half at the first.
        const auto report = sampler.stop();
        QCOMPARE(report.rateHz, 200.0);
        QVERIFY(report.achievedHz() > 10 && report.achievedHz() < 200);
        const auto hz = report.columns.hz(Column::SystemFreeBytes);
        QVERIFY2(hz > 10.0, qPrintable(QString::number(hz.value_or(0))));
    }

    void timesOnlyGrow()
    {
        Gathering gathering;
        Sampler sampler(1000, gathering.sink());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(500));
        sampler.stop();
        const auto samples = gathering.samples();
        for (std::size_t i = 1; i < samples.size(); ++i)
            QVERIFY(samples[i].monotonicNs > samples[i - 1].monotonicNs);
    }

    void aWatchedTreeIsMeasuredAtOnce()
    {
        Gathering gathering;
        Sampler sampler(1, gathering.sink());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(1));
        MemoryClient client;
        client.tell("alloc 16");
        sampler.watch(client.pid());
        QVERIFY(gathering.reaches(2));
        QVERIFY(gathering.samples().back()[Column::TreeBytes] >= 16 * kMiB);
        QCOMPARE(sampler.living(), std::vector<pid_t>{client.pid()});
    }

    void aMarkIsASampleAndAPssReading()
    {
        MemoryClient client;
        client.tell("alloc 32");
        client.tell("fork nothing");
        Gathering gathering;
        Sampler sampler(1, gathering.sink());
        QVERIFY(sampler.start());
        sampler.watch(client.pid());
        const auto before = gathering.count();
        sampler.mark();
        const auto samples = gathering.samples();
        QVERIFY(samples.size() >= before + 2);
        const auto pss = samples.back()[Column::PssBytes];
        QVERIFY(pss >= 32 * kMiB && pss < 40 * kMiB);
        QCOMPARE(samples.back()[Column::TreeBytes], pss);
        QVERIFY(sampler.stop().extraSamples >= 2);
    }

    void marksOfSeveralThreadsAreAllAnswered()
    {
        MemoryClient client;
        Gathering gathering;
        Sampler sampler(50, gathering.sink());
        QVERIFY(sampler.start());
        sampler.watch(client.pid());
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int round = 0; round < 10; ++round) {
                    sampler.mark();
                    static_cast<void>(sampler.living());
                }
            });
        for (auto& thread : threads)
            thread.join();
        sampler.stop();
        QVERIFY(gathering.samples().back().has(Column::PssBytes));
    }

    void aMarkWithoutARunningSamplerReturns()
    {
        Sampler sampler(20, [](const Sample&) {});
        sampler.mark();
        QVERIFY(sampler.start());
        sampler.stop();
        sampler.mark();
    }

    void aSpikeBetweenTwoSamplesIsInTheHighWaterMark()
    {
        MemoryClient client;
        Gathering gathering;
        Sampler sampler(10, gathering.sink());
        QVERIFY(sampler.start());
        sampler.watch(client.pid());
        sampler.mark();
        const auto before = gathering.samples().back();
        for (int spike = 0; spike < 5; ++spike)
            client.tell("spike 64");
        sampler.mark();
        const auto report = sampler.stop();
        const auto wanted = static_cast<double>(before[Column::AnonBytes] + 64 * kMiB);
        QVERIFY(static_cast<double>(report.provenAnonBytes) >= wanted * 0.98);
        QVERIFY(static_cast<double>(report.provenAnonBytes) <= wanted * 1.02);
        QVERIFY(report.highWaterBytes >= report.provenAnonBytes);
    }

    void aboveFiftyHertzTheDearColumnsHaveTheirOwnRate()
    {
        MemoryClient client;
        client.tell("alloc 16");
        Gathering gathering;
        Sampler sampler(500, gathering.sink());
        sampler.watch(client.pid());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(300));
        sampler.stop();
        const auto samples = gathering.samples();
        std::size_t withCpu = 0;
        for (const auto& sample : samples) {
            QVERIFY(sample.has(Column::TreeBytes));
            QVERIFY(sample[Column::TreeBytes] >= 16 * kMiB);
            QVERIFY(sample.has(Column::SystemFreeBytes));
            withCpu += sample.has(Column::CpuNs) ? 1U : 0U;
        }
        QVERIFY(withCpu >= samples.size() / 30); // 20 of 500, and the one of watch().
        QVERIFY(withCpu < samples.size() / 2);
        const auto columns = sampler.report().columns;
        const auto tree = columns.hz(Column::TreeBytes).value();
        QVERIFY(columns.hz(Column::CpuNs).value() < tree / 2);
        QVERIFY(std::abs(tree - summarise({0, samples}).rateHz) < 1e-6 * tree);
    }

    void pssComesOnceASecondAtMost()
    {
        MemoryClient client;
        client.tell("alloc 16");
        Gathering gathering;
        Sampler sampler(50, gathering.sink());
        sampler.watch(client.pid());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(60));
        sampler.stop();
        std::vector<std::int64_t> atNs;
        for (const auto& sample : gathering.samples())
            if (sample.has(Column::PssBytes)) {
                atNs.push_back(sample.monotonicNs);
                QVERIFY(sample[Column::PssBytes] >= 16 * kMiB && sample[Column::PssBytes] < 24 * kMiB);
            }
        QVERIFY(atNs.size() >= 2);
        for (std::size_t i = 1; i < atNs.size(); ++i)
            QVERIFY(atNs[i] - atNs[i - 1] >= 1'000'000'000);
    }

    void furtherSourcesFillTheSamplesThatHaveAll()
    {
        MemoryClient client;
        Gathering gathering;
        Sampler sampler(500, gathering.sink());
        std::vector<pid_t> pids;
        sampler.alsoRead([&](Sample& sample, std::span<const pid_t> tree) {
            sample[Column::GpuBytes] = 42;
            pids.assign(tree.begin(), tree.end());
        });
        sampler.watch(client.pid());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(100));
        sampler.stop();
        for (const auto& sample : gathering.samples())
            QVERIFY(!sample.has(Column::CpuNs) || sample[Column::GpuBytes] == 42);
        QCOMPARE(pids, std::vector<pid_t>{client.pid()});
    }

    void theSteadyLoopAllocatesNothing()
    {
        MemoryClient client("a-run");
        client.tell("fork alloc 8");
        Gathering gathering;
        FakeCgroups fake = FakeCgroups::v2("/lab");
        fake.group("lab", "memory", "memory", "");
        const auto group
            = RunGroup::make(fake.world(), GroupKind::V2, findHierarchyV2(fake.world()).value(), kUuid, {}).value();
        GroupCounters counters(*group);
        Sampler sampler(200, gathering.sink());
        sampler.alsoRead([&counters](Sample& sample, std::span<const pid_t>) { counters.sample(sample); });
        QVERIFY(sampler.start());
        sampler.watch(client.pid());
        QVERIFY(gathering.reaches(200));
        sampler.stop();
        const auto counts = gathering.allocations();
        QCOMPARE(counts.back() - counts[counts.size() / 2], std::uint64_t(0));
        QVERIFY(std::ranges::any_of(
            gathering.samples(), [](const Sample& sample) { return sample.has(Column::CgroupUsageBytes); }));
    }

    void afterTheTreesEndItsMemoryIsZero()
    {
        Gathering gathering;
        Sampler sampler(50, gathering.sink());
        {
            MemoryClient client;
            sampler.watch(client.pid());
            QVERIFY(sampler.start());
            QVERIFY(gathering.reaches(2));
        }
        sampler.mark();
        const auto last = gathering.samples().back();
        QCOMPARE(last[Column::TreeBytes], std::int64_t(0));
        QCOMPARE(last[Column::Processes], std::int64_t(0));
        QVERIFY(last[Column::MinorFaults] > 0);
        QVERIFY(sampler.living().empty());
    }

    void stoppingTwiceSaysTheSame()
    {
        Gathering gathering;
        Sampler sampler(100, gathering.sink());
        QVERIFY(sampler.start());
        QVERIFY(gathering.reaches(3));
        const auto first = sampler.stop();
        const auto second = sampler.stop();
        QCOMPARE(first.ticks, second.ticks);
        QCOMPARE(first.rateHz, 100.0);
    }
};

QTEST_APPLESS_MAIN(tst_Sampler)
#include "tst_Sampler.moc"
