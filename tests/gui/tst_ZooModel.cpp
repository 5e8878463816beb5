#include "Checkpoints.h"
#include "gui/models/FilesModel.h"
#include "gui/models/ZooModel.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace loadlab;
using Tester = QAbstractItemModelTester;

class TestZooModel : public QObject {
    Q_OBJECT

    static FoundCheckpoint found(const std::string& folder, Checkpoint checkpoint)
    {
        return {folder, made::shared(std::move(checkpoint))};
    }
    static ScanReport report(std::vector<std::filesystem::path> folders) { return {std::move(folders), {}, 0, 0.1}; }
    static QString text(const QAbstractItemModel& model, int folder, int row, int column)
    {
        return model.index(row, column, model.index(folder, 0)).data().toString();
    }
    static void fill(ZooModel& model)
    {
        model.beginScan({"/a", "/b"});
        model.add({found("/a", made::checkpoint("/a/whole")), found("/a", made::incompleteCheckpoint("/a/cut"))});
        model.add({found("/b", made::packedCheckpoint("/b/int8"))});
        model.endScan(report({"/a", "/b"}));
    }

private Q_SLOTS:
    void showsWhatEachCheckpointIs()
    {
        ZooModel model;
        Tester tester(&model, Tester::FailureReportingMode::Fatal);
        fill(model);
        QCOMPARE(model.rowCount(), 2);
        QCOMPARE(model.rowCount(model.index(0, 0)), 2);
        QCOMPARE(text(model, 0, 0, ZooModel::Name), QStringLiteral("whole"));
        QCOMPARE(text(model, 0, 0, ZooModel::Size), QStringLiteral("1.00"));
        QCOMPARE(text(model, 0, 0, ZooModel::Weights), QStringLiteral("BF16"));
        QCOMPARE(text(model, 0, 1, ZooModel::State), QStringLiteral("Incomplete"));
        QCOMPARE(text(model, 0, 1, ZooModel::Shards), QStringLiteral("1 / 2"));
        QCOMPARE(text(model, 1, 0, ZooModel::Weights), QStringLiteral("int8 packed"));
        QCOMPARE(text(model, 0, 0, ZooModel::LastRunColumn), QStringLiteral("never"));
        QVERIFY(model.index(0, 0).data().toString().contains(QStringLiteral("2 checkpoints")));
    }

    void aRescanReplacesKeepsAndRemoves()
    {
        ZooModel model;
        Tester tester(&model, Tester::FailureReportingMode::Fatal);
        fill(model);
        const QPersistentModelIndex cut(model.findCheckpoint("/a/cut"));
        const QPersistentModelIndex whole(model.findCheckpoint("/a/whole"));
        model.beginScan({"/a"});
        QCOMPARE(model.rowCount(), 1);
        QVERIFY2(whole.isValid(), "rows stay until the scan is over");
        model.add({found("/a", made::checkpoint("/a/cut"))});
        model.endScan(report({"/a"}));
        QVERIFY2(!whole.isValid(), "what was not found again goes");
        QVERIFY(cut.isValid());
        QCOMPARE(cut.data(ZooModel::StateRole).toString(), QStringLiteral("complete"));
    }

    void nothingOfAnUnlistedFolderArrives()
    {
        ZooModel model;
        Tester tester(&model, Tester::FailureReportingMode::Fatal);
        model.beginScan({"/a"});
        model.add({found("/elsewhere", made::checkpoint("/elsewhere/x"))});
        QCOMPARE(model.rowCount(model.index(0, 0)), 0);
    }

    void tellsOfAFolderThatCannotBeRead()
    {
        ZooModel model;
        model.beginScan({"/a"});
        ScanReport failed = report({"/a"});
        failed.unreadable.emplace_back("/a", Error{ErrorKind::Io, "cannot read /a: Permission denied"});
        model.endScan(failed);
        QVERIFY(model.index(0, 0).data().toString().contains(QStringLiteral("cannot be read")));
        QVERIFY(model.index(0, 0).data(Qt::ToolTipRole).toString().contains(QStringLiteral("Permission denied")));
    }

    void knowsTheLastRunOfAPath()
    {
        ZooModel model;
        Tester tester(&model, Tester::FailureReportingMode::Fatal);
        fill(model);
        model.setLastRuns({{"/a/whole", {RunId{7}, QStringLiteral("ok")}}});
        QCOMPARE(text(model, 0, 0, ZooModel::LastRunColumn), QStringLiteral("run 7"));
        QCOMPARE(text(model, 0, 1, ZooModel::LastRunColumn), QStringLiteral("never"));
    }

    void filtersByStateRunsAndWords()
    {
        ZooModel model;
        ZooFilter filter;
        Tester tester(&filter, Tester::FailureReportingMode::Fatal);
        filter.setSourceModel(&model);
        fill(model);
        model.setLastRuns({{"/a/whole", {RunId{7}, QStringLiteral("ok")}}});
        const auto shown = [&filter] {
            QStringList names;
            for (int folder = 0; folder < filter.rowCount(); ++folder)
                for (int row = 0; row < filter.rowCount(filter.index(folder, 0)); ++row)
                    names << text(filter, folder, row, ZooModel::Name);
            names.sort();
            return names.join(QLatin1Char(' '));
        };
        QCOMPARE(shown(), QStringLiteral("cut int8 whole"));
        filter.setKind(ZooFilter::Kind::NeedsAttention);
        QCOMPARE(shown(), QStringLiteral("cut"));
        QCOMPARE(filter.rowCount(), 1);
        filter.setKind(ZooFilter::Kind::NeverRun);
        QCOMPARE(shown(), QStringLiteral("cut int8"));
        filter.setKind(ZooFilter::Kind::All);
        filter.setWords(QStringLiteral("qwen int8"));
        QCOMPARE(shown(), QStringLiteral("int8"));
        QCOMPARE(filter.count(ZooFilter::Kind::Complete), 2);
        filter.setWords(QStringLiteral("nothing like it"));
        QCOMPARE(filter.rowCount(), 0);
    }

    void foldersKeepTheirOrderWhateverTheSorting()
    {
        ZooModel model;
        ZooFilter filter;
        filter.setSourceModel(&model);
        fill(model);
        filter.sort(ZooModel::Name, Qt::DescendingOrder);
        QVERIFY(filter.index(0, 0).data().toString().startsWith(QStringLiteral("/a")));
        QCOMPARE(text(filter, 0, 0, ZooModel::Name), QStringLiteral("whole"));
        filter.sort(ZooModel::Name, Qt::AscendingOrder);
        QVERIFY(filter.index(0, 0).data().toString().startsWith(QStringLiteral("/a")));
        QCOMPARE(text(filter, 0, 0, ZooModel::Name), QStringLiteral("cut"));
    }

    void aFolderAppearsWithItsFirstMatch()
    {
        ZooModel model;
        ZooFilter filter;
        Tester tester(&filter, Tester::FailureReportingMode::Fatal);
        filter.setSourceModel(&model);
        filter.setKind(ZooFilter::Kind::Complete);
        model.beginScan({"/a"});
        QCOMPARE(filter.rowCount(), 0);
        model.add({found("/a", made::checkpoint("/a/whole"))});
        QCOMPARE(filter.rowCount(), 1);
        QCOMPARE(filter.rowCount(filter.index(0, 0)), 1);
    }

    void listsFilesWithWhatIsWrong()
    {
        FilesModel files;
        Tester tester(&files, Tester::FailureReportingMode::Fatal);
        files.setCheckpoint(made::shared(made::incompleteCheckpoint("/a/cut")));
        QCOMPARE(files.rowCount(), 3);
        const QModelIndex absent = files.index(2, FilesModel::Check);
        QCOMPARE(absent.data().toString(), QStringLiteral("absent"));
        QCOMPARE(absent.data(FilesModel::SignRole).toString(), QStringLiteral("warn"));
        QCOMPARE(absent.data(Qt::ToolTipRole).toString(), QStringLiteral("the index names it, it is not there"));
        QCOMPARE(files.index(0, FilesModel::Check).data(FilesModel::SignRole).toString(), QStringLiteral("ok"));
        files.setCheckpoint(nullptr);
        QCOMPARE(files.rowCount(), 0);
    }

    void takesTwoHundredWithinAFrame()
    {
        ZooModel model;
        std::vector<FoundCheckpoint> all;
        for (int i = 0; i < 200; ++i)
            all.push_back(found("/a", made::checkpoint("/a/" + std::to_string(i))));
        model.beginScan({"/a"});
        QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
        model.add(all);
        QCOMPARE(inserted.size(), 1);
        QCOMPARE(model.rowCount(model.index(0, 0)), 200);
    }
};

QTEST_MAIN(TestZooModel)
#include "tst_ZooModel.moc"
