#include "gui/pages/LivePage.h"

#include "core/Units.h"
#include "gui/Words.h"
#include "gui/charts/ChartPanel.h"
#include "gui/charts/ShownPhases.h"
#include "gui/models/ForecastCourse.h"
#include "gui/models/ForecastWords.h"
#include "gui/models/RunsModel.h"
#include "gui/pages/ColumnScroll.h"
#include "gui/pages/GuardPanel.h"
#include "gui/pages/LogPanel.h"
#include "gui/pages/ProfileView.h"
#include "gui/pages/ReadoutStrip.h"
#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/EmptyState.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/ModeBadge.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/StateLook.h"
#include "gui/widgets/Type.h"
#include "gui/widgets/VerdictText.h"
#include "gui/widgets/VerdictView.h"

#include <QLabel>
#include <QLocale>
#include <QScrollBar>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace loadlab {
namespace {

constexpr int kFiguresMs = 500;
constexpr double kProfileStepS = 5;
constexpr double kRateOverS = 3;

QString stateOf(const LiveRun& run)
{
    if (run.hasEnded())
        return verdict_text::modeOf(*run.result());
    return toQString(toWireName(run.state()));
}

/// The pace that was reached; for a guard or a watchdog it is higher than asked.
QString rateWords(const LiveRun& run)
{
    const double hz = run.hasEnded() ? run.result()->curve.rateHz : run.samplesPerS(kRateOverS).value_or(0);
    const QString samples
        = figures::count(run.curve().samples.size(), QStringLiteral("sample"), QStringLiteral("samples"));
    return hz > 0 ? QStringLiteral("%1 Hz · %2").arg(figures::threeDigits(hz), samples) : samples;
}

} // namespace

LivePage::LivePage(const ThemeHolder& theme, const Lab& lab, TrialController& controller, RunLibrary& library,
    RunExporter& exporter, QWidget* parent)
    : Page(theme, parent)
    , m_lab(lab)
    , m_controller(controller)
    , m_library(library)
    , m_exporter(exporter)
    , m_header(new PageHeader(QStringLiteral("Live"), this))
    , m_banner(new QLabel(this))
    , m_stack(new QStackedWidget(this))
    , m_empty(new EmptyState(theme, this))
    , m_strip(new ReadoutStrip(theme, this))
    , m_chart(new ChartPanel(theme, this))
    , m_log(new LogPanel(theme, this))
    , m_profile(new ProfileModel(this))
{
    buildHeader();
    m_banner->setWordWrap(true);
    m_banner->setContentsMargins(14, 8, 14, 0);
    m_banner->setObjectName(QStringLiteral("recordingBanner"));
    m_banner->hide();
    m_stack->addWidget(buildBody());
    m_stack->addWidget(m_empty);
    stackUp({m_header, m_banner, m_stack});
    wire();
    refreshHead();
    refreshEmpty();
}

void LivePage::buildHeader()
{
    m_badge = new ModeBadge(theme(), m_header);
    m_subject = makeElidedTitle({}, m_header);
    m_elapsed = makeTitle({}, m_header);
    m_elapsed->setFont(type::sized(font(), type::kTitle, true));
    m_stop
        = new ActionButton(theme(), QStringLiteral("Stop"), QStringLiteral("stop"), QStringLiteral("danger"), m_header);
    m_stop->setObjectName(QStringLiteral("stopButton"));
    m_stop->setToolTip(QStringLiteral("Stop the load in good order; again within 10 s: kill it (Ctrl+.)"));
    m_open = new ActionButton(theme(), QStringLiteral("Show in Runs"), QStringLiteral("runs"), {}, m_header);
    m_again = new ActionButton(theme(), QStringLiteral("Run again"), QStringLiteral("refresh"), {}, m_header);
    m_again->setObjectName(QStringLiteral("runAgainButton"));
    m_change = new ActionButton(theme(), QStringLiteral("With changes…"), QStringLiteral("trials"), {}, m_header);
    m_change->setObjectName(QStringLiteral("changeButton"));
    m_change->setToolTip(QStringLiteral("Run it again with changes: puts its settings into the form of a trial"));
    m_header->addBesideTitle(m_badge);
    m_header->addBesideTitle(m_subject);
    m_elapsedWord = makeMuted(QStringLiteral("elapsed"), m_header);
    for (QWidget* widget :
        {static_cast<QWidget*>(m_elapsedWord), static_cast<QWidget*>(m_elapsed), static_cast<QWidget*>(m_stop),
            static_cast<QWidget*>(m_open), static_cast<QWidget*>(m_change), static_cast<QWidget*>(m_again)})
        m_header->addAction(widget);
    connect(m_stop, &QPushButton::clicked, &m_controller, &TrialController::stop);
    connect(m_again, &QPushButton::clicked, this, &LivePage::runAgainRequested);
    connect(m_change, &QPushButton::clicked, this, &LivePage::changeRequested);
    connect(m_open, &QPushButton::clicked, this, [this] {
        if (m_controller.liveRunId())
            Q_EMIT openRunRequested(*m_controller.liveRunId());
    });
}

QWidget* LivePage::buildBody()
{
    m_rows = new QSplitter(Qt::Vertical, this);
    m_rows->addWidget(m_chart);
    m_rows->addWidget(m_log);
    m_rows->setStretchFactor(0, 7);
    m_rows->setStretchFactor(1, 2);
    m_rows->setSizes({560, 170});
    m_columns = new QSplitter(Qt::Horizontal, this);
    m_columns->addWidget(m_rows);
    m_columns->addWidget(buildSide());
    m_columns->setStretchFactor(0, 2);
    m_columns->setStretchFactor(1, 1);
    m_columns->setSizes({880, 420});
    for (QSplitter* splitter : {m_rows, m_columns, m_side})
        splitter->setChildrenCollapsible(false);
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(12, 10, 12, 10);
    column->setSpacing(8);
    column->addWidget(m_strip);
    column->addWidget(m_columns, 1);
    return body;
}

QWidget* LivePage::buildProfile()
{
    m_profilePanel = new Panel(QStringLiteral("Profile"), this);
    m_profilePanel->setRemark(QStringLiteral("every 5 s"));
    m_profilePanel->body()->setContentsMargins(12, 8, 6, 6);
    m_profileView = new ProfileView(*m_profile, m_profilePanel);
    m_profilePanel->body()->addWidget(m_profileView, 1);
    return m_profilePanel;
}

QWidget* LivePage::buildSide()
{
    m_verdictPanel = new Panel(QStringLiteral("Verdict"), this);
    m_verdict = new VerdictView(
        theme(), VerdictView::Form::Compact, VerdictView::ApplyRemedy | VerdictView::PreviewRemedy, m_verdictPanel);
    m_verdict->setCompactCounts(5, 2);
    auto* inner = new QWidget(m_verdictPanel);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_verdict);
    column->addStretch();
    m_verdictPanel->body()->addWidget(new ColumnScroll(inner, m_verdictPanel), 1);
    m_side = new QSplitter(Qt::Vertical, this);
    m_guard = new GuardPanel(theme(), this);
    m_side->addWidget(buildProfile());
    m_side->addWidget(m_guard);
    m_side->addWidget(m_verdictPanel);
    m_side->setStretchFactor(0, 3);
    m_side->setStretchFactor(1, 0);
    m_side->setStretchFactor(2, 2);
    m_side->setSizes({320, 150, 220});
    return m_side;
}

void LivePage::wire()
{
    m_figuresTimer.setInterval(kFiguresMs);
    m_chart->setExporter([this](ExportFormat format, double scale) {
        if (!run().isEmpty())
            m_exporter.ask(window(), document(), format, scale);
    });
    connect(&m_figuresTimer, &QTimer::timeout, this, &LivePage::refreshFigures);
    connect(&m_controller, &TrialController::runStarted, this, &LivePage::begin);
    connect(&m_controller, &TrialController::runUpdated, this, &LivePage::take);
    connect(&m_controller, &TrialController::outlookChanged, this, &LivePage::refreshOutlook);
    connect(&m_controller, &TrialController::runEnded, this, &LivePage::end);
    connect(m_guard, &GuardPanel::marginChanged, &m_controller, &TrialController::setGuard);
    connect(&m_controller, &TrialController::runNumbered, this, &LivePage::refreshHead);
    connect(&m_controller, &TrialController::runRecorded, this, [this] {
        refreshHead();
        if (run().hasEnded())
            m_chart->chart().setDocument(document());
    });
    connect(&m_controller, &TrialController::queueChanged, this, &LivePage::refreshEmpty);
    connect(&m_controller, &TrialController::recordingErrorChanged, this, &LivePage::refreshBanner);
    connect(
        m_verdict, &VerdictView::runRequested, this, [this](qint64 number) { Q_EMIT openRunRequested(RunId{number}); });
    connect(m_verdict, &VerdictView::applyRemedyRequested, this,
        [this](const QString& id) { Q_EMIT remedyRequested(*run().result(), id, true); });
    connect(m_verdict, &VerdictView::previewRemedyRequested, this,
        [this](const QString& id) { Q_EMIT remedyRequested(*run().result(), id, false); });
    connect(&m_library, &RunLibrary::runsChanged, this, &LivePage::askLastRun);
    connect(m_empty, &EmptyState::otherRequested, this, [this] {
        if (m_lastRun)
            Q_EMIT openRunRequested(m_lastRun->run);
    });
    connect(m_empty, &EmptyState::primaryRequested, this, [this] {
        if (m_controller.waitingCount() > 0)
            m_controller.startNext();
        else
            Q_EMIT newTrialRequested();
    });
}

void LivePage::begin()
{
    m_log->clear();
    m_chart->chart().clear();
    m_profile->setRows({});
    m_waitingWords.clear();
    refreshVerdictPlace(0);
    m_verdictPanel->setRemark(QStringLiteral("when the load ends"));
    m_figuresTimer.start();
    refreshEmpty();
    refreshHead();
}

void LivePage::take(const LiveUpdate& update)
{
    if (run().isEmpty())
        return;
    for (const RunEvent& event : update.events) {
        if (std::holds_alternative<RunStarted>(event.body)) {
            m_chart->chart().setGpuInPool(m_lab.machine.unifiedMemory);
            m_chart->chart().setEnd(ChartEnd::Mark::Running, 0, {});
            m_guard->setRun(run().started().identity.limits, true);
            refreshHead();
            refreshFigures();
        } else if (const auto* samples = std::get_if<SamplesTaken>(&event.body)) {
            m_chart->chart().appendSamples(samples->samples, run().curve().originNs);
        } else if (std::holds_alternative<StateChanged>(event.body)) {
            refreshHead();
        }
    }
    if (!run().hasEnded())
        m_chart->chart().setPhases(
            shownPhases(run().phases(), m_controller.outlook().found, m_controller.outlook().swapBeganS));
    m_log->append(update.lines);
}

void LivePage::end()
{
    m_figuresTimer.stop();
    m_guard->setRun(run().started().identity.limits, false);
    m_chart->chart().setDocument(document());
    m_verdict->showRun(*run().result());
    m_verdictPanel->setRemark({});
    refreshFigures();
    refreshHead();
}

ChartDocument LivePage::document() const
{
    RunResult result = run().soFar();
    result.run = m_controller.liveRunId();
    ChartDocument document = makeDocument(
        result, std::make_shared<const Curve>(run().curve()), m_lab.machine.memoryBytes, m_lab.machineName());
    // What it could have met while it ran stays.
    if (m_controller.outlook().limit)
        document.limits = limitsOf(m_controller.outlook());
    document.gpuInPool = m_lab.machine.unifiedMemory;
    return document;
}

void LivePage::refreshOutlook()
{
    MemoryChart& chart = m_chart->chart();
    chart.setLimits(limitsOf(m_controller.outlook()));
    chart.setForecast(chartForecastOf(m_controller.outlook()));
    if (const auto& swapS = m_controller.outlook().swapBeganS)
        chart.setMarks({swapMark(*swapS)});
}

void LivePage::refreshVerdictPlace(double elapsedS)
{
    QString words = noVerdictYet(m_controller.outlook(), elapsedS);
    if (words == m_waitingWords)
        return;
    m_verdict->showWaiting(words);
    m_waitingWords = std::move(words);
}

QString LivePage::title() const
{
    if (run().isEmpty())
        return QStringLiteral("Live");
    const std::optional<RunId> id = m_controller.liveRunId();
    return id                   ? QStringLiteral("Run %1").arg(id->value)
        : m_controller.isBusy() ? QStringLiteral("New run")
                                : QStringLiteral("Run, not stored");
}

void LivePage::refreshHead()
{
    const bool empty = run().isEmpty();
    const bool running = m_controller.isRunning();
    m_header->setTitle(title());
    m_badge->setVisible(!empty);
    m_subject->setVisible(!empty);
    m_elapsed->setVisible(!empty && running);
    m_elapsedWord->setVisible(!empty && running);
    m_stop->setVisible(running);
    m_again->setVisible(!empty && !running);
    m_change->setVisible(!empty && !running);
    m_again->setEnabled(!m_controller.isBusy());
    m_open->setVisible(!empty && !running && m_controller.liveRunId());
    if (empty) {
        m_header->setRemark({});
        return;
    }
    const RunStarted& started = run().started();
    m_badge->setState(stateOf(run()));
    m_subject->setText(toQString(subjectOf(started.identity)));
    m_header->setRemark(variantWords(started.identity.variant, !started.identity.program.empty())
        + QStringLiteral(" · started ") + figures::dateTime(started.startedUtc));
    m_stop->setText(run().stopAsked() ? QStringLiteral("Kill") : QStringLiteral("Stop"));
}

void LivePage::refreshFigures()
{
    if (run().isEmpty())
        return;
    const double elapsedS = run().elapsedS(monotonicNs());
    m_elapsed->setText(figures::seconds(elapsedS));
    m_chart->setRateWords(rateWords(run()));
    m_guard->showCap(run());
    if (run().hasEnded()) {
        m_strip->showEnded(*run().result());
    } else {
        m_strip->showRunning(run(), m_controller.outlook(), elapsedS);
        m_guard->showOutlook(m_controller.outlook(), elapsedS);
        refreshVerdictPlace(elapsedS);
    }
    m_stop->setText(run().stopAsked() ? QStringLiteral("Kill") : QStringLiteral("Stop"));
    refreshProfile();
}

void LivePage::refreshProfile()
{
    // A load of a few seconds would be a table of one row: then the steps are shorter, and the panel says so.
    const double step = run().hasEnded() ? profileStep(run().elapsedS(0))
                                         : std::max(kProfileStepS, profileStep(run().elapsedS(monotonicNs())));
    m_profilePanel->setRemark(QStringLiteral("every %1 s").arg(QLocale().toString(step)));
    QScrollBar& bar = *m_profileView->verticalScrollBar();
    const bool follows = bar.value() >= bar.maximum();
    std::vector<ProfileRow> rows = profileOf(run().curve(), run().phases(), step, run().hasEnded());
    if (!run().hasEnded())
        for (ProfileRow& row : forecastRows(m_controller.outlook(), step))
            rows.push_back(std::move(row));
    m_profile->setRows(std::move(rows));
    if (follows)
        m_profileView->scrollToBottom();
}

void LivePage::askLastRun()
{
    if (m_stack->currentIndex() == 0)
        return;
    RunFilter newest;
    newest.limit = 1;
    m_library.askRows(this, newest, [this](Result<std::vector<RunRow>> rows) {
        m_lastRun = rows && !rows->empty() ? std::optional(rows->front()) : std::nullopt;
        refreshEmpty();
    });
}

QString LivePage::lastRunWords() const
{
    if (!m_lastRun)
        return QStringLiteral(
            "A load that you start is shown here: its memory, its progress, its log, and the verdict when it ends.");
    return QStringLiteral("The last load was run %1: %2, %3, %4.")
        .arg(m_lastRun->run.value)
        .arg(toQString(m_lastRun->checkpointName.empty() ? m_lastRun->program : m_lastRun->checkpointName),
            lookOf(shownModeOf(*m_lastRun)).words.toLower(), figures::duration(m_lastRun->duration));
}

void LivePage::refreshEmpty()
{
    const bool empty = run().isEmpty() && !m_controller.isBusy();
    if (empty) {
        const int waiting = m_controller.waitingCount();
        const QString queued = waiting == 0 ? QString()
            : waiting == 1                  ? QStringLiteral(" One trial waits in the queue.")
                                            : QStringLiteral(" %1 trials wait in the queue.").arg(waiting);
        m_empty->setWords(QStringLiteral("live"), QStringLiteral("Nothing is loading"), lastRunWords() + queued);
        m_empty->setOther(
            m_lastRun ? QStringLiteral("Open run %1").arg(m_lastRun->run.value) : QString(), QStringLiteral("runs"));
        m_empty->setPrimary(waiting > 0 ? QStringLiteral("Run the next trial") : QStringLiteral("New trial"),
            waiting > 0 ? QStringLiteral("play") : QStringLiteral("plus"));
        m_empty->setShortcut(waiting > 0 ? QKeySequence() : QKeySequence(Qt::CTRL | Qt::Key_N));
    }
    m_stack->setCurrentIndex(empty ? 1 : 0);
    refreshHead();
}

void LivePage::refreshBanner()
{
    const std::optional<Error>& error = m_controller.recordingError();
    m_banner->setVisible(error.has_value());
    if (error)
        m_banner->setText(
            QStringLiteral("This run is not being stored: %1 The load goes on, and its result is shown here.")
                .arg(toSentence(*error)));
    QPalette palette;
    palette.setColor(QPalette::WindowText, theme().color(Role::Warn));
    m_banner->setPalette(palette);
    refreshHead();
}

void LivePage::applyFirstRemedy()
{
    const QString remedy = m_verdict->firstRemedy();
    if (!remedy.isEmpty() && run().hasEnded())
        Q_EMIT remedyRequested(*run().result(), remedy, true);
}

void LivePage::focusLog()
{
    m_log->view()->setFocus(Qt::ShortcutFocusReason);
}

void LivePage::focusGuard()
{
    m_guard->focusMargin();
}

void LivePage::exportMenu(QMenu& menu)
{
    fillExportMenu(
        menu,
        [this](ExportFormat format, double scale) {
            if (!run().isEmpty())
                m_exporter.ask(window(), document(), format, scale);
        },
        [this] {
            if (!run().isEmpty())
                m_exporter.copy(document());
        });
}

QList<QWidget*> LivePage::panes() const
{
    return {&m_chart->chart(), m_log->view(), m_profileView, m_guard, m_verdict};
}

void LivePage::focusFind()
{
    m_log->focusFind();
}

void LivePage::saveTo(QSettings& settings) const
{
    save(settings, QStringLiteral("columns"), *m_columns);
    save(settings, QStringLiteral("rows"), *m_rows);
    save(settings, QStringLiteral("right"), *m_side);
    settings.setValue(QStringLiteral("total"), m_chart->chart().shape() == MemoryChart::Shape::Total);
}

void LivePage::restoreFrom(const QSettings& settings)
{
    restore(settings, QStringLiteral("columns"), *m_columns);
    restore(settings, QStringLiteral("rows"), *m_rows);
    restore(settings, QStringLiteral("right"), *m_side);
    if (settings.value(QStringLiteral("total")).toBool())
        m_chart->chart().setShape(MemoryChart::Shape::Total);
}

} // namespace loadlab
