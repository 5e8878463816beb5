#include "WindowBench.h"
#include "core/Digest.h"
#include "gui/charts/ChartPanel.h"
#include "gui/models/ProfileModel.h"
#include "gui/pages/LivePage.h"
#include "gui/pages/ProfileView.h"
#include "gui/pages/ReadoutStrip.h"

#include <QCheckBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QTabWidget>
#include <QTest>

using namespace loadlab;

/// Real loads in the real window: a program that grows under a cap, and a guard. With $LOADLAB_SHOTS it leaves pictures
/// of the Live page while that goes on.
class TestLiveGuard : public QObject {
    Q_OBJECT

    std::unique_ptr<WindowBench> m_bench;
    static constexpr int kLongMs = 60'000;
    static constexpr std::uint64_t kMiB = 1 << 20;

    TrialController& controller() const { return m_bench->window().controller(); }

    bool hasGroups() const { return m_bench->bench().lab().containment.get().kind() != GroupKind::None; }

    /// 40 MiB a second.
    void startGrowing(int mib, const Limits& limits)
    {
        TrialSpec spec = m_bench->bench().fakeTrial("ok",
            {{"mib", std::to_string(mib)}, {"steps", std::to_string(mib)}, {"seconds", std::to_string(mib / 40)}});
        spec.limits = limits;
        controller().run(spec, QStringLiteral("fake"));
        m_bench->window().showPage(MainWindow::LiveIndex);
    }
    /// A program that takes `mib` and keeps them.
    void startHog(int mib, const Limits& limits)
    {
        startProgram({LOADLAB_BINARY_DIR "/tests/memory_hog", std::to_string(mib), "0", "1000"}, limits);
    }
    void startProgram(std::vector<std::string> program, const Limits& limits)
    {
        const PluginManifest* plugin = m_bench->bench().lab().findPlugin("command");
        QVERIFY2(plugin, "the command backend is not built");
        TrialSpec spec;
        spec.plugin = *plugin;
        spec.variant.backend = "command";
        spec.program = std::move(program);
        spec.limits = limits;
        controller().run(spec, QStringLiteral("program"));
        m_bench->window().showPage(MainWindow::LiveIndex);
    }

    QStringList readouts() const
    {
        QStringList all;
        for (const QWidget* cell : m_bench->window().livePage().findChild<ReadoutStrip*>()->findChildren<QWidget*>())
            if (!cell->accessibleName().isEmpty())
                all << cell->accessibleName();
        return all;
    }
    QString readout(const QString& name) const
    {
        const QStringList found = readouts().filter(QRegularExpression(QStringLiteral("^%1: ").arg(name)));
        return found.isEmpty() ? QString() : found.front().mid(name.size() + 2);
    }

private Q_SLOTS:
    void init()
    {
        m_bench = std::make_unique<WindowBench>();
        m_bench->open().resize(1440, 900);
    }
    void cleanup() { m_bench.reset(); }

    void whatGrowsIsForetoldAndStopped()
    {
        if (!hasGroups())
            QSKIP("needs a cgroup to cap the program with");
        Limits limits;
        limits.capMemoryBytes = 448 * kMiB;
        limits.guard = GuardMargin{64 * kMiB, 0};
        startGrowing(512, limits);
        const LiveOutlook& look = controller().outlook();
        QTRY_VERIFY_WITH_TIMEOUT(
            look.toGuard && look.toGuard->why == Forecast::Why::Foretold && look.toLimit.why == Forecast::Why::Foretold,
            kLongMs);
        QCOMPARE(look.memory->kind, MemoryPool::Kind::Cap);
        QVERIFY(*look.toGuard->limitReachedS < *look.toLimit.limitReachedS);
        QTRY_VERIFY_WITH_TIMEOUT(readout(QStringLiteral("Guard stops in")).endsWith(QStringLiteral(" s")), kLongMs);
        QTRY_VERIFY_WITH_TIMEOUT(readout(QStringLiteral("Limit reached in")).endsWith(QStringLiteral(" s")), kLongMs);
        const MemoryChart& chart = m_bench->window().livePage().findChild<ChartPanel*>()->chart();
        QTRY_VERIFY_WITH_TIMEOUT(chart.document().forecast, kLongMs);
        QCOMPARE(chart.document().limits.size(), std::size_t{2});
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(QStringLiteral("stopped by guard in")), kLongMs);
        const auto& profile
            = *qobject_cast<ProfileModel*>(m_bench->window().livePage().findChild<ProfileView*>()->model());
        QTRY_VERIFY(profile.measuredRows() < profile.rowCount());
        m_bench->shoot(QStringLiteral("live-forecast"));

        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        QCOMPARE(controller().live().result()->verdict->mode, FailureMode::GuardStopped);
        QVERIFY(!chart.document().forecast);
        QCOMPARE(chart.document().limits.size(), std::size_t{2});
        QCOMPARE(profile.measuredRows(), profile.rowCount());
        const QString log = m_bench->find<QPlainTextEdit>(QStringLiteral("logText")).toPlainText();
        QVERIFY2(log.contains(QStringLiteral("forecast: limit in ")), qPrintable(log));
        QVERIFY(!m_bench->find<QCheckBox>(QStringLiteral("guardArmed")).isEnabled());
    }

    void whatTheKernelKillsIsToldWhileItRuns()
    {
        if (!hasGroups())
            QSKIP("needs a cgroup to cap the program with");
        Limits limits;
        limits.capMemoryBytes = 100 * kMiB;
        startProgram({"/bin/sh", "-c", LOADLAB_BINARY_DIR "/tests/memory_hog 300; exec sleep 1000"}, limits);
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(QStringLiteral("Killed by the kernel")), kLongMs);
        QVERIFY(m_bench->visibleText().contains(QStringLiteral("1 process")));
        QVERIFY(controller().isRunning());
        const QString log = m_bench->find<QPlainTextEdit>(QStringLiteral("logText")).toPlainText();
        QVERIFY2(log.contains(QStringLiteral("oom_kill: the kernel killed a process of the run")), qPrintable(log));
        m_bench->shoot(QStringLiteral("live-killed"));
        controller().stop();
        QTRY_VERIFY_WITH_TIMEOUT(!controller().isBusy(), kLongMs);
    }

    void aCapThatAProcessLeftSaysSo()
    {
        const Containment& containment = m_bench->bench().lab().containment.get();
        if (containment.kind() != GroupKind::V1)
            QSKIP("needs a v1 group that the program itself enters");
        auto elsewhere = containment.makeGroup(makeUuid(), {}).value();
        Limits limits;
        limits.capMemoryBytes = 100 * kMiB;
        const std::string group = (elsewhere->folder() / "cgroup.procs").string();
        startProgram({"/bin/sh", "-c", "sleep 1; echo $$ > " + group + "; exec sleep 1000"}, limits);
        const QString held = QStringLiteral("Cap 100 MiB, kept by the cgroup");
        const QString left = held + QStringLiteral("; pid ");
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(held), kLongMs);
        QVERIFY(!m_bench->visibleText().contains(left));
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(left), kLongMs);
        m_bench->shoot(QStringLiteral("live-left-group"));
        controller().stop();
        QTRY_VERIFY_WITH_TIMEOUT(!controller().isBusy(), kLongMs);
        QVERIFY(elsewhere->remove(std::chrono::seconds(2)));

        m_bench->window().openRun(controller().liveRunId().value());
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(QStringLiteral("Run 1")), kLongMs);
        m_bench->find<QTabWidget>(QStringLiteral("detailsTabs")).setCurrentIndex(2);
        QTRY_VERIFY_WITH_TIMEOUT(
            m_bench->visibleText().contains(QStringLiteral("100 MiB, kept by the cgroup; pid ")), kLongMs);
        QVERIFY(m_bench->visibleText().contains(QStringLiteral(") left it")));
        m_bench->shoot(QStringLiteral("runs-left-group"));
    }

    void theGuardIsArmedWhileItRuns()
    {
        if (!hasGroups())
            QSKIP("needs a cgroup to cap the program with");
        Limits limits;
        limits.capMemoryBytes = 448 * kMiB;
        startHog(64, limits);
        QTRY_COMPARE_WITH_TIMEOUT(controller().live().state(), TrialState::Loading, kLongMs);
        auto& armed = m_bench->find<QCheckBox>(QStringLiteral("guardArmed"));
        auto& margin = m_bench->find<QLineEdit>(QStringLiteral("guardMargin"));
        QTRY_VERIFY(armed.isEnabled());
        QVERIFY(!armed.isChecked());
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->visibleText().contains(QStringLiteral("not armed")), kLongMs);
        margin.setText(QStringLiteral("nothing"));
        armed.setChecked(true);
        QVERIFY(m_bench->labelText(QStringLiteral("guardProblem")).contains(QStringLiteral("stays as it was")));
        QVERIFY(controller().isRunning());
        // More than is left as soon as it holds 64 MiB.
        margin.setText(QStringLiteral("400MiB"));
        QTest::keyClick(&margin, Qt::Key_Return);
        QVERIFY(m_bench->labelText(QStringLiteral("guardProblem")).isEmpty());
        QTRY_VERIFY_WITH_TIMEOUT(controller().live().hasEnded() && !controller().isBusy(), kLongMs);
        QCOMPARE(controller().live().result()->verdict->mode, FailureMode::GuardStopped);
        QVERIFY2(!controller().live().result()->identity.limits.guard, "asked for at the start: none");
        const QString log = m_bench->find<QPlainTextEdit>(QStringLiteral("logText")).toPlainText();
        QVERIFY2(log.contains(QStringLiteral("guard_set: 400MiB have to stay free")), qPrintable(log));
    }
};

QTEST_MAIN(TestLiveGuard)
#include "tst_LiveGuard.moc"
