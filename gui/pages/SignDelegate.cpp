#include "gui/pages/SignDelegate.h"

#include <QHash>

namespace loadlab {

Role roleOfSign(const QString& sign)
{
    static const QHash<QString, Role> kRoles{
        {QStringLiteral("ok"), Role::Ok},
        {QStringLiteral("fail"), Role::Fail},
        {QStringLiteral("mem"), Role::Fail},
        {QStringLiteral("struct"), Role::Fail},
        {QStringLiteral("clock"), Role::Fail},
        {QStringLiteral("power"), Role::Fail},
        {QStringLiteral("warn"), Role::Warn},
        {QStringLiteral("info"), Role::Info},
        {QStringLiteral("play"), Role::Info},
        {QStringLiteral("shield"), Role::Info},
    };
    return kRoles.value(sign, Role::Muted);
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
