#include "gui/pages/ReadoutStrip.h"

#include "gui/Words.h"
#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/Type.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QVBoxLayout>

namespace loadlab {
namespace {

QString progressWords(const protocol::Progress& progress)
{
    return QStringLiteral("%1 of %2 %3")
        .arg(figures::count(progress.done), figures::count(progress.total), toQString(progress.unit));
}

QString endWords(const RunResult& result)
{
    if (result.exitSignal)
        return QStringLiteral("signal %1").arg(*result.exitSignal);
    return result.exitCode ? QStringLiteral("exit code %1").arg(*result.exitCode)
                           : QStringLiteral("nothing was started");
}

} // namespace

ReadoutStrip::ReadoutStrip(const ThemeHolder&, QWidget* parent)
    : QFrame(parent)
{
    setObjectName(QStringLiteral("panel"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    for (std::size_t i = 0; i < m_cells.size(); ++i) {
        if (i > 0)
            row->addWidget(makeVerticalLine(this));
        m_cells[i] = makeCell();
        row->addWidget(m_cells[i].box, i + 1 == m_cells.size() ? 4 : 3);
    }
    m_bar = new QProgressBar(m_cells.back().box);
    m_bar->setRange(0, 1000);
    m_bar->setTextVisible(false);
    m_bar->setAccessibleName(QStringLiteral("Progress"));
    m_count = new QLabel(m_cells.back().box);
    m_cells.back().head->addWidget(m_count);
    static_cast<QVBoxLayout*>(m_cells.back().box->layout())->addWidget(m_bar, 0, Qt::AlignVCenter);
    // The same height with the bar and without: nothing moves when the load ends.
    setFixedHeight(sizeHint().height() - m_bar->sizeHint().height() - 2);
    m_bar->hide();
}

ReadoutStrip::Cell ReadoutStrip::makeCell()
{
    Cell cell;
    cell.box = new QWidget(this);
    auto* column = new QVBoxLayout(cell.box);
    column->setContentsMargins(14, 8, 10, 8);
    column->setSpacing(2);
    cell.name = makeElidedMuted({}, cell.box);
    cell.figure = makeTitle({}, cell.box);
    cell.figure->setFont(type::sized(font(), type::kReadout, true));
    cell.unit = makeElidedMuted({}, cell.box);
    cell.remark = makeElidedMuted({}, cell.box);
    for (QLabel* label : {cell.name, cell.remark})
        label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* row = new QHBoxLayout;
    row->setSpacing(5);
    row->addWidget(cell.figure, 0, Qt::AlignBaseline);
    row->addWidget(cell.unit, 0, Qt::AlignBaseline);
    row->addStretch();
    cell.head = new QHBoxLayout;
    cell.head->addWidget(cell.name, 1);
    column->addLayout(cell.head);
    column->addLayout(row);
    column->addWidget(cell.remark);
    return cell;
}

/// "94.7 GiB" is shown as a large figure with its unit, "330 M parameters" too; words without a unit stay whole.
void ReadoutStrip::set(std::size_t at, const QString& name, const QString& words, const QString& remark)
{
    const Cell& cell = m_cells[at];
    const bool twoUnits = words.count(QLatin1Char(' ')) > 2;
    const qsizetype space = twoUnits ? words.lastIndexOf(QLatin1Char(' ')) : words.indexOf(QLatin1Char(' '));
    cell.name->setText(name);
    cell.figure->setText(space < 0 ? words : words.left(space));
    cell.unit->setText(space < 0 ? QString() : words.mid(space + 1));
    cell.remark->setText(remark);
    cell.box->setAccessibleName(name + QStringLiteral(": ") + (words == figures::kNone ? remark : words));
}

void ReadoutStrip::showRunning(const LiveRun& run, const LiveOutlook& look, double elapsedS)
{
    const auto show = [this](std::size_t at, const char* name, const Readout& readout) {
        set(at, QString::fromLatin1(name), readout.figure, readout.remark);
    };
    show(0, "Memory used",
        run.lastSample() ? usedReadout(look) : Readout{figures::kNone, QStringLiteral("nothing measured yet")});
    show(1, "Growth", growthReadout(look));
    show(2, "Limit reached in", limitReadout(look, elapsedS));
    show(3, "Guard stops in", guardReadout(look, elapsedS));
    showProgress(run.progress(), needWords(look));
}

void ReadoutStrip::showProgress(const std::optional<protocol::Progress>& progress, const QString& need)
{
    const double share = progress ? shareOf(*progress) : 0.0;
    set(4, QStringLiteral("Progress"), progress ? QStringLiteral("%1 %").arg(percentOf(*progress)) : figures::kNone,
        need);
    if (!need.isEmpty())
        m_cells[4].unit->setText(m_cells[4].unit->text() + QLatin1Char(' ') + need);
    m_count->setText(progress ? progressWords(*progress) : QStringLiteral("nothing told yet"));
    m_cells[4].remark->hide();
    m_bar->show();
    m_bar->setValue(static_cast<int>(share * 1000));
}

void ReadoutStrip::showEnded(const RunResult& result)
{
    const CurveSummary& curve = result.curve;
    set(0, QStringLiteral("Peak of the load"),
        curve.peakTreeBytes > 0 ? figures::size(curve.peakTreeBytes) : figures::kNone,
        result.identity.predictedPeakBytes > 0
            ? QStringLiteral("predicted %1").arg(figures::size(result.identity.predictedPeakBytes))
            : QStringLiteral("without page cache"));
    set(1, QStringLiteral("Peak of swap"), curve.sampleCount > 0 ? figures::size(curve.peakSwapBytes) : figures::kNone,
        curve.swapBeganS ? QStringLiteral("swapping began at %1").arg(figures::seconds(*curve.swapBeganS))
                         : QStringLiteral("nothing was swapped"));
    set(2, QStringLiteral("Least that was free"),
        curve.lowestAvailableBytes > 0 ? figures::size(curve.lowestAvailableBytes) : figures::kNone,
        QStringLiteral("%1 at the start").arg(figures::size(curve.baselineAvailableBytes)));
    if (result.identity.program.empty())
        showLoaded(result);
    else
        set(3, QStringLiteral("Largest process"), result.hwmBytes > 0 ? figures::size(result.hwmBytes) : figures::kNone,
            QStringLiteral("high-water mark of one process"));
    set(4, QStringLiteral("Ended after"), figures::duration(result.duration), endWords(result));
    m_count->clear();
    m_bar->hide();
    m_cells[4].remark->show();
}

void ReadoutStrip::showLoaded(const RunResult& result)
{
    const QString loaded = result.loaded
        ? figures::parameters(result.loaded->parameters) + QStringLiteral(" parameters")
        : figures::kNone;
    set(3, QStringLiteral("Loaded"), loaded,
        result.loaded ? QStringLiteral("in ")
                + figures::count(result.loaded->tensors, QStringLiteral("tensor"), QStringLiteral("tensors"))
            : result.progress ? progressWords(*result.progress)
                              : QStringLiteral("no tensor was told of"));
}

} // namespace loadlab
