#include "gui/EventInbox.h"
#include "gui/models/LiveRun.h"
#include "gui/models/ProfileModel.h"

#include <QAbstractItemModelTester>
#include <QTest>

using namespace loadlab;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMiB = 1 << 20;

RunEvent at(double seconds, RunEventBody body)
{
    return {static_cast<std::int64_t>(seconds * 1e9), std::move(body)};
}

RunEvent started()
{
    RunStarted begin;
    begin.identity.checkpointName = "qwen";
    return at(0, begin);
}

Sample sample(double seconds, std::int64_t treeBytes)
{
    Sample one;
    one.monotonicNs = static_cast<std::int64_t>(seconds * 1e9);
    one[Column::TreeBytes] = treeBytes;
    return one;
}

RunEvent samples(double from, double to, std::int64_t bytesPerSecond, double hz = 20)
{
    SamplesTaken taken;
    for (double s = from; s < to; s += 1 / hz)
        taken.samples.push_back(sample(s, static_cast<std::int64_t>(s * static_cast<double>(bytesPerSecond))));
    return at(to, taken);
}

RunEvent message(double seconds, protocol::Body body)
{
    return at(seconds, protocol::Message{static_cast<std::int64_t>(seconds * 1e9), std::move(body)});
}

RunEvent log(double seconds, const std::string& bytes)
{
    return at(seconds, LogText{LogStream::Stderr, bytes});
}

QStringList texts(const std::vector<LiveLine>& lines)
{
    QStringList all;
    for (const LiveLine& line : lines)
        all << line.kind + QStringLiteral(": ") + line.text;
    return all;
}

} // namespace

class TestLiveRun : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsThePaceOfNow()
    {
        LiveRun run;
        run.apply(started());
        QVERIFY(!run.samplesPerS(3));
        run.apply(samples(0, 4, kMiB));
        QCOMPARE(qRound(*run.samplesPerS(3)), 20);
        run.apply(samples(4, 8, kMiB, 50)); // A guard was armed.
        QCOMPARE(qRound(*run.samplesPerS(3)), 50);
    }

    void tellsWhatLeftTheGroup()
    {
        LiveRun run;
        run.apply(started());
        run.apply(at(1, LabActed{"outside_group", "pid 7 (sh), in /batch: it left", "pid 7 (sh), in /batch"}));
        QCOMPARE(run.outsideGroup(), std::vector<std::string>{"pid 7 (sh), in /batch"});
        QCOMPARE(run.soFar().traces.outsideGroup.value(), run.outsideGroup());
        run.apply(started());
        QVERIFY(run.outsideGroup().empty());
    }

    void followsARunFromStartToEnd()
    {
        LiveRun run;
        QVERIFY(run.isEmpty());
        run.apply(started());
        run.apply(message(1, protocol::PhaseEntered{"reading"}));
        run.apply(samples(0, 4, 100 * kMiB));
        run.apply(at(4, StateChanged{TrialState::Loading}));
        QCOMPARE(run.state(), TrialState::Loading);
        QCOMPARE(run.phases().size(), std::size_t{2});
        QCOMPARE(run.phases().front().name, std::string("starting"));
        QCOMPARE(run.phases().front().toS, 1.0);
        QVERIFY(run.phases().back().toS > 3.9);
        QVERIFY(run.growthBytesPerS(10));
        QVERIFY(qAbs(*run.growthBytesPerS(10) - 100.0 * kMiB) < kMiB);
        QCOMPARE(run.elapsedS(5 * kSecond), 5.0);
        RunFinished end;
        end.result.verdict = Verdict{};
        end.result.verdict->summary = "Loaded.";
        end.result.duration = std::chrono::seconds(6);
        QCOMPARE(texts(run.apply(at(6, end))), QStringList{QStringLiteral("lab: Loaded.")});
        QVERIFY(run.hasEnded());
        QCOMPARE(run.elapsedS(99 * kSecond), 6.0);
    }

    void aPercentMeansBytesWhereTheyAreTold()
    {
        const protocol::Progress progress{"tensors", 49, 158, 540, 1000, "model.norm.weight"};
        QCOMPARE(percentOf(progress), 54);
        QCOMPARE(percentOf({"tensors", 49, 158, 0, 0, ""}), 31);
        QCOMPARE(percentOf({"tensors", 999, 1000, 0, 0, ""}), 99);
        QCOMPARE(percentOf({"tensors", 0, 0, 0, 0, ""}), 0);
        LiveRun run;
        run.apply(started());
        QCOMPARE(texts(run.apply(message(1, progress))),
            QStringList{QStringLiteral("progress: 54 %  49 of 158 tensors  model.norm.weight")});
    }

    void oneIsNoPlural()
    {
        LiveRun run;
        run.apply(started());
        QCOMPARE(texts(run.apply(message(1, protocol::Progress{"tensors", 1, 1, 0, 0, "x"}))),
            QStringList{QStringLiteral("progress: 100 %  1 of 1 tensor  x")});
        protocol::Loaded loaded;
        loaded.parameters = loaded.tensors = 1;
        QCOMPARE(texts(run.apply(message(2, loaded))), QStringList{QStringLiteral("loaded: 1 parameter in 1 tensor")});
        loaded.parameters = 2034;
        loaded.tensors = 2;
        QCOMPARE(
            texts(run.apply(message(2, loaded))), QStringList{QStringLiteral("loaded: 2,034 parameters in 2 tensors")});
    }

    void anotherStartForgetsTheRunBefore()
    {
        LiveRun run;
        run.apply(started());
        run.apply(samples(0, 1, kMiB));
        run.apply(started());
        QVERIFY(run.curve().samples.empty());
    }

    void joinsLogTextToLinesWhereverItIsSplit()
    {
        const std::string text = "first\nsecond half\r\nbar 10%\rbar 100%\n\x1b[31mred\x1b[0m\tend\nlast";
        const QStringList expected{QStringLiteral("first"), QStringLiteral("second half"), QStringLiteral("bar 100%"),
            QStringLiteral("red\tend")};
        for (std::size_t size = 1; size <= text.size(); ++size) {
            LineJoiner lines;
            QStringList got;
            for (std::size_t from = 0; from < text.size(); from += size)
                for (const QString& line : lines.feed(std::string_view(text).substr(from, size)))
                    got << line;
            QCOMPARE(got, expected);
            QCOMPARE(lines.finish().value_or(QString()), QStringLiteral("last"));
        }
    }

    void keepsALineThatNeverEndsSmall()
    {
        LineJoiner lines;
        for (int i = 0; i < 1000; ++i)
            QVERIFY(lines.feed(std::string(10'000, 'x')).empty());
        QVERIFY(lines.finish()->size() < 3000);
    }

    void tellsTenthsOfProgressNotEveryStep()
    {
        LiveRun run;
        run.apply(started());
        int lines = 0;
        for (std::uint64_t i = 0; i <= 1000; ++i)
            lines += static_cast<int>(run.apply(message(1, protocol::Progress{"tensors", i, 1000, 0, 0, "x"})).size());
        QCOMPARE(lines, 11);
        QCOMPARE(run.progress()->done, std::uint64_t{1000});
    }

    void tellsErrorsSignalsAndUnfinishedLines()
    {
        LiveRun run;
        run.apply(started());
        QVERIFY(run.apply(log(1, "half a line")).empty());
        protocol::WorkerError error;
        error.type = "corrupt_file";
        error.message = "header too long";
        QCOMPARE(
            texts(run.apply(message(1, error))), QStringList{QStringLiteral("error: corrupt_file: header too long")});
        WorkerEnded ended;
        ended.status.signal = 11;
        const QStringList last = texts(run.apply(at(2, ended)));
        QCOMPARE(last.size(), 2);
        QCOMPARE(last[0], QStringLiteral("stderr: half a line"));
        QVERIFY(last[1].contains(QStringLiteral("signal 11")));
    }

    void theInboxJoinsSamplesAndBoundsALogFlood()
    {
        int told = 0;
        EventInbox inbox([&told] { ++told; });
        inbox.push(started());
        inbox.push(samples(0, 1, kMiB));
        inbox.push(samples(1, 2, kMiB));
        for (int i = 0; i < 1000; ++i)
            inbox.push(log(2, std::string(1000, 'x') + "\n"));
        QCOMPARE(told, 1);
        const std::vector<RunEvent> events = inbox.take();
        std::size_t logBytes = 0;
        int sampleEvents = 0;
        QString note;
        for (const RunEvent& event : events) {
            if (const auto* text = std::get_if<LogText>(&event.body)) {
                logBytes += text->bytes.size();
                if (text->stream == LogStream::Lab)
                    note = QString::fromStdString(text->bytes);
            }
            sampleEvents += std::holds_alternative<SamplesTaken>(event.body) ? 1 : 0;
        }
        QCOMPARE(sampleEvents, 1);
        QVERIFY(logBytes <= EventInbox::kLogBytesPerTaking + 200);
        QVERIFY(note.contains(QStringLiteral("left out here")));
        inbox.push(log(3, "again\n"));
        QCOMPARE(told, 2);
        QCOMPARE(inbox.take().size(), std::size_t{1});
        QVERIFY(inbox.take().empty());
    }

    void whatWasLeftOutIsToldBeforeTheEnd()
    {
        EventInbox inbox([] {});
        inbox.push(log(1, std::string(200'000, 'x')));
        inbox.push(at(2, RunFinished{}));
        const std::vector<RunEvent> events = inbox.take();
        QVERIFY(std::holds_alternative<RunFinished>(events.back().body));
        QCOMPARE(events.size(), std::size_t{2});
    }

    void profilesEverySoManySeconds()
    {
        Curve curve;
        for (int i = 0; i <= 240; ++i)
            curve.samples.push_back(sample(i * 0.05, i * kMiB));
        const std::vector<Phase> phases{{"reading", 0, 6, 0}, {"checking", 6, 12, 0}};
        const std::vector<ProfileRow> rows = profileOf(curve, phases, 5);
        QCOMPARE(rows.size(), std::size_t{4});
        QCOMPARE(rows[1].tS, 5.0);
        QCOMPARE(rows[1].usedBytes, static_cast<std::uint64_t>(100 * kMiB));
        QCOMPARE(*rows[1].deltaBytes, 100 * kMiB);
        QCOMPARE(*rows[1].rateBytesPerS, 20.0 * kMiB);
        QCOMPARE(rows[2].phase, QStringLiteral("Checking"));
        QCOMPARE(rows[3].tS, 12.0);
        QVERIFY(profileOf({}, {}, 5).empty());
    }

    void whatIsGivenBackAtTheEndIsNoPaceOfTheLoad()
    {
        Curve curve;
        for (int i = 0; i <= 240; ++i)
            curve.samples.push_back(sample(i * 0.05, i <= 236 ? std::min(i, 100) * kMiB : 0));
        const std::vector<Phase> phases{{"reading", 0, 5, 0}, {"holding", 5, 12, 0}};
        const std::vector<ProfileRow> rows = profileOf(curve, phases, 5, true);
        QCOMPARE(rows.size(), std::size_t{5});
        QCOMPARE(rows[3].tS, 11.8);
        QCOMPARE(rows[3].phase, QStringLiteral("Holding"));
        QCOMPARE(*rows[3].deltaBytes, std::int64_t{0});
        QCOMPARE(rows[4].usedBytes, std::uint64_t{0});
        QCOMPARE(rows[4].phase, QStringLiteral("Ending"));
        QVERIFY(!rows[4].deltaBytes && !rows[4].rateBytesPerS);
        // Of a load that is under way nobody knows yet whether it comes back.
        QCOMPARE(profileOf(curve, phases, 5).back().phase, QStringLiteral("Holding"));
        QVERIFY(profileOf(curve, phases, 5).back().deltaBytes.has_value());
    }

    void aGrowingProfileGrowsAtItsEnd()
    {
        ProfileModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        Curve curve;
        int resets = 0;
        connect(&model, &QAbstractItemModel::modelReset, this, [&resets] { ++resets; });
        for (int i = 0; i < 400; ++i) {
            curve.samples.push_back(sample(i * 0.1, i * kMiB));
            model.setRows(profileOf(curve, {}, 5));
        }
        QCOMPARE(model.rowCount(), 9);
        QVERIFY(resets <= 1);
        model.setRows({});
        QCOMPARE(model.rowCount(), 0);
    }

    void aProfileHasAReadableNumberOfRows()
    {
        QCOMPARE(profileStep(3), 0.5);
        QCOMPARE(profileStep(10), 1.0);
        QCOMPARE(profileStep(60), 5.0);
        QVERIFY(86400 / profileStep(86400) <= 400);
    }
};

QTEST_GUILESS_MAIN(TestLiveRun)
#include "tst_LiveRun.moc"
