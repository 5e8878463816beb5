#include "gui/widgets/VerdictParts.h"

#include "gui/widgets/Figures.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/StateLook.h"
#include "gui/widgets/Type.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>

#include <cmath>

namespace loadlab {
namespace {

constexpr double kStrong = 0.75;

QString strongIcon(const StateLook& look)
{
    if (look.role == Role::Fail)
        return look.icon == QLatin1String("clock") ? look.icon : QStringLiteral("fail");
    return look.icon;
}

} // namespace

ConfidenceBar::ConfidenceBar(const ThemeHolder& theme, double confidence, Role role, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_confidence(confidence)
    , m_role(role)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setAccessibleName(QStringLiteral("Confidence %1").arg(verdict_text::confidence(confidence)));
    connect(&theme, &ThemeHolder::themeChanged, this, qOverload<>(&QWidget::update));
}

void ConfidenceBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const auto filled = std::lround(m_confidence * 10);
    const QColor on = blend(m_theme.color(m_role), m_theme.color(Role::Base), 0.85);
    for (int step = 0; step < 10; ++step)
        painter.fillRect(QRect(step * 9, 0, 8, height()), step < filled ? on : m_theme.color(Role::Hair));
}

EvidenceRow::Words evidenceWords(const Evidence& evidence, const Verdict& verdict, bool withWeight)
{
    const std::string mode(toWireName(verdict.mode));
    const StateLook look = lookOf(QString::fromStdString(mode));
    EvidenceRow::Words words;
    words.fact = inWords(QString::fromStdString(evidence.fact));
    words.source = QString::fromStdString(evidence.source);
    if (words.source.startsWith(QLatin1String("worker.")))
        words.source[6] = u' ';
    if (withWeight)
        words.weight = QString(QStringLiteral("%1%2"))
                           .arg(evidence.weight < 0 ? QStringLiteral("−") : QString())
                           .arg(std::fabs(evidence.weight), 0, 'f', 2);
    if (evidence.weight < 0) {
        words.icon = QStringLiteral("minus");
        words.fact = QStringLiteral("Against: ") + words.fact;
    } else if (evidence.supports == mode && evidence.weight >= kStrong) {
        words.icon = strongIcon(look);
        words.role = look.role;
    } else {
        words.icon = QStringLiteral("info");
        words.role = Role::Neutral;
        if (evidence.supports != mode && !evidence.supports.empty())
            words.fact
                = QStringLiteral("For %1: ").arg(lookOf(QString::fromStdString(evidence.supports)).words) + words.fact;
    }
    return words;
}

EvidenceRow::EvidenceRow(const ThemeHolder& theme, Words words, QWidget* parent)
    : QAbstractButton(parent)
    , m_theme(theme)
    , m_words(std::move(words))
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setFocusPolicy(Qt::TabFocus);
    setText(m_words.fact);
    setAccessibleName(m_words.fact);
    QString more = QStringLiteral("Source: %1").arg(m_words.source);
    if (!m_words.weight.isEmpty())
        more += QStringLiteral(", weight %1").arg(m_words.weight);
    setAccessibleDescription(more);
    setToolTip(m_words.fact + u'\n' + more);
    connect(&theme, &ThemeHolder::themeChanged, this, qOverload<>(&QWidget::update));
}

QSize EvidenceRow::sizeHint() const
{
    return {300, QFontMetrics(font()).height() + (m_words.weight.isEmpty() ? 6 : 9)};
}

void EvidenceRow::enterEvent(QEnterEvent* event)
{
    QAbstractButton::enterEvent(event);
    update();
}

void EvidenceRow::leaveEvent(QEvent* event)
{
    QAbstractButton::leaveEvent(event);
    update();
}

void EvidenceRow::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const Theme& theme = m_theme.theme();
    if (underMouse() || hasFocus())
        painter.fillRect(rect(), theme.color(Role::Selection));
    const bool full = !m_words.weight.isEmpty();
    const int inset = full ? 8 : 0;
    painter.drawPixmap(inset, (height() - 16) / 2, theme.pixmap(m_words.icon, m_words.role, 16, devicePixelRatioF()));
    QRect rest = rect().adjusted(inset + 22, 0, -inset, 0);
    const QFont small = type::sized(font(), type::kSmall);
    painter.setPen(theme.color(Role::Muted));
    if (full) {
        painter.drawPixmap(rest.right() - 16, (height() - 16) / 2,
            theme.pixmap(QStringLiteral("right"), Role::Muted, 16, devicePixelRatioF()));
        rest.setRight(rest.right() - kArrowWidth);
        painter.setPen(theme.color(Role::Text));
        painter.drawText(rest, Qt::AlignVCenter | Qt::AlignRight, m_words.weight);
        rest.setRight(rest.right() - kWeightWidth);
        painter.setPen(theme.color(Role::Muted));
    }
    painter.setFont(small);
    const QFontMetrics smallMetrics(small);
    const int wanted
        = full ? kSourceWidth : std::min(smallMetrics.horizontalAdvance(m_words.source) + 2, rest.width() / 3);
    const QRect source(rest.right() - wanted + 1, 0, wanted, height());
    painter.drawText(source, Qt::AlignVCenter | (full ? Qt::AlignLeft : Qt::AlignRight),
        smallMetrics.elidedText(m_words.source, Qt::ElideRight, source.width()));
    rest.setRight(source.left() - 8);
    painter.setFont(font());
    painter.setPen(theme.color(Role::Text));
    painter.drawText(rest, Qt::AlignVCenter | Qt::AlignLeft | Qt::TextSingleLine,
        fontMetrics().elidedText(m_words.fact.simplified(), Qt::ElideRight, rest.width()));
}

QWidget* makeEvidenceHead(QWidget* parent)
{
    auto* head = new QFrame(parent);
    head->setObjectName(QStringLiteral("head"));
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(8, 4, 8, 4);
    row->setSpacing(0);
    row->addWidget(makeMuted(QStringLiteral("Evidence"), head), 1);
    QLabel* source = makeMuted(QStringLiteral("Source"), head);
    source->setFixedWidth(EvidenceRow::kSourceWidth);
    row->addWidget(source);
    QLabel* weight = makeMuted(QStringLiteral("Weight"), head);
    weight->setFixedWidth(EvidenceRow::kWeightWidth);
    weight->setAlignment(Qt::AlignRight);
    row->addWidget(weight);
    row->addSpacing(EvidenceRow::kArrowWidth);
    return head;
}

QWidget* makeChange(const verdict_text::Change& change, QWidget* parent)
{
    auto* box = new QFrame(parent);
    box->setObjectName(QStringLiteral("sunk"));
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(8, 2, 8, 2);
    row->setSpacing(8);
    row->addWidget(makeMuted(change.setting, box));
    auto* words = new QLabel(box);
    words->setTextFormat(Qt::RichText);
    words->setFont(type::fixed(box->font()));
    words->setText(QStringLiteral("%1 → <b>%2</b>").arg(change.before.toHtmlEscaped(), change.after.toHtmlEscaped()));
    words->setAccessibleName(QStringLiteral("%1 from %2 to %3").arg(change.setting, change.before, change.after));
    row->addWidget(words);
    box->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    return box;
}

} // namespace loadlab
