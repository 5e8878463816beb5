#include "gui/models/ZooModel.h"

#include <algorithm>

namespace loadlab {
namespace {

bool isOfKind(const QModelIndex& checkpoint, ZooFilter::Kind kind)
{
    const bool complete = checkpoint.data(ZooModel::StateRole).toString() == QLatin1String("complete");
    switch (kind) {
    case ZooFilter::Kind::All:
        return true;
    case ZooFilter::Kind::Complete:
        return complete;
    case ZooFilter::Kind::NeedsAttention:
        return !complete;
    case ZooFilter::Kind::NeverRun:
        return !checkpoint.data(ZooModel::HasRunRole).toBool();
    }
    return true;
}

} // namespace

ZooFilter::ZooFilter(QObject* parent)
    : QSortFilterProxyModel(parent)
{
    setSortRole(ZooModel::SortRole);
    setSortCaseSensitivity(Qt::CaseInsensitive);
    setDynamicSortFilter(true);
    setRecursiveFilteringEnabled(true);
}

void ZooFilter::setKind(Kind kind)
{
    m_kind = kind;
    invalidateFilter();
}

void ZooFilter::setWords(const QString& words)
{
    m_words = words.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    invalidateFilter();
}

int ZooFilter::count(Kind kind) const
{
    int found = 0;
    const QAbstractItemModel* source = sourceModel();
    for (int folder = 0; source && folder < source->rowCount(); ++folder) {
        const QModelIndex parent = source->index(folder, 0);
        for (int row = 0; row < source->rowCount(parent); ++row)
            found += isOfKind(source->index(row, 0, parent), kind) ? 1 : 0;
    }
    return found;
}

bool ZooFilter::filterAcceptsRow(int row, const QModelIndex& parent) const
{
    const QModelIndex index = sourceModel()->index(row, 0, parent);
    if (parent.isValid())
        return accepts(index);
    // A folder stays while it has something to show; an empty one while nothing is filtered.
    const int children = sourceModel()->rowCount(index);
    for (int child = 0; child < children; ++child)
        if (accepts(sourceModel()->index(child, 0, index)))
            return true;
    return children == 0 && m_kind == Kind::All && m_words.isEmpty();
}

bool ZooFilter::accepts(const QModelIndex& checkpoint) const
{
    if (!isOfKind(checkpoint, m_kind))
        return false;
    QString text;
    for (const int column : {ZooModel::Name, ZooModel::Family, ZooModel::Weights, ZooModel::State})
        text += checkpoint.siblingAtColumn(column).data().toString() + QLatin1Char('\n');
    return std::all_of(
        m_words.begin(), m_words.end(), [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
}

bool ZooFilter::lessThan(const QModelIndex& left, const QModelIndex& right) const
{
    if (!left.parent().isValid())
        return (left.row() < right.row()) == (sortOrder() == Qt::AscendingOrder);
    return QSortFilterProxyModel::lessThan(left, right);
}

} // namespace loadlab
