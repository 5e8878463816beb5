#include "core/trial/SignsOfLife.h"

#include <QtTest>

using namespace loadlab;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t operator""_s(unsigned long long seconds)
{
    return static_cast<std::int64_t>(seconds) * 1'000'000'000;
}

Sample sampleAt(std::int64_t atNs, std::initializer_list<std::pair<Column, std::int64_t>> values)
{
    Sample sample;
    sample.monotonicNs = atNs;
    for (const auto& [column, value] : values)
        sample[column] = value;
    return sample;
}

protocol::Message progress(std::uint64_t done, const char* what = "t")
{
    return {0, protocol::Progress{"tensors", done, 100, 0, 0, what}};
}

} // namespace

class tst_SignsOfLife : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void silenceCountsFromTheStart();
    void outputIsASign();
    void repeatedProgressIsNone();
    void readingIsASign();
    void aTimerThatIsReadIsNone();
    void startsOfProgramsAreNone();
    void aStatusThatIsAskedForIsNone();
    void writingIsASign();
    void faultsAreASign();
    void faultsCountWhenTheyWere();
    void aPageNowAndThenIsNone();
    void slowWritingAddsUp();
    void aHeartbeatInALogIsNone();
    void aLittleThatIsReadAsksForPositions();
    void aSilenceIsNotOverBeforePositionsWereLookedAt();
    void whatComesBackFromSwapIsASign();
    void slowGrowthAddsUp();
    void growthAfterAFallCountsFromTheBottom();
    void shrinkingIsNone();
    void cpuWorthNaming_data();
    void cpuWorthNaming();
    void cpuOfLongAgoDoesNotCount();
    void aSilenceIsJudgedAsOfTheLastSample();
    void aBusyProgramIsNeverSilentHoweverShortTheLimit_data();
    void aBusyProgramIsNeverSilentHoweverShortTheLimit();
    void theFirstSampleIsNoSign();
    void theLabsOwnPauseIsForgiven();
    void anOldSampleDoesNotTurnBackTheClock();
};

void tst_SignsOfLife::silenceCountsFromTheStart()
{
    const SignsOfLife life(5_s, 60s);
    QCOMPARE(life.silence(12_s), 7s);
    QCOMPARE(life.silence(4_s), 0s);
    QCOMPARE(life.lastSign(), std::string("start"));
}

void tst_SignsOfLife::outputIsASign()
{
    SignsOfLife life(0, 60s);
    life.output(8_s);
    QCOMPARE(life.silence(10_s), 2s);
    QCOMPARE(life.lastSign(), std::string("output"));
}

void tst_SignsOfLife::repeatedProgressIsNone()
{
    SignsOfLife life(0, 60s);
    QVERIFY(life.message(progress(3), 2_s));
    QVERIFY(!life.message(progress(3), 7_s));
    QCOMPARE(life.silence(8_s), 6s);
    life.message(progress(3, "another tensor"), 8_s);
    QCOMPARE(life.silence(8_s), 0s);
    life.message({0, protocol::PhaseEntered{"checking"}}, 9_s);
    QCOMPARE(life.silence(9_s), 0s);
}

void tst_SignsOfLife::readingIsASign()
{
    SignsOfLife life(0, 60s);
    life.sample(sampleAt(1_s, {{Column::ReadBytes, 0}, {Column::ReadCharBytes, 0}}));
    life.sample(sampleAt(2_s, {{Column::ReadBytes, 4096}, {Column::ReadCharBytes, 0}}));
    QCOMPARE(life.silence(2_s), 0s);
    life.sample(sampleAt(3_s, {{Column::ReadBytes, 4096}, {Column::ReadCharBytes, 1 << 20}}));
    QCOMPARE(life.silence(3_s), 0s);
    QCOMPARE(life.lastSign(), std::string("reading"));
}

void tst_SignsOfLife::aTimerThatIsReadIsNone()
{
    SignsOfLife life(0, 60s);
    for (int i = 0; i <= 50; ++i) // 8 bytes, 100 times a second
        life.sample(sampleAt(i * 1_s, {{Column::ReadBytes, 0}, {Column::ReadCharBytes, i * 800}}));
    QCOMPARE(life.silence(50_s), 50s);
}

void tst_SignsOfLife::startsOfProgramsAreNone()
{
    SignsOfLife life(0, 60s);
    for (int i = 0; i <= 50; ++i) {
        life.use({.startupReadBytes = static_cast<std::uint64_t>(i + 1) * (50 << 10)}, i * 1_s); // Ahead of the sample.
        life.sample(sampleAt(i * 1_s, {{Column::ReadBytes, 0}, {Column::ReadCharBytes, i * (50 << 10)}}));
    }
    QCOMPARE(life.silence(50_s), 50s);
    life.sample(sampleAt(51_s, {{Column::ReadBytes, 0}, {Column::ReadCharBytes, (50 * 50 + 350) << 10}}));
    QCOMPARE(life.silence(51_s), 0s);
}

void tst_SignsOfLife::aStatusThatIsAskedForIsNone()
{
    SignsOfLife life(0, 300s);
    for (int i = 0; i <= 300; ++i)
        life.sample(sampleAt(i * 1_s, {{Column::ReadBytes, 0}, {Column::ReadCharBytes, i * 2000}}));
    QCOMPARE(life.silence(300_s), 300s);
}

void tst_SignsOfLife::writingIsASign()
{
    SignsOfLife life(0, 16s);
    life.use({1 << 20, 1 << 20}, 1_s); // What it wrote before nobody knows when.
    QCOMPARE(life.silence(1_s), 1s);
    life.use({(1 << 20) + (40 << 10), 1 << 20}, 2_s);
    life.use({(1 << 20) + (80 << 10), 1 << 20}, 3_s);
    QCOMPARE(life.silence(3_s), 0s);
    QCOMPARE(life.lastSign(), std::string("writing"));
    life.use({(1 << 20) + (80 << 10), (1 << 20) + (64 << 10)}, 4_s); // Through a mapping.
    QCOMPARE(life.silence(4_s), 0s);
}

void tst_SignsOfLife::faultsAreASign()
{
    SignsOfLife life(0, 8s); // Windows of two seconds.
    life.use({0, 0, 1000}, 1_s); // What it faulted before nobody knows when.
    life.use({0, 0, 1100}, 2_s);
    QCOMPARE(life.silence(2_s), 2s);
    life.use({0, 0, 1200}, 3_s);
    QCOMPARE(life.silence(3_s), 0s);
    QCOMPARE(life.lastSign(), std::string("faults"));
}

void tst_SignsOfLife::faultsCountWhenTheyWere()
{
    SignsOfLife life(0, 8s);
    life.use({}, 0);
    life.use({.steadyFaults = 500}, 1_s);
    life.use({.steadyFaults = 500}, 2_s);
    QCOMPARE(life.silence(2_s), 1s);
}

void tst_SignsOfLife::slowWritingAddsUp()
{
    SignsOfLife life(0, 300s);
    for (std::uint64_t i = 0; i <= 65; ++i)
        life.use({.writtenBytes = i << 10}, static_cast<std::int64_t>(i) * 1_s);
    QCOMPARE(life.silence(65_s), 1s);
}

void tst_SignsOfLife::aPageNowAndThenIsNone()
{
    SignsOfLife life(0, 8s);
    for (std::uint64_t i = 0; i <= 7; ++i)
        life.use({0, 0, i * 4}, static_cast<std::int64_t>(i) * 1_s);
    QCOMPARE(life.silence(7_s), 7s);
}

void tst_SignsOfLife::aHeartbeatInALogIsNone()
{
    SignsOfLife life(0, 60s);
    for (std::uint64_t i = 0; i <= 50; ++i)
        life.use({i * 1000, i * 1000}, static_cast<std::int64_t>(i) * 1_s);
    QCOMPARE(life.silence(50_s), 50s);
}

void tst_SignsOfLife::aLittleThatIsReadAsksForPositions()
{
    SignsOfLife life(0, 80s);
    life.sample(sampleAt(1_s, {{Column::ReadCharBytes, 1000}}));
    QVERIFY(!life.asksForPositions(15_s)); // How much there was before nobody knows.
    life.sample(sampleAt(5_s, {{Column::ReadCharBytes, 1008}}));
    QVERIFY(!life.asksForPositions(9_s));
    QVERIFY(life.asksForPositions(10_s));
    life.positions(true, 10_s);
    QCOMPARE(life.silence(10_s), 5s);
    QCOMPARE(life.lastSign(), std::string("reading"));
    life.sample(sampleAt(25_s, {{Column::ReadCharBytes, 1008}}));
    QVERIFY(!life.asksForPositions(25_s));
    life.sample(sampleAt(30_s, {{Column::ReadCharBytes, 1016}}));
    QVERIFY(life.asksForPositions(30_s));
    life.positions(false, 30_s);
    QCOMPARE(life.silence(30_s), 25s);
    QVERIFY(!life.asksForPositions(40_s));
}

void tst_SignsOfLife::aSilenceIsNotOverBeforePositionsWereLookedAt()
{
    SignsOfLife life(0, 80s);
    life.sample(sampleAt(1_s, {{Column::ReadCharBytes, 0}}));
    life.sample(sampleAt(70_s, {{Column::ReadCharBytes, 8}}));
    life.positions(false, 75_s);
    life.sample(sampleAt(79_s, {{Column::ReadCharBytes, 16}}));
    QVERIFY(!life.asksForPositions(79_s));
    QVERIFY(life.asksForPositions(80_s));
}

/// Compressed swap reads nothing: the faults alone tell.
void tst_SignsOfLife::whatComesBackFromSwapIsASign()
{
    SignsOfLife swapping(0, 60s);
    SignsOfLife waking(0, 60s);
    for (int i = 0; i <= 40; ++i) {
        const auto faulted = [i](std::int64_t faults, std::int64_t swap) {
            return sampleAt(i * 1_s,
                {{Column::MajorFaults, faults}, {Column::SwapBytes, swap}, {Column::ReadBytes, 0},
                    {Column::TreeBytes, 64 << 20}, {Column::CpuNs, 0}});
        };
        swapping.sample(faulted(i * 20, 32 << 20));
        waking.sample(faulted(i / 4, 32 << 20));
    }
    QCOMPARE(swapping.silence(40_s), 0s);
    QCOMPARE(swapping.lastSign(), std::string("swapping"));
    QCOMPARE(waking.silence(40_s), 40s);
}

void tst_SignsOfLife::slowGrowthAddsUp()
{
    SignsOfLife life(0, 60s);
    for (int i = 0; i <= 10; ++i)
        life.use({.grownBytes = i * (100 << 10)}, i * 1_s);
    QCOMPARE(life.silence(10_s), 10s); // 1000 KiB
    life.use({.grownBytes = 1100 << 10}, 11_s);
    QCOMPARE(life.silence(11_s), 0s);
    QCOMPARE(life.lastSign(), std::string("growth"));
}

void tst_SignsOfLife::growthAfterAFallCountsFromTheBottom()
{
    SignsOfLife life(0, 60s);
    life.use({.grownBytes = 100 << 20}, 1_s);
    life.use({.grownBytes = 50 << 20}, 2_s);
    QCOMPARE(life.silence(2_s), 2s);
    life.use({.grownBytes = 52 << 20}, 3_s);
    QCOMPARE(life.silence(3_s), 0s);
}

void tst_SignsOfLife::shrinkingIsNone()
{
    SignsOfLife life(0, 60s);
    for (int i = 0; i <= 20; ++i)
        life.use({.grownBytes = (100 - i) << 20}, i * 1_s);
    QCOMPARE(life.silence(20_s), 20s);
}

void tst_SignsOfLife::cpuWorthNaming_data()
{
    QTest::addColumn<double>("share");
    QTest::addColumn<bool>("sign");
    QTest::newRow("a spinner") << 1.0 << true;
    QTest::newRow("3 % of a core") << 0.03 << true;
    QTest::newRow("1 % of a core") << 0.01 << false;
    QTest::newRow("100 wake-ups a second") << 0.002 << false;
}

void tst_SignsOfLife::cpuWorthNaming()
{
    QFETCH(double, share);
    QFETCH(bool, sign);
    SignsOfLife life(0, 20s);
    for (std::int64_t i = 0; i <= 400; ++i) { // 20 Hz
        const std::int64_t atNs = i * 50'000'000;
        life.sample(sampleAt(atNs, {{Column::CpuNs, static_cast<std::int64_t>(share * static_cast<double>(atNs))}}));
    }
    QCOMPARE(life.silence(20_s) < 6s, sign); // A window is a quarter of the limit.
}

void tst_SignsOfLife::cpuOfLongAgoDoesNotCount()
{
    SignsOfLife life(0, 20s);
    life.sample(sampleAt(0, {{Column::CpuNs, 0}}));
    for (int i = 1; i <= 30; ++i)
        life.sample(sampleAt(i * 1_s, {{Column::CpuNs, 1_s}}));
    QVERIFY(life.silence(30_s) >= 24s);
}

void tst_SignsOfLife::aSilenceIsJudgedAsOfTheLastSample()
{
    SignsOfLife life(0, 800ms);
    QCOMPARE(life.dueNs(800ms, 1), std::int64_t(800'000'000));
    life.sample(sampleAt(0, {{Column::CpuNs, 0}}));
    life.sample(sampleAt(700'000'000, {{Column::AnonBytes, 0}})); // One of those between says nothing of CPU time.
    QVERIFY(!life.isOver(800ms, 1_s));
    QCOMPARE(life.dueNs(800ms, 1_s), 3_s + 800'000'000); // If samples are lost.
    QVERIFY(!life.isOver(800ms, 3_s));
    QVERIFY(life.isOver(800ms, 4_s));
    life.sample(sampleAt(1_s, {{Column::CpuNs, 1000}}));
    QVERIFY(life.isOver(800ms, 1_s));
}

void tst_SignsOfLife::aBusyProgramIsNeverSilentHoweverShortTheLimit_data()
{
    QTest::addColumn<int>("limitMs");
    QTest::addColumn<int>("everyMs");
    QTest::newRow("shorter than two windows") << 150 << 50;
    QTest::newRow("shorter than a window") << 60 << 50;
    QTest::newRow("shorter than a sample") << 800 << 1000;
}

void tst_SignsOfLife::aBusyProgramIsNeverSilentHoweverShortTheLimit()
{
    QFETCH(int, limitMs);
    QFETCH(int, everyMs);
    SignsOfLife life(0, std::chrono::milliseconds(limitMs));
    for (std::int64_t ms = 0; ms <= 5000; ++ms) {
        if (ms % everyMs == 0)
            life.sample(sampleAt(ms * 1'000'000, {{Column::CpuNs, ms * 1'000'000}}));
        QVERIFY2(!life.isOver(std::chrono::milliseconds(limitMs), ms * 1'000'000), QByteArray::number(qint64(ms)));
    }
}

void tst_SignsOfLife::theFirstSampleIsNoSign()
{
    SignsOfLife life(0, 60s);
    life.use({1 << 30, 1 << 30, 1 << 20, 1 << 30, 1 << 30}, 5_s);
    life.sample(sampleAt(5_s, {{Column::CpuNs, 100_s}, {Column::ReadBytes, 1 << 30}}));
    QCOMPARE(life.silence(5_s), 5s);
}

void tst_SignsOfLife::theLabsOwnPauseIsForgiven()
{
    SignsOfLife life(0, 60s);
    life.forgive(600s);
    QCOMPARE(life.silence(610_s), 10s);
}

void tst_SignsOfLife::anOldSampleDoesNotTurnBackTheClock()
{
    SignsOfLife life(0, 60s);
    life.sample(sampleAt(1_s, {{Column::ReadBytes, 0}}));
    life.output(9_s);
    life.sample(sampleAt(4_s, {{Column::ReadBytes, 1 << 30}}));
    QCOMPARE(life.silence(10_s), 1s);
}

QTEST_APPLESS_MAIN(tst_SignsOfLife)
#include "tst_SignsOfLife.moc"
