#include "gui/pages/RunDetails.h"

#include "core/ShellWords.h"
#include "core/Units.h"
#include "gui/Lab.h"
#include "gui/Words.h"
#include "gui/charts/MemoryChart.h"
#include "gui/models/ForecastWords.h"
#include "gui/models/RunsModel.h"
#include "gui/pages/ColumnScroll.h"
#include "gui/pages/LogPanel.h"
#include "gui/pages/ProfileView.h"
#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/Type.h"
#include "gui/widgets/VerdictText.h"
#include "gui/widgets/VerdictView.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QTabWidget>
#include <QVBoxLayout>

#include <map>

namespace loadlab {
namespace {

constexpr int kChartHeight = 190;
constexpr int kFoldedChartHeight = 150;

using Rows = std::vector<std::pair<QString, QString>>;

void addLimits(const RunResult& result, Rows& rows)
{
    const Limits& limits = result.identity.limits;
    const auto kept = [&result](std::uint64_t bytes, const std::string& by) {
        return figures::size(bytes) + QStringLiteral(", ") + verdict_text::keptBy(by, result.traces.outsideGroup);
    };
    if (limits.guard)
        rows.emplace_back(
            QStringLiteral("Guard"), QStringLiteral("stops when %1 are left").arg(marginWords(*limits.guard)));
    if (limits.capMemoryBytes)
        rows.emplace_back(QStringLiteral("Memory cap"), kept(*limits.capMemoryBytes, result.capKeptBy));
    if (limits.capSwapBytes)
        rows.emplace_back(QStringLiteral("Swap cap"), kept(*limits.capSwapBytes, result.swapCapKeptBy));
    if (limits.timeout)
        rows.emplace_back(QStringLiteral("Time limit"), figures::duration(*limits.timeout));
    if (limits.stall)
        rows.emplace_back(QStringLiteral("Stall limit"), figures::duration(*limits.stall));
}

QString hostWords(const SystemMemory& memory)
{
    // Runs of earlier versions do not tell the total.
    return QStringLiteral("%1%2 available, page cache %3, swap used %4")
        .arg(figures::size(memory.availableBytes),
            memory.totalBytes == 0 ? QString() : QStringLiteral(" of ") + figures::size(memory.totalBytes),
            figures::size(memory.cacheBytes),
            memory.swapTotalBytes == 0 && memory.totalBytes != 0 ? QStringLiteral("none there")
                                                                 : figures::size(memory.swapUsedBytes));
}

QString leftWords(const HostTraces& traces)
{
    QStringList left;
    if (traces.shmBytes.value_or(0) > 0)
        left << figures::size(*traces.shmBytes) + QStringLiteral(" of shared memory");
    for (const HostTraces::File& file : traces.shmFiles)
        left << QStringLiteral("/dev/shm/%1, %2").arg(toQString(file.name), figures::size(file.bytes));
    for (const std::string& process : traces.processes)
        left << toQString(process);
    if (traces.cacheBytes.value_or(0) > 0)
        left << figures::size(*traces.cacheBytes) + QStringLiteral(" of page cache")
                + (traces.cacheIsOwn ? QString() : QStringLiteral(" (of the whole machine)"));
    return left.isEmpty() ? QStringLiteral("nothing") : left.join(QStringLiteral("; "));
}

void addHost(const RunResult& result, Rows& rows)
{
    const HostTraces& traces = result.traces;
    rows.emplace_back(QStringLiteral("Containment"),
        (result.containment.empty() ? QStringLiteral("not known") : toQString(result.containment))
            + (result.containmentDetail.empty() ? QString()
                                                : QStringLiteral(": ") + toQString(result.containmentDetail)));
    if (traces.groupHighestBytes)
        rows.emplace_back(QStringLiteral("Highest of the group"),
            figures::size(*traces.groupHighestBytes) + QStringLiteral(", page cache included")
                + (traces.groupLimitHits.value_or(0) > 0
                        ? QStringLiteral("; met its cap %1 times").arg(figures::count(*traces.groupLimitHits))
                        : QString()));
    if (traces.before)
        rows.emplace_back(QStringLiteral("Machine before"), hostWords(*traces.before));
    if (traces.after)
        rows.emplace_back(QStringLiteral("Machine after"), hostWords(*traces.after));
    if (traces.before || traces.after)
        rows.emplace_back(QStringLiteral("Left behind"), leftWords(traces));
    if (traces.dirtyStartBytes)
        rows.emplace_back(QStringLiteral("Start"),
            QStringLiteral("dirty: %1 had not come back from the run before")
                .arg(figures::size(*traces.dirtyStartBytes)));
}

Rows settingsOf(const RunResult& result)
{
    const TrialIdentity& identity = result.identity;
    const Variant& variant = identity.variant;
    Rows rows;
    if (!identity.checkpointPath.empty())
        rows.emplace_back(QStringLiteral("Checkpoint"), toQString(identity.checkpointPath));
    if (!identity.program.empty())
        rows.emplace_back(QStringLiteral("Program"), toQString(shellLine(identity.program)));
    if (!identity.workingFolder.empty())
        rows.emplace_back(QStringLiteral("Working folder"), toQString(identity.workingFolder));
    if (!identity.variables.empty())
        rows.emplace_back(QStringLiteral("Variables"), toQString(shellLine(shownVariables(identity.variables))));
    rows.emplace_back(QStringLiteral("Backend"), toQString(variant.backend));
    if (identity.program.empty()) {
        rows.emplace_back(QStringLiteral("Dtype"), toQString(variant.dtype));
        rows.emplace_back(QStringLiteral("Device map"), toQString(variant.deviceMap));
    }
    for (const auto& [device, bytes] : variant.maxMemory)
        rows.emplace_back(QStringLiteral("Max memory, %1").arg(toQString(device)), figures::size(bytes));
    for (const auto& [option, value] : variant.options)
        rows.emplace_back(toQString(option), toQString(value));
    addLimits(result, rows);
    rows.emplace_back(QStringLiteral("Sampling"),
        QStringLiteral("%1 Hz asked, %2 Hz taken, %3")
            .arg(figures::threeDigits(result.identity.limits.sampleHz), figures::threeDigits(result.curve.rateHz),
                figures::count(result.curve.sampleCount, QStringLiteral("sample"), QStringLiteral("samples"))));
    std::map<std::string, QStringList> absent;
    for (const RunCounter& counter : result.counters)
        if (!counter.problem.empty())
            absent[counter.problem] << toQString(std::string(toWireName(counter.column)));
    for (const auto& [problem, columns] : absent)
        rows.emplace_back(QStringLiteral("Not measured"),
            columns.join(QStringLiteral(", ")) + QStringLiteral(": ") + toQString(problem));
    addHost(result, rows);
    for (const auto& [name, value] : result.environment)
        rows.emplace_back(toQString(name), toQString(value));
    rows.emplace_back(QStringLiteral("Uuid"), toQString(result.identity.uuid));
    return rows;
}

} // namespace

RunDetails::RunDetails(const ThemeHolder& theme, const Lab& lab, QWidget* parent)
    : Panel({}, parent)
    , m_theme(theme)
    , m_lab(lab)
    , m_words(makeMuted({}, this))
    , m_content(new QWidget(this))
{
    setAccessibleName(QStringLiteral("Run details"));
    m_words->setAlignment(Qt::AlignCenter);
    m_words->setWordWrap(true);
    m_tabs = new QTabWidget(m_content);
    m_tabs->setDocumentMode(true);
    m_tabs->setObjectName(QStringLiteral("detailsTabs"));
    m_tabs->addTab(buildSummary(), QStringLiteral("Verdict"));
    m_tabs->addTab(buildProfile(), QStringLiteral("Profile"));
    m_tabs->addTab(buildSettings(), QStringLiteral("Settings"));
    m_log = new LogPanel(theme, m_tabs);
    m_log->setObjectName(QStringLiteral("storedLog"));
    m_tabs->addTab(m_log, QStringLiteral("Log"));
    m_chart = new MemoryChart(theme, m_content);
    m_chart->setCompact(true);
    m_chart->setMinimumHeight(kChartHeight);
    auto* column = new QVBoxLayout(m_content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    column->addWidget(buildHead());
    m_middle = new QBoxLayout(QBoxLayout::TopToBottom);
    m_middle->setSpacing(6);
    m_middle->addWidget(m_chart, 2);
    m_middle->addWidget(m_tabs, 3);
    column->addLayout(m_middle, 1);
    column->addWidget(buildButtons());
    body()->addWidget(m_words, 1);
    body()->addWidget(m_content, 1);
    showWords(QStringLiteral("Select a run to see its curve, its verdict and its log."));
}

QWidget* RunDetails::buildHead()
{
    auto* head = new QWidget(m_content);
    auto* column = new QVBoxLayout(head);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    m_title = makeTitle({}, head);
    m_title->setFont(type::sized(font(), type::kSubject, true));
    m_title->setObjectName(QStringLiteral("runTitle"));
    m_name = new ElidedLabel({}, head);
    m_name->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* previous = new IconButton(m_theme, QStringLiteral("up"), QStringLiteral("Previous run"), head);
    auto* next = new IconButton(m_theme, QStringLiteral("down"), QStringLiteral("Next run"), head);
    connect(previous, &QToolButton::clicked, this, &RunDetails::previousRequested);
    connect(next, &QToolButton::clicked, this, &RunDetails::nextRequested);
    row->addWidget(m_title);
    row->addWidget(m_name, 1);
    row->addWidget(previous);
    row->addWidget(next);
    m_subject = makeElidedMuted({}, head);
    m_subject->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    column->addLayout(row);
    column->addWidget(m_subject);
    return head;
}

QWidget* RunDetails::buildSummary()
{
    auto* inner = new QWidget(this);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(0, 8, 0, 0);
    m_verdict = new VerdictView(
        m_theme, VerdictView::Form::Compact, VerdictView::ApplyRemedy | VerdictView::PreviewRemedy, inner);
    m_verdict->setCompactCounts(8, 5);
    column->addWidget(m_verdict);
    column->addStretch();
    connect(m_verdict, &VerdictView::runRequested, this, [this](qint64 run) { Q_EMIT openRunRequested(RunId{run}); });
    connect(m_verdict, &VerdictView::applyRemedyRequested, this,
        [this](const QString& id) { Q_EMIT remedyRequested(m_run->result, id, true); });
    connect(m_verdict, &VerdictView::previewRemedyRequested, this,
        [this](const QString& id) { Q_EMIT remedyRequested(m_run->result, id, false); });
    return new ColumnScroll(inner, this);
}

QWidget* RunDetails::buildProfile()
{
    m_profile = new ProfileModel(this);
    return new ProfileView(*m_profile, this);
}

QWidget* RunDetails::buildSettings()
{
    auto* inner = new QWidget(this);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(0, 8, 0, 0);
    m_settings = new QWidget(inner);
    column->addWidget(m_settings);
    column->addStretch();
    return new ColumnScroll(inner, this);
}

QWidget* RunDetails::buildButtons()
{
    auto* buttons = new QWidget(m_content);
    auto* row = new QHBoxLayout(buttons);
    row->setContentsMargins(0, 0, 0, 0);
    auto* again = new ActionButton(m_theme, QStringLiteral("Run again"), QStringLiteral("refresh"), {}, buttons);
    m_export = new ActionButton(m_theme, QStringLiteral("Export…"), QStringLiteral("export"), {}, buttons);
    m_export->setToolTip(QStringLiteral("PNG, SVG, CSV or JSON (Ctrl+E)"));
    again->setObjectName(QStringLiteral("detailsAgain"));
    auto* change = new ActionButton(m_theme, QStringLiteral("With changes…"), QStringLiteral("trials"), {}, buttons);
    change->setObjectName(QStringLiteral("detailsChange"));
    change->setToolTip(QStringLiteral("Run it again with changes: puts its settings into the form of a trial"));
    connect(again, &QPushButton::clicked, this, &RunDetails::runAgainRequested);
    connect(change, &QPushButton::clicked, this, &RunDetails::changeRequested);
    connect(m_export, &QPushButton::clicked, this, [this] { Q_EMIT exportRequested(m_export); });
    row->addWidget(again);
    row->addWidget(change);
    row->addWidget(m_export);
    row->addStretch();
    return buttons;
}

void RunDetails::showWords(const QString& words)
{
    m_run.reset();
    m_words->setText(words);
    m_words->show();
    m_content->hide();
}

void RunDetails::showRun(OpenedRun run)
{
    m_run = std::move(run);
    const RunResult& result = m_run->result;
    m_words->hide();
    m_content->show();
    m_title->setText(QStringLiteral("Run %1").arg(result.run ? result.run->value : 0));
    m_name->setText(toQString(subjectOf(result.identity)));
    m_name->setToolTip(toQString(result.identity.checkpointPath));
    m_subject->setText(variantWords(result.identity.variant, !result.identity.program.empty()) + QStringLiteral(" · ")
        + figures::dateTime(result.startedUtc)
        + (result.verdict ? QStringLiteral(" · ") + figures::duration(result.duration) : QString()));
    m_chart->setDocument(document());
    if (m_run->curveError)
        m_chart->setEmptyWords(toSentence(*m_run->curveError));
    m_verdict->showRun(result);
    m_profile->setRows(profileOf(*m_run->curve, result.phases,
        profileStep(std::chrono::duration<double>(result.duration).count()), result.verdict.has_value()));
    m_log->setPlainLines(m_run->log);
    showSettings(result);
}

void RunDetails::showSettings(const RunResult& result)
{
    qDeleteAll(m_settings->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    delete m_settings->layout();
    auto* grid = new QGridLayout(m_settings);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    int row = 0;
    for (const auto& [name, value] : settingsOf(result)) {
        auto* label = new QLabel(value, m_settings);
        label->setTextFormat(Qt::PlainText);
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        grid->addWidget(makeMuted(name, m_settings), row, 0, Qt::AlignTop);
        grid->addWidget(label, row++, 1);
    }
    grid->setColumnStretch(1, 1);
}

ChartDocument RunDetails::document() const
{
    return makeDocument(m_run->result, m_run->curve, m_lab.machine.memoryBytes, m_lab.machineName());
}

void RunDetails::setFolded(bool folded)
{
    m_middle->setDirection(folded ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
    m_middle->setSpacing(folded ? 16 : 6);
    m_chart->setMinimumHeight(folded ? kFoldedChartHeight : kChartHeight);
}

QList<QWidget*> RunDetails::panes() const
{
    return {m_chart, m_tabs};
}

void RunDetails::applyFirstRemedy()
{
    const QString remedy = m_verdict->firstRemedy();
    if (m_run && !remedy.isEmpty())
        Q_EMIT remedyRequested(m_run->result, remedy, true);
}

void RunDetails::focusLog()
{
    m_tabs->setCurrentWidget(m_log);
    m_log->view()->setFocus(Qt::ShortcutFocusReason);
}

} // namespace loadlab
