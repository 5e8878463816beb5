#include "gui/pages/LimitEditors.h"

#include "core/LimitWords.h"
#include "core/Units.h"
#include "gui/Words.h"

#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QStyle>

namespace loadlab {
namespace {

/// "20 Hz", "2.5 Hz": no more digits than there are.
class RateBox : public QDoubleSpinBox {
public:
    using QDoubleSpinBox::QDoubleSpinBox;

protected:
    QString textFromValue(double value) const override
    {
        return locale().toString(value, 'g', QLocale::FloatingPointShortest);
    }
};

/// Nothing while it is switched off.
template <typename T, typename Choice>
Result<void> read(const Choice& choice, Result<T> (*parse)(std::string_view), std::optional<T>& into)
{
    if (!choice.on->isChecked())
        return {};
    Result<T> parsed = parse(choice.value->text().toStdString());
    if (!parsed)
        return std::move(parsed).error().in(choice.value->accessibleName().toStdString());
    into = *std::move(parsed);
    return {};
}

template <typename Choice> void show(const Choice& choice, const std::optional<std::string>& text)
{
    choice.on->setChecked(text.has_value());
    if (text)
        choice.value->setText(toQString(*text));
}

std::optional<std::string> textOf(const std::optional<std::uint64_t>& bytes)
{
    return bytes ? std::optional(exactSize(*bytes)) : std::nullopt;
}

std::optional<std::string> textOf(const std::optional<std::chrono::nanoseconds>& duration)
{
    if (!duration)
        return std::nullopt;
    return exactDuration(*duration);
}

} // namespace

LimitEditors::LimitEditors(QWidget* form)
    : QObject(form)
{
    m_guard
        = add(QStringLiteral("Guard"), QStringLiteral("Stop when"), QStringLiteral("5%"), QStringLiteral("are left"));
    m_guard.value->setToolTip(
        QStringLiteral("A size or a share of what the run has, the machine or its cap: 2GiB, 5%. It looks ahead."));
    m_memory = add(QStringLiteral("Memory cap"), QStringLiteral("At most"), QStringLiteral("16GiB"), {});
    m_swap = add(QStringLiteral("Swap cap"), QStringLiteral("At most"), QStringLiteral("0"), QStringLiteral("of swap"));
    m_timeout = add(
        QStringLiteral("Time limit"), QStringLiteral("Stop after"), QStringLiteral("15min"), QStringLiteral("in all"));
    m_stall = add(QStringLiteral("Stall limit"), QStringLiteral("Stop after"), QStringLiteral("90s"),
        QStringLiteral("without a sign of life"));
    addSampling();
}

LimitEditors::Choice LimitEditors::add(
    const QString& label, const QString& words, const QString& value, const QString& after)
{
    auto* form = static_cast<QWidget*>(parent());
    auto* box = new QWidget(form);
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    const Choice choice{new QCheckBox(words, box), new QLineEdit(value, box)};
    choice.on->setAccessibleName(QStringLiteral("%1: %2").arg(label, words));
    choice.on->setObjectName(label + QStringLiteral(" on"));
    choice.value->setAccessibleName(label);
    choice.value->setObjectName(label);
    choice.value->setMaximumWidth(80);
    choice.value->setEnabled(false);
    row->addWidget(choice.on);
    row->addWidget(choice.value);
    row->addWidget(new QLabel(after, box));
    row->addStretch();
    connect(choice.on, &QCheckBox::toggled, choice.value, &QWidget::setEnabled);
    const auto tell = [this] {
        mark();
        Q_EMIT changed();
    };
    connect(choice.on, &QCheckBox::toggled, this, tell);
    connect(choice.value, &QLineEdit::textChanged, this, tell);
    m_rows.push_back({label, box});
    return choice;
}

void LimitEditors::addSampling()
{
    m_sampleHz = new RateBox(static_cast<QWidget*>(parent()));
    m_sampleHz->setDecimals(6);
    m_sampleHz->setRange(1, 1000);
    m_sampleHz->setSuffix(QStringLiteral(" Hz"));
    m_sampleHz->setValue(Limits().sampleHz);
    m_sampleHz->setAccessibleName(QStringLiteral("Samples a second"));
    m_sampleHz->setMaximumWidth(120);
    connect(m_sampleHz, &QDoubleSpinBox::valueChanged, this, &LimitEditors::changed);
    m_rows.push_back({QStringLiteral("Sampling"), m_sampleHz});
}

void LimitEditors::mark() const
{
    Limits ignored;
    const auto show = [](const Choice& choice, bool good) {
        if (!choice.value || choice.value->property("bad").toBool() == !good)
            return;
        choice.value->setProperty("bad", !good);
        choice.value->style()->unpolish(choice.value);
        choice.value->style()->polish(choice.value);
    };
    show(m_guard, read(m_guard, &parseGuardMargin, ignored.guard).has_value());
    show(m_memory, read(m_memory, &parseCap, ignored.capMemoryBytes).has_value());
    show(m_swap, read(m_swap, &parseSize, ignored.capSwapBytes).has_value());
    show(m_timeout, read(m_timeout, &parseTimeLimit, ignored.timeout).has_value());
    show(m_stall, read(m_stall, &parseTimeLimit, ignored.stall).has_value());
}

Result<Limits> LimitEditors::limits() const
{
    Limits limits;
    for (const Result<void>& field : {read(m_guard, &parseGuardMargin, limits.guard),
             read(m_memory, &parseCap, limits.capMemoryBytes), read(m_swap, &parseSize, limits.capSwapBytes),
             read(m_timeout, &parseTimeLimit, limits.timeout), read(m_stall, &parseTimeLimit, limits.stall)})
        if (!field)
            return field.error();
    limits.sampleHz = m_sampleHz->value();
    return limits;
}

void LimitEditors::setLimits(const Limits& limits)
{
    show(m_guard, limits.guard ? std::optional(toWord(*limits.guard)) : std::nullopt);
    show(m_memory, textOf(limits.capMemoryBytes));
    show(m_swap, textOf(limits.capSwapBytes));
    show(m_timeout, textOf(limits.timeout));
    show(m_stall, textOf(limits.stall));
    m_sampleHz->setValue(limits.sampleHz);
}

} // namespace loadlab
