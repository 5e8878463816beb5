#include "cli/BackendProbe.h"
#include "tests/cli/FakeRun.h"

#include <QTest>

#include <filesystem>
#include <fstream>

using namespace loadlab;
using namespace loadlab::cli;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A plugin whose program is a shell script; none: its program is absent.
void addPlugin(const fs::path& root, const std::string& name, const std::string& script)
{
    fs::create_directories(root / name);
    std::ofstream(root / name / "plugin.json")
        << R"({"protocol": 1, "name": ")" << name
        << R"(", "program": "worker", "dtypes": ["auto"], "device_maps": ["cpu"], "install": "apt install it"})";
    if (script.empty())
        return;
    std::ofstream(root / name / "worker") << "#!/bin/sh\n" << script << "\n";
    fs::permissions(root / name / "worker", fs::perms::owner_all);
}

const std::string kHello
    = R"(echo '{"event": "hello", "t_ns": 1, "protocol": 1, "backend": "x", "versions": {}, "facts": {}}')";
const std::string kNever = "exec sleep 1000";

} // namespace

class tst_BackendProbe : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    BackendReport probed(const std::string& script, std::chrono::milliseconds limit)
    {
        const fs::path root = m_folder.filePath(QString::fromLatin1(QTest::currentDataTag())).toStdString();
        addPlugin(root, "fake", script);
        for (const BackendReport& report : probeBackends(findPlugins({root}), limit))
            if (report.name == "fake")
                return report;
        qFatal("it is not in the list");
    }

private Q_SLOTS:
    void tellsWhyABackendCannotBeUsed_data()
    {
        QTest::addColumn<QByteArray>("script");
        QTest::addColumn<int>("limitMs");
        QTest::addColumn<QByteArray>("state");
        QTest::addColumn<QByteArray>("problem");
        QTest::addColumn<bool>("installHelps");
        const auto row = [](const char* name, const std::string& script, int limitMs, const char* state,
                             const char* problem, bool installHelps) {
            QTest::newRow(name) << QByteArray::fromStdString(script) << limitMs << QByteArray(state)
                                << QByteArray(problem) << installHelps;
        };
        row("at once", kHello, 60'000, "usable", "", false);
        row("late", "sleep 1; " + kHello, 60'000, "usable", "", false);
        row("never", kNever, 200, "no_answer", "did not answer within 0.200 s", false);
        row("absent", "", 60'000, "not_installed", "is not there", true);
        row("says no hello", "echo 'no such library' >&2; exit 3", 60'000, "failed", "exit code 3: no such library",
            true);
    }
    void tellsWhyABackendCannotBeUsed()
    {
        QFETCH(QByteArray, script);
        QFETCH(int, limitMs);
        QFETCH(QByteArray, state);
        QFETCH(QByteArray, problem);
        QFETCH(bool, installHelps);
        const BackendReport report = probed(script.toStdString(), std::chrono::milliseconds(limitMs));
        QCOMPARE(QByteArray::fromStdString(std::string(toWireName(report.state))), state);
        QVERIFY2(report.problem.find(problem.toStdString()) != std::string::npos, report.problem.c_str());
        QCOMPARE(report.problem.empty(), problem.isEmpty());
        QCOMPARE(!report.install.empty(), installHelps);
    }

    void doctorOffersNoInstallationForSilence()
    {
        CliLab lab;
        addPlugin(lab.path("plugins"), "mute", kNever);
        lab.environment["LOADLAB_PLUGIN_PATH"] = lab.path("plugins");
        const CliResult result = lab.run({"doctor"});
        const QByteArrayList lines = result.out.split('\n');
        const auto mute = std::ranges::find_if(lines, [](const QByteArray& line) { return line.startsWith("  mute"); });
        QVERIFY2(mute != lines.end(), result.words());
        QVERIFY2(mute->contains("no answer") && mute->contains("did not answer within 8"), result.words());
        QVERIFY2(mute->contains("try again") && mute->endsWith("/plugins/mute/worker --probe"), result.words());
        QVERIFY2(!(mute + 1)->contains("to install"), result.words());
    }
};

QTEST_GUILESS_MAIN(tst_BackendProbe)
#include "tst_BackendProbe.moc"
