#include "core/verdict/Verdict.h"

#include <QtTest>
#include <nlohmann/json.hpp>

using namespace loadlab;
using nlohmann::json;

class tst_Verdict : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void jsonComesBackAsTheSameVerdict()
    {
        Verdict verdict;
        verdict.mode = FailureMode::HostOomKilled;
        verdict.confidence = 0.98;
        verdict.summary = "Killed – by the kernel.";
        verdict.evidence = {{"cgroup.oom_kill", "0 -> 1", "host_oom_killed", 1.0}, {"vmstat", "none", "hang", -0.5}};
        verdict.remedies = {{"smaller-dtype", "Load less.", R"({"dtype":"bfloat16"})", "runs", {4, 7}}};
        verdict.rule = "kernel-cgroup-oom-kill";
        verdict.rulesVersion = 3;
        const auto written = toJson(verdict);
        QCOMPARE(written["remedies"][0]["change"]["dtype"].get<std::string>(), std::string("bfloat16"));
        QCOMPARE(toJson(verdictFromJson(written)), written);
    }

    void aRemedyWithoutAChangeHasNull()
    {
        Verdict verdict;
        verdict.remedies = {{"fetch-again", "Fetch it.", "null", "rule", {}}, {"odd", "?", "not json", "rule", {}}};
        const auto written = toJson(verdict);
        QVERIFY(written["remedies"][0]["change"].is_null());
        QVERIFY(written["remedies"][1]["change"].is_null());
        QCOMPARE(verdictFromJson(written).remedies[0].changeJson, std::string("null"));
    }

    void bytesThatAreNoUtf8AreWritten()
    {
        Verdict verdict;
        verdict.summary = "bad \xff byte";
        QVERIFY(!toJson(verdict).dump().empty());
    }

    void anythingElseIsReadWithoutAComplaint()
    {
        for (const auto* text :
            {"null", "[]", "7", "{}", R"({"mode":7,"evidence":{},"remedies":[1,"x",{"runs":["a"]}]})",
                R"({"mode":"of a newer version","evidence":[{"weight":"heavy"}]})"}) {
            const auto verdict = verdictFromJson(json::parse(text));
            QCOMPARE(verdict.mode, FailureMode::Unknown);
        }
    }
};

QTEST_APPLESS_MAIN(tst_Verdict)
#include "tst_Verdict.moc"
