#include "gui/widgets/VerdictView.h"

#include "gui/widgets/Figures.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/LinkLabel.h"
#include "gui/widgets/ModeBadge.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/StateLook.h"
#include "gui/widgets/Type.h"
#include "gui/widgets/VerdictParts.h"
#include "gui/widgets/VerdictText.h"

#include <QClipboard>
#include <QGridLayout>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

namespace loadlab {
namespace {

QLabel* makeSmall(const QString& text, QWidget* parent)
{
    QLabel* label = makeMuted(text, parent);
    label->setFont(type::sized(label->font(), type::kSmall));
    return label;
}

/// Modes that speak for others than the verdict's own are told in one line; an unknown verdict lists everything.
bool isEvidence(const Evidence& fact, const Verdict& verdict)
{
    return verdict.mode == FailureMode::Unknown || fact.supports.empty() || fact.supports == toWireName(verdict.mode);
}

QString alsoConsidered(const Verdict& verdict)
{
    QStringList words;
    for (const Evidence& fact : verdict.evidence)
        if (!isEvidence(fact, verdict))
            words << QStringLiteral("%1 %2: %3")
                         .arg(lookOf(QString::fromStdString(fact.supports)).words,
                             verdict_text::confidence(fact.weight), QString::fromStdString(fact.fact).simplified());
    return words.join(QStringLiteral(" · "));
}

} // namespace

VerdictView::VerdictView(const ThemeHolder& theme, Form form, Abilities abilities, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_form(form)
    , m_abilities(abilities)
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    connect(&theme, &ThemeHolder::themeChanged, this, &VerdictView::rebuild);
    showWaiting(QStringLiteral("No verdict yet."));
}

void VerdictView::showRun(const RunResult& result)
{
    m_result = result;
    m_waiting = result.verdict ? QString() : QStringLiteral("No verdict yet: the load is in progress.");
    rebuild();
}

void VerdictView::showWaiting(const QString& words)
{
    m_result = {};
    m_waiting = words;
    rebuild();
}

void VerdictView::setFigure(QWidget* figure)
{
    delete m_figure;
    m_figure = figure;
    rebuild();
}

QString VerdictView::firstRemedy() const
{
    if (m_result.verdict)
        for (const Remedy& remedy : m_result.verdict->remedies)
            if (!verdict_text::changes(remedy, m_result.identity.variant).isEmpty())
                return QString::fromStdString(remedy.id);
    return {};
}

void VerdictView::setCompactCounts(int facts, int remedies)
{
    m_facts = facts;
    m_remedies = remedies;
    rebuild();
}

void VerdictView::rebuild()
{
    if (m_figure)
        m_figure->setParent(this);
    // A button of the old content may be what called: it must live until its slot returns.
    if (m_content) {
        m_content->hide();
        m_content->deleteLater();
    }
    m_content = new QWidget(this);
    auto* column = new QVBoxLayout(m_content);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(m_form == Form::Full ? 8 : 4);
    if (!m_result.verdict) {
        buildWaiting(*column);
    } else {
        buildHead(*column);
        if (m_form == Form::Full)
            buildFigures(*column);
        buildEvidence(*column);
        buildRemedies(*column);
        if (m_form == Form::Full)
            buildFoot(*column);
    }
    layout()->addWidget(m_content);
    m_content->show(); // Else a layout shows it one turn of the event loop later.
}

void VerdictView::buildWaiting(QVBoxLayout& layout)
{
    auto* row = new QHBoxLayout;
    auto* sign = new QLabel(m_content);
    sign->setPixmap(m_theme.theme().pixmap(QStringLiteral("unk"), Role::Muted, 20, devicePixelRatioF()));
    auto* words = new LinkLabel(m_theme, m_waiting, m_content);
    words->setWordWrap(true);
    connect(words, &LinkLabel::runRequested, this, &VerdictView::runRequested);
    row->addWidget(sign);
    row->addWidget(words, 1);
    layout.addLayout(row);
    setAccessibleName(m_waiting);
}

void VerdictView::buildHead(QVBoxLayout& layout)
{
    const Verdict& verdict = *m_result.verdict;
    const bool full = m_form == Form::Full;
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    auto* badge = new ModeBadge(m_theme, m_content);
    badge->setState(verdict_text::modeOf(m_result));
    badge->setLarge(full);
    row->addWidget(badge);
    if (full) {
        QLabel* subject = makeMuted(verdict_text::subject(m_result), m_content);
        subject->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        row->addWidget(subject, 1);
    } else {
        row->addStretch();
    }
    row->addWidget(
        new ConfidenceBar(m_theme, verdict.confidence, lookOf(verdict_text::modeOf(m_result)).role, m_content));
    row->addWidget(makeTitle(verdict_text::confidence(verdict.confidence), m_content));
    if (full)
        row->addWidget(makeSmall(verdict_text::basisOfConfidence(verdict), m_content));
    layout.addLayout(row);
    auto* sentence = new LinkLabel(m_theme, inWords(QString::fromStdString(verdict.summary)), m_content);
    sentence->setWordWrap(true);
    sentence->setTextInteractionFlags(sentence->textInteractionFlags() | Qt::TextSelectableByMouse);
    if (full)
        sentence->setFont(type::sized(font(), 1.08));
    connect(sentence, &LinkLabel::runRequested, this, &VerdictView::runRequested);
    layout.addWidget(sentence);
    setAccessibleName(
        QStringLiteral("%1, confidence %2")
            .arg(lookOf(verdict_text::modeOf(m_result)).words, verdict_text::confidence(verdict.confidence)));
    setAccessibleDescription(QString::fromStdString(verdict.summary));
}

void VerdictView::buildFigures(QVBoxLayout& layout)
{
    if (m_figure)
        layout.addWidget(m_figure);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(1);
    int column = 0;
    for (const verdict_text::Figure& figure : verdict_text::figuresOf(m_result)) {
        grid->addWidget(makeSmall(figure.name, m_content), 0, column);
        QLabel* value = makeTitle(figure.value, m_content);
        value->setFont(type::sized(font(), 1.1, true));
        grid->addWidget(value, 1, column);
        grid->addWidget(makeSmall(figure.remark, m_content), 2, column);
        grid->setColumnStretch(column++, 1);
    }
    layout.addLayout(grid);
}

void VerdictView::buildEvidence(QVBoxLayout& layout)
{
    const Verdict& verdict = *m_result.verdict;
    const bool full = m_form == Form::Full;
    auto* rows = new QVBoxLayout;
    rows->setSpacing(0);
    if (full)
        rows->addWidget(makeEvidenceHead(m_content));
    int shown = 0;
    for (std::size_t i = 0; i < verdict.evidence.size() && (full || shown < m_facts); ++i) {
        const bool own = isEvidence(verdict.evidence[i], verdict);
        if (!own || (!full && verdict.evidence[i].weight < 0))
            continue;
        auto* row = new EvidenceRow(m_theme, evidenceWords(verdict.evidence[i], verdict, full), m_content);
        connect(row, &QAbstractButton::clicked, this, [this, i] { Q_EMIT evidenceActivated(static_cast<int>(i)); });
        rows->addWidget(row);
        ++shown;
    }
    layout.addLayout(rows);
    if (!full)
        return;
    layout.addWidget(makeHairline(m_content));
    if (const QString others = alsoConsidered(verdict); !others.isEmpty()) {
        auto* row = new QHBoxLayout;
        row->addWidget(makeTitle(QStringLiteral("Also considered"), m_content), 0, Qt::AlignTop);
        QLabel* words = makeMuted(others, m_content);
        words->setWordWrap(true);
        row->addWidget(words, 1);
        layout.addLayout(row);
        layout.addWidget(makeHairline(m_content));
    }
}

void VerdictView::buildRemedies(QVBoxLayout& layout)
{
    const std::vector<Remedy>& remedies = m_result.verdict->remedies;
    const bool full = m_form == Form::Full;
    const std::size_t shown
        = full ? remedies.size() : std::min(remedies.size(), static_cast<std::size_t>(std::max(0, m_remedies)));
    if (shown == 0)
        return;
    if (full)
        layout.addWidget(makeTitle(QStringLiteral("Remedies"), m_content));
    for (std::size_t i = 0; i < shown; ++i) {
        if (full && i > 0)
            layout.addWidget(makeHairline(m_content));
        layout.addWidget(makeRemedy(remedies[i], i == 0));
    }
}

QWidget* VerdictView::makeRemedy(const Remedy& remedy, bool first)
{
    auto* box = new QWidget(m_content);
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    auto* sign = new QLabel(box);
    sign->setPixmap(
        m_theme.theme().pixmap(QStringLiteral("wrench"), first ? Role::Accent : Role::Muted, 16, devicePixelRatioF()));
    row->addWidget(sign, 0, Qt::AlignTop);
    auto* words = new QVBoxLayout;
    words->setSpacing(2);
    auto* text = new LinkLabel(m_theme, inWords(QString::fromStdString(remedy.text)), box);
    text->setWordWrap(true);
    if (m_form == Form::Full)
        text->setFont(type::sized(font(), 1.0, true));
    words->addWidget(text);
    const QVector<verdict_text::Change> changes = verdict_text::changes(remedy, m_result.identity.variant);
    for (const verdict_text::Change& change : changes)
        words->addWidget(makeChange(change, box));
    auto* basis = new LinkLabel(m_theme, verdict_text::basisOf(remedy), box);
    basis->setProperty("role", QStringLiteral("muted"));
    basis->setFont(type::sized(font(), type::kSmall));
    for (LinkLabel* label : {text, basis})
        connect(label, &LinkLabel::runRequested, this, &VerdictView::runRequested);
    row->addLayout(words, 1);
    // A compact card is narrow: its buttons stand below the words, beside their basis.
    auto* foot = new QHBoxLayout;
    foot->setSpacing(8);
    foot->addWidget(basis, 1);
    words->addLayout(foot);
    if (!changes.isEmpty())
        addRemedyButtons(m_form == Form::Full ? *row : *foot, remedy, first);
    return box;
}

void VerdictView::addRemedyButtons(QHBoxLayout& row, const Remedy& remedy, bool first)
{
    const QString id = QString::fromStdString(remedy.id);
    if (m_abilities.testFlag(ApplyRemedy)) {
        auto* apply = new ActionButton(m_theme, QStringLiteral("Apply and run"),
            first ? QStringLiteral("run") : QString(), first ? QStringLiteral("primary") : QString(), m_content);
        apply->setAccessibleDescription(QString::fromStdString(remedy.text));
        connect(apply, &QPushButton::clicked, this, [this, id] { Q_EMIT applyRemedyRequested(id); });
        row.addWidget(apply, 0, Qt::AlignTop);
    }
    if (m_abilities.testFlag(PreviewRemedy)) {
        auto* preview = new ActionButton(m_theme, QStringLiteral("Preview…"), {}, {}, m_content);
        preview->setAccessibleDescription(QString::fromStdString(remedy.text));
        connect(preview, &QPushButton::clicked, this, [this, id] { Q_EMIT previewRemedyRequested(id); });
        row.addWidget(preview, 0, Qt::AlignTop);
    }
}

void VerdictView::buildFoot(QVBoxLayout& layout)
{
    const Verdict& verdict = *m_result.verdict;
    layout.addWidget(makeHairline(m_content));
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(makeMuted(verdict.rule.empty()
            ? QString()
            : QStringLiteral("Rule %1, version %2").arg(QString::fromStdString(verdict.rule)).arg(verdict.rulesVersion),
        m_content));
    row->addStretch();
    const auto add = [&](Ability ability, const QString& words, const QString& icon, auto act) {
        if (!m_abilities.testFlag(ability))
            return;
        auto* button = new ActionButton(m_theme, words, icon, {}, m_content);
        connect(button, &QPushButton::clicked, this, act);
        row->addWidget(button);
    };
    add(Correct, QStringLiteral("Correct verdict…"), {}, [this] { Q_EMIT correctRequested(); });
    add(CopyMarkdown, QStringLiteral("Copy as Markdown"), QStringLiteral("copy"), [this] {
        QGuiApplication::clipboard()->setText(toMarkdown(m_result));
        Q_EMIT markdownCopied();
    });
    add(Bundle, QStringLiteral("Evidence bundle…"), QStringLiteral("file"), [this] { Q_EMIT bundleRequested(); });
    layout.addLayout(row);
}

} // namespace loadlab
