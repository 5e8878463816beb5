#include "../db/RunBuilder.h"
#include "../db/Take.h"
#include "gui/RunLibrary.h"
#include "gui/models/RunsModel.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace loadlab;
using test::take;

class TestRunsModel : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> m_folder;
    std::filesystem::path m_file;

    RunId addRun(RunStore& store, const std::string& name, FailureMode mode, const std::string& dtype = "auto",
        std::uint64_t peak = 1 << 30)
    {
        RunStarted begin = test::started(name);
        begin.identity.variant.dtype = dtype;
        const RunId id = take(store.startRun(begin));
        RunResult result = test::finished(begin, mode);
        result.curve.peakTreeBytes = peak;
        take(store.finishRun(id, result));
        return id;
    }
    void addMany(int count)
    {
        RunStore store = take(RunStore::open(m_file));
        take(store.begin());
        for (int i = 0; i < count; ++i)
            addRun(store, "model-" + std::to_string(i % 7), i % 3 == 0 ? FailureMode::Hang : FailureMode::Ok,
                i % 2 == 0 ? "auto" : "float32", static_cast<std::uint64_t>((i * 37) % count) << 20);
        take(store.commit());
    }
    static qint64 runAt(const RunsModel& model, int row)
    {
        return model.index(row, 0).data(RunsModel::RunIdRole).toLongLong();
    }
    static QString text(const RunsModel& model, int row, int column)
    {
        return model.index(row, column).data().toString();
    }

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_file = (m_folder->path() + QStringLiteral("/runs.sqlite")).toStdString();
    }

    void isEmptyOverAFreshDatabase()
    {
        RunLibrary library(m_file);
        RunsModel model(library);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        library.open("boot-1");
        QTRY_VERIFY(model.isReady() && !model.error());
        QCOMPARE(model.rowCount(), 0);
        QCOMPARE(library.state().kind, DatabaseState::Kind::Ready);
    }

    void readsPagesWhenTheyAreLookedAt()
    {
        addMany(1000);
        RunLibrary library(m_file);
        RunsModel model(library);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        library.open("boot-1");
        QTRY_COMPARE(model.rowCount(), 1000);
        QCOMPARE(runAt(model, 0), 1000);
        QTRY_COMPARE(runAt(model, 999), 1);
        QTRY_COMPARE(runAt(model, 500), 500);
        QVERIFY(model.findRow(RunId{500}) == 500);
    }

    void keepsAtMostSoManyPages()
    {
        addMany(RunsModel::kRowsPerPage * 70);
        RunLibrary library(m_file);
        RunsModel model(library);
        library.open("boot-1");
        QTRY_VERIFY(model.rowCount() > 0);
        for (int row = 0; row < model.rowCount(); row += RunsModel::kRowsPerPage)
            QTRY_VERIFY(runAt(model, row) > 0);
        QVERIFY2(!model.rowAt(RunsModel::kRowsPerPage + 1), "the second page was forgotten");
        QVERIFY2(model.rowAt(0), "the first page never is");
        QTRY_VERIFY(runAt(model, RunsModel::kRowsPerPage + 1) > 0);
    }

    void filtersBySql()
    {
        addMany(30);
        RunLibrary library(m_file);
        RunsModel model(library);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        library.open("boot-1");
        QTRY_COMPARE(model.rowCount(), 30);
        RunFilter filter;
        filter.modes = {FailureMode::Hang};
        model.setFilter(filter);
        QTRY_COMPARE(model.rowCount(), 10);
        QCOMPARE(text(model, 0, RunsModel::Outcome), QStringLiteral("Hang"));
        QCOMPARE(model.stored(), std::uint64_t{30});
        filter.dtype = "float32";
        model.setFilter(filter);
        QTRY_COMPARE(model.rowCount(), 5);
        filter.model = "no such model";
        model.setFilter(filter);
        QTRY_COMPARE(model.rowCount(), 0);
    }

    void sortsEveryColumnButTheCurveBothWays_data()
    {
        QTest::addColumn<int>("column");
        for (int column = 0; column < RunsModel::ColumnCount; ++column)
            if (column != RunsModel::CurveColumn)
                QTest::addRow("%d", column) << column;
    }
    void sortsEveryColumnButTheCurveBothWays()
    {
        QFETCH(int, column);
        addMany(300);
        RunLibrary library(m_file);
        RunsModel model(library);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        library.open("boot-1");
        QTRY_COMPARE(model.rowCount(), 300);
        const auto allRead = [&model] {
            for (int row = 0; row < 300; ++row)
                if (runAt(model, row) == 0)
                    return false;
            return true;
        };
        const auto column64 = [&] {
            QStringList all;
            for (int row = 0; row < 300; ++row)
                all << text(model, row, column);
            return all;
        };
        QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
        model.sort(column, Qt::AscendingOrder);
        QTRY_VERIFY(!reset.isEmpty());
        QTRY_VERIFY(allRead());
        const QStringList up = column64();
        model.sort(column, Qt::DescendingOrder);
        QTRY_COMPARE(reset.size(), 2);
        QTRY_VERIFY(allRead());
        QStringList down = column64();
        std::reverse(down.begin(), down.end());
        QCOMPARE(up, down);
    }

    void aNewRunAppearsAtTheTopAndTheOthersStay()
    {
        addMany(200);
        RunLibrary library(m_file);
        RunsModel model(library);
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
        library.open("boot-1");
        QTRY_COMPARE(model.rowCount(), 200);
        const QPersistentModelIndex kept(model.index(3, 0));
        QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
        QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
        {
            RunStore store = take(RunStore::open(m_file));
            take(store.startRun(test::started("fresh")));
        }
        library.noteChange();
        QTRY_COMPARE(model.rowCount(), 201);
        QCOMPARE(inserted.size(), 1);
        QCOMPARE(reset.size(), 0);
        QCOMPARE(kept.row(), 4);
        QCOMPARE(text(model, 0, RunsModel::Checkpoint), QStringLiteral("fresh"));
        QCOMPARE(model.index(0, RunsModel::Outcome).data(RunsModel::ModeRole).toString(), QString());
        QCOMPARE(text(model, 0, RunsModel::Outcome), QStringLiteral("Loading"));
    }

    void onlyTheNewestQuestionIsAnswered()
    {
        addMany(30);
        RunLibrary library(m_file);
        library.open("boot-1");
        const Newest newest = makeNewest();
        QList<std::uint64_t> answered;
        for (std::uint64_t number = 1; number <= 20; ++number) {
            *newest = number;
            library.askPage(this, {}, false, newest, number, [&answered, number](const Result<RunPage>& page) {
                QVERIFY(page);
                answered << number;
            });
        }
        QTRY_COMPARE(answered, QList<std::uint64_t>{20});
    }

    void nothingArrivesAtADeadReceiver()
    {
        addMany(3);
        RunLibrary library(m_file);
        library.open("boot-1");
        int answers = 0;
        {
            QObject receiver;
            library.askRows(&receiver, {}, [&answers](const Result<std::vector<RunRow>>&) { ++answers; });
        }
        bool later = false;
        library.askRows(this, {}, [&later](const Result<std::vector<RunRow>>&) { later = true; });
        QTRY_VERIFY(later);
        QCOMPARE(answers, 0);
    }

    void tellsOfADatabaseThatIsNone()
    {
        QFile file(QString::fromStdString(m_file.native()));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray(8192, 'x'));
        file.close();
        RunLibrary library(m_file);
        RunsModel model(library);
        library.open("boot-1");
        QTRY_COMPARE(library.state().kind, DatabaseState::Kind::Unusable);
        QVERIFY(library.state().words.contains(QStringLiteral("runs.sqlite")));
        QTRY_VERIFY(model.isReady());
        QVERIFY(model.error());
        QCOMPARE(model.rowCount(), 0);
    }

    void copiesRowsWithAPoint()
    {
        RunRow row;
        row.run = RunId{7};
        row.mode = FailureMode::Ok;
        row.checkpointName = "odd\tname";
        row.variant.dtype = "float32";
        row.duration = std::chrono::milliseconds(1500);
        row.peakTreeBytes = 123;
        const QStringList lines = toTsv({row}).split(QLatin1Char('\n'));
        QCOMPARE(lines[0].count(QLatin1Char('\t')), 8);
        QCOMPARE(
            lines[1], QStringLiteral("7\t1970-01-01T00:00:00.000Z\todd name\tlibtorch\tfloat32\tcpu\t123\t1.500\tok"));
    }
};

QTEST_MAIN(TestRunsModel)
#include "tst_RunsModel.moc"
