#include "CheckpointFiles.h"
#include "ModelConfigs.h"
#include "core/checkpoint/Checkpoint.h"
#include <QtTest>
#include <nlohmann/json.hpp>
using namespace loadlab;
using namespace loadlab::test;
class tst_Checkpoint : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void omniStandInIsComplete();
};
void tst_Checkpoint::omniStandInIsComplete()
{
    Scratch s;
    const FamilyCatalog catalog = FamilyCatalog::load(LOADLAB_SOURCE_DIR "/resources/families");
    writeStandIn(s / "omni", catalog, omniConfig(), 15);
    const Result<Checkpoint> checkpoint = inspectCheckpoint(s / "omni", catalog);
    QVERIFY(checkpoint);
    QCOMPARE(toWireName(checkpoint->state), std::string_view("complete"));
    QCOMPARE(checkpoint->parameters, std::uint64_t{35'259'818'545});
}
QTEST_GUILESS_MAIN(tst_Checkpoint)
#include "tst_Checkpoint.moc"
