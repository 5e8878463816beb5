#include "Checkpoints.h"
#include "gui/models/Inspection.h"

#include <QTest>

using namespace loadlab;
using Field = Remark::Field;
using Level = Remark::Level;

class TestInspection : public QObject {
    Q_OBJECT

    PluginEntry m_plugin = made::plugin();
    MachineInfo m_machine;

    TrialInspection inspect(
        const Checkpoint& checkpoint, const Variant& variant, std::optional<std::uint64_t> available = {}) const
    {
        TrialQuestion question;
        question.checkpoint = &checkpoint;
        question.variant = variant;
        question.plugin = &m_plugin;
        question.machine = &m_machine;
        question.availableBytes = available;
        return inspectTrial(question);
    }

private Q_SLOTS:
    void findsNothingAgainstASoundTrial()
    {
        const TrialInspection found = inspect(made::checkpoint("/a"), {});
        QVERIFY(found.findings().empty());
        QCOMPARE(found.find(Field::Dtype)->words, QStringLiteral("as stored: BF16"));
        QCOMPARE(found.find(Field::Checkpoint)->level, Level::Ok);
    }

    void aDtypeOnPackedWeightsConflictsAndIsRepaired()
    {
        Variant variant;
        variant.dtype = "float16";
        const Checkpoint checkpoint = made::packedCheckpoint("/a");
        const TrialInspection found = inspect(checkpoint, variant);
        const Remark* remark = found.find(Field::Dtype);
        QVERIFY(remark);
        QCOMPARE(remark->level, Level::Error);
        QCOMPARE(remark->words, QStringLiteral("conflicts with int8 weights"));
        QVERIFY(remark->repair);
        QCOMPARE(remark->repair->dtype, std::string("auto"));
        QVERIFY2(inspect(checkpoint, *remark->repair).findings().empty(), "the repair solves it");
    }

    void packedWeightsNeedTheBackendsConsent()
    {
        const TrialInspection found = inspect(made::packedCheckpoint("/a"), {});
        QCOMPARE(found.find(Field::Dtype)->level, Level::Error);
        QCOMPARE(found.find(Field::Dtype)->repair->options.at("packed_weights"), std::string("keep"));
    }

    void tellsOfAConversion()
    {
        Variant variant;
        variant.dtype = "float32";
        const TrialInspection found = inspect(made::checkpoint("/a"), variant);
        QCOMPARE(found.find(Field::Dtype)->level, Level::Info);
        QCOMPARE(found.find(Field::Dtype)->words, QStringLiteral("converted from BF16"));
    }

    void aBrokenCheckpointIsAnErrorWithItsReason()
    {
        const TrialInspection found = inspect(made::incompleteCheckpoint("/a"), {});
        QCOMPARE(found.findings().size(), std::size_t{1});
        QCOMPARE(found.findings().front().level, Level::Error);
        QCOMPARE(found.findings().front().reason, QStringLiteral("the index names it, it is not there"));
    }

    void unsupportedIsARemarkNotALock()
    {
        Checkpoint checkpoint = made::checkpoint("/a");
        checkpoint.state = CheckpointState::Unsupported;
        checkpoint.family.clear();
        QCOMPARE(inspect(checkpoint, {}).find(Field::Checkpoint)->level, Level::Warning);
    }

    void cudaWithoutAGpuIsAWarningWithARepair()
    {
        Variant variant;
        variant.deviceMap = "cuda:0";
        const TrialInspection found = inspect(made::checkpoint("/a"), variant);
        QCOMPARE(found.find(Field::DeviceMap)->level, Level::Warning);
        QCOMPARE(found.find(Field::DeviceMap)->repair->deviceMap, std::string("cpu"));
    }

    void torchScriptNeedsConsent()
    {
        Checkpoint checkpoint = made::checkpoint("/a.pt");
        checkpoint.isTorchScript = true;
        const TrialInspection found = inspect(checkpoint, {});
        QVERIFY(found.find(Field::Option));
        QVERIFY(!inspect(checkpoint, *found.find(Field::Option)->repair).find(Field::Option));
    }

    void pickledWeightsAreAnError()
    {
        Checkpoint checkpoint = made::checkpoint("/a");
        checkpoint.isPickle = true;
        QCOMPARE(inspect(checkpoint, {}).find(Field::Checkpoint)->level, Level::Error);
    }

    void aBrokenBackendSaysWhy()
    {
        TrialQuestion question;
        PluginEntry broken;
        broken.name = "odd";
        broken.error = Error{ErrorKind::Invalid, "odd/plugin.json: no name"};
        question.plugin = &broken;
        const TrialInspection found = inspectTrial(question);
        QCOMPARE(found.find(Field::Backend)->level, Level::Error);
        QVERIFY(found.find(Field::Backend)->reason.contains(QStringLiteral("no name")));
    }

    void predictsFromTheEstimateOfTheVariant()
    {
        Variant variant;
        variant.dtype = "float32";
        const TrialInspection exact = inspect(made::checkpoint("/a"), variant);
        QVERIFY(exact.prediction && exact.prediction->exact);
        QCOMPARE(exact.prediction->estimate.peakBytes, 2 * made::kGiB);
        variant.deviceMap = "auto";
        const TrialInspection nearest = inspect(made::checkpoint("/a"), variant);
        QVERIFY(nearest.prediction && !nearest.prediction->exact);
        variant.dtype = "float16";
        QVERIFY(!inspect(made::checkpoint("/a"), variant).prediction);
    }

    void warnsWhereMoreIsNeededThanIsFree()
    {
        Variant variant;
        variant.dtype = "float32";
        QCOMPARE(inspect(made::checkpoint("/a"), variant, made::kGiB).find(Field::Limits)->level, Level::Warning);
        QVERIFY(!inspect(made::checkpoint("/a"), variant, 3 * made::kGiB).find(Field::Limits));
    }
};

QTEST_GUILESS_MAIN(TestInspection)
#include "tst_Inspection.moc"
