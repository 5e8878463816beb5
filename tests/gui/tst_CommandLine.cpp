#include "Checkpoints.h"
#include "core/Locations.h"
#include "gui/CommandLine.h"

#include <QTest>

using namespace loadlab;

class TestCommandLine : public QObject {
    Q_OBJECT

    static TrialSpec spec()
    {
        TrialSpec one;
        one.checkpoint = "/models/qwen";
        one.plugin = *made::plugin().manifest;
        return one;
    }
    static std::string lineOf(const TrialSpec& one) { return commandLineOf(one, defaultDatabase()); }

private Q_SLOTS:
    void leavesOutWhatIsDefault()
    {
        TrialSpec one = spec();
        one.variant.options = {{"threads", "4"}, {"allow_torchscript", "false"}};
        QCOMPARE(lineOf(one), std::string("loadlab run /models/qwen --backend libtorch --dtype auto --device-map cpu"));
    }

    void saysEverythingElse()
    {
        TrialSpec one = spec();
        one.variant.dtype = "float32";
        one.variant.deviceMap = R"({"model.layers": "cpu"})";
        one.variant.maxMemory = {{"0", 1024}, {"cpu", 2048}};
        one.variant.options = {{"allow_torchscript", "true"}};
        one.limits.guard = GuardMargin{std::nullopt, 5};
        one.limits.capMemoryBytes = std::uint64_t{300} << 20;
        one.limits.capSwapBytes = 0;
        one.limits.timeout = std::chrono::seconds(90);
        one.limits.stall = std::chrono::milliseconds(1500);
        one.limits.sampleHz = 50;
        QCOMPARE(commandLineOf(one, "/data/my runs.sqlite"),
            std::string("loadlab --db '/data/my runs.sqlite' run /models/qwen --backend libtorch --dtype float32"
                        " --device-map '{\"model.layers\": \"cpu\"}' --max-memory 0=1024,cpu=2048"
                        " --option allow_torchscript=true --guard 5% --cap-memory 300MiB --cap-swap 0 --timeout 90s --stall 1.5s --sample-hz 50"));
    }

    void namesSecretsWithoutTellingThem()
    {
        TrialSpec one;
        one.variant.backend = "command";
        one.program = {"python3", "train.py"};
        one.variables = {{"DB", "postgres://user:pw@host/db"}, {"HF_TOKEN", "hf_abc"}, {"NAME", "two words"}};
        QCOMPARE(lineOf(one),
            std::string("loadlab run --backend command --env DB=\"$DB\" --env HF_TOKEN=\"$HF_TOKEN\""
                        " --env 'NAME=two words' -- python3 train.py"));
    }
};

QTEST_GUILESS_MAIN(TestCommandLine)
#include "tst_CommandLine.moc"
