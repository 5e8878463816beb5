#include "gui/Rail.h"

#include <QButtonGroup>
#include <QPainter>
#include <QVBoxLayout>

namespace loadlab {
namespace {

constexpr int kWidth = 92;
constexpr int kIcon = 24;

} // namespace

RailButton::RailButton(const ThemeHolder& theme, const QString& icon, const QString& words, QWidget* parent)
    : QToolButton(parent)
    , m_theme(theme)
    , m_icon(icon)
{
    setText(words);
    setAccessibleName(words);
    setCheckable(true);
    setFocusPolicy(Qt::TabFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme, &ThemeHolder::themeChanged, this, qOverload<>(&QWidget::update));
}

void RailButton::setDot(bool on, const QString& why)
{
    m_dot = on;
    setAccessibleName(on ? text() + QStringLiteral(", ") + why : text());
    update();
}

QSize RailButton::sizeHint() const
{
    return {kWidth - 12, kIcon + fontMetrics().height() + 22};
}

void RailButton::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Theme& look = m_theme.theme();
    const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    if (isChecked() || underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(look.color(isChecked() ? Role::Selection : Role::Hair));
        painter.drawRoundedRect(box, 4, 4);
    }
    if (hasFocus()) {
        painter.setPen(look.color(Role::Accent));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(box, 4, 4);
    }
    const Role role = isChecked() ? Role::Accent : Role::Muted;
    const QRect icon((width() - kIcon) / 2, 8, kIcon, kIcon);
    painter.drawPixmap(icon, look.pixmap(m_icon, role, kIcon, devicePixelRatioF()));
    painter.setPen(look.color(isChecked() ? Role::Text : Role::Muted));
    painter.drawText(QRect(0, icon.bottom() + 4, width(), fontMetrics().height()), Qt::AlignCenter, text());
    if (m_dot) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(look.color(Role::Accent));
        painter.drawEllipse(QPointF(icon.right() + 3, icon.top() + 1), 4, 4);
    }
}

Rail::Rail(const ThemeHolder& theme, QWidget* parent)
    : QFrame(parent)
    , m_theme(theme)
    , m_column(new QVBoxLayout(this))
    , m_group(new QButtonGroup(this))
{
    setObjectName(QStringLiteral("rail"));
    setFixedWidth(kWidth);
    setAccessibleName(QStringLiteral("Pages"));
    m_column->setContentsMargins(6, 8, 6, 8);
    m_column->setSpacing(2);
    m_column->addStretch();
    connect(m_group, &QButtonGroup::idClicked, this, &Rail::pageRequested);
}

RailButton& Rail::add(const QString& icon, const QString& words)
{
    auto* button = new RailButton(m_theme, icon, words, this);
    const int id = static_cast<int>(m_group->buttons().size());
    button->setToolTip(QStringLiteral("%1 (Ctrl+%2)").arg(words).arg(id + 1));
    m_group->addButton(button, id);
    m_column->insertWidget(id, button);
    return *button;
}

void Rail::setCurrent(int index)
{
    if (QAbstractButton* button = m_group->button(index))
        button->setChecked(true);
}

} // namespace loadlab
