#include "gui/pages/SignDelegate.h"

namespace loadlab {

Role roleOfSign(const QString& sign)
{
    if (sign == QLatin1String("ok"))
        return Role::Ok;
    if (sign == QLatin1String("fail"))
        return Role::Fail;
    if (sign == QLatin1String("warn"))
        return Role::Warn;
    return sign == QLatin1String("info") ? Role::Info : Role::Muted;
}

SignDelegate::SignDelegate(const ThemeHolder& theme, int signRole, QObject* parent)
    : QStyledItemDelegate(parent)
    , m_theme(theme)
    , m_signRole(signRole)
{
}

void SignDelegate::initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const
{
    QStyledItemDelegate::initStyleOption(option, index);
    const QString sign = index.data(m_signRole).toString();
    if (sign.isEmpty())
        return;
    option->features |= QStyleOptionViewItem::HasDecoration;
    option->icon = m_theme.icon(sign, roleOfSign(sign));
    option->decorationSize = {16, 16};
}

} // namespace loadlab
