#include "gui/widgets/EmptyState.h"

#include "gui/widgets/IconButton.h"
#include "gui/widgets/Panel.h"
#include "gui/widgets/Type.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QShortcut>
#include <QVBoxLayout>

namespace loadlab {
namespace {

constexpr int kIcon = 40;
constexpr int kWordsWidth = 360;

QLabel* makeCentred(const QString& role, QWidget* parent)
{
    auto* label = new QLabel(parent);
    label->setTextFormat(Qt::PlainText);
    label->setAlignment(Qt::AlignHCenter);
    label->setProperty("role", role);
    return label;
}

} // namespace

EmptyState::EmptyState(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_picture(makeCentred({}, this))
    , m_fact(makeCentred({}, this))
    , m_next(makeCentred(QStringLiteral("muted"), this))
    , m_primary(new ActionButton(theme, {}, {}, QStringLiteral("primary"), this))
    , m_other(new ActionButton(theme, {}, {}, {}, this))
    , m_hint(makeCentred(QStringLiteral("muted"), this))
{
    m_fact->setFont(type::sized(font(), 1.1, true));
    m_next->setWordWrap(true);
    m_next->setFixedWidth(kWordsWidth);
    m_hint->setFont(type::sized(font(), type::kSmall));
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addStretch();
    buttons->addWidget(m_primary);
    buttons->addWidget(m_other);
    buttons->addStretch();
    auto* layout = new QVBoxLayout(this);
    layout->setSpacing(8);
    layout->addStretch(3);
    layout->addWidget(m_picture);
    layout->addSpacing(4);
    layout->addWidget(m_fact);
    layout->addWidget(m_next, 0, Qt::AlignHCenter);
    layout->addLayout(buttons);
    layout->addWidget(m_hint);
    layout->addStretch(4);
    setPrimary({});
    setOther({});
    setHint({});
    connect(m_primary, &QPushButton::clicked, this, &EmptyState::primaryRequested);
    connect(m_other, &QPushButton::clicked, this, &EmptyState::otherRequested);
    connect(&theme, &ThemeHolder::themeChanged, this, &EmptyState::refreshPicture);
}

void EmptyState::setWords(const QString& icon, const QString& fact, const QString& next)
{
    m_icon = icon;
    m_fact->setText(fact);
    m_next->setText(next);
    m_next->setFixedHeight(m_next->heightForWidth(kWordsWidth));
    setAccessibleName(fact);
    setAccessibleDescription(next);
    refreshPicture();
}

void EmptyState::setPrimary(const QString& text, const QString& icon)
{
    m_primary->setText(text);
    m_primary->setSign(icon);
    m_primary->setVisible(!text.isEmpty());
}

void EmptyState::setOther(const QString& text, const QString& icon)
{
    m_other->setText(text);
    m_other->setSign(icon);
    m_other->setVisible(!text.isEmpty());
}

void EmptyState::setHint(const QString& text)
{
    m_hint->setText(text);
    m_hint->setVisible(!text.isEmpty());
}

void EmptyState::setShortcut(const QKeySequence& keys)
{
    setHint(keys.toString(QKeySequence::NativeText));
}

void EmptyState::refreshPicture()
{
    const Role role = m_icon == QLatin1String("warn") ? Role::Warn : Role::Muted;
    m_picture->setPixmap(m_theme.theme().pixmap(m_icon, role, kIcon, devicePixelRatioF()));
}

} // namespace loadlab
