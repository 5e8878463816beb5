#include "gui/widgets/ModeBadge.h"

#include "gui/widgets/StateLook.h"
#include "gui/widgets/Type.h"

#include <QPainter>

namespace loadlab {
namespace {

constexpr int kPadding = 7;
constexpr int kGap = 5;

} // namespace

QSize badgeSize(const QString& wireName, const QFont& font, int iconSize)
{
    const QFontMetrics metrics(font);
    const int words = metrics.horizontalAdvance(lookOf(wireName).words);
    return {kPadding + iconSize + kGap + words + kPadding, std::max(metrics.height(), iconSize) + 4};
}

void paintBadge(QPainter& painter, const QRect& rect, const QString& wireName, const Theme& theme, const QFont& font,
    int iconSize, bool enabled)
{
    const StateLook look = lookOf(wireName);
    const QSize size = badgeSize(wireName, font, iconSize).boundedTo(rect.size());
    const QRect box(rect.left(), rect.top() + (rect.height() - size.height()) / 2, size.width(), size.height());
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme.color(tintOf(enabled ? look.role : Role::Neutral)));
    painter.drawRoundedRect(box, 4, 4);
    const Role role = enabled ? look.role : Role::Muted;
    const QPixmap icon = theme.pixmap(look.icon, role, iconSize, painter.device()->devicePixelRatioF());
    painter.drawPixmap(box.left() + kPadding, box.top() + (box.height() - iconSize) / 2, icon);
    const QRect words = box.adjusted(kPadding + iconSize + kGap, 0, -kPadding / 2, 0);
    painter.setFont(font);
    painter.setPen(theme.color(role));
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
        QFontMetrics(font).elidedText(look.words, Qt::ElideRight, words.width() + 1));
    painter.restore();
}

ModeBadge::ModeBadge(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(&theme, &ThemeHolder::themeChanged, this, qOverload<>(&QWidget::update));
    setState({});
}

void ModeBadge::setState(const QString& wireName)
{
    m_state = wireName;
    setAccessibleName(lookOf(wireName).words);
    updateGeometry();
    update();
}

void ModeBadge::setLarge(bool large)
{
    m_large = large;
    updateGeometry();
    update();
}

QFont ModeBadge::badgeFont() const
{
    return m_large ? type::sized(font(), 1.1, true) : font();
}

QSize ModeBadge::sizeHint() const
{
    QSize size = badgeSize(m_state, badgeFont(), m_large ? 20 : 16);
    return m_large ? size + QSize(0, 4) : size;
}

void ModeBadge::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    paintBadge(painter, rect(), m_state, m_theme.theme(), badgeFont(), m_large ? 20 : 16, isEnabled());
}

} // namespace loadlab
