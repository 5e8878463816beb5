#include "gui/widgets/BadgeDelegate.h"

#include "gui/widgets/ModeBadge.h"
#include "gui/widgets/Type.h"

#include <QPainter>

namespace loadlab {

BadgeDelegate::BadgeDelegate(const ThemeHolder& theme, int role, QObject* parent)
    : PaintedDelegate(theme, parent)
    , m_role(role)
{
}

void BadgeDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    paintEmptyCell(*painter, option, index);
    const QVariant wire = index.data(m_role);
    if (!wire.isValid())
        return;
    paintBadge(*painter, option.rect.adjusted(4, 1, -4, -1), wire.toString(), theme(),
        type::sized(option.font, type::kSmall), 16, option.state.testFlag(QStyle::State_Enabled));
}

QSize BadgeDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const QVariant wire = index.data(m_role);
    if (!wire.isValid())
        return {0, QFontMetrics(option.font).height() + 8};
    return badgeSize(wire.toString(), type::sized(option.font, type::kSmall)) + QSize(8, 4);
}

} // namespace loadlab
