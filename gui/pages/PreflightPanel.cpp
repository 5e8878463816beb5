#include "gui/pages/PreflightPanel.h"

#include "gui/pages/SignDelegate.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/FitBar.h"
#include "gui/widgets/IconButton.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>

namespace loadlab {
namespace {

QLabel* addFigure(QGridLayout& grid, int row, const QString& name, QWidget* parent)
{
    auto* value = new QLabel(parent);
    value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    grid.addWidget(makeMuted(name, parent), row, 0);
    grid.addWidget(value, row, 1);
    return value;
}

} // namespace

PreflightPanel::PreflightPanel(const ThemeHolder& theme, QWidget* parent)
    : Panel(QStringLiteral("Before it runs"), parent)
    , m_theme(theme)
    , m_findingsBox(new QWidget(this))
{
    m_findings = new QVBoxLayout(m_findingsBox);
    m_findings->setContentsMargins(0, 0, 0, 0);
    m_findings->setSpacing(8);
    body()->addWidget(m_findingsBox);
    m_predictionBox = buildPrediction();
    body()->addWidget(m_predictionBox);
    body()->addStretch();
    body()->addWidget(buildButtons());
    connect(&theme, &ThemeHolder::themeChanged, this, &PreflightPanel::showFindings);
    show({});
}

QWidget* PreflightPanel::buildPrediction()
{
    auto* box = new QWidget(this);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(makeHairline(box));
    auto* head = new QHBoxLayout;
    m_basis = makeMuted({}, box);
    head->addWidget(makeTitle(QStringLiteral("Prediction"), box));
    head->addStretch();
    head->addWidget(m_basis);
    column->addLayout(head);
    m_bar = new FitBar(m_theme, box);
    m_bar->setTall(true);
    column->addWidget(m_bar);
    auto* grid = new QGridLayout;
    m_peak = addFigure(*grid, 0, QStringLiteral("Peak of the load"), box);
    m_steady = addFigure(*grid, 1, QStringLiteral("Steady after loading"), box);
    m_free = addFigure(*grid, 2, QStringLiteral("Free at the peak"), box);
    m_peak->setObjectName(QStringLiteral("predictedPeak"));
    column->addLayout(grid);
    return box;
}

QWidget* PreflightPanel::buildButtons()
{
    auto* box = new QWidget(this);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(makeHairline(box));
    m_note = makeMuted({}, box);
    m_note->setWordWrap(true);
    m_note->setObjectName(QStringLiteral("obstacle"));
    column->addWidget(m_note);
    auto* row = new QHBoxLayout;
    m_queue = new ActionButton(m_theme, QStringLiteral("Add to queue"), QStringLiteral("plus"), {}, box);
    m_queue->setObjectName(QStringLiteral("queueButton"));
    m_run = new ActionButton(m_theme, QStringLiteral("Run"), QStringLiteral("play"), QStringLiteral("primary"), box);
    m_run->setObjectName(QStringLiteral("runButton"));
    m_run->setToolTip(QStringLiteral("Start this load now (Ctrl+R)"));
    connect(m_queue, &QPushButton::clicked, this, &PreflightPanel::queueRequested);
    connect(m_run, &QPushButton::clicked, this, &PreflightPanel::runRequested);
    row->addWidget(m_queue);
    row->addStretch();
    row->addWidget(m_run);
    column->addLayout(row);
    m_fix = new ActionButton(
        m_theme, QStringLiteral("Fix and run"), QStringLiteral("run"), QStringLiteral("primary"), box);
    m_fix->setObjectName(QStringLiteral("fixButton"));
    m_fix->setToolTip(QStringLiteral("Apply the repair above, then start this load"));
    connect(m_fix, &QPushButton::clicked, this, [this] {
        if (const std::optional<Variant> repair = wholeRepair())
            Q_EMIT fixAndRunRequested(*repair);
    });
    column->addWidget(m_fix, 0, Qt::AlignRight);
    return box;
}

std::optional<Variant> PreflightPanel::wholeRepair() const
{
    std::optional<Variant> repair;
    int errors = 0;
    for (const Remark& one : m_inspection.findings())
        if (one.level == Remark::Level::Error) {
            ++errors;
            repair = one.repair;
        }
    return errors == 1 ? repair : std::nullopt;
}

void PreflightPanel::show(const TrialInspection& inspection)
{
    m_inspection = inspection;
    setRemark(inspection.ofProgram ? QString() : QStringLiteral("from headers alone"));
    m_predictionBox->setVisible(!inspection.ofProgram);
    showFindings();
    showPrediction();
    refreshButtons();
}

void PreflightPanel::showFindings()
{
    qDeleteAll(m_findingsBox->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
    const std::vector<Remark> findings = m_inspection.findings();
    for (const Remark& finding : findings)
        addFinding(finding);
    if (findings.empty() && !m_inspection.remarks.empty()) {
        Remark fine;
        fine.title = QStringLiteral("Nothing speaks against it");
        fine.reason = m_inspection.ofProgram
            ? QStringLiteral(
                "What a program needs is not known before it runs: a guard or a cap keeps the machine usable.")
            : QStringLiteral("Files, headers, dtype and device map agree as far as they can be read without loading.");
        addFinding(fine);
    }
}

void PreflightPanel::addFinding(const Remark& remark)
{
    auto* box = new QWidget(m_findingsBox);
    auto* grid = new QGridLayout(box);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(2);
    const QString sign = iconOf(remark.level);
    auto* icon = new QLabel(box);
    icon->setPixmap(m_theme.theme().pixmap(sign, roleOfSign(sign), 16, devicePixelRatioF()));
    QLabel* title = makeTitle(remark.title, box);
    title->setWordWrap(true);
    grid->addWidget(icon, 0, 0, Qt::AlignTop);
    grid->addWidget(title, 0, 1);
    if (!remark.reason.isEmpty()) {
        QLabel* reason = makeMuted(remark.reason, box);
        reason->setWordWrap(true);
        grid->addWidget(reason, 1, 1);
    }
    if (remark.repair) {
        auto* repair = new ActionButton(m_theme, remark.repairWords, QStringLiteral("wrench"), {}, box);
        connect(
            repair, &QPushButton::clicked, this, [this, variant = *remark.repair] { Q_EMIT repairRequested(variant); });
        grid->addWidget(repair, 2, 1, Qt::AlignLeft);
    }
    grid->setColumnStretch(1, 1);
    m_findings->addWidget(box);
    box->show();
}

void PreflightPanel::showPrediction()
{
    const std::optional<Prediction>& prediction = m_inspection.prediction;
    m_basis->setText(!prediction ? QStringLiteral("none")
            : prediction->exact  ? QStringLiteral("from headers")
                                 : QStringLiteral("nearest variant"));
    const std::uint64_t peak = prediction ? prediction->estimate.peakBytes : 0;
    m_bar->setVisible(prediction && m_totalBytes > 0);
    m_bar->setValues({m_totalBytes - std::min(m_totalBytes, m_availableBytes), peak, peak, m_totalBytes, {}});
    m_peak->setText(prediction ? figures::size(peak) : figures::kNone);
    m_steady->setText(prediction ? figures::size(prediction->estimate.steadyBytes) : figures::kNone);
    if (!prediction || m_totalBytes == 0)
        m_free->setText(figures::kNone);
    else if (peak > m_availableBytes)
        m_free->setText(figures::size(peak - m_availableBytes) + QStringLiteral(" short"));
    else
        m_free->setText(
            QStringLiteral("%1 of %2").arg(figures::size(m_availableBytes - peak), figures::size(m_totalBytes)));
}

void PreflightPanel::setObstacle(const QString& why)
{
    m_obstacle = why;
    refreshButtons();
}

void PreflightPanel::setMemory(std::uint64_t totalBytes, std::uint64_t availableBytes)
{
    m_totalBytes = totalBytes;
    m_availableBytes = availableBytes;
    showPrediction();
}

void PreflightPanel::setBusy(bool busy)
{
    m_busy = busy;
    refreshButtons();
}

void PreflightPanel::refreshButtons()
{
    const std::vector<Remark> findings = m_inspection.findings();
    const auto errors = std::count_if(
        findings.begin(), findings.end(), [](const Remark& one) { return one.level == Remark::Level::Error; });
    m_run->setEnabled(m_obstacle.isEmpty() && !m_busy);
    m_queue->setEnabled(m_obstacle.isEmpty());
    m_queue->setKind(m_busy ? QStringLiteral("primary") : QString());
    const bool fixable = m_obstacle.isEmpty() && !m_busy && wholeRepair().has_value();
    m_fix->setVisible(fixable);
    m_run->setKind(m_busy || fixable ? QString() : QStringLiteral("primary"));
    m_run->setText(errors > 0 ? QStringLiteral("Run anyway") : QStringLiteral("Run"));
    if (!m_obstacle.isEmpty())
        m_note->setText(m_obstacle);
    else if (errors > 0)
        m_note->setText(QStringLiteral("%1 to solve before this can prove anything")
                            .arg(figures::count(static_cast<std::uint64_t>(errors), QStringLiteral("problem"),
                                QStringLiteral("problems"))));
    else
        m_note->setText(m_busy ? QStringLiteral("A load is under way; this one would wait for it.") : QString());
    m_note->setVisible(!m_note->text().isEmpty());
}

} // namespace loadlab
