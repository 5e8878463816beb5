#include "gui/pages/GuardPanel.h"

#include "gui/Words.h"
#include "gui/models/ForecastWords.h"
#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/VerdictText.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QStyle>
#include <QVBoxLayout>

namespace loadlab {
namespace {

constexpr int kSign = 16;
constexpr double kHighPressure = 0.1; ///< Of the time.

} // namespace

GuardPanel::GuardPanel(const ThemeHolder& theme, QWidget* parent)
    : Panel(QStringLiteral("Guard"), parent)
    , m_theme(theme)
    , m_armed(new QCheckBox(QStringLiteral("Armed"), this))
    , m_margin(new QLineEdit(QStringLiteral("5%"), this))
    , m_problem(new QLabel(this))
{
    m_armed->setAccessibleName(QStringLiteral("Guard armed"));
    m_armed->setObjectName(QStringLiteral("guardArmed"));
    addToTitle(m_armed);
    body()->setSpacing(5);
    body()->addWidget(buildMargin());
    m_problem->setWordWrap(true);
    m_problem->setObjectName(QStringLiteral("guardProblem"));
    m_problem->hide();
    body()->addWidget(m_problem);
    for (Row& row : m_rows)
        row = addRow();
    m_cap = addRow();
    connect(m_armed, &QCheckBox::toggled, this, &GuardPanel::take);
    connect(m_margin, &QLineEdit::editingFinished, this, &GuardPanel::take);
    setRun({}, false);
}

QWidget* GuardPanel::buildMargin()
{
    auto* box = new QWidget(this);
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(6);
    m_margin->setAccessibleName(QStringLiteral("Margin of the guard"));
    m_margin->setObjectName(QStringLiteral("guardMargin"));
    m_margin->setToolTip(QStringLiteral("A size or a share of the pool: 2GiB, 5%. It looks ahead two seconds."));
    m_margin->setMaximumWidth(90);
    row->addWidget(new QLabel(QStringLiteral("Stop the load when"), box));
    row->addWidget(m_margin);
    row->addWidget(new QLabel(QStringLiteral("are left"), box));
    row->addStretch();
    return box;
}

GuardPanel::Row GuardPanel::addRow()
{
    auto* box = new QWidget(this);
    auto* line = new QHBoxLayout(box);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(6);
    Row row{box, new QLabel(box), new ElidedLabel({}, box), makeMuted({}, box)};
    row.words->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    line->addWidget(row.sign);
    line->addWidget(row.words, 1);
    line->addWidget(row.remark);
    body()->addWidget(box);
    return row;
}

void GuardPanel::show(const Row& row, const QString& icon, Role role, const QString& words, const QString& remark)
{
    row.sign->setPixmap(m_theme.theme().pixmap(icon, role, kSign, devicePixelRatioF()));
    row.words->setText(words);
    row.remark->setText(remark);
}

void GuardPanel::setRun(const Limits& limits, bool changeable)
{
    m_limits = limits;
    m_cap.box->setVisible(limits.capMemoryBytes.has_value());
    const QSignalBlocker quietBox(m_armed);
    if (changeable) {
        m_asked = limits.guard;
        m_armed->setChecked(limits.guard.has_value());
        if (limits.guard)
            m_margin->setText(toQString(toWord(*limits.guard)));
        m_problem->hide();
    } else {
        show(m_rows[0], QStringLiteral("info"), Role::Info, QStringLiteral("No load is running"), {});
    }
    m_armed->setEnabled(changeable);
    m_margin->setEnabled(changeable);
}

void GuardPanel::take()
{
    const Result<GuardMargin> margin = parseGuardMargin(m_margin->text().toStdString());
    m_problem->setVisible(!margin && m_armed->isChecked());
    if (!margin)
        m_problem->setText(toSentence(margin.error()) + QStringLiteral(" The guard stays as it was."));
    m_margin->setProperty("bad", !margin);
    m_margin->style()->unpolish(m_margin);
    m_margin->style()->polish(m_margin);
    if (!margin && m_armed->isChecked())
        return;
    const auto asked = m_armed->isChecked() ? std::optional(*margin) : std::nullopt;
    if (asked == m_asked)
        return;
    m_asked = asked;
    Q_EMIT marginChanged(asked);
}

void GuardPanel::showOutlook(const LiveOutlook& look, double nowS)
{
    const bool still = look.pace.kind == Pace::Kind::Still;
    show(m_rows[0], still ? QStringLiteral("warn") : QStringLiteral("ok"), still ? Role::Warn : Role::Ok,
        silenceWords(look, nowS),
        m_limits.stall ? QStringLiteral("stall limit %1").arg(figures::duration(*m_limits.stall))
                       : QStringLiteral("no stall limit"));
    const bool swaps = look.swapBytes > 0;
    show(m_rows[1], swaps ? QStringLiteral("warn") : QStringLiteral("ok"), swaps ? Role::Warn : Role::Ok,
        !look.swapBeganS ? QStringLiteral("Nothing of it in swap")
                         : QStringLiteral("%1 in swap, began at %2")
                               .arg(figures::size(look.swapBytes), figures::seconds(*look.swapBeganS)),
        m_limits.capSwapBytes ? QStringLiteral("cap %1").arg(figures::size(*m_limits.capSwapBytes)) : QString());
    const double stalled = look.stalledShare.value_or(0);
    show(m_rows[2], stalled > kHighPressure ? QStringLiteral("warn") : QStringLiteral("ok"),
        stalled > kHighPressure ? Role::Warn : Role::Ok, QStringLiteral("All stalled for memory (PSI full)"),
        look.stalledShare
            ? QStringLiteral("%1 % of %2 s").arg(figures::threeDigits(100 * stalled)).arg(Guard::kDrowningOverS)
            : nowS < 2 * Guard::kDrowningOverS ? QStringLiteral("not known yet")
                                               : QStringLiteral("not told by this kernel"));
    const std::uint64_t kills = look.oomKills.value_or(0);
    show(m_rows[3], kills > 0 ? QStringLiteral("warn") : QStringLiteral("ok"), kills > 0 ? Role::Warn : Role::Ok,
        kills == 0 ? QStringLiteral("Nothing of it killed by the kernel")
                   : QStringLiteral("Killed by the kernel for lack of memory"),
        !look.oomKills   ? QStringLiteral("known at its end")
            : kills == 0 ? QString()
            : kills == 1 ? QStringLiteral("1 process")
                         : QStringLiteral("%1 processes").arg(figures::count(kills)));
}

void GuardPanel::showCap(const LiveRun& run)
{
    if (!m_limits.capMemoryBytes || !run.contained())
        return;
    const std::string& by = run.contained()->capKeptBy;
    const bool holds = by != "none" && (by != "cgroup" || run.outsideGroup().empty());
    show(m_cap, holds ? QStringLiteral("ok") : QStringLiteral("warn"), holds ? Role::Ok : Role::Warn,
        QStringLiteral("Cap %1, %2")
            .arg(figures::size(*m_limits.capMemoryBytes), verdict_text::keptBy(by, run.outsideGroup())),
        {});
}

void GuardPanel::focusMargin()
{
    m_margin->setFocus(Qt::ShortcutFocusReason);
    m_margin->selectAll();
}

} // namespace loadlab
