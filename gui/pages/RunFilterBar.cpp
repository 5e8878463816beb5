#include "gui/pages/RunFilterBar.h"

#include "gui/Words.h"
#include "gui/widgets/Chip.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/StateLook.h"

#include <QAction>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>

#include <algorithm>
#include <array>

namespace loadlab {
namespace {

constexpr int kTypingMs = 200;
constexpr std::array kNames{"Outcome", "Checkpoint", "Dtype", "Map", "Backend", "Since"};

QString nameOf(int kind)
{
    return QString::fromUtf8(kNames[static_cast<std::size_t>(kind)]);
}

QString modeWords(FailureMode mode)
{
    return lookOf(toQString(toWireName(mode))).words;
}

} // namespace

RunFilterBar::RunFilterBar(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_words(new QLineEdit(this))
    , m_chips(new QHBoxLayout)
    , m_counts(makeMuted({}, this))
{
    m_words->setPlaceholderText(QStringLiteral("Words in logs, verdicts"));
    m_words->setAccessibleName(QStringLiteral("Search words"));
    m_words->setObjectName(QStringLiteral("runWords"));
    m_words->setClearButtonEnabled(true);
    m_words->setMaximumWidth(220);
    m_words->setMinimumWidth(120);
    m_chips->setSpacing(6);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(6);
    row->addWidget(m_words, 1);
    row->addLayout(m_chips);
    row->addStretch(1);
    row->addWidget(m_counts);
    m_typing.setSingleShot(true);
    m_typing.setInterval(kTypingMs);
    connect(m_words, &QLineEdit::textChanged, &m_typing, qOverload<>(&QTimer::start));
    connect(&m_typing, &QTimer::timeout, this, [this] {
        m_filter.words = m_words->text().trimmed().toStdString();
        Q_EMIT changed();
    });
    rebuild();
}

void RunFilterBar::setChoices(
    const QStringList& checkpoints, const QStringList& dtypes, const QStringList& maps, const QStringList& backends)
{
    m_choices[Model] = checkpoints;
    m_choices[Dtype] = dtypes;
    m_choices[Map] = maps;
    m_choices[Backend] = backends;
}

RunFilter RunFilterBar::filter() const
{
    return m_filter;
}

void RunFilterBar::setFilter(const RunFilter& filter)
{
    m_filter = filter;
    m_order.clear();
    for (int kind = 0; kind < KindCount; ++kind)
        if (isSet(static_cast<Kind>(kind)))
            m_order << static_cast<Kind>(kind);
    m_words->setText(toQString(filter.words));
    m_typing.stop();
    rebuild();
}

int RunFilterBar::activeCount() const
{
    return static_cast<int>(m_order.size()) + (m_filter.words.empty() ? 0 : 1);
}

QString RunFilterBar::lastWords() const
{
    if (!m_order.isEmpty())
        return QStringLiteral("“%1”").arg(wordsOf(m_order.back()));
    return m_filter.words.empty() ? QString() : QStringLiteral("words “%1”").arg(toQString(m_filter.words));
}

void RunFilterBar::dropLast()
{
    if (!m_order.isEmpty())
        drop(m_order.back());
    else
        clearAll();
}

void RunFilterBar::clearAll()
{
    setFilter({});
    Q_EMIT changed();
}

void RunFilterBar::setCounts(std::uint64_t matching, std::uint64_t stored)
{
    m_counts->setText(
        QStringLiteral("%1 of %2")
            .arg(figures::count(matching), figures::count(stored, QStringLiteral("run"), QStringLiteral("runs"))));
}

void RunFilterBar::focusWords()
{
    m_words->setFocus(Qt::ShortcutFocusReason);
    m_words->selectAll();
}

QWidget* RunFilterBar::wordsEdit() const
{
    return m_words;
}

void RunFilterBar::rebuild()
{
    while (QLayoutItem* item = m_chips->takeAt(0)) {
        // The chip may be what called.
        item->widget()->hide();
        item->widget()->deleteLater();
        delete item;
    }
    for (const Kind kind : std::as_const(m_order))
        addChip(kind);
    for (const Kind kind : {Outcome, Model})
        if (!isSet(kind))
            addChip(kind);
    addMoreChip();
}

void RunFilterBar::addMoreChip()
{
    auto* chip = new Chip(m_theme, QStringLiteral("+ More"), this);
    chip->setObjectName(QStringLiteral("chipMore"));
    connect(chip, &QPushButton::clicked, this, [this, chip] { openMore(chip); });
    m_chips->addWidget(chip);
}

void RunFilterBar::openMore(QWidget* below)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (const Kind kind : {Dtype, Map, Backend, Since})
        fill(*menu->addMenu(nameOf(kind)), kind);
    menu->popup(below->mapToGlobal(QPoint(0, below->height())));
}

void RunFilterBar::addChip(Kind kind)
{
    const bool set = isSet(kind);
    auto* chip = new Chip(m_theme, set ? wordsOf(kind) : QStringLiteral("+ ") + nameOf(kind), this);
    chip->setObjectName(QStringLiteral("chip") + nameOf(kind));
    chip->setCheckable(set);
    chip->setChecked(set);
    chip->setRemovable(set);
    connect(chip, &Chip::removeRequested, this, [this, kind] { drop(kind); });
    connect(chip, &QPushButton::clicked, this, [this, kind, chip] {
        chip->setChecked(chip->isCheckable());
        openMenu(kind, chip);
    });
    m_chips->addWidget(chip);
}

void RunFilterBar::openMenu(Kind kind, QWidget* below)
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    fill(*menu, kind);
    menu->popup(below->mapToGlobal(QPoint(0, below->height())));
}

void RunFilterBar::fill(QMenu& menu, Kind kind)
{
    if (kind == Outcome)
        fillOutcomes(menu);
    else if (kind == Since)
        fillSince(menu);
    else
        fillWords(menu, kind);
    if (menu.isEmpty())
        menu.addAction(QStringLiteral("No run says anything about it yet"))->setEnabled(false);
}

void RunFilterBar::fillOutcomes(QMenu& menu)
{
    QAction* failed = menu.addAction(QStringLiteral("All failures"), this, [this] {
        m_filter.modes.clear();
        m_filter.onlyFailed = !m_filter.onlyFailed;
        note(Outcome);
    });
    failed->setCheckable(true);
    failed->setChecked(m_filter.onlyFailed);
    menu.addSeparator();
    for (std::size_t i = 0; i < kFailureModeCount; ++i) {
        const auto mode = static_cast<FailureMode>(i);
        const bool on = std::count(m_filter.modes.begin(), m_filter.modes.end(), mode) > 0;
        QAction* action = menu.addAction(modeWords(mode), this, [this, mode, on] {
            m_filter.onlyFailed = false;
            if (on)
                std::erase(m_filter.modes, mode);
            else
                m_filter.modes.push_back(mode);
            note(Outcome);
        });
        action->setCheckable(true);
        action->setChecked(on);
        const StateLook look = lookOf(toQString(toWireName(mode)));
        action->setIcon(m_theme.icon(look.icon, look.role));
    }
}

void RunFilterBar::fillSince(QMenu& menu)
{
    struct Span {
        const char* words;
        int days;
    };
    for (const Span& span :
        {Span{"Today", 1}, Span{"The last 7 days", 7}, Span{"The last 30 days", 30}, Span{"The last year", 365}})
        menu.addAction(QString::fromUtf8(span.words), this, [this, days = span.days] {
            m_filter.since = std::chrono::system_clock::now() - std::chrono::hours(24 * days);
            note(Since);
        });
}

void RunFilterBar::fillWords(QMenu& menu, Kind kind)
{
    for (const QString& choice : std::as_const(m_choices[kind])) {
        const bool on = textOf(kind) == choice.toStdString();
        QAction* action = menu.addAction(
            QString(choice).replace(QLatin1Char('&'), QStringLiteral("&&")), this, [this, kind, choice] {
                textOf(kind) = choice.toStdString();
                note(kind);
            });
        action->setCheckable(true);
        action->setChecked(on);
    }
}

std::string& RunFilterBar::textOf(Kind kind)
{
    switch (kind) {
    case Dtype:
        return m_filter.dtype;
    case Map:
        return m_filter.deviceMap;
    case Backend:
        return m_filter.backend;
    default:
        return m_filter.model;
    }
}

bool RunFilterBar::isSet(Kind kind) const
{
    switch (kind) {
    case Outcome:
        return m_filter.onlyFailed || !m_filter.modes.empty();
    case Model:
        return !m_filter.model.empty();
    case Dtype:
        return !m_filter.dtype.empty();
    case Map:
        return !m_filter.deviceMap.empty();
    case Backend:
        return !m_filter.backend.empty();
    case Since:
        return m_filter.since.has_value();
    default:
        return false;
    }
}

QString RunFilterBar::wordsOf(Kind kind) const
{
    QString value;
    if (kind == Outcome) {
        value = m_filter.onlyFailed      ? QStringLiteral("failed")
            : m_filter.modes.size() == 1 ? modeWords(m_filter.modes.front())
                                         : QStringLiteral("%1 of them").arg(m_filter.modes.size());
    } else if (kind == Since) {
        value = figures::dateTime(*m_filter.since);
    } else {
        value = toQString(const_cast<RunFilterBar*>(this)->textOf(kind));
    }
    return nameOf(kind) + QStringLiteral(": ") + value;
}

void RunFilterBar::drop(Kind kind)
{
    if (kind == Outcome) {
        m_filter.modes.clear();
        m_filter.onlyFailed = false;
    } else if (kind == Since) {
        m_filter.since.reset();
    } else {
        textOf(kind).clear();
    }
    note(kind);
}

void RunFilterBar::note(Kind kind)
{
    m_order.removeAll(kind);
    if (isSet(kind))
        m_order << kind;
    rebuild();
    Q_EMIT changed();
}

} // namespace loadlab
