#include "Shots.h"
#include "gui/charts/MemoryChart.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/LinkLabel.h"
#include "gui/widgets/ModeBadge.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/VerdictParts.h"
#include "gui/widgets/VerdictText.h"
#include "gui/widgets/VerdictView.h"

#include <QApplication>
#include <QClipboard>
#include <QLabel>
#include <QSignalSpy>
#include <QVBoxLayout>
#include <QtTest>

using namespace loadlab;

namespace {

constexpr VerdictView::Abilities kAll = VerdictView::ApplyRemedy | VerdictView::PreviewRemedy
    | VerdictView::CopyMarkdown | VerdictView::Bundle | VerdictView::Correct;

QStringList wordsIn(const QWidget& widget)
{
    QStringList words;
    for (const auto* label : widget.findChildren<QLabel*>())
        if (label->isVisibleTo(&widget))
            words << label->text();
    return words;
}

template <typename T> QList<T*> shown(const QWidget& widget)
{
    QList<T*> all;
    for (auto* child : widget.findChildren<T*>())
        if (child->isVisibleTo(&widget))
            all << child;
    return all;
}

ActionButton* buttonNamed(const QWidget& widget, const QString& text)
{
    for (auto* button : shown<ActionButton>(widget))
        if (button->text() == text)
            return button;
    return nullptr;
}

RunResult withMode(FailureMode mode, double confidence, const char* summary, std::vector<Evidence> evidence)
{
    RunResult run = shots::killedRun();
    run.verdict->mode = mode;
    run.verdict->confidence = confidence;
    run.verdict->summary = summary;
    run.verdict->evidence = std::move(evidence);
    return run;
}

} // namespace

class tst_VerdictView : public QObject {
    Q_OBJECT

private:
    ThemeHolder m_theme{Theme::light()};

private Q_SLOTS:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }
    void init() { shots::dress(m_theme); }

    void theFullCardListsEverything()
    {
        VerdictView view(m_theme, VerdictView::Form::Full, kAll);
        view.resize(900, 700);
        view.show();
        view.showRun(shots::killedRun());
        QCOMPARE(shown<ModeBadge>(view).size(), 1);
        QCOMPARE(shown<ModeBadge>(view).first()->state(), QStringLiteral("host_oom_killed"));
        // Six facts for or against this mode; the seventh speaks for another one and is told in one line.
        QCOMPARE(shown<EvidenceRow>(view).size(), 6);
        const QString words = wordsIn(view).join(u'\n');
        for (const char* expected : {"The kernel killed the load", "0.99", "proven by the kernel", "Peak of the tree",
                 "55.1 GiB", "signal 9 (SIGKILL)", "Device OOM 0.01: no CUDA error", "Load without the talker",
                 "talker", "on → <b>disabled</b>", "Rule host-oom-cgroup, version 3"})
            QVERIFY2(words.contains(QString::fromUtf8(expected)), expected);
    }

    void theCompactCardKeepsTheStrongest()
    {
        VerdictView view(m_theme, VerdictView::Form::Compact, VerdictView::ApplyRemedy);
        view.showRun(shots::killedRun());
        QCOMPARE(shown<EvidenceRow>(view).size(), 2);
        QCOMPARE(shown<ActionButton>(view).size(), 1);
        view.setCompactCounts(4, 3);
        QCOMPARE(shown<EvidenceRow>(view).size(), 4);
        QCOMPARE(shown<ActionButton>(view).size(), 2);
    }

    void buttonsAreThereOnlyForWhatThePlaceCanDo()
    {
        VerdictView view(m_theme, VerdictView::Form::Full, {});
        view.showRun(shots::killedRun());
        QCOMPARE(shown<ActionButton>(view).size(), 0);
    }

    void aRemedyWithoutAChangeHasNoButton()
    {
        RunResult run = shots::killedRun();
        run.verdict->remedies = {run.verdict->remedies.back()};
        VerdictView view(m_theme, VerdictView::Form::Full, VerdictView::ApplyRemedy);
        view.showRun(run);
        QVERIFY(wordsIn(view).join(u'\n').contains(QStringLiteral("Allow swap")));
        QCOMPARE(shown<ActionButton>(view).size(), 0);
    }

    void buttonsAndRowsSayWhatWasMeant()
    {
        VerdictView view(m_theme, VerdictView::Form::Full, kAll);
        view.resize(900, 700);
        view.show();
        view.showRun(shots::killedRun());
        QSignalSpy apply(&view, &VerdictView::applyRemedyRequested);
        QSignalSpy preview(&view, &VerdictView::previewRemedyRequested);
        QSignalSpy evidence(&view, &VerdictView::evidenceActivated);
        QSignalSpy run(&view, &VerdictView::runRequested);
        buttonNamed(view, QStringLiteral("Apply and run"))->click();
        QCOMPARE(apply.value(0).value(0).toString(), QStringLiteral("no-talker"));
        buttonNamed(view, QStringLiteral("Preview…"))->click();
        QCOMPARE(preview.value(0).value(0).toString(), QStringLiteral("no-talker"));
        EvidenceRow* row = shown<EvidenceRow>(view)[2];
        row->setFocus();
        QTest::keyClick(row, Qt::Key_Space);
        QCOMPARE(evidence.value(0).value(0).toInt(), 2);
        for (auto* label : shown<LinkLabel>(view))
            if (label->words().startsWith(QStringLiteral("Worked in runs")))
                Q_EMIT label->linkActivated(QStringLiteral("run:24"));
        QCOMPARE(run.value(0).value(0).toLongLong(), 24);
    }

    void aSlotMayShowAnotherRun()
    {
        VerdictView view(m_theme, VerdictView::Form::Full, kAll);
        view.showRun(shots::killedRun());
        connect(&view, &VerdictView::applyRemedyRequested, &view, [&view] { view.showRun(shots::loadedRun()); });
        buttonNamed(view, QStringLiteral("Apply and run"))->click();
        QCOMPARE(shown<ModeBadge>(view).size(), 1);
        QCOMPARE(shown<ModeBadge>(view).first()->state(), QStringLiteral("ok"));
        QTRY_COMPARE(view.findChildren<ModeBadge*>().size(), 1);
    }

    void withoutAVerdictItSaysSo()
    {
        VerdictView view(m_theme, VerdictView::Form::Compact, kAll);
        QVERIFY(wordsIn(view).join(u'\n').contains(QStringLiteral("No verdict yet")));
        RunResult run = shots::killedRun();
        run.verdict.reset();
        view.showRun(run);
        QVERIFY(shown<ModeBadge>(view).isEmpty());
        view.showWaiting(QStringLiteral("If it went on like this it would be killed, as runs 7 and 8 were."));
        QVERIFY(view.accessibleName().contains(QStringLiteral("runs 7 and 8")));
    }

    void anUnknownVerdictShowsAllThatIsKnown()
    {
        RunResult run = withMode(FailureMode::Unknown, 0.35, "Killed from outside.",
            {{"wait status", "Signal 9, sender unknown", "unknown", 0.5},
                {"log", "the word memory", "host_oom_killed", 0.2}});
        VerdictView view(m_theme, VerdictView::Form::Full, {});
        view.showRun(run);
        QCOMPARE(shown<EvidenceRow>(view).size(), 2);
        QVERIFY(shown<EvidenceRow>(view)[1]->text().startsWith(QStringLiteral("For Host OOM, killed:")));
    }

    void wordsFromOutsideStayWords()
    {
        RunResult run = withMode(
            FailureMode::CorruptFile, 0.9, "<img src=x> & <b>bold</b>", {{"<i>s</i>", "<script>", "corrupt_file", 1}});
        run.identity.checkpointName = "<u>name</u>";
        VerdictView view(m_theme, VerdictView::Form::Full, {});
        view.showRun(run);
        for (auto* label : shown<QLabel>(view))
            if (label->textFormat() == Qt::RichText)
                QVERIFY2(!label->text().contains(QStringLiteral("<img"))
                        && !label->text().contains(QStringLiteral("<b>bold")),
                    qPrintable(label->text()));
    }

    void changesNameBeforeAndAfter()
    {
        const RunResult run = shots::killedRun();
        Remedy remedy;
        remedy.changeJson = R"({"dtype":"bfloat16","options":{"talker":"disabled","new":true}})";
        const QVector<verdict_text::Change> changes = verdict_text::changes(remedy, run.identity.variant);
        QCOMPARE(changes.size(), 3);
        QCOMPARE(changes[0].setting + changes[0].before + changes[0].after, QStringLiteral("dtypeautobfloat16"));
        QCOMPARE(changes[1].setting + changes[1].before + changes[1].after, QStringLiteral("new–true"));
        QCOMPARE(changes[2].setting + changes[2].before + changes[2].after, QStringLiteral("talkerondisabled"));
        for (const char* nothing : {"null", "", "[1]", "{", "7", R"({"dtype":"auto","options":{"talker":"on"}})"}) {
            remedy.changeJson = nothing;
            QVERIFY(verdict_text::changes(remedy, run.identity.variant).isEmpty());
        }
    }

    void aProgramThatEndedWellHasLoadedNothing()
    {
        RunResult run = shots::killedRun();
        QCOMPARE(verdict_text::modeOf(run), QStringLiteral("host_oom_killed"));
        run.identity.program = {"true"};
        run.verdict->mode = FailureMode::Ok;
        QCOMPARE(verdict_text::modeOf(run), QStringLiteral("ended"));
        QVERIFY(toMarkdown(run).contains(QStringLiteral("**Ended** (`ok`)")));
        run.verdict.reset();
        QCOMPARE(verdict_text::modeOf(run), QStringLiteral("unknown"));
    }

    void markdownHoldsTheWholeVerdict()
    {
        const QString markdown = toMarkdown(shots::killedRun());
        for (const char* expected :
            {"## Run 7 · qwen3-omni-30b", "**Host OOM, killed** (`host_oom_killed`), confidence 0.99",
                "| Signal 9; the lab sent none | wait status | host_oom_killed | 0.80 |",
                "1. Load without the talker (Worked in runs 23, 24)", "Rule host-oom-cgroup, version 3."})
            QVERIFY2(markdown.contains(QString::fromUtf8(expected)), expected);
        VerdictView view(m_theme, VerdictView::Form::Full, VerdictView::CopyMarkdown);
        view.showRun(shots::killedRun());
        buttonNamed(view, QStringLiteral("Copy as Markdown"))->click();
        QCOMPARE(QGuiApplication::clipboard()->text(), markdown);
    }

    void gallery_data() { shots::addThemes(); }
    void gallery()
    {
        QFETCH(bool, dark);
        ThemeHolder holder(dark ? Theme::dark() : Theme::light());
        shots::dress(holder);
        QWidget page;
        page.setObjectName(QStringLiteral("page"));
        page.setAttribute(Qt::WA_StyledBackground);
        auto* row = new QHBoxLayout(&page);
        auto* full = new Panel;
        auto* view = new VerdictView(holder, VerdictView::Form::Full, kAll);
        auto* chart = new MemoryChart(holder);
        chart->setCompact(true);
        chart->setMinimumHeight(180);
        chart->setDocument(makeDocument(shots::killedRun(), shots::killedCurve(), 122ULL << 30));
        view->setFigure(chart);
        view->showRun(shots::killedRun());
        full->body()->addWidget(view);
        full->body()->addStretch();
        row->addWidget(full, 2);
        auto* column = new QVBoxLayout;
        row->addLayout(column, 1);
        for (const RunResult& run : {shots::loadedRun(),
                 withMode(FailureMode::GuardStopped, 1,
                     "The lab stopped the load at 118 GiB. Forecast: limit 3.3 s later.",
                     {{"lab", "Guard: 4 GiB left", "guard_stopped", 1},
                         {"meminfo", "Memory back at 5.31 GiB after 1.2 s", "guard_stopped", 0.4}}),
                 withMode(FailureMode::LoadedButWrong, 0.96, "It loaded, but 36 expert tensors were newly initialised.",
                     {{"worker", "36 missing, 72 unexpected keys", "loaded_but_wrong", 0.96}}),
                 withMode(FailureMode::Unknown, 0.35,
                     "Killed at 6 %. No kernel evidence was kept, so nothing is claimed.",
                     {{"wait status", "Signal 9, sender unknown", "unknown", 0.8}}),
                 withMode(FailureMode::Hang, 0.93,
                     "Silent for 12 min 13 s at 11.9 GiB: hung, neither slow nor swapping.",
                     {{"procfs", "CPU 0.3 %, disk 0 B/s, no page faults", "hang", 0.9},
                         {"worker", "Last event at 9.2 s, 5 % of 2,322 weights", "hang", 0.5}})}) {
            auto* panel = new Panel;
            auto* compact = new VerdictView(holder, VerdictView::Form::Compact, VerdictView::ApplyRemedy);
            compact->showRun(run);
            panel->body()->addWidget(compact);
            column->addWidget(panel);
        }
        auto* waiting = new Panel(QStringLiteral("Verdict"));
        waiting->setRemark(QStringLiteral("when the load ends"));
        auto* none = new VerdictView(holder, VerdictView::Form::Compact, {});
        none->showWaiting(QStringLiteral("No verdict yet. If it went on like this: stopped by guard in 15.0 s; runs 7 "
                                         "and 8 with the same settings were killed at 122 GiB."));
        waiting->body()->addWidget(none);
        column->addWidget(waiting);
        column->addStretch();
        page.resize(1440, 900);
        page.show();
        chart->flush();
        shots::keep(QStringLiteral("verdict") + (dark ? QStringLiteral("-dark") : QString()), page);
        QVERIFY(!page.grab().isNull());
    }
};

QTEST_MAIN(tst_VerdictView)
#include "tst_VerdictView.moc"
