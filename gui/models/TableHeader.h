#pragma once

#include <QVariant>

#include <span>

namespace loadlab {

/// Numbers stand at the right, words at the left: of headers and cells.
inline QVariant alignmentOf(bool isNumber)
{
    return QVariant::fromValue(Qt::Alignment((isNumber ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
}

/// What headerData() answers for a table whose columns have these titles (UTF-8); nothing for rows.
inline QVariant headerOf(
    std::span<const char* const> titles, int section, Qt::Orientation orientation, int role, bool isNumber)
{
    if (orientation != Qt::Horizontal || section < 0 || static_cast<std::size_t>(section) >= titles.size())
        return {};
    if (role == Qt::DisplayRole)
        return QString::fromUtf8(titles[static_cast<std::size_t>(section)]);
    return role == Qt::TextAlignmentRole ? alignmentOf(isNumber) : QVariant();
}

} // namespace loadlab
